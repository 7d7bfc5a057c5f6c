"""Genuine, constructed or no attitude: one annotator's answers on one item, by exact tests.

The tests, on the verdicts with the order undone (ties are no verdicts here):

1. *Repeats*: the agreeing couples of repeats within conditions, against fair coins (exact distribution).
2. *Dependence*: verdict × order, × wording, × scale (Fisher's exact test; Holm's correction over all of them).
3. *Preference*: the verdicts for the preferred answer, against a fair coin (two-sided binomial).

Constructed: repeats agree, and the verdict depends on a condition, each at 5 %. Genuine: repeats agree (where there are
any), nothing depends on a condition, and there is a preference, on at least `FEWEST` verdicts over two conditions.
Non-attitude: none of the three says anything against a coin, at 5 % in all (Bonferroni), on at least `ENOUGH` verdicts.
Whatever else: undetermined, with the reason.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from ultrainteract.judgments.annotators.measures import Question

Kind = Literal["genuine", "constructed", "non-attitude", "undetermined"]
LEVEL = 0.05
"""Level of every test."""
FEWEST = 6
"""Verdicts below which nothing is said: five equal ones come from a coin in 6 % of cases."""
ENOUGH = 16
"""Verdicts from which on the absence of agreement says something: the recommended number of measures."""
FACTORS = ("order", "wording", "scale")


@dataclass(frozen=True)
class Finding:
    """What is known of an annotator's attitude to an item."""

    kind: Kind
    verdict: Literal["a", "b"] | None = None
    """The preferred answer; genuine preferences only."""
    agreeing: int = 0
    """Verdicts for it."""
    verdicts: int = 0
    """Verdicts without ties."""
    ties: int = 0
    factors: tuple[str, ...] = ()
    """Conditions that the verdict depends on; constructed preferences only."""
    reason: str = ""
    """Why it is undetermined."""


def classify(measures: Sequence[Question]) -> Finding:
    """Classifies one annotator's answers on one item.

    Args:
        measures: The answers; those that cannot be read are passed over.
    """
    read = [(measure, measure.verdict) for measure in measures]
    decided = [(measure, verdict) for measure, verdict in read if verdict in ("a", "b")]
    ties = sum(verdict == "tie" for _, verdict in read)
    counts = Counter(verdict for _, verdict in decided)
    top: Literal["a", "b"] = "a" if counts["a"] >= counts["b"] else "b"
    base = Finding("undetermined", agreeing=counts[top], verdicts=len(decided), ties=ties)

    def undetermined(reason: str) -> Finding:
        return replace(base, reason=reason)

    conditions = {measure.condition for measure, _ in decided}
    if ties > len(decided):
        return undetermined("mostly ties")
    if len(decided) < FEWEST:
        return undetermined(f"fewer than {FEWEST} verdicts")
    if len(conditions) < 2:
        return undetermined("one condition alone")
    cells: dict[tuple[str, str, str], Counter[str]] = defaultdict(Counter)
    for measure, verdict in decided:
        cells[measure.condition][str(verdict)] += 1
    repeats = repeat_p([(cell["a"], cell["b"]) for cell in cells.values()])
    stable = repeats is not None and repeats <= LEVEL
    depends = dependence(decided_by_factor((measure, str(verdict)) for measure, verdict in decided))
    factors = tuple(factor for factor, probability in depends.items() if probability <= LEVEL)
    preference = preference_p(counts[top], len(decided))
    if factors and stable:
        return replace(base, kind="constructed", factors=factors)
    if not factors and preference <= LEVEL and (stable or repeats is None):
        return replace(base, kind="genuine", verdict=top)
    if repeats is not None and min(repeats, preference, *depends.values()) > LEVEL / 3:
        if len(decided) < ENOUGH:
            return undetermined(f"no agreement, on fewer than {ENOUGH} verdicts")
        return replace(base, kind="non-attitude")
    return undetermined("repeats, conditions and preference say different things")


def repeat_p(cells: Iterable[tuple[int, int]]) -> float | None:
    """Probability that coins agree at least as often within conditions; None where nothing was repeated.

    Args:
        cells: Verdicts for either answer, by condition.
    """
    repeated = [(a, b) for a, b in cells if a + b >= 2]
    if not repeated:
        return None
    chance: dict[int, float] = {0: 1.0}
    for a, b in repeated:
        total = a + b
        following: dict[int, float] = defaultdict(float)
        for heads in range(total + 1):
            weight = math.comb(total, heads) * 0.5**total
            for agreeing, probability in chance.items():
                following[agreeing + _couples(heads, total - heads)] += probability * weight
        chance = following
    seen = sum(_couples(a, b) for a, b in repeated)
    return min(1.0, sum(probability for agreeing, probability in chance.items() if agreeing >= seen))


def preference_p(agreeing: int, total: int) -> float:
    """Two-sided probability that a coin prefers one answer so often."""
    tail = sum(math.comb(total, k) for k in range(agreeing, total + 1)) * 0.5**total
    return min(1.0, 2 * tail)


def decided_by_factor(
    decided: Iterable[tuple[Question, str]],
) -> dict[str, dict[str, tuple[int, int]]]:
    """Verdicts for either answer by factor and level."""
    tables: dict[str, dict[str, Counter[str]]] = {factor: defaultdict(Counter) for factor in FACTORS}
    for measure, verdict in decided:
        for factor in FACTORS:
            tables[factor][getattr(measure, factor)][verdict] += 1
    return {
        factor: {level: (counts["a"], counts["b"]) for level, counts in sorted(levels.items())}
        for factor, levels in tables.items()
    }


def dependence(tables: Mapping[str, Mapping[str, tuple[int, int]]]) -> dict[str, float]:
    """Probability that the verdict does not depend on a factor, by factor that was varied.

    Fisher's exact test of each level against the rest; Holm's correction over all tests; a factor's smallest counts.
    """
    tests: list[tuple[float, str]] = []
    for factor, levels in tables.items():
        whole = [sum(counts[side] for counts in levels.values()) for side in (0, 1)]
        names = list(levels)[: 1 if len(levels) == 2 else None] if len(levels) > 1 else []
        for name in names:
            a, b = levels[name]
            tests.append((fisher_p((a, b), (whole[0] - a, whole[1] - b)), factor))
    found: dict[str, float] = {}
    highest = 0.0
    for number, (probability, factor) in enumerate(sorted(tests)):
        highest = max(highest, min(1.0, probability * (len(tests) - number)))
        found.setdefault(factor, highest)
    return {factor: found[factor] for factor in FACTORS if factor in found}


def fisher_p(one: tuple[int, int], other: tuple[int, int]) -> float:
    """Two-sided probability of a 2 × 2 table or a less probable one, with its margins."""
    row, column, total = sum(one), one[0] + other[0], sum(one) + sum(other)

    def weight(first: int) -> int:
        return math.comb(column, first) * math.comb(total - column, row - first)

    seen = weight(one[0])
    weights = [weight(first) for first in range(max(0, row + column - total), min(row, column) + 1)]
    return sum(w for w in weights if w <= seen) / math.comb(total, row)


def _couples(a: int, b: int) -> int:
    return a * (a - 1) // 2 + b * (b - 1) // 2
