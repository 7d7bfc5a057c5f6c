"""Single values: numbers with their units, expressions, infinity."""

from __future__ import annotations

import math
import re
from fractions import Fraction

from ultrainteract.grading.comparison.context import Comparing
from ultrainteract.grading.finding import Basis, Finding
from ultrainteract.grading.number import Number, same_number
from ultrainteract.grading.quantity import (
    Quantity,
    bodies,
    infinity,
    letter_after_number,
    may_be_restated,
    quantity,
    same_in_base,
    squeeze,
)
from ultrainteract.grading.shapes import Scalar
from ultrainteract.grading.structure import MATH_WORDS
from ultrainteract.grading.units import SCALES, Unit, kelvin, make_unit, relation


def scalars(c: Comparing, gold: Scalar, answer: Scalar) -> Finding:
    """Two scalars: plain numbers here, anything else by algebra."""
    if squeeze(gold) == squeeze(answer):
        return Finding.equal("the same expression")
    if infinity(gold) or infinity(answer):
        same = infinity(gold) == infinity(answer)
        return Finding.either(same, "infinite", "only one of them is infinite")
    right, given = quantity(gold), quantity(answer)
    if right.base or given.base:
        return same_in_base(right, given)
    unit = right.unit or (make_unit(c.setting.unit) if c.setting.unit else None)
    kind, factor = relation(unit, given.unit)
    if right.number and given.number:
        warmth = kelvin(right.number.value, unit), kelvin(given.number.value, given.unit)
        if unit != given.unit and None not in warmth:
            same = warmth[0] == warmth[1]
            return Finding.either(same, "the same temperature", "different temperatures", Basis.CONVENTION)
        number = given.number
        if kind == "convertible":
            number = Number(number.value * factor, percent=number.percent)
        found = same_number(
            right.number, number, program=c.setting.program,
            asks_percent=c.setting.asks_percent, rounds=c.setting.rounds,
        )  # fmt: skip
    elif kind == "convertible":
        return Finding.unknown("the units differ")
    else:
        both = bodies(gold, answer, right, given)
        found = c.algebra.scalars(*both, program=c.setting.program)
        if found.is_unequal and letter_after_number(right, given):
            return Finding.unknown("a letter that may be a unit or a variable")
        if found.is_unequal and _RANGE.fullmatch(given.body.text):
            return Finding.unknown("a range, or a difference")
        if found.is_unequal and right.number and re.fullmatch(r"[A-E]|[\d.,]+\s*[kKMB]", answer.text):
            return Finding.unknown("the letter of a choice, or an abbreviated number")
    return _with_units(found, kind, right, given, unit)


def _with_units(found: Finding, kind: str, right: Quantity, given: Quantity, unit: Unit | None) -> Finding:
    """A finding about two bodies, in the light of their units."""
    if found.is_unknown:
        return found
    if kind == "kindred":
        return Finding.unknown("units of which one may be stated in the other")
    if kind in ("conflict", "unknown") and found.is_equal:
        return Finding.unknown("the number is right, the unit may not be")
    if kind == "missing" and found.is_equal and {one.name for one in (unit, given.unit) if one} & SCALES:
        return Finding.unknown("the number is right if the word behind it is no scale")
    if kind == "convertible" and found.is_equal:
        return Finding.equal("the same quantity in another unit", Basis.CONVENTION)
    if kind in ("missing", "unknown") and found.is_unequal:
        known = unit if unit and (unit.dimension or not given.unit) else given.unit
        if known is not None and known.dimension == "angle^1" and _radians(right, given):
            return Finding.unknown("an angle in degrees against one in radians")
        if known is not None and right.number and given.number:
            stated, bare = (right.number, given.number) if known is unit else (given.number, right.number)
            if may_be_restated(stated, known, bare):
                return Finding.unknown("the same quantity if it is in another unit")
        if given.unit is not None and _power_of_ten(right, given):
            return Finding.unknown("the same number if the word behind it is a scale")
    return found


def _power_of_ten(right: Quantity, given: Quantity) -> bool:
    """True where the gold number is the answer times 100 or a higher power of ten: `2.5 mln`, `3 crore`, `5 grand`."""
    if not (right.number and given.number and given.number.value):
        return False
    ratio = right.number.value / given.number.value
    return ratio >= 100 and re.fullmatch(r"10+", str(ratio)) is not None


def _radians(right: Quantity, given: Quantity) -> bool:
    """True where one of two angles may be in radians: an expression, or a number that is the other one's in them."""
    if right.number is None or given.number is None:
        return True
    one, other = right.number.value, given.number.value
    return any(abs(a * _RADIAN - b) < abs(b) / 100 for a, b in ((one, other), (other, one)))


def may_stand_for_anything(scalar: Scalar, complex_too: bool = False) -> bool:
    """True where letters may stand for anything: a vector, a set, a unit that is not known."""
    if quantity(scalar).number is not None:
        return False
    words = set(re.findall(r"[A-Za-z]+", _COMMANDS.sub(" ", scalar.text)))
    known = MATH_WORDS | {"e", "E", "pi"} | (set() if complex_too else {"i", "I"} if scalar.python else {"i"})
    return bool(words - known) or re.search(r"\\(?:math|text|hat|vec|over)", scalar.text) is not None


_RADIAN = Fraction(math.pi) / 180
_COMMANDS = re.compile(r"\\[A-Za-z]+")
_RANGE = re.compile(r"\d+(?:\.\d+)?\s*-\s*\d+(?:\.\d+|\s*/\s*\d+)?")
