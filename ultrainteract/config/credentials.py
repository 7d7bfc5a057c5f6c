"""Refuses credentials in a configuration, which is stored and published in part: they belong in the environment."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from pydantic import ValidationInfo

STORED = {"stored": True}
"""Validation context of a configuration that is read from a run directory."""

_NAMES = re.compile(
    r"(^|[-_.])(api[-_]?key|access[-_]?key|(access|auth|hf|api|bearer|refresh)[-_]?token|token|secret|client[-_]?secret"
    r"|passw(or)?d|authorization|credentials?|private[-_]?key|x-api-key|cookie)$",
    re.IGNORECASE,
)


def is_stored(info: ValidationInfo) -> bool:
    """Whether a configuration is read from a run directory, where an earlier version may have let credentials in."""
    return bool((info.context or {}).get("stored"))


def without_credentials(value: Any, name: str = "") -> Any:
    """Plain JSON as it may be shown: what `check_options` refuses is hidden."""
    if isinstance(value, Mapping):
        return {key: without_credentials(item, str(key)) for key, item in value.items()}
    if isinstance(value, list):
        return [without_credentials(item, name) for item in value]
    return "(hidden)" if isinstance(value, str) and value and _NAMES.search(name) else value


def check_address(address: str) -> None:
    """Refuses an address that carries a user, a password or a key.

    Raises:
        ValueError: It does.
    """
    parts = urlsplit(address)
    named = [
        name for name, _ in parse_qsl(parts.query) if _NAMES.search(name) or name.lower() in ("key", "sig")
    ]
    if "@" in parts.netloc or named:
        raise ValueError(
            "an address must not carry credentials, since the configuration is stored: put the key into an environment "
            "variable and name that in api_key_env"
        )


def check_options(options: Mapping[str, Any], where: str = "") -> None:
    """Refuses options whose names say that they hold a credential, at any depth.

    Raises:
        ValueError: One does.
    """
    for name, value in options.items():
        place = f"{where}.{name}" if where else str(name)
        if isinstance(value, str) and value and _NAMES.search(str(name)):
            raise ValueError(
                f"'{place}' looks like a credential, which must not stand in a configuration, since that is stored: "
                "use an environment variable (api_key_env for models, HF_TOKEN for the Hub)"
            )
        if isinstance(value, Mapping):
            check_options(value, place)
        elif isinstance(value, str) and "://" in value:
            check_address(value)
