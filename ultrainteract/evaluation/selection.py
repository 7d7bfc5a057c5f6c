"""Best of n: what would be right if one answer were picked among n, by which rule.

Each rule's figure is the expectation over all ways to draw n of the N samples of an item: exact for scores, which fix
an order, and for random and the oracle; the majority's is the mean over drawn subsets, or over all where there are few.
Ties are shared: among equals each is picked as often.
"""

from __future__ import annotations

import itertools
import math
import random
from collections import Counter
from collections.abc import Sequence

from ultrainteract.evaluation.estimates import Estimate, pass_at_k
from ultrainteract.evaluation.outcomes import Attempt, JudgedItem, Outcome
from ultrainteract.schema import Record

COUNTS = (1, 2, 4, 8, 16, 32, 64, 128)
"""The n for which figures are given, as far as there are samples."""
_SUBSETS = 200


class SelectionRow(Record):
    """One rule at one n."""

    rule: str
    """`random`, `most_probable`, `majority`, `reward` or `oracle`."""
    n: int
    """Answers to pick from."""
    share: Estimate
    """Share of items whose picked answer is right."""


def best_of_n(items: Sequence[JudgedItem], confidence: float, seed: int = 0) -> tuple[SelectionRow, ...]:
    """The rows of all rules that can be applied to the samples at hand.

    Args:
        items: Items with several attempts each.
        confidence: Level of the intervals.
        seed: Seed of bootstrap and of drawn subsets.
    """
    attempts = [(item.id, item.counted) for item in items if item.counted]
    most = min((len(found) for _, found in attempts), default=0)
    rows = []
    for n in (count for count in COUNTS if count <= most):
        columns: dict[str, list[float]] = {
            "random": [_share(found) for _, found in attempts],
            "oracle": [pass_at_k(len(found), _right(found), n) for _, found in attempts],
        }
        flat = [attempt for _, found in attempts for attempt in found]
        if all(attempt.logprob is not None for attempt in flat):
            columns["most_probable"] = [
                _top(found, [a.logprob or 0.0 for a in found], n) for _, found in attempts
            ]
        if any(attempt.answer is not None for attempt in flat):
            columns["majority"] = [_majority(key, found, n, seed) for key, found in attempts]
        if any(attempt.reward is not None for attempt in flat):  # what has no score is picked last
            columns["reward"] = [
                _top(found, [-math.inf if a.reward is None else a.reward for a in found], n)
                for _, found in attempts
            ]
        for rule in ("random", "most_probable", "majority", "reward", "oracle"):
            if rule in columns and (share := Estimate.of(columns[rule], confidence, seed)) is not None:
                rows.append(SelectionRow(rule=rule, n=n, share=share))
    return tuple(sorted(rows, key=lambda row: (row.rule, row.n)))


def _right(attempts: Sequence[Attempt]) -> int:
    return sum(attempt.outcome is Outcome.RIGHT for attempt in attempts)


def _share(attempts: Sequence[Attempt]) -> float:
    return _right(attempts) / len(attempts)


def _top(attempts: Sequence[Attempt], scores: Sequence[float], n: int) -> float:
    """Probability that the best-scored of n drawn attempts is right."""
    total, better, chance = len(attempts), 0, 0.0
    by_score: dict[float, list[Attempt]] = {}
    for attempt, score in zip(attempts, scores, strict=True):
        by_score.setdefault(score, []).append(attempt)
    for score in sorted(by_score, reverse=True):
        group = by_score[score]
        none_better = math.comb(total - better, n)
        picked = (none_better - math.comb(total - better - len(group), n)) / math.comb(total, n)
        chance += picked * _share(group)
        better += len(group)
    return chance


def majority(attempts: Sequence[Attempt]) -> float:
    """Probability that the commonest answer is right, ties shared; what has no answer has no vote."""
    votes = Counter(attempt.answer for attempt in attempts if attempt.answer is not None)
    if not votes:
        return 0.0
    most = max(votes.values())
    winners = [answer for answer, count in votes.items() if count == most]
    return math.fsum(_share([a for a in attempts if a.answer == answer]) for answer in winners) / len(winners)


def _majority(key: str, attempts: Sequence[Attempt], n: int, seed: int) -> float:
    if n == len(attempts):
        return majority(attempts)
    if math.comb(len(attempts), n) <= _SUBSETS:
        subsets = [list(subset) for subset in itertools.combinations(attempts, n)]
    else:
        draw = random.Random(f"{seed} {key} {n}")
        subsets = [draw.sample(attempts, n) for _ in range(_SUBSETS)]
    return math.fsum(map(majority, subsets)) / len(subsets)
