"""When two final answers are the same: collections, regions, matrices and equations, down to their scalars.

The comparison has three outcomes. What needs algebra is handed to an `Algebra`, so that the same code serves the
literal path (which has none) and the worker processes (which have sympy). Guarantee: notation that can mean two
things (`(1, 2)`, `1,234`) is never used to call an answer wrong that is right under one of its meanings.
"""

from __future__ import annotations

from dataclasses import dataclass

from ultrainteract.grading.algebra import Algebra
from ultrainteract.grading.comparison.collections import items, items_and_scalar, scalar_and_items
from ultrainteract.grading.comparison.equations import assignments, named
from ultrainteract.grading.comparison.matrices import matrices
from ultrainteract.grading.comparison.regions import regions
from ultrainteract.grading.comparison.scalars import scalars
from ultrainteract.grading.comparison.words import words
from ultrainteract.grading.finding import Finding
from ultrainteract.grading.quantity import infinity
from ultrainteract.grading.setting import Setting
from ultrainteract.grading.shapes import (
    Interval,
    Items,
    Matrix,
    Named,
    Region,
    Relation,
    Scalar,
    Shape,
    Words,
)


def compare(gold: Shape, answer: Shape, setting: Setting, algebra: Algebra) -> Finding:
    """Whether an answer is the gold answer.

    Args:
        gold: Shape of the gold answer.
        answer: Shape of the answer.
        setting: What is known about the question.
        algebra: Decides scalars that are not plain numbers.

    Raises:
        NeedsAlgebra: The algebra is that of the literal path, and cannot decide.
    """
    return _Comparison(setting, algebra).shapes(gold, answer)


@dataclass(frozen=True)
class _Comparison:
    setting: Setting
    algebra: Algebra

    def shapes(self, gold: Shape, answer: Shape) -> Finding:
        if _not_a_number(gold) or _not_a_number(answer):
            return Finding.unknown("not a number, which equals nothing")
        if gold == answer:
            return Finding.equal("the same text")
        gold, answer = _single(gold), _single(answer)
        match gold, answer:
            case (Named() | Relation(), _) | (_, Named() | Relation()):
                return named(self, gold, answer)
            case (Words(), _) | (_, Words()):
                return words(self, gold, answer)
            case (Matrix(), _) | (_, Matrix()):
                return matrices(self, gold, answer)
            case (Region() | Interval(), _) | (_, Region() | Interval()):
                return regions(self, gold, answer)
            case Items(), Items():
                return self._collections(gold, answer)
            case Items(), Scalar():
                return items_and_scalar(self, gold, answer)
            case Scalar(), Items():
                return scalar_and_items(self, gold, answer)
            case Scalar(), Scalar():
                return scalars(self, gold, answer)
        raise AssertionError("every shape is covered")

    def scalars(self, gold: Scalar, answer: Scalar) -> Finding:
        return scalars(self, gold, answer)

    def _collections(self, gold: Items, answer: Items) -> Finding:
        ratio = "ratio" in (gold.kind, answer.kind)
        if not ratio and any(isinstance(item, Named) for item in (*gold.items, *answer.items)):
            return assignments(self, gold, answer)
        if not ratio and (_intervals(gold) or _intervals(answer)):
            return regions(self, gold, answer)
        return items(self, gold, answer)


def _not_a_number(shape: Shape) -> bool:
    return isinstance(shape, Scalar | Words) and shape.text.strip().casefold() == "nan"


def _single(shape: Shape) -> Shape:
    """Unwraps collections of one member, and intervals."""
    while isinstance(shape, Items) and len(shape.items) == 1 and shape.kind != "ratio":
        if shape.items[0] == Items("set", ()):
            break  # the set of the empty set is not empty
        shape = shape.items[0]
    while isinstance(shape, Matrix) and len(shape.rows) == 1 == len(shape.rows[0]):
        shape = shape.rows[0][0]
    if isinstance(shape, Region) and len(shape.pieces) == 1 and isinstance(shape.pieces[0], Scalar):
        return shape.pieces[0]
    return shape


def _intervals(items: Items) -> bool:
    return items.kind == "list" and any(
        isinstance(item, Region | Interval)
        or (isinstance(item, Items) and item.kind in ("paren", "bracket") and any(
            isinstance(end, Scalar) and infinity(end) for end in item.items))
        for item in items.items
    )  # fmt: skip
