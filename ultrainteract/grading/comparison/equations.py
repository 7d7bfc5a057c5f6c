"""Equations: `x = 5` against `5`, lists of assignments, equations that are multiples of each other."""

from __future__ import annotations

import re

from ultrainteract.grading.comparison.collections import ordered, unordered
from ultrainteract.grading.comparison.context import Comparing
from ultrainteract.grading.finding import Finding, all_equal
from ultrainteract.grading.quantity import squeeze
from ultrainteract.grading.shapes import Items, Named, Relation, Scalar, Shape


def named(c: Comparing, gold: Shape, answer: Shape) -> Finding:
    """Named values and equations, against each other or against a plain value."""
    right, given = _each_named(gold), _each_named(answer)
    if right is not None and given is not None:
        return assignments(c, right, given)
    if isinstance(gold, Named) and isinstance(answer, Named):
        values = c.shapes(gold.value, answer.value)
        if gold.name == answer.name or not (_variable(gold.name) and _variable(answer.name)):
            return values
        if values.is_equal:
            return Finding.unknown(f"the value is right, but named {answer.name}, not {gold.name}")
        if _letters(gold.value) or _letters(answer.value):
            return _equations(c, gold, answer)
        return values
    if isinstance(gold, Relation) or isinstance(answer, Relation):
        return _equations(c, gold, answer)
    if isinstance(gold, Named):
        return c.shapes(gold.value, answer)
    assert isinstance(answer, Named)
    return c.shapes(gold, answer.value)


def _equations(c: Comparing, gold: Shape, answer: Shape) -> Finding:
    left, right = _as_relation(gold), _as_relation(answer)
    if left is None or right is None:
        return Finding.unknown("an equation against something else")
    if squeeze(left) == squeeze(right):
        return Finding.equal("the same equation")
    return c.algebra.equations(left, right)


def assignments(c: Comparing, gold: Items, answer: Items) -> Finding:
    """Lists such as `x = 1, y = 2`, against each other or against a tuple or list."""
    names = [
        {item.name: item.value for item in side.items if isinstance(item, Named)} for side in (gold, answer)
    ]
    whole = [len(names[i]) == len(side.items) for i, side in enumerate((gold, answer))]
    if all(whole):
        if names[0].keys() != names[1].keys():
            return Finding.unknown("different names are given values")
        return all_equal(c.shapes(value, names[1][name]) for name, value in names[0].items())
    if not any(whole):
        return Finding.unknown("only some of the values are named")
    plain, values = (answer, names[0]) if whole[0] else (gold, names[1])
    by_name = [values[name] for name in sorted(values)]
    sides = (by_name, plain.items) if whole[0] else (plain.items, by_name)
    in_order = ordered(c, *sides)
    if in_order.is_equal and plain.kind in ("paren", "bracket", "list"):
        return in_order
    in_any_order = unordered(c, *sides)
    if in_any_order.is_equal and plain.kind in ("list", "set") and len({name[0] for name in values}) == 1:
        return in_any_order  # x_1 = 2, x_2 = 3: the roots of one equation
    if in_any_order.is_equal:
        return Finding.unknown("the right values, but it is not certain which is which")
    return in_any_order


def _each_named(shape: Shape) -> Items | None:
    """`(a, b) = (3, 4)` as `a = 3, b = 4`; a list of such equations as it is; None for anything else."""
    if isinstance(shape, Items):
        return shape if shape.items and all(isinstance(item, Named) for item in shape.items) else None
    if not isinstance(shape, Named) or not isinstance(shape.value, Items) or not shape.name.startswith("("):
        return None
    names = shape.name.strip("()").split(",")
    if len(names) != len(shape.value.items) or shape.value.kind != "paren":
        return None
    return Items("list", tuple(map(Named, names, shape.value.items)))


def _variable(name: str) -> bool:
    return re.fullmatch(r"[A-Za-z](?:_\{?\w+\}?)?'*", name) is not None


def _letters(shape: Shape) -> bool:
    return (
        isinstance(shape, Scalar)
        and re.search(r"(?<![\\A-Za-z])[A-Za-z](?![A-Za-z])", shape.text) is not None
    )


def _as_relation(shape: Shape) -> Relation | None:
    if isinstance(shape, Relation):
        return shape
    if isinstance(shape, Named) and isinstance(shape.value, Scalar) and _variable(shape.name):
        return Relation("=", Scalar(shape.name, shape.value.python), shape.value)
    return None
