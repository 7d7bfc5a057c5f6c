"""Which prompts tell models apart: how far a prompt's votes follow the difference in strength.

For each prompt the slope s of P(A wins) = σ(s · (ξ_A − ξ_B)) is estimated under a prior N(1, ½²): 1 is a
prompt like all others, 0 one whose votes have nothing to do with strength, above 1 one that discriminates more
than most.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from ultrainteract.judgments.votes.battle import Battle
from ultrainteract.judgments.votes.ratings import Ratings, logistic

_PRIOR_MEAN, _PRIOR_VARIANCE = 1.0, 0.25


@dataclass(frozen=True)
class ItemDiscrimination:
    """How well one prompt discriminates."""

    item: str
    votes: int
    slope: float
    """Posterior mode of the slope."""
    low: float
    """Lower end of its 95 % interval (normal approximation)."""
    high: float
    """Upper end."""


def discrimination(
    battles: Sequence[Battle], ratings: Ratings, *, min_votes: int = 3
) -> list[ItemDiscrimination]:
    """Slopes of all prompts with at least `min_votes` votes, the most discriminating first."""
    strengths = ratings.strengths()
    votes: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for battle in battles:
        if battle.model_a in strengths and battle.model_b in strengths:
            votes[battle.item].append((strengths[battle.model_a] - strengths[battle.model_b], battle.score))
    found = [_slope(item, pairs) for item, pairs in votes.items() if len(pairs) >= min_votes]
    return sorted(found, key=lambda one: (-one.slope, one.item))


def _slope(item: str, pairs: Sequence[tuple[float, float]]) -> ItemDiscrimination:
    slope = _PRIOR_MEAN
    curvature = 1 / _PRIOR_VARIANCE
    for _ in range(50):
        gradient, curvature = (_PRIOR_MEAN - slope) / _PRIOR_VARIANCE, 1 / _PRIOR_VARIANCE
        for gap, score in pairs:
            probability = logistic(slope * gap)
            gradient += gap * (score - probability)
            curvature += gap * gap * probability * (1 - probability)
        step = gradient / curvature
        slope += step
        if abs(step) < 1e-9:
            break
    half = 1.959964 / math.sqrt(curvature)
    return ItemDiscrimination(item, len(pairs), slope, slope - half, slope + half)
