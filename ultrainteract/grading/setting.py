"""What is known about a question, as far as it bears on reading an answer to it."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Setting:
    """What is known about the question, as far as it bears on reading an answer."""

    program: bool = False
    """The answer was printed by a program."""
    unit: str | None = None
    """Unit the dataset states for the gold answer."""
    asks_percent: bool = False
    rounds: bool = False
    ordered: bool = False
    intervals: bool = False
    points: bool = False

    @classmethod
    @functools.lru_cache(maxsize=1024)  # asked for each of many answers to a question that may be long
    def of(cls, question: str, *, program: bool, unit: str | None) -> Setting:
        """The setting of a question, from the words it uses."""
        text = question.lower()
        found = {name: pattern.search(text) is not None for name, pattern in _WORDS.items()}
        return cls(program=program, unit=unit, **found)


_WORDS = {
    "asks_percent": re.compile(r"percent|%"),
    "rounds": re.compile(r"nearest|\bround|approximat|estimate|decimal place|significant"),
    "ordered": re.compile(r"\border\b|sequence|respectively|ascending|descending|increasing|first"),
    "intervals": re.compile(r"interval|domain|\brange\b|inequalit|for which|solution set"),
    "points": re.compile(
        r"ordered|coordinate|\bpoints?\b|vector|triple|vertex|center|midpoint|intersect|tuple"
    ),
}
"""Words of a question that say how answers to it are read."""
