r"""Plain numbers, read exactly, and when two of them are the same number.

A plain number is what needs no algebra: an integer, a decimal, a fraction, a mixed number, scientific notation, a
percentage. It becomes a `Fraction`, so no comparison is ever blurred by floating point. What is written out with
decimals remembers how many, because a rounded decimal is neither right nor wrong without knowing what was asked.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache

from ultrainteract.grading.finding import Basis, Finding

MAX_DIGITS = 1_000
"""Longest digit string read as a number."""
EXACT_IN_A_DOUBLE = 2**53
"""Whole numbers below this are exact as floating-point numbers."""
WHOLE_NOISE = Fraction(1, 10_000)
"""Greatest difference from a whole number that is floating-point noise."""
MAX_EXPONENT = 400
"""Largest power of ten in scientific notation that is read."""


@dataclass(frozen=True)
class Number:
    """An exact number and how it was written."""

    value: Fraction
    """The value; of a percentage, the number before the sign."""
    places: int | None = None
    """Digits after the point, where it is written as a decimal with any."""
    digits: int = 0
    """Significant digits of a decimal."""
    percent: bool = False
    """Followed by a percent sign."""
    point: bool = False
    """Written with a decimal point or an exponent, as floating-point numbers are."""
    last: int | None = None
    """In scientific notation, the power of ten of the last digit."""

    @property
    def true_value(self) -> Fraction:
        """The value, with a percent sign taken as a hundredth."""
        return self.value / 100 if self.percent else self.value


_DECIMAL = r"(?:\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+\.?\d*|\.\d+)"
_POWER = r"(?:[eE]\s*([+-]?\d+)|\s*(?:\\times|\\cdot|\*|x)\s*10\s*(?:\^|\*\*)\s*(?:\{\s*([+-]?\d+)\s*\}|([+-]?\d+)))"
_PLAIN = re.compile(rf"([+-]?)\s*({_DECIMAL}){_POWER}?\s*(%?)")
_RATIO = re.compile(rf"([+-]?)\s*({_DECIMAL})\s*/\s*([+-]?)\s*({_DECIMAL})\s*(%?)")
_FRAC = re.compile(
    rf"([+-]?)\s*(\d+(?:,\d{{3}})*)?\s*\\frac\{{\s*([+-]?)\s*({_DECIMAL})\s*\}}\{{\s*([+-]?)\s*({_DECIMAL})\s*\}}\s*(%?)"
)
_MIXED = re.compile(r"([+-]?)\s*(\d+(?:,\d{3})*)(?:\s+|\s*(?:and|&)\s*)(\d+)\s*/\s*(\d+)\s*(%?)")
_REPEATING = re.compile(r"([+-]?)\s*(\d*)\.(\d*)\\overline\{\s*(\d+)\s*\}\s*(%?)")
_GROUPED = re.compile(r"[+-]?\d{1,3}(?:_\d{3})+(?:\.\d+)?%?")
_SPACED = re.compile(r"[+-]?\s*\d{1,3}(?: \d{3})+(?:\.\d+)?")


@lru_cache(maxsize=4096)
def parse_number(text: str) -> Number | None:
    """The plain number that `text` is, or None.

    Args:
        text: Cleaned text (see `latex.clean`), without currency and unit.
    """
    if len(text) > MAX_DIGITS + 20 or not _NUMERIC.match(text):
        return None
    while text.startswith("(") and text.endswith(")") and "(" not in text[1:-1]:
        text = text[1:-1].strip()
    if _SPACED.fullmatch(text):
        text = text.replace(" ", "").strip()
    elif "_" in text and _GROUPED.fullmatch(text):
        text = text.replace("_", "")
    if found := _PLAIN.fullmatch(text):
        sign, body, *powers, percent = found.groups()
        return _decimal(sign, body, next((p for p in powers if p), None), bool(percent))
    if found := _RATIO.fullmatch(text):
        return _fraction(found[1], None, found[3], found[2], found[4], found[5])
    if found := _FRAC.fullmatch(text):
        if found[2] and (found[3] or found[5] or "." in found[4] + found[6]):
            return None
        return _fraction(found[1], found[2], found[3] + found[5], found[4], found[6], found[7])
    if found := _REPEATING.fullmatch(text):
        return _repeating(found)
    if found := _MIXED.fullmatch(text):
        return _fraction(found[1], found[2], "", found[3], found[4], found[5])
    return None


_NUMERIC = re.compile(r"[\s(+\-.\d]|\\frac")


def _decimal(sign: str, body: str, power: str | None, percent: bool) -> Number | None:
    body = body.replace(",", "")
    whole, _, decimals = body.partition(".")
    if power is not None and abs(int(power)) > MAX_EXPONENT:
        return None
    value = Fraction(int(f"{sign}{whole}{decimals}"))
    if decimals:
        value /= 10 ** len(decimals)
    places: int | None = len(decimals) or None
    if power is not None:
        value *= Fraction(10) ** int(power)
        places = max(len(decimals) - int(power), 1) if len(decimals) > int(power) else None
    digits = len((whole + decimals).lstrip("0"))
    last = int(power) - len(decimals) if power is not None else None
    return Number(value, places, digits, percent, "." in body or power is not None, last)


def _repeating(found: re.Match[str]) -> Number:
    sign, whole, fixed, period, percent = found.groups()
    value = Fraction(int(period), 10 ** len(period) - 1) / 10 ** len(fixed) + Fraction(
        f"{whole or 0}.{fixed or 0}"
    )
    return Number(-value if sign == "-" else value, percent=bool(percent))


def _fraction(
    sign: str, whole: str | None, inner: str, upper: str, lower: str, percent: str
) -> Number | None:
    top, bottom = _decimal("", upper, None, False), _decimal("", lower, None, False)
    if top is None or bottom is None or bottom.value == 0:
        return None
    value = top.value / bottom.value + (int(whole.replace(",", "")) if whole else 0)
    negative = (sign == "-") != (inner.count("-") % 2 == 1)
    return Number(-value if negative else value, percent=bool(percent))


def same_number(
    gold: Number, answer: Number, *, program: bool, asks_percent: bool = False, rounds: bool = False
) -> Finding:
    """Whether an answer is the gold number.

    Args:
        gold: The gold number.
        answer: The answer.
        program: The answer was printed by a program, so that floating-point noise is to be expected.
        asks_percent: The question asks for a percentage.
        rounds: The question asks for an approximate or rounded value.
    """
    if gold.percent != answer.percent:
        return _percent(gold, answer, program=program, asks_percent=asks_percent, rounds=rounds)
    right, given = gold.value, answer.value
    if right == given:
        return Finding.equal("the same number")
    gap = abs(right - given)
    if program and answer.point and answer.digits >= 15 and gap <= _noise(right):
        return Finding.equal("the same number up to floating-point error", Basis.NUMERIC)
    if program and right == 0 and gap < Fraction(1, 10**9):
        if answer.digits < 12:
            return Finding.unknown("almost zero")
        return Finding.equal("zero up to floating-point error", Basis.NUMERIC)
    if answer.places is not None and _agrees(right, given, gap, answer.places):
        return _rounded_answer(gold, answer, gap, program)
    if gold.places is not None and gap <= Fraction(1, 2 * 10**gold.places):
        return _rounded_gold(gold, answer, program)
    whole = right.denominator == given.denominator == 1 and answer.last is None
    if whole and max(abs(right), abs(given)) < EXACT_IN_A_DOUBLE:
        return Finding.unequal("different numbers")
    if answer.places is not None and right != 0 and gap <= abs(right) / 10**5:
        return Finding.unknown("the numbers agree to five digits only")
    if any(
        one.digits >= 3 and one.last is not None and gap < Fraction(10) ** one.last for one in (gold, answer)
    ):
        return Finding.unknown("a number in scientific notation that may be rounded")
    if rounds and right.denominator == 1 and answer.value.denominator != 1 and gap < 1:
        return Finding.unknown("the question asks for a rounded value and the answer may not be rounded yet")
    if asks_percent and not gold.percent and (right == 100 * given or given == 100 * right):
        return Finding.unknown("the numbers differ by a factor of 100 and the question asks for a percentage")
    return Finding.unequal("different numbers")


def _noise(right: Fraction) -> Fraction:
    """How far a computed value may be from the number that it stands for.

    Whole numbers that a double holds exactly are further apart than any noise of a computation.
    """
    relative = abs(right) / 10**9
    whole = right.denominator == 1 and abs(right) < EXACT_IN_A_DOUBLE
    return min(relative, WHOLE_NOISE) if whole else relative


def _agrees(right: Fraction, given: Fraction, gap: Fraction, places: int) -> bool:
    """True where a decimal is the number, rounded or cut off after its last digit."""
    unit = Fraction(1, 10**places)
    return gap <= unit / 2 or (gap < unit and abs(given) < abs(right))


def _rounded_answer(gold: Number, answer: Number, gap: Fraction, program: bool) -> Finding:
    """The answer is a decimal that agrees with the gold number in every digit it shows."""
    enough = 6 if program else 8
    if gold.places is None and gold.value.denominator != 1 and answer.digits >= enough:
        return Finding.equal(f"the gold number to at least {enough} digits", Basis.NUMERIC)
    if program and answer.digits >= 6 and gap <= abs(gold.value) / 10**6 and gold.value.denominator == 1:
        return Finding.equal("the same number up to floating-point error", Basis.NUMERIC)
    if answer.digits >= (2 if gold.places is None else 3) and gold.value.denominator != 1:
        return Finding.unknown("the answer is the gold number, rounded")
    if gap <= abs(gold.value) / 10**5:
        return Finding.unknown("the numbers agree to five digits only")
    return Finding.unequal("different numbers")


def _rounded_gold(gold: Number, answer: Number, program: bool) -> Finding:
    """The gold number is a decimal to which the answer rounds."""
    assert gold.places is not None
    if program and gold.digits >= 3 and gold.places >= 2 and (answer.places is None or answer.digits >= 12):
        return Finding.equal("the gold number is the answer, rounded", Basis.CONVENTION)
    return Finding.unknown("the gold number may be the answer, rounded")


def _percent(gold: Number, answer: Number, *, program: bool, asks_percent: bool, rounds: bool) -> Finding:
    """Exactly one of the two has a percent sign."""
    bare = same_number(replace(gold, percent=False), replace(answer, percent=False), program=program)
    by_value = same_number(
        Number(gold.true_value, gold.places),
        Number(answer.true_value, answer.places, answer.digits),
        program=program,
    )
    if by_value.is_equal and (gold.percent or not asks_percent):
        return by_value
    if bare.is_equal:
        if asks_percent:
            return Finding.equal("the same percentage", bare.basis)
        return Finding.unknown("the same digits, but only one of them is a percentage")
    if bare.is_unknown or by_value.is_unknown or by_value.is_equal:
        return Finding.unknown("the numbers are close, but only one of them is a percentage")
    return Finding.unequal("different numbers")


_AS_DATASETS_WRITE = re.compile(
    r"[-+\u2212]?\s*(?:\d[\d,]*(?:\.\d+)?|\.\d+)(?:\s*/\s*\d[\d,]*)?(?:[eE][-+]?\d{1,3})?\s*%?"
)


def is_number(text: str) -> bool:
    """True for a number as datasets write them: with commas, as a decimal, a fraction or a percentage."""
    return _AS_DATASETS_WRITE.fullmatch(text.strip().lstrip("$").strip()) is not None
