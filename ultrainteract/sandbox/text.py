"""Text in and out of the sandbox: which zygote suits a program, and what of its output depends on the machine."""

from __future__ import annotations

import re
from collections.abc import Iterable

_HEAVY = re.compile(r"\b(scipy|pandas|networkx|statsmodels|sklearn|matplotlib|seaborn)\b")
_SYMPY = re.compile(r"\b(sympy|mpmath)\b")
_NUMPY = re.compile(r"\bnumpy\b")
_ADDRESS = re.compile(r"\bat 0x[0-9a-fA-F]{4,}")
_SCRATCH = re.compile(r"/box/[0-9]{2}\b")


def zygote_for(sources: Iterable[str]) -> str:
    """The fork server whose preloaded modules suit these programs."""
    text = "\n".join(sources)
    if _HEAVY.search(text):
        return "full"
    if _SYMPY.search(text):
        return "sympy"
    return "numpy" if _NUMPY.search(text) else "bare"


def display(data: bytes | None) -> str | None:
    """Decodes output and replaces what differs between equal executions: addresses and the scratch path."""
    if data is None:
        return None
    text = data.decode("utf-8", "replace")
    if "0x" in text:
        text = _ADDRESS.sub("at 0x…", text)
    return _SCRATCH.sub("/box/run", text) if "/box/" in text else text


def shown_output(data: bytes, limit: int, normalised: bool = True) -> str:
    """Output as it is shown: the first `limit` bytes, marked where there are more.

    Args:
        data: The output, one byte more than the limit at the most.
        limit: Bytes; a character of which they hold a part is left out.
        normalised: See `display`.
    """
    kept = data
    if len(data) > limit:
        kept = data[:limit]
        start = max(0, limit - 3)
        while (
            start < limit and kept[start] & 0xC0 != 0xC0
        ):  # the beginning of a last character of several bytes
            start += 1
        if start < limit and len(kept[start:].decode("utf-8", "ignore")) == 0:
            kept = kept[:start]
    text = (display(kept) or "") if normalised else kept.decode("utf-8", "replace")
    return f"{text}\n[... output cut at {limit:,} bytes]\n" if len(data) > limit else text
