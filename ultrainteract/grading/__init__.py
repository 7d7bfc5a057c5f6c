"""Graders: each turns an action's outcome into a three-valued verdict with its evidence.

Nothing heavy is imported here: sympy and math-verify are loaded in the worker processes alone.
"""

from __future__ import annotations

from ultrainteract.grading.graders import Graders
from ultrainteract.grading.judge import judge
from ultrainteract.grading.selfcheck import SelfCheck, self_check
from ultrainteract.grading.suite import verdict_from_tests

__all__ = ["Graders", "SelfCheck", "judge", "self_check", "verdict_from_tests"]
