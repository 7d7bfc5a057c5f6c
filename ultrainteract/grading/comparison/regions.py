"""Sets of reals: intervals, unions and single points, piece by piece."""

from __future__ import annotations

from ultrainteract.grading.assignment import assign
from ultrainteract.grading.comparison.context import Comparing
from ultrainteract.grading.comparison.scalars import may_stand_for_anything
from ultrainteract.grading.finding import Finding, all_equal
from ultrainteract.grading.quantity import infinity
from ultrainteract.grading.regions import as_region, merge
from ultrainteract.grading.shapes import Interval, Scalar, Shape


def regions(c: Comparing, gold: Shape, answer: Shape) -> Finding:
    """Two sets of reals, in any notation."""
    left, right = as_region(gold), as_region(answer)
    if left is None or right is None:
        if any(isinstance(shape, Scalar) and not may_stand_for_anything(shape) for shape in (gold, answer)):
            return Finding.unequal("a set of reals against a single value")
        return Finding.unknown("a set of reals against something else")
    merged = merge(left), merge(right)
    exact = all(pieces is not None for pieces in merged)
    first, second = merged[0] or left.pieces, merged[1] or right.pieces
    if len(first) != len(second):
        parts = "the sets have a different number of parts"
        return Finding.unequal(parts) if exact else Finding.unknown(parts)
    found = assign(
        first, second, lambda one, other: _pieces(c, one, other),
        why="the same set of reals", otherwise="different sets of reals",
    )  # fmt: skip
    return Finding.unknown("sets of reals that may differ") if found.is_unknown else found


def _pieces(c: Comparing, gold: Interval | Scalar, answer: Interval | Scalar) -> Finding:
    if isinstance(gold, Scalar) or isinstance(answer, Scalar):
        if isinstance(gold, Scalar) and isinstance(answer, Scalar):
            return c.scalars(gold, answer)
        return Finding.unequal("a point against an interval")
    ends = []
    for right, given, right_open, given_open in (
        (gold.low, answer.low, gold.low_open, answer.low_open),
        (gold.high, answer.high, gold.high_open, answer.high_open),
    ):
        if infinity(right) or infinity(given):
            same = infinity(right) == infinity(given)
            ends.append(Finding.either(same, "the same end", "one end is infinite"))
            continue
        if right_open != given_open:
            return Finding.unequal("an end is included on one side only")
        ends.append(c.scalars(right, given))
    return all_equal(ends)
