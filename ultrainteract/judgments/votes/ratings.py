"""Bradley-Terry ratings of models from votes, with sandwich and bootstrap intervals, ranks and separability.

The mechanism:

1. A vote of A over B has probability σ(ξ_A − ξ_B); a tie counts as half a win and half a loss (or, by Newman's variant,
   has a parameter of its own). `evalica` finds the maximum.
2. Strengths are compared within the largest set of models of which each has beaten, or tied, every other along
   some chain: outside of it the maximum lies at infinity, and no figure is printed for such a model. Of several
   largest sets it is the one with the most votes, of several of these the one with the alphabetically first model.
3. Intervals are the sandwich's, V = H⁺ G H⁺ (H: Σ w·p(1−p), G: Σ (w·(y−p))², each vote on the 2 × 2 block of
   its models), which holds where votes disagree with the model; a bootstrap over votes stands beside it. A
   resample in which not every model has beaten, or tied, every other along some chain has no finite strengths: it is
   counted, and taken as one in which each strength lies outside of the interval at either end. So intervals only become
   wider by such resamples; where they are more than (1 − level) / 2 of all, there is none.

Strengths are logits, centred at zero. On the Elo scale a logit is 400/ln 10 points.
"""

from __future__ import annotations

import math
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
    """Lower end of the bootstrap interval (percentiles); None where resamples do not determine one."""
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
    """Newman's ν, where ties have a parameter of their own; None where all votes are ties, and ν has no maximum."""
    apart: tuple[str, ...]
    """Models not compared with the rest in both directions: no finite strength."""
    votes: int
    """Votes that were used."""
    confidence: float
    """Level of every interval."""
    covariance: NDArray[np.float64]
    """Of the strengths, in the order of `models`; shape (models, models), logits²."""
    resamples: int = 0
    """Bootstrap samples that were drawn."""
    unconnected: int = 0
    """Of these, samples without finite strengths."""

    def strengths(self) -> dict[str, float]:
        """Strengths by model."""
        return {rating.model: rating.strength for rating in self.models}


@dataclass(frozen=True)
class Bootstrap:
    """What resampled votes say of the strengths."""

    ends: tuple[NDArray[np.float64], NDArray[np.float64]] | None
    """Lower and upper ends by model; None where too many samples have no strengths."""
    drawn: int
    unconnected: int
    """Samples without finite strengths."""


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

    names = sorted({name for battle in battles for name in (battle.model_a, battle.model_b)})
    index = {name: number for number, name in enumerate(names)}
    left = np.array([index[battle.model_a] for battle in battles], dtype=np.int64)
    right = np.array([index[battle.model_b] for battle in battles], dtype=np.int64)
    score = np.array([battle.score for battle in battles], dtype=np.float64)
    if not len(battles):
        raise DataError("There are no votes to compare models by.")
    part = _parts(left, right, score, len(names))
    sizes = np.bincount(part)
    if sizes.max() < 2:
        raise DataError(
            "No two models can be compared: every pair was won by one side alone, without ties. More votes are needed."
        )
    votes = np.bincount(part[left[part[left] == part[right]]], minlength=len(sizes))
    inside = part == max(part, key=lambda one: (sizes[one], votes[one]))
    used = np.flatnonzero(inside[left] & inside[right])
    renumbered = np.cumsum(inside) - 1
    return Design(
        names=tuple(name for name, keep in zip(names, inside, strict=True) if keep),
        left=renumbered[left[used]], right=renumbered[right[used]], score=score[used],
        apart=tuple(name for name, keep in zip(names, inside, strict=True) if not keep), used=used,
    )  # fmt: skip


def _parts(
    left: NDArray[np.int64], right: NDArray[np.int64], score: NDArray[np.float64], count: int
) -> NDArray[np.int64]:
    """Number of its set by model: within a set each model has beaten, or tied, every other along some chain."""
    import numpy as np
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    beats, beaten = score > 0, score < 1
    edges = (
        np.concatenate([left[beats], right[beaten]]),
        np.concatenate([right[beats], left[beaten]]),
    )
    graph = coo_array((np.ones(len(edges[0]), dtype=np.int8), edges), shape=(count, count))
    return np.asarray(connected_components(graph, directed=True, connection="strong")[1])


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
    drawn = bootstrap(arrays, method, confidence, resamples, seed) if resamples else None
    return ranked(arrays, strengths, covariance, confidence, drawn, tie)


def ranked(
    arrays: Design,
    strengths: NDArray[np.float64],
    covariance: NDArray[np.float64],
    confidence: float,
    drawn: Bootstrap | None = None,
    tie: float | None = None,
) -> Ratings:
    """Puts strengths and their covariance into ratings with ranks."""
    import numpy as np

    ends = drawn.ends if drawn else None
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
                bootstrap_low=float(ends[0][i]) if ends else None,
                bootstrap_high=float(ends[1][i]) if ends else None,
                rank=1 + int(above[:, i].sum()), votes=int(votes[i]),
            )
            for i in order
        ),
        separability=2 * float(above.sum()) / (count * (count - 1)),
        tie_parameter=tie, apart=arrays.apart, votes=len(arrays.score), confidence=confidence,
        covariance=covariance[np.ix_(order, order)],
        resamples=drawn.drawn if drawn else 0, unconnected=drawn.unconnected if drawn else 0,
    )  # fmt: skip


def fit(
    arrays: Design, method: str = "bradley-terry", weights: NDArray[np.float64] | None = None
) -> tuple[NDArray[np.float64], float | None]:
    """Maximum-likelihood strengths (logits, centred) and the tie parameter where the method has one.

    Args:
        arrays: Votes in which each model has beaten, or tied, every other along some chain: else there is no maximum.
        method: As of `rate`.
        weights: Weight by vote; 1 each if None.
    """
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
    decided = bool((arrays.score != 0.5).any())
    return strengths - strengths.mean(), float(result.v) if method == "newman" and decided else None


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


def bootstrap(arrays: Design, method: str, confidence: float, resamples: int, seed: int) -> Bootstrap:
    """Percentile ends over resampled votes; a sample without finite strengths counts as beyond both ends.

    Args:
        arrays: The votes.
        method: As of `rate`.
        confidence: Level of the intervals.
        resamples: Samples to draw.
        seed: Seed of the draws.
    """
    import numpy as np

    random = np.random.default_rng(seed)
    total = len(arrays.score)
    strengths = []
    for _ in range(resamples):
        weights = np.bincount(random.integers(total, size=total), minlength=total).astype(float)
        kept = weights > 0
        left, right, score = arrays.left[kept], arrays.right[kept], arrays.score[kept]
        if _parts(left, right, score, len(arrays.names)).any():  # more than one set
            continue
        sample = Design(arrays.names, left, right, score, arrays.apart, arrays.used[kept])
        strengths.append(fit(sample, method, weights[kept])[0])
    unconnected = resamples - len(strengths)
    beyond = (
        1 - confidence
    ) / 2 * resamples - unconnected  # samples with strengths that may lie beyond an end
    ends = None
    if strengths and beyond >= 0:
        tail = beyond / len(strengths)
        low, high = np.quantile(np.array(strengths), [tail, 1 - tail], axis=0)
        ends = (low, high)
    return Bootstrap(ends, resamples, unconnected)


def logistic(logit: float) -> float:
    """The probability with these log odds, however large they are."""
    return 0.5 * (1 + math.tanh(logit / 2))
