"""Ratings with style held equal: what a vote owes to length and Markdown is estimated beside the strengths.

Each of the four features (tokens, headers, bold, lists) enters a vote's logit as (a − b) / (a + b), scaled to unit
variance. Votes are weighted by 1 / max(votes of their pair of models, 50), scaled to mean 1, so that often
drawn pairs do not outvote the others; the style coefficients carry a penalty of ½‖β‖². (The Arena's method;
see docs/votes.md.)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ultrainteract.errors import DataError
from ultrainteract.judgments.votes.battle import Battle, Style
from ultrainteract.judgments.votes.ratings import Design, Ratings, design, ranked

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FEATURES = ("tokens", "headers", "bold", "lists")
MIN_PAIR_COUNT = 50
"""Pairs of models with fewer votes are weighted as if they had so many."""


@dataclass(frozen=True)
class StyleEffect:
    """How much one feature moves a vote."""

    feature: str
    coefficient: float
    """Logits per standard deviation of the relative difference."""
    standard_error: float
    spread: float
    """Standard deviation of the relative difference (a − b) / (a + b) over the votes; 0 where none differ."""


@dataclass(frozen=True)
class StyleControlled:
    """Ratings at equal style, and what style does."""

    ratings: Ratings
    effects: tuple[StyleEffect, ...]
    without: int = 0
    """Votes that are left out because the style of an answer is not known."""

    def shift(self, first: Style | None, second: Style | None) -> float:
        """Logits that the style of the first answer gives it over the second; 0 where a style is not known."""
        if first is None or second is None:
            return 0.0
        return sum(
            effect.coefficient * (a - b) / (a + b) / effect.spread
            for effect, a, b in zip(self.effects, first.values(), second.values(), strict=True)
            if a + b and effect.spread
        )


def rate_at_equal_style(battles: Sequence[Battle], *, confidence: float = 0.95) -> StyleControlled:
    """Rates models with style as a covariate.

    Args:
        battles: The votes, cleaned; those without the style of both answers are left out.
        confidence: Level of the intervals.

    Raises:
        DataError: No vote has a style (no texts and no counts in its file), or no two models are comparable.
    """
    import numpy as np

    styles = [(b.style_a.values(), b.style_b.values()) if b.style_a and b.style_b else None for b in battles]
    styled = [battle for battle, style in zip(battles, styles, strict=True) if style is not None]
    if battles and not styled:
        raise DataError(
            f"{battles[0].where}: style control needs the answers' texts, or the counts of the Arena's files; "
            f"none of {len(battles):,} votes has them."
        )
    try:
        arrays = design(styled)
    except DataError as error:
        raise DataError(f"At equal style, by {len(styled):,} votes with texts or counts: {error}") from error
    values = np.array([style for style in styles if style is not None], dtype=float)[arrays.used]
    features, spread = _relative(values[:, 0], values[:, 1])
    weights = pair_weights(arrays)
    strengths, effects, covariance = fit_with_style(arrays, features, weights)
    count = len(arrays.names)
    errors = np.sqrt(np.clip(np.diag(covariance)[count:], 0, None))
    return StyleControlled(
        ratings=ranked(arrays, strengths, covariance[:count, :count], confidence),
        effects=tuple(
            StyleEffect(name, float(value), float(error), float(deviation))
            for name, value, error, deviation in zip(FEATURES, effects, errors, spread, strict=True)
        ),
        without=len(battles) - len(styled),
    )


def pair_weights(arrays: Design) -> NDArray[np.float64]:
    """Inverse-propensity weight by vote, mean 1."""
    import numpy as np

    low, high = np.minimum(arrays.left, arrays.right), np.maximum(arrays.left, arrays.right)
    _, place, counts = np.unique(low * len(arrays.names) + high, return_inverse=True, return_counts=True)
    weights = 1 / np.maximum(counts[place], MIN_PAIR_COUNT)
    return np.asarray(weights / weights.mean())


def fit_with_style(
    arrays: Design, features: NDArray[np.float64], weights: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Newton's method on the penalised likelihood.

    Args:
        arrays: The votes.
        features: Scaled differences, shape (votes, features).
        weights: Weight by vote.

    Returns:
        Strengths (centred), style coefficients, and the sandwich covariance of both together.
    """
    import numpy as np

    votes, count = len(arrays.score), len(arrays.names)
    rows = np.arange(votes)
    signs = np.zeros((votes, count))
    signs[rows, arrays.left] += 1
    signs[rows, arrays.right] -= 1
    matrix = np.hstack([signs, features])
    penalty = np.diag(np.concatenate([np.zeros(count), np.ones(features.shape[1])]))
    values = np.zeros(matrix.shape[1])
    for _ in range(100):
        probability = 1 / (1 + np.exp(-(matrix @ values)))
        gradient = matrix.T @ (weights * (arrays.score - probability)) - penalty @ values
        curvature = (matrix * (weights * probability * (1 - probability))[:, None]).T @ matrix + penalty
        step = np.linalg.pinv(curvature, hermitian=True) @ gradient
        values = values + step
        if np.abs(step).max() < 1e-10:
            break
    probability = 1 / (1 + np.exp(-(matrix @ values)))
    curvature = (matrix * (weights * probability * (1 - probability))[:, None]).T @ matrix + penalty
    scores = matrix * (weights * (arrays.score - probability))[:, None]
    inverse = np.linalg.pinv(curvature, hermitian=True)
    strengths = values[:count] - values[:count].mean()
    return strengths, values[count:], np.asarray(inverse @ (scores.T @ scores) @ inverse)


def _relative(
    first: NDArray[np.float64], second: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Relative differences scaled to unit variance, shape (votes, features), and their standard deviations before."""
    import numpy as np

    total = first + second
    relative = np.divide(first - second, total, out=np.zeros_like(total), where=total > 0)
    spread = relative.std(axis=0)
    return np.divide(relative, spread, out=np.zeros_like(relative), where=spread > 0), np.asarray(spread)
