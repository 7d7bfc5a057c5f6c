"""The rule of a curated set: all that decides which samples are taken."""

from __future__ import annotations

from pydantic import Field, PositiveInt

from ultrainteract.config.types import Fraction
from ultrainteract.schema import Record

DIFFICULTY, QUALITY = 0.5, 0.5
"""Weights of a sample's score."""
RELIABILITY, CLEAN, REPAIR, BREVITY = 0.5, 0.2, 0.2, 0.1
"""Weights of quality."""
FULL_REPAIR = 3
"""Wrong actions before a sample from which on its repair counts in full."""


class CurationRule(Record):
    """What is eligible, what is preferred, and how the set is spread. The same pool and rule give the same set."""

    n: PositiveInt = 1000
    """Samples wanted."""
    seed: int = 0
    """Seed of the random set and of topics."""
    min_reliability: Fraction = 0.8
    """Minimum reliability of a sample's evidence."""
    max_pass_rate: Fraction = 0.5
    """Maximum posterior mean of turn 1's pass rate, (correct + 1) / (judged + 2), of the first choice; easier
    problems are taken only where these do not fill a quota. A problem whose pass rate is unknown is of the first
    choice."""
    guided: bool = False
    """Allow actions that were written with the ground truth in view."""
    simulated: bool = False
    """Allow simulated trees."""
    licenses: tuple[str, ...] = ()
    """Allowed licenses of the seed data; all if empty."""
    length_band: tuple[Fraction, Fraction] = (0.05, 0.95)
    """Quantiles of an action's length within its task, between which it is eligible."""
    temperature: float = Field(default=3.0, ge=1)
    """A stratum of s samples gets a share ∝ s^(1/temperature): 1 keeps the pool's proportions, more evens them out."""
    similarity: Fraction = 0.9
    """Jaccard similarity of the problems' word 5-grams from which on two samples are near-duplicates; one is taken."""
