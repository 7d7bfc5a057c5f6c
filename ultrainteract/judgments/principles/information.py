"""How far responses tell which constitution they were written under: the InfoNCE score of a log-likelihood matrix.

For one query, L[i][j] is the mean log-probability per token of response j under constitution i. The loss is the mean
of two cross-entropies with the diagonal as labels: which response, given a constitution (rows), and which
constitution, given a response (columns). ln N − loss is a lower bound on the mutual information for true
log-probabilities; for per-token means it is a score.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ultrainteract.schema import Tree

Matrix = Sequence[Sequence[float]]


@dataclass(frozen=True)
class Score:
    """Figures of a set of matrices of one contrast."""

    queries: int
    loss: float
    """Mean loss, nats; ln N where nothing is told apart."""
    information: float
    """Mean of ln N − loss, nats."""
    rows: float
    """Share of constitutions whose own response is the likeliest."""
    columns: float
    """Share of responses whose own constitution is the likeliest."""

    @property
    def told_apart(self) -> bool:
        """Whether the model tells the constitutions apart at all."""
        return self.information > 0


def info_nce(matrix: Matrix) -> float:
    """The two-sided loss of one query, nats."""
    size = len(matrix)
    turned = list(zip(*matrix, strict=True))
    return sum(_surprise(matrix[i], i) + _surprise(turned[i], i) for i in range(size)) / (2 * size)


def scores(trees: Iterable[Tree]) -> dict[str, Score]:
    """Figures by contrast (the names of a query's constitutions), of trees with a log-likelihood matrix."""
    found: dict[str, list[Matrix]] = {}
    for tree in trees:
        for turn in tree.turns:
            if turn.log_likelihood:
                names = " | ".join(node.constitution.name for node in turn.unlabelled if node.constitution)
                found.setdefault(names, []).append(turn.log_likelihood)
    return {names: _score(matrices) for names, matrices in sorted(found.items())}


def _score(matrices: Sequence[Matrix]) -> Score:
    losses = [info_nce(matrix) for matrix in matrices]
    sizes = [len(matrix) for matrix in matrices]
    rows = sum(max(row) == row[i] for matrix in matrices for i, row in enumerate(matrix))
    columns = sum(
        max(column) == column[i] for matrix in matrices for i, column in enumerate(zip(*matrix, strict=True))
    )
    count, total = len(matrices), sum(sizes)
    information = sum(math.log(size) - loss for size, loss in zip(sizes, losses, strict=True)) / count
    return Score(count, sum(losses) / count, information, rows / total, columns / total)


def _surprise(values: Sequence[float], place: int) -> float:
    top = max(values)
    return top + math.log(sum(math.exp(value - top) for value in values)) - values[place]
