"""How reliable each kind of verdict is: figures that were measured, never guessed.

`figures.json` beside this module is written by `scripts/measure_reliability.py`, which grades answers whose right
verdict is known (docs/grading.md says which) and counts; the figures of function calls by `scripts/compare_bfcl.py` and
`scripts/compare_bfcl_dialogues.py`, where the checker that BFCL publishes says what is right. A figure is the lower end
of the 95 % interval (Wilson) of the share of verdicts that were right, so that few measurements make a modest figure.
"""

from __future__ import annotations

import json
import math
from functools import cache
from importlib.resources import files
from typing import Any

from ultrainteract.grading.finding import Basis

_Z = 1.959964
"""Of a two-sided 95 % interval."""


def lower_bound(right: int, total: int) -> float:
    """Lower end of the 95 % interval of a share (Wilson 1927); 0.5 where nothing was measured.

    Args:
        right: Verdicts that were right.
        total: Verdicts.
    """
    if not total:
        return 0.5
    share = right / total
    spread = _Z * math.sqrt(share * (1 - share) / total + (_Z / (2 * total)) ** 2)
    return max(
        0.0, (share + _Z**2 / (2 * total) - spread) / (1 + _Z**2 / total)
    )  # rounding: never below zero


def figure(right: int, total: int) -> float:
    """`lower_bound` in three digits, and never 1: that much nothing is known."""
    return min(round(lower_bound(right, total), 3), 0.999)


@cache
def figures() -> dict[str, Any]:
    """The measured counts."""
    found: dict[str, Any] = json.loads(
        files("ultrainteract.grading").joinpath("figures.json").read_text("utf-8")
    )
    return found


@cache
def reliability(check: str, basis: Basis, correct: bool) -> float:
    """Share of such verdicts that are right, in three digits.

    Args:
        check: The kind of check.
        basis: The reasoning that the verdict rests on.
        correct: The verdict is `correct`, not `wrong`.

    Returns:
        The measured figure; a check that was never measured, such as a plugin's, has 0.5.
    """
    label = "correct" if correct else "wrong"
    kinds = {**figures()["answers"], **figures()["calls"]["verdicts"]}
    counted = kinds.get(f"{check}/{basis.name.lower()}/{label}", {"right": 0, "total": 0})
    return figure(counted["right"], counted["total"])


@cache
def reliability_of_tests(hidden: int | None) -> float:
    """Share of verdicts by tests that are right, where right and wrong programs come equally often.

    Args:
        hidden: Hidden tests that a program passed; None for a verdict `wrong`.

    Returns:
        For `correct`, 1 / (1 + f), where f is the share of wrong programs that pass so many random tests of their
        problem (upper end of its 95 % interval; 1 where no test is hidden); for `wrong`, the same of right programs
        that fail.
    """
    measured = figures()["tests"]
    if hidden is None:
        counted = measured.get("right programs", {"failed": 0, "total": 0})
        return round(1 / (2 - lower_bound(counted["total"] - counted["failed"], counted["total"])), 3)
    known = measured.get("wrong programs", {})
    bounds = [
        lower_bound(counts["total"] - counts["passed"], counts["total"])
        for tests, counts in known.items()
        if int(tests)
        <= hidden  # what passes more tests passes these: few measurements of many tests take nothing away
    ]
    return round(1 / (2 - max(bounds)), 3) if bounds else 0.5
