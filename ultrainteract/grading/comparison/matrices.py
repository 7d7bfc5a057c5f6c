"""Matrices and vectors, entry by entry."""

from __future__ import annotations

from ultrainteract.grading.comparison.context import Comparing
from ultrainteract.grading.comparison.scalars import may_stand_for_anything
from ultrainteract.grading.finding import Basis, Finding, all_equal
from ultrainteract.grading.shapes import Items, Matrix, Scalar, Shape


def matrices(c: Comparing, gold: Shape, answer: Shape) -> Finding:
    """Two matrices or vectors, in any notation."""
    left, right = _as_rows(gold), _as_rows(answer)
    if left is None or right is None:
        if any(isinstance(shape, Scalar) and may_stand_for_anything(shape) for shape in (gold, answer)):
            return Finding.unknown("an expression that may stand for a matrix")
        return Finding.unequal("a matrix against something else")
    flat = [[cell for row in rows for cell in row] for rows in (left, right)]
    if len(flat[0]) != len(flat[1]):
        return Finding.unequal("matrices of different size")
    found = all_equal(c.shapes(g, a) for g, a in zip(*flat, strict=True))
    if found.is_unequal:
        vector = 1 in (len(left), len(left[0]))
        return found if vector or len(left) == len(right) else Finding.unequal("matrices of different shape")
    if isinstance(gold, Matrix) and isinstance(answer, Matrix):
        if len(left) == len(right):
            return found
        return Finding.unknown("the entries are right, in a matrix of another shape")
    if len(left) == len(right) or c.setting.program:
        return found.resting_on(Basis.CONVENTION)
    return Finding.unknown("a vector written in two ways")


def _as_rows(shape: Shape) -> tuple[tuple[Shape, ...], ...] | None:
    if isinstance(shape, Matrix):
        return shape.rows
    if not isinstance(shape, Items) or shape.kind not in ("paren", "bracket") or not shape.items:
        return None
    if all(isinstance(item, Items) and item.kind in ("paren", "bracket") for item in shape.items):
        rows = tuple(item.items for item in shape.items if isinstance(item, Items))
        return rows if all(len(row) == len(rows[0]) for row in rows) else None
    return tuple((item,) for item in shape.items)
