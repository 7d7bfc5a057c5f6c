"""Collections: lists, sets, tuples and ratios, with and without an order."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ultrainteract.grading.assignment import assign
from ultrainteract.grading.comparison.context import Comparing
from ultrainteract.grading.comparison.scalars import may_stand_for_anything
from ultrainteract.grading.compound import clock
from ultrainteract.grading.finding import Basis, Finding, all_equal
from ultrainteract.grading.number import Number, same_number
from ultrainteract.grading.quantity import may_be_restated, plain_number, quantity, squeeze, worded
from ultrainteract.grading.shapes import Items, Named, Scalar, Shape, Words
from ultrainteract.grading.units import Unit

_GROUPS = re.compile(r"[-+]?\d+(?:,\d+)*,\d.*")
_ORDER = Finding.unknown("the right values, but the order may matter")


def items(c: Comparing, gold: Items, answer: Items) -> Finding:
    """Two collections, neither of which has named members or intervals."""
    if "ratio" in (gold.kind, answer.kind):
        return _ratios(c, gold, answer)
    in_any_order = unordered(c, gold.items, answer.items)
    if gold.kind in ("list", "set") and answer.kind in ("list", "set"):
        if in_any_order.is_equal and c.setting.ordered and gold.kind == "list":
            in_order = ordered(c, gold.items, answer.items)
            return in_order if in_order.is_equal else _ORDER
        return in_any_order
    if in_any_order.is_unequal:
        return in_any_order
    return _across(c, gold, answer, ordered(c, gold.items, answer.items), in_any_order)


def _across(c: Comparing, gold: Items, answer: Items, in_order: Finding, in_any_order: Finding) -> Finding:
    """Collections in different brackets, or both ordered, whose members agree in some order."""
    program, many = c.setting.program, len(gold.items) > 2
    loose = gold.kind in ("list", "set")
    if gold.kind == answer.kind:
        if in_order.is_unequal and in_any_order.is_equal and gold.kind == "bracket" and many:
            return _ORDER
        return in_order
    if loose and answer.kind == "bracket" and (program or (many and gold.kind == "list")):
        if c.setting.ordered and not in_order.is_equal:
            return _ORDER
        return in_any_order
    if loose and answer.kind == "paren" and (program or (many and gold.kind == "list")):
        return in_order if in_order.is_equal else _ORDER
    if gold.kind == "paren" and answer.kind == "list" and in_order.is_equal and not c.setting.intervals:
        return in_order.resting_on(Basis.CONVENTION)
    brackets = {gold.kind, answer.kind}
    if brackets == {"paren", "bracket"}:
        if in_order.is_unequal:
            return in_order
        if many and program:
            return in_order
        if not many and not program and not c.setting.points and in_order.is_equal:
            return Finding.unequal("the ends are included on one side only")
    return Finding.unknown("the right values, in brackets that may mean something else")


def ordered(c: Comparing, gold: Sequence[Shape], answer: Sequence[Shape]) -> Finding:
    """Whether the members agree one by one."""
    if len(gold) != len(answer):
        return Finding.unequal("a different number of values")
    return all_equal(c.shapes(g, a) for g, a in zip(gold, answer, strict=True))


def unordered(c: Comparing, gold: Sequence[Shape], answer: Sequence[Shape]) -> Finding:
    """Whether the members agree in some order."""
    found = assign(gold, answer, c.shapes, why="the same values", otherwise="different values")
    if not found.is_unequal or not gold or not answer:
        return found
    repeated = all(any(c.shapes(item, other).is_equal for other in answer) for item in gold) and all(
        any(c.shapes(item, other).is_equal for item in gold) for other in answer
    )
    if repeated:
        return Finding.unknown("the same values, repeated a different number of times")
    return found


def _ratios(c: Comparing, gold: Items, answer: Items) -> Finding:
    if gold.kind != answer.kind:
        return Finding.unknown("a ratio against another collection")
    in_order = ordered(c, gold.items, answer.items)
    if not in_order.is_unequal:
        return in_order
    numbers = [[plain_number(item) for item in side.items] for side in (gold, answer)]
    if len(numbers[0]) != len(numbers[1]):
        return Finding.unknown("ratios, or times of day, with a different number of parts")
    right = [n.value for n in numbers[0] if n]
    given = [n.value for n in numbers[1] if n]
    if len(right) != len(numbers[0]) or len(given) != len(numbers[1]):
        return Finding.unknown("a ratio of expressions")
    if all(a * given[0] == b * right[0] for a, b in zip(right, given, strict=True)):
        return Finding.unknown("the same ratio, not in its lowest terms")
    return in_order


def items_and_scalar(c: Comparing, gold: Items, answer: Scalar) -> Finding:
    """A collection is asked for, and one value given."""
    if gold.kind == "ratio":
        return _ratio_and_scalar(c, gold, answer)
    if gold.kind == "list" and re.fullmatch(r"\d{1,3}(?:,\d+)+", squeeze(answer)):
        return Finding.unknown("a comma that may separate thousands or values")
    if may_stand_for_anything(answer, complex_too=gold.kind in ("paren", "bracket")):
        return Finding.unknown("an expression that may stand for several values")
    if not gold.items and _is_zero(answer):
        return Finding.unknown("nothing against zero")
    units = _units_of_parts(gold)
    if units and all(unit.dimension for unit in units):
        return Finding.unknown("quantities that may be parts of one")
    return Finding.unequal("one value where several are asked for")


def scalar_and_items(c: Comparing, gold: Scalar, answer: Items) -> Finding:
    """One value is asked for, and a collection given.

    Quantities whose units differ may be parts of one (`1 year and 2 weeks`, `2 boxes and 3 pens`), and words that
    name a number may be part of it (`a dozen and 3`), so that neither is known to be several values.
    """
    if answer.kind == "ratio":
        return _ratio_and_scalar(c, answer, gold)
    if not answer.items:
        return Finding.unknown("nothing against zero") if _is_zero(gold) else Finding.unequal("no value")
    if _units_of_parts(answer):
        return Finding.unknown("quantities that may be parts of one")
    if plain_number(gold) is None and answer.kind in ("paren", "bracket"):
        return Finding.unknown("a tuple against an expression")
    if answer.kind == "list" and all(isinstance(item, Scalar) for item in answer.items):
        texts = [squeeze(item).lstrip("$€£₹¥") for item in answer.items if isinstance(item, Scalar)]
        if plain_number(gold) and _GROUPS.fullmatch(",".join(texts)):
            for mark in (".", ""):
                if not c.shapes(gold, Scalar(mark.join(texts))).is_unequal:
                    return Finding.unknown("a comma that may belong to a number")
    findings = [c.shapes(gold, item) for item in answer.items]
    named = any(isinstance(item, Named) for item in answer.items)
    if all(found.is_equal for found in findings):
        return Finding.unknown("the gold value, given several times")
    if any(found.is_equal for found in findings) and any(isinstance(item, Words) for item in answer.items):
        return Finding.unknown("the gold value with words beside it")
    if any(
        found.is_unknown or worded(item.text)
        for found, item in zip(findings, answer.items, strict=True)
        if isinstance(item, Words)
    ):
        return Finding.unknown("words that may state the value")
    if any(not found.is_unequal for found in findings) and (c.setting.program or named):
        return Finding.unknown("several values, one of which may be meant")
    return Finding.unequal("several values where one is asked for")


def _is_zero(scalar: Scalar) -> bool:
    number = plain_number(scalar)
    return number is not None and not number.value


def _units_of_parts(items: Items) -> list[Unit]:
    """The units of quantities that may be parts of one: each has a number and a unit of its own; else none."""
    quantities = [quantity(item) for item in items.items if isinstance(item, Scalar)]
    units = [one.unit for one in quantities if one.number and one.unit]
    return units if len(items.items) == len(units) == len(set(units)) > 1 else []


def _ratio_and_scalar(c: Comparing, ratio: Items, scalar: Scalar) -> Finding:
    """A ratio against a number, which may be a time: `3:30` is three and a half hours, or minutes."""
    numbers = [plain_number(item) for item in ratio.items]
    value = plain_number(scalar)
    if (
        len(numbers) != 2
        or numbers[0] is None
        or numbers[1] is None
        or value is None
        or numbers[1].value == 0
    ):
        return Finding.unknown("a ratio against another expression")
    if numbers[0].value / numbers[1].value == value.true_value:
        return Finding.equal("the same ratio", Basis.CONVENTION)
    time = clock(":".join(item.text for item in ratio.items if isinstance(item, Scalar)))
    if time and may_be_restated(Number(time[0]), time[1], value):
        return Finding.unknown("a ratio that may be a time")
    return same_number(Number(numbers[0].value / numbers[1].value), value, program=c.setting.program)
