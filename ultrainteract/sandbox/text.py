"""Text in and out of the sandbox: which zygote suits a program, and what of its output depends on the machine."""

from __future__ import annotations

import codecs
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
    return None if data is None else _normalised(data.decode("utf-8", "replace"))


def _normalised(text: str) -> str:
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
    cut = len(data) > limit
    text = codecs.utf_8_decode(data[:limit], "replace", not cut)[0]
    if normalised:
        text = _normalised(text)
    return f"{text}\n[... output cut at {limit:,} bytes]\n" if cut else text
