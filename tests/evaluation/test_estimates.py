"""Statistics against their definitions and against scipy."""

from __future__ import annotations

import itertools
import random

import pytest

from ultrainteract.evaluation.estimates import Estimate, PairedTest, mcnemar, pass_at_k, wilson
from ultrainteract.evaluation.outcomes import Attempt, JudgedItem, Outcome
from ultrainteract.evaluation.selection import best_of_n, majority


@pytest.mark.parametrize(("right", "total"), [(0, 10), (3, 10), (10, 10), (137, 1000)])
def test_wilson_and_mcnemar_agree_with_scipy(right: int, total: int) -> None:
    stats = pytest.importorskip("scipy.stats")
    expected = stats.binomtest(right, total).proportion_ci(0.95, method="wilson")
    assert wilson(right, total, 0.95) == pytest.approx((expected.low, expected.high), abs=1e-9)
    assert mcnemar(right, total - right) == pytest.approx(stats.binomtest(right, total, 0.5).pvalue)


def test_pass_at_k_is_the_share_of_subsets_with_a_right_sample() -> None:
    for right in range(6):
        samples = [True] * right + [False] * (5 - right)
        for k in range(1, 6):
            subsets = list(itertools.combinations(samples, k))
            assert pass_at_k(5, right, k) == pytest.approx(sum(map(any, subsets)) / len(subsets))


def attempt(right: bool, **fields: object) -> Attempt:
    outcome = Outcome.RIGHT if right else Outcome.WRONG
    data = {"ordinal": 0, "budget": 1, "outcome": outcome, "solved_at": 1 if right else None, "steps": ()}
    return Attempt.model_validate(data | fields)


def test_best_of_n_is_the_mean_over_all_subsets() -> None:
    """By reward, by log-probability and by vote, with ties, against the enumeration of all subsets."""
    rng = random.Random(1)
    found = [
        attempt(
            rng.random() < 0.4,
            reward=rng.choice([0.1, 0.5, 0.9]),
            logprob=-rng.random(),
            answer=rng.choice("abc"),
        )
        for _ in range(8)
    ]
    item = JudgedItem(id="x", benchmark="b", task="Math_CoT", source="s", attempts=tuple(found))
    rows = {(row.rule, row.n): row.share.value for row in best_of_n([item], 0.95)}

    def top(subset: tuple[Attempt, ...], name: str) -> float:
        most = max(getattr(a, name) for a in subset)
        best = [a.outcome is Outcome.RIGHT for a in subset if getattr(a, name) == most]
        return sum(best) / len(best)

    for n in (1, 2, 4, 8):
        subsets = list(itertools.combinations(found, n))
        mean = {
            "reward": sum(top(subset, "reward") for subset in subsets) / len(subsets),
            "most_probable": sum(top(subset, "logprob") for subset in subsets) / len(subsets),
            "majority": sum(majority(subset) for subset in subsets) / len(subsets),
            "oracle": sum(any(a.outcome is Outcome.RIGHT for a in subset) for subset in subsets)
            / len(subsets),
            "random": sum(a.outcome is Outcome.RIGHT for a in found) / len(found),
        }
        assert {rule: rows[rule, n] for rule in mean} == pytest.approx(mean)
    assert ("oracle", 16) not in rows


def test_the_paired_test_sees_what_two_intervals_do_not() -> None:
    first = [1.0] * 50 + [0.0] * 50
    second = [1.0] * 50 + [1.0] * 8 + [0.0] * 42
    both = [Estimate.of(values, 0.95) for values in (first, second)]
    assert both[0] is not None
    assert both[1] is not None
    assert both[0].high > both[1].low
    paired = PairedTest.of(first, second, 0.95)
    assert paired is not None
    assert (paired.only_first, paired.only_second) == (0, 8)
    assert paired.difference == pytest.approx(0.08)
    assert paired.low > 0
    assert paired.p_value == pytest.approx(2 / 2**8)
