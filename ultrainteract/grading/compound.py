r"""Quantities that are stated in several parts: `3 hours and 30 minutes`, `5'6"`, `$12 and 50 cents`, `3:30`.

Parts make one quantity where their units are of one dimension, each unit holds the next a whole number of times, and
each part is less than one of the unit before it. Anything else stays what it is: several values.
"""

from __future__ import annotations

import re
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise

from ultrainteract.grading.number import parse_number
from ultrainteract.grading.units import Unit, make_unit

_TEXT = re.compile(r"\\text\s*\{([^{}]*)\}")
_DOLLARS = re.compile(r"\$\s*(\d[\d,]*(?:\.\d+)?)")
_FEET = re.compile(r"(\d+)\s*'\s*(\d{1,2}(?:\.\d+)?)\s*(?:\"|''|'')?")
_CLOCK = re.compile(r"(\d+):(\d\d(?:\.\d+)?)\s+(hours?|hrs?|h|minutes?|mins?)")
_BELOW = {"hour": "minutes", "minute": "seconds"}
_BETWEEN = re.compile(r"(?<=[A-Za-z.])\s*(?:,\s*)?(?:(?:and\b|&)\s*)?(?=\d)")
_PART = re.compile(r"(\d[\d,]*(?:\.\d+)?|\d+\s+\d+/\d+|\d+/\d+)\s*([A-Za-z]+(?: [A-Za-z]+)?)\.?")


@lru_cache(maxsize=4096)
def compound(text: str) -> tuple[Fraction, Unit] | None:
    """The sum of a quantity's parts, in the unit of the first part; None for anything but such a quantity.

    Args:
        text: Cleaned text (see `latex.clean`).
    """
    text = " ".join(_TEXT.sub(r" \1 ", text).split())
    sign, text = (-1, text[1:].lstrip()) if text.startswith("-") else (1, text)
    if found := _FEET.fullmatch(text):
        text = f"{found[1]} feet {found[2]} inches"
    elif found := _CLOCK.fullmatch(text):
        whole = "hour" if found[3].startswith("h") else "minute"
        text = f"{found[1]} {whole} {found[2]} {_BELOW[whole]}"
    pieces = _BETWEEN.split(_DOLLARS.sub(r"\1 dollars", text))
    if not 2 <= len(pieces) <= 5:
        return None
    parts = [part for piece in pieces if (part := _part(piece))]
    if len(parts) < len(pieces):
        return None
    if any(unit.dimension == "time^1" for _, unit in parts):  # beside hours or seconds, `m` is no metre
        parts = [(value, _MINUTE if unit.name == "m^1" else unit) for value, unit in parts]
    total, first = parts[0]
    for (before, larger), (value, smaller) in pairwise(parts):
        ratio = larger.factor / smaller.factor
        fits = ratio.denominator == before.denominator == 1
        if larger.dimension != smaller.dimension or not fits or not value < ratio or ratio == 1:
            return None
        total += value * smaller.factor / first.factor
    return sign * total, first


def clock(text: str) -> tuple[Fraction, Unit] | None:
    """`3:30` as three and a half hours, which may also be minutes; None for anything but two such numbers."""
    found = re.fullmatch(r"(\d{1,4}):([0-5]\d)", "".join(text.split()))
    return (Fraction(int(found[1])) + Fraction(int(found[2]), 60), _HOUR) if found else None


def _part(text: str) -> tuple[Fraction, Unit] | None:
    found = _PART.fullmatch(text.strip())
    number = parse_number(found[1]) if found else None
    unit = make_unit(found[2]) if found else None
    return (number.value, unit) if number and unit and unit.dimension else None


_HOUR = Unit("hour^1", "time^1", Fraction(3600))
_MINUTE = Unit("min^1", "time^1", Fraction(60))
