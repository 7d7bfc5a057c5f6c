"""Scalars as quantities: a number or expression with its unit, its scale word (`million`) or its number base."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from ultrainteract.grading.compound import compound
from ultrainteract.grading.finding import Basis, Finding
from ultrainteract.grading.number import Number, parse_number, same_number
from ultrainteract.grading.number_words import in_digits
from ultrainteract.grading.shapes import Relation, Scalar, Shape
from ultrainteract.grading.units import Unit, conversion_factors, split_unit


@dataclass(frozen=True)
class Quantity:
    """A scalar taken apart: `body` without its unit, and the plain number it is, if it is one."""

    body: Scalar
    number: Number | None
    unit: Unit | None
    base: int | None = None


_BASED = re.compile(
    r"\(?([0-9A-Za-z]+(?:\.[0-9A-Za-z]+)?)\)?_(?:\{\s*(?:\\text\{)?\s*(\d{1,2}|[a-z]+)\s*\}?\s*\}|(\d))"
)
_BASE_WORDS = {"two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10,
               "twelve": 12, "sixteen": 16}  # fmt: skip
_SCALES = {"hundred": 100, "thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}
_SCALED = re.compile(
    rf"(?P<before>.*[\d)}}])\s*(?:\\text\{{\s*)?(?P<scale>{'|'.join(_SCALES)})\b(?P<after>.*)", re.IGNORECASE
)


_BARE_LETTERS = re.compile(r"[\d)}]\s*[A-Za-z]{1,2}(?:\^.*)?$")


def bodies(gold: Scalar, answer: Scalar, right: Quantity, given: Quantity) -> tuple[Scalar, Scalar]:
    """What algebra compares: against an expression without a unit, `3 s` is a product and not seconds."""
    whole = [
        q.number is None and q.unit is None and _BARE_LETTERS.search(s.text)
        for q, s in ((right, answer), (given, gold))
    ]
    return (gold if whole[1] else right.body), (answer if whole[0] else given.body)


def letter_after_number(right: Quantity, given: Quantity) -> bool:
    """True where one is the other with a letter behind it, such as `5` and `5m`."""
    return any(
        one.number is not None and one.body.text == re.sub(r"\s*[A-Za-z]{1,2}$", "", other.body.text)
        for one, other in ((right, given), (given, right))
    )


@lru_cache(maxsize=4096)
def quantity(scalar: Scalar) -> Quantity:
    """Takes a scalar apart into number, unit, scale word and base."""
    if scalar.python:
        return Quantity(scalar, parse_number(scalar.text), None)
    if number := parse_number(scalar.text):
        return Quantity(scalar, number, None)
    if parts := compound(scalar.text):
        return Quantity(Scalar(str(parts[0])), Number(parts[0]), parts[1])
    if found := _BASED.fullmatch(scalar.text):
        stated = found[2] or found[3]
        base = int(stated) if stated.isdigit() else _BASE_WORDS.get(stated, 0)
        if found[1][0].isdigit() or (10 < base <= 36 and found[1].isupper()):
            return Quantity(Scalar(found[1]), None, None, base)
    text, scale = scalar.text, 1
    if found := _SCALED.fullmatch(text):
        closing = "\\text{" if found["after"].count("}") > found["after"].count("{") else ""
        text, scale = (
            f"{found['before']} {closing}{found['after'].strip()}".strip(),
            _SCALES[found["scale"].lower()],
        )
    body, unit = split_unit(text.removesuffix("\\text{}").strip())
    number = parse_number(body)
    if scale > 1:
        if number is None:
            return Quantity(scalar, None, None)
        number = Number(number.value * scale, percent=number.percent)
    if number is not None or body != scalar.text:
        return Quantity(Scalar(body), number, unit)
    return Quantity(scalar, None, None)


def worded(text: str) -> Scalar | None:
    """The quantity that a text states with its number in words, in digits: `an hour and a half` is `3/2 hour`."""
    digits = in_digits(text)
    scalar = Scalar(digits) if digits is not None else None
    return scalar if scalar is not None and quantity(scalar).number is not None else None


def may_be_restated(stated: Number, unit: Unit | None, bare: Number) -> bool:
    """True where a number without a unit is a quantity in its own or another unit of its dimension, or rounds it."""
    return any(
        not same_number(bare, Number(stated.value * factor, stated.places), program=False).is_unequal
        for factor in (1, *(conversion_factors(unit) if unit else ()))
    )


def same_in_base(right: Quantity, given: Quantity) -> Finding:
    """At least one of the two numbers states its base."""
    digits = [re.sub(r"[\s,]", "", q.body.text).lstrip("0").upper() for q in (right, given)]
    if digits[0] == digits[1] and (right.base == given.base or None in (right.base, given.base)):
        return Finding.equal("the same digits", Basis.EXACT if right.base == given.base else Basis.CONVENTION)
    values = []
    for one in (right, given):
        try:
            values.append(Fraction(int(one.body.text, one.base)) if one.base else None)
        except ValueError:
            return Finding.unknown("digits that do not fit their base")
        if values[-1] is None:
            if one.number is None:
                return Finding.unknown("a number in another base against an expression")
            values[-1] = one.number.value
    if values[0] == values[1]:
        return Finding.unknown("the same number in another base")
    return Finding.unequal("different numbers")


def plain_number(shape: Shape) -> Number | None:
    """The plain number a shape is, or None."""
    return quantity(shape).number if isinstance(shape, Scalar) else None


_INFINITE = re.compile(r"([+-]?)(?:\\infty|oo|inf|math\.inf|np\.inf|infinity)")


def infinity(scalar: Scalar) -> str:
    """`+` or `-` for an infinite end, else nothing."""
    found = _INFINITE.fullmatch(squeeze(scalar))
    return (found[1] or "+") if found else ""


def squeeze(shape: Scalar | Relation) -> str:
    """The text without spaces, but for those between digits."""
    if isinstance(shape, Relation):
        return shape.operator.join((squeeze(shape.left), squeeze(shape.right)))
    return _LOOSE_SPACE.sub("", shape.text)


_LOOSE_SPACE = re.compile(r"(?<!\d) | (?!\d)")
