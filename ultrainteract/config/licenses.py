"""Licenses as the Hugging Face Hub spells them.

The Hub knows a fixed list of identifiers, close to SPDX's in lower case but not equal to them (`ODC-By-1.0` is `odc-by`
there). What it does not know is `other`, with a name and a link of its own.
Source: https://huggingface.co/docs/hub/repositories-licenses.
"""

from __future__ import annotations

import re

_IDENTIFIERS = """
    afl-3.0 agpl-3.0 apache-2.0 apple-amlr apple-ascl artistic-2.0 bigcode-openrail-m bigscience-bloom-rail-1.0
    bigscience-openrail-m bsd bsd-2-clause bsd-3-clause bsd-3-clause-clear bsl-1.0 c-uda cc cc-by-2.0 cc-by-2.5
    cc-by-3.0 cc-by-4.0 cc-by-nc-2.0 cc-by-nc-3.0 cc-by-nc-4.0 cc-by-nc-nd-3.0 cc-by-nc-nd-4.0 cc-by-nc-sa-2.0
    cc-by-nc-sa-3.0 cc-by-nc-sa-4.0 cc-by-nd-4.0 cc-by-sa-3.0 cc-by-sa-4.0 cc0-1.0 cdla-permissive-1.0
    cdla-permissive-2.0 cdla-sharing-1.0 creativeml-openrail-m deepfloyd-if-license ecl-2.0
    epl-1.0 epl-2.0 etalab-2.0 eupl-1.1 eupl-1.2
    fair-noncommercial-research-license gemma gfdl gpl gpl-2.0 gpl-3.0 grok2-community h-research intel-research isc
    lgpl lgpl-2.1 lgpl-3.0 lgpl-lr llama2 llama3 llama3.1 llama3.2 llama3.3 llama4 lppl-1.3c mit mpl-2.0 ms-pl ncsa
    odbl odc-by ofl-1.1 openmdw-1.0 openrail openrail++ osl-3.0 other pddl postgresql unknown unlicense wtfpl zlib
"""
HUB_LICENSES = frozenset(_IDENTIFIERS.split())
"""Identifiers that the Hub accepts."""
_SPDX = {
    "odc-by-1.0": "odc-by", "odbl-1.0": "odbl", "pddl-1.0": "pddl", "0bsd": "other", "cc0": "cc0-1.0",
    "zlib-acknowledgement": "other", "apache2": "apache-2.0", "apache-2": "apache-2.0", "apache": "apache-2.0",
    "apache-license-2.0": "apache-2.0", "apache-license-version-2.0": "apache-2.0", "mit-license": "mit",
    "cc-zero": "cc0-1.0", "public-domain": "other", "python-2.0": "other",
}  # fmt: skip
"""SPDX identifiers and usual spellings that differ from the Hub's by more than case."""


def hub_license(name: str) -> str | None:
    """The Hub's identifier of a license; None for one that it does not know.

    Args:
        name: An SPDX identifier, the Hub's own, or a usual spelling of one.

    Example:
        >>> hub_license("ODC-By-1.0"), hub_license("CC BY-SA 4.0"), hub_license("GPL-3.0-only"), hub_license("My own")
        ('odc-by', 'cc-by-sa-4.0', 'gpl-3.0', None)
    """
    plain = re.sub(r"[\s_,]+", "-", name.strip().lower())
    for known in (
        plain,
        _SPDX.get(plain),
        re.sub(r"-(only|or-later)$|\+$", "", plain),
        plain.removesuffix(".0"),
    ):
        if known in HUB_LICENSES:
            return known
    return None


def license_name(name: str) -> str:
    """The name of a license that the Hub does not know, as it may stand in `license_name`.

    Example:
        >>> license_name("LicenseRef-ReClor-research-only")
        'reclor-research-only'
    """
    return re.sub(r"[^a-z0-9.]+", "-", name.lower().removeprefix("licenseref-")).strip("-.") or "unknown"
