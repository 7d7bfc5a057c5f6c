"""How few votes decide the first place: what a leaderboard rests on.

The effect of leaving a vote out is −H⁺x(y − p) to first order, so the votes that hold a gap between two models
up are found by sorting; the order that they give is then proved by rating the rest again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ultrainteract.errors import DataError
from ultrainteract.judgments.votes.battle import Battle
from ultrainteract.judgments.votes.ratings import Ratings, design, expected, fit, information


@dataclass(frozen=True)
class FirstPlace:
    """What the first place rests on."""

    leader: str
    follower: str
    """The model that takes the first place when the decisive votes are gone."""
    votes: tuple[str, ...]
    """Places (file and line) of the decisive votes: without them the follower leads."""
    total: int
    """Votes in all."""

    @property
    def share(self) -> float:
        """Share of all votes that decide the first place."""
        return len(self.votes) / self.total


def first_place(battles: Sequence[Battle], ratings: Ratings, *, max_share: float = 0.1) -> FirstPlace | None:
    """Finds a small set of votes without which another model leads.

    Args:
        battles: The rated votes.
        ratings: Their ratings.
        max_share: Largest share of votes that is tried.

    Returns:
        The smallest set found by the first-order order of votes; None where none of up to `max_share` is found. A set
        without which not all models are compared in both directions proves nothing: who leads then has no figure.
    """
    import numpy as np

    arrays = design(battles)
    names = list(arrays.names)
    strengths, _ = fit(arrays)
    inverse = np.linalg.pinv(information(arrays, strengths), hermitian=True)
    residual = arrays.score - expected(arrays, strengths)
    leader = names.index(ratings.models[0].model)
    limit = int(max_share * len(residual))
    best: tuple[int, int, list[int]] | None = None
    for follower in range(len(names)):
        if follower == leader:
            continue
        contrast = inverse[leader] - inverse[follower]
        effect = (contrast[arrays.left] - contrast[arrays.right]) * residual
        order = np.argsort(-effect, kind="stable")[:limit]
        enough = np.flatnonzero(np.cumsum(effect[order]) > strengths[leader] - strengths[follower])
        if len(enough) and (best is None or enough[0] + 1 < best[0]):
            best = (int(enough[0]) + 1, follower, [int(i) for i in order])
    if best is None:
        return None
    guess, _, ranked = best
    for count in _counts(guess, len(ranked)):
        gone = {int(arrays.used[i]) for i in ranked[:count]}
        try:
            rest = design([battle for number, battle in enumerate(battles) if number not in gone])
        except DataError:  # no two models are comparable
            continue
        if rest.names != arrays.names:
            continue
        again, _ = fit(rest)
        first = rest.names[int(np.argmax(again))]
        if first != names[leader]:
            places = tuple(battles[int(arrays.used[i])].where for i in ranked[:count])
            return FirstPlace(names[leader], first, places, len(residual))
    return None


def _counts(guess: int, limit: int) -> list[int]:
    """Sizes to try: from a little below the first-order guess upward, then in growing steps."""
    counts, size = [], max(1, int(guess * 0.8))
    while size <= limit:
        counts.append(size)
        size += max(1, size // 50)
    return counts
