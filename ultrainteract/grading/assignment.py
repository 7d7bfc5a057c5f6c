"""Which given value stands for which gold value: an optimal assignment of findings, never a greedy one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from ultrainteract.grading.finding import Basis, Finding

G = TypeVar("G")
A = TypeVar("A")


def assign(
    gold: Sequence[G], given: Sequence[A], relate: Callable[[G, A], Finding], *, why: str, otherwise: str
) -> Finding:
    """Whether the given values are the gold values in some order.

    Args:
        gold: Gold values.
        given: The answer's values.
        relate: Compares one with one.
        why: What an equal finding says.
        otherwise: What a finding of different values says, where no single comparison says more.

    Returns:
        Equal where some assignment pairs equal values only; not known where some assignment has no pair that
        differs; else different.
    """
    if len(gold) != len(given):
        return Finding.unequal(otherwise)
    findings = [[relate(one, other) for other in given] for one in gold]
    equal = _matching([[found.is_equal for found in row] for row in findings])
    if equal is not None:
        return Finding.equal(
            why, max((findings[i][j].basis for i, j in enumerate(equal)), default=Basis.EXACT)
        )
    possible = _matching([[not found.is_unequal for found in row] for row in findings])
    if possible is not None:
        doubts = (findings[i][j] for i, j in enumerate(possible))
        return next(found for found in doubts if found.is_unknown)
    basis = max((found.basis for row in findings for found in row if found.is_unequal), default=Basis.EXACT)
    return Finding.unequal(otherwise, basis)


def _matching(edges: Sequence[Sequence[bool]]) -> list[int] | None:
    """For every row a column of its own that it has an edge to, or None (augmenting paths, after Kuhn)."""
    row_of: dict[int, int] = {}
    column_of: dict[int, int] = {}
    for row in range(len(edges)):
        reached_from: dict[int, int] = {}
        stack, free = [row], None
        while stack and free is None:
            current = stack.pop()
            for column, edge in enumerate(edges[current]):
                if edge and column not in reached_from:
                    reached_from[column] = current
                    if column not in row_of:
                        free = column
                        break
                    stack.append(row_of[column])
        if free is None:
            return None
        column_now: int | None = free
        while column_now is not None:  # every row on the path moves to the column that it reached
            owner = reached_from[column_now]
            before = column_of.get(owner)
            row_of[column_now], column_of[owner] = owner, column_now
            column_now = before
    return [column_of[row] for row in range(len(edges))]
