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
        return cls(
            program=program,
            unit=unit,
            asks_percent=re.search(r"percent|%", text) is not None,
            rounds=re.search(r"nearest|\bround|approximat|estimate|decimal place|significant", text)
            is not None,
            ordered=re.search(r"\border\b|sequence|respectively|ascending|descending|increasing|first", text)
            is not None,
            intervals=re.search(r"interval|domain|\brange\b|inequalit|for which|solution set", text)
            is not None,
            points=re.search(
                r"ordered|coordinate|\bpoints?\b|vector|triple|vertex|center|midpoint|intersect|tuple", text
            )
            is not None,
        )
