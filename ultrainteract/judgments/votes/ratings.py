"""Bradley-Terry ratings of models from votes, with sandwich and bootstrap intervals, ranks and separability.

The mechanism:

1. A vote of A over B has probability σ(ξ_A − ξ_B); a tie counts as half a win and half a loss (or, by Newman's variant,
   has a parameter of its own). `evalica` finds the maximum.
2. Strengths are compared within the largest set of models of which each has beaten, or tied, every other along
   some chain: outside of it the maximum lies at infinity, and no figure is printed for such a model.
3. Intervals are the sandwich's, V = H⁺ G H⁺ (H: Σ w·p(1−p), G: Σ (w·(y−p))², each vote on the 2 × 2 block of
   its models), which holds where votes disagree with the model; a bootstrap over votes stands beside it.

Strengths are logits, centred at zero. On the Elo scale a logit is 400/ln 10 points.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING, Any, Literal

from ultrainteract.errors import DataError, require
from ultrainteract.judgments.votes.battle import Battle

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

ELO_PER_LOGIT = 173.71779276130073
"""400 / ln 10."""


@dataclass(frozen=True)
class Rating:
    """One model's strength."""

    model: str
    strength: float
    """Logits, centred at zero over the rated models."""
    low: float
    """Lower end of the sandwich interval."""
    high: float
    """Upper end of the sandwich interval."""
    bootstrap_low: float | None
    """Lower end of the bootstrap interval (percentiles)."""
    bootstrap_high: float | None
    """Upper end of the bootstrap interval."""
    rank: int
    """1 + the number of models whose lower end lies above this one's upper end."""
    votes: int
    """Votes the model took part in."""


@dataclass(frozen=True)
class Ratings:
    """The ratings of a set of votes."""

    models: tuple[Rating, ...]
    """Strongest first."""
    separability: float
    """Share of pairs of models whose intervals are disjoint."""
    tie_parameter: float | None
    """Newman's ν, where ties have a parameter of their own."""
    apart: tuple[str, ...]
    """Models not compared with the rest in both directions: no finite strength."""
    votes: int
    """Votes that were used."""
    confidence: float
    """Level of every interval."""
    covariance: NDArray[np.float64]
    """Of the strengths, in the order of `models`; shape (models, models), logits²."""

    def strengths(self) -> dict[str, float]:
        """Strengths by model."""
        return {rating.model: rating.strength for rating in self.models}


@dataclass(frozen=True)
class Design:
    """Votes as arrays, over the models that can be rated."""

    names: tuple[str, ...]
    left: NDArray[np.int64]
    """Index of model A by vote."""
    right: NDArray[np.int64]
    """Index of model B by vote."""
    score: NDArray[np.float64]
    """1, 0 or ½ by vote."""
    apart: tuple[str, ...]
    used: NDArray[np.int64]
    """Position of each used vote in the given sequence."""


def design(battles: Sequence[Battle]) -> Design:
    """Arrays of the votes among the largest set of mutually comparable models.

    Raises:
        DataError: No two models are comparable.
    """
    require("evalica", "judgments")
    import numpy as np
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    names = sorted({name for battle in battles for name in (battle.model_a, battle.model_b)})
    index = {name: number for number, name in enumerate(names)}
    left = np.array([index[battle.model_a] for battle in battles], dtype=np.int64)
    right = np.array([index[battle.model_b] for battle in battles], dtype=np.int64)
    score = np.array([battle.score for battle in battles], dtype=np.float64)
    beats = score > 0
    beaten = score < 1
    edges = (
        np.concatenate([left[beats], right[beaten]]),
        np.concatenate([right[beats], left[beaten]]),
    )
    graph = coo_array((np.ones(len(edges[0]), dtype=np.int8), edges), shape=(len(names), len(names)))
    _, part = (
        connected_components(graph, directed=True, connection="strong")
        if names
        else (0, np.zeros(0, dtype=int))
    )
    if not len(battles) or np.bincount(part).max() < 2:
        raise DataError(
            "No two models can be compared: every pair was won by one side alone, without ties. More votes are needed."
        )
    inside = part == np.bincount(part).argmax()
    used = np.flatnonzero(inside[left] & inside[right])
    renumbered = np.cumsum(inside) - 1
    return Design(
        names=tuple(name for name, keep in zip(names, inside, strict=True) if keep),
        left=renumbered[left[used]], right=renumbered[right[used]], score=score[used],
        apart=tuple(name for name, keep in zip(names, inside, strict=True) if not keep), used=used,
    )  # fmt: skip


def rate(
    battles: Sequence[Battle],
    *,
    method: Literal["bradley-terry", "newman"] = "bradley-terry",
    confidence: float = 0.95,
    resamples: int = 0,
    seed: int = 0,
) -> Ratings:
    """Rates the models of a set of votes.

    Args:
        battles: The votes, cleaned.
        method: Ties as half a win and half a loss, or with a parameter of their own (Newman 2023).
        confidence: Level of the intervals.
        resamples: Bootstrap samples; none are drawn if 0.
        seed: Seed of the bootstrap.

    Raises:
        DataError: No two models are comparable.
    """
    arrays = design(battles)
    strengths, tie = fit(arrays, method)
    covariance = sandwich(arrays, strengths)
    ends = _bootstrap(arrays, method, confidence, resamples, seed) if resamples else None
    return ranked(arrays, strengths, covariance, confidence, ends, tie)


def ranked(
    arrays: Design,
    strengths: NDArray[np.float64],
    covariance: NDArray[np.float64],
    confidence: float,
    bootstrap: tuple[NDArray[np.float64], NDArray[np.float64]] | None = None,
    tie: float | None = None,
) -> Ratings:
    """Puts strengths and their covariance into ratings with ranks."""
    import numpy as np

    half = NormalDist().inv_cdf(0.5 + confidence / 2) * np.sqrt(np.clip(np.diag(covariance), 0, None))
    low, high = strengths - half, strengths + half
    votes = np.bincount(arrays.left, minlength=len(arrays.names)) + np.bincount(
        arrays.right, minlength=len(arrays.names)
    )
    order = np.lexsort((np.array(arrays.names), -strengths))
    above = low[:, None] > high[None, :]
    count = len(order)
    return Ratings(
        models=tuple(
            Rating(
                model=arrays.names[i], strength=float(strengths[i]), low=float(low[i]), high=float(high[i]),
                bootstrap_low=float(bootstrap[0][i]) if bootstrap else None,
                bootstrap_high=float(bootstrap[1][i]) if bootstrap else None,
                rank=1 + int(above[:, i].sum()), votes=int(votes[i]),
            )
            for i in order
        ),
        separability=2 * float(above.sum()) / (count * (count - 1)),
        tie_parameter=tie, apart=arrays.apart, votes=len(arrays.score), confidence=confidence,
        covariance=covariance[np.ix_(order, order)],
    )  # fmt: skip


def fit(
    arrays: Design, method: str = "bradley-terry", weights: NDArray[np.float64] | None = None
) -> tuple[NDArray[np.float64], float | None]:
    """Maximum-likelihood strengths (logits, centred) and the tie parameter where the method has one."""
    import evalica
    import numpy as np

    # Votes of one pair and outcome are one row with a weight: evalica's time then depends on the pairs, not the votes.
    count = len(arrays.names)
    outcome = (arrays.score * 2).astype(np.int64)
    code = (arrays.left * count + arrays.right) * 3 + outcome
    kinds, place = np.unique(code, return_inverse=True)
    weight = np.bincount(place, weights=weights, minlength=len(kinds)).astype(float)
    winners = [(evalica.Winner.Y, evalica.Winner.Draw, evalica.Winner.X)[kind % 3] for kind in kinds]
    call: Any = evalica.newman if method == "newman" else evalica.bradley_terry
    result = call(
        list(kinds // 3 // count),
        list(kinds // 3 % count),
        winners,
        weights=list(weight),
        tolerance=1e-12,
        limit=100_000,
    )
    strengths = np.log(result.scores.reindex(range(count)).to_numpy(dtype=float))
    return strengths - strengths.mean(), float(result.v) if method == "newman" else None


def sandwich(
    arrays: Design, strengths: NDArray[np.float64], weights: NDArray[np.float64] | None = None
) -> NDArray[np.float64]:
    """Robust covariance of the strengths, shape (models, models)."""
    import numpy as np

    probability = expected(arrays, strengths)
    weight = np.ones_like(probability) if weights is None else weights
    meat = _laplacian(arrays, (weight * (arrays.score - probability)) ** 2)
    inverse = np.linalg.pinv(information(arrays, strengths, weights), hermitian=True)
    return np.asarray(inverse @ meat @ inverse)


def information(
    arrays: Design, strengths: NDArray[np.float64], weights: NDArray[np.float64] | None = None
) -> NDArray[np.float64]:
    """Fisher information of the strengths, shape (models, models); of rank models − 1."""
    probability = expected(arrays, strengths)
    return _laplacian(arrays, (1.0 if weights is None else weights) * probability * (1 - probability))


def expected(arrays: Design, strengths: NDArray[np.float64]) -> NDArray[np.float64]:
    """Probability that A wins, by vote."""
    import numpy as np

    return np.asarray(1 / (1 + np.exp(strengths[arrays.right] - strengths[arrays.left])))


def _laplacian(arrays: Design, weight: NDArray[np.float64]) -> NDArray[np.float64]:
    import numpy as np

    count = len(arrays.names)
    between = np.bincount(
        arrays.left * count + arrays.right, weights=weight, minlength=count * count
    ).reshape(count, count)
    between = between + between.T
    return np.asarray(np.diag(between.sum(axis=1)) - between)


def _bootstrap(
    arrays: Design, method: str, confidence: float, resamples: int, seed: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Percentile ends over resampled votes; a sample that leaves a model without a finite strength says ±∞ for it."""
    import numpy as np

    random = np.random.default_rng(seed)
    total = len(arrays.score)
    drawn = []
    for _ in range(resamples):
        weights = np.bincount(random.integers(total, size=total), minlength=total).astype(float)
        kept = weights > 0
        part = Design(
            arrays.names, arrays.left[kept], arrays.right[kept], arrays.score[kept], arrays.apart, arrays.used[kept]
        )  # fmt: skip
        drawn.append(fit(part, method, weights[kept])[0])
    tail = (1 - confidence) / 2
    low, high = np.quantile(np.array(drawn), [tail, 1 - tail], axis=0)
    return low, high
