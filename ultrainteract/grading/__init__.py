"""Graders: each turns an action's outcome into a three-valued verdict with its evidence.

Nothing heavy is imported here: sympy and math-verify are loaded in the worker processes alone.
"""

from __future__ import annotations

from ultrainteract.grading.algebra import Algebra
from ultrainteract.grading.finding import Basis, Finding
from ultrainteract.grading.graders import Graders
from ultrainteract.grading.judge import judge
from ultrainteract.grading.question import Question
from ultrainteract.grading.registry import Gold, find_grader, grader, graders
from ultrainteract.grading.selfcheck import SelfCheck, self_check
from ultrainteract.grading.suite import verdict_from_tests

__all__ = [
    "Algebra",
    "Basis",
    "Finding",
    "Gold",
    "Graders",
    "Question",
    "SelfCheck",
    "find_grader",
    "grader",
    "graders",
    "judge",
    "self_check",
    "verdict_from_tests",
]
