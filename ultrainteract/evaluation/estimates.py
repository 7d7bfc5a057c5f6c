"""Shares with intervals, pass@k without bias, and the paired test of two models: the statistics of evaluations.

Sources: pass@k, Chen et al. 2021 (arXiv 2107.03374); the score interval, Wilson 1927; the exact test of paired
outcomes, McNemar 1947. Resampling draws items, not samples: samples of one item are not independent of each other.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist
from typing import Literal, Self

import numpy as np

from ultrainteract.schema import Record

RESAMPLES = 2_000
"""Bootstrap samples."""


class Estimate(Record):
    """A share with its interval."""

    value: float
    """The share, between 0 and 1."""
    low: float
    """Lower end of the interval."""
    high: float
    """Upper end of the interval."""
    items: int
    """Items that it rests on."""
    method: Literal["wilson", "bootstrap"]
    """How the interval was made: Wilson's score interval for one sample per item, else resampled items."""

    @classmethod
    def of(cls, values: Sequence[float], confidence: float, seed: int = 0) -> Self | None:
        """The mean of one value per item; None where there is no item.

        Args:
            values: One per item, each between 0 and 1; where all are 0 or 1 the interval is Wilson's.
            confidence: Level of the interval.
            seed: Seed of the bootstrap.
        """
        if not values:
            return None
        mean = math.fsum(values) / len(values)
        if all(value in (0.0, 1.0) for value in values):
            low, high = wilson(round(math.fsum(values)), len(values), confidence)
            return cls(value=_round(mean), low=low, high=high, items=len(values), method="wilson")
        low, high = resampled(values, confidence, seed)
        return cls(value=_round(mean), low=low, high=high, items=len(values), method="bootstrap")


def wilson(successes: int, trials: int, confidence: float) -> tuple[float, float]:
    """Wilson's score interval of a share of `trials` > 0."""
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    share, shrink = successes / trials, 1 + z * z / trials
    middle = (share + z * z / (2 * trials)) / shrink
    half = z / shrink * math.sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials))
    return _round(max(0.0, middle - half)), _round(min(1.0, middle + half))


def resampled(values: Sequence[float], confidence: float, seed: int) -> tuple[float, float]:
    """Percentile interval of the mean of `values`, by resampling them."""
    data = np.asarray(values, dtype=float)
    draws = np.random.default_rng(seed).integers(0, len(data), size=(RESAMPLES, len(data)))
    means = data[draws].mean(axis=1)
    low, high = np.quantile(means, [(1 - confidence) / 2, (1 + confidence) / 2])
    return _round(float(low)), _round(float(high))


def pass_at_k(samples: int, right: int, k: int) -> float:
    """Probability that one of k samples, drawn from `samples` of which `right` are right, is right.

    Raises:
        ValueError: There are fewer than k samples.
    """
    if k > samples:
        raise ValueError(f"pass@{k} needs {k} samples, and there are {samples}")
    return 1.0 - math.comb(samples - right, k) / math.comb(samples, k)


class PairedTest(Record):
    """Two models on the same items."""

    items: int
    """Items that both have finished."""
    difference: float
    """Mean of the second less that of the first."""
    low: float
    """Lower end of the interval of the difference, by resampling items."""
    high: float
    """Upper end of it."""
    p_value: float | None
    """McNemar's exact test, two-sided; None where either has several samples per item."""
    only_first: int
    """Items that the first alone solves (with several samples: where its share is larger)."""
    only_second: int
    """Items that the second alone solves."""

    @classmethod
    def of(
        cls, first: Sequence[float], second: Sequence[float], confidence: float, seed: int = 0
    ) -> Self | None:
        """Compares one value per item of each model, in the same order of items; None where there is none.

        Args:
            first: Shares of the first model, by item.
            second: Shares of the second.
            confidence: Level of the interval.
            seed: Seed of the bootstrap.
        """
        if not first:
            return None
        changes = [b - a for a, b in zip(first, second, strict=True)]
        low, high = resampled(changes, confidence, seed)
        ahead, behind = sum(change > 0 for change in changes), sum(change < 0 for change in changes)
        exact = all(value in (0.0, 1.0) for value in (*first, *second))
        return cls(
            items=len(changes), difference=_round(math.fsum(changes) / len(changes)), low=low, high=high,
            p_value=mcnemar(behind, ahead) if exact else None, only_first=behind, only_second=ahead,
        )  # fmt: skip


def mcnemar(only_first: int, only_second: int) -> float:
    """Two-sided exact p-value of so many items on which exactly one of two models is right."""
    total, least = only_first + only_second, min(only_first, only_second)
    tail = sum(math.comb(total, count) for count in range(least + 1))
    return _round(min(1.0, 2 * tail / 2**total))


def _round(value: float) -> float:
    return round(value, 10)
