"""The figures that verdicts carry: derived from counts, and the ones that the documentation shows."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from tests.grading.collection import _instruction
from ultrainteract.grading import Basis, Graders, graders
from ultrainteract.grading.reliability import figures, lower_bound, reliability, reliability_of_tests

ROOT = Path(__file__).parents[2]


def test_the_lower_end_of_a_wilson_interval() -> None:
    assert lower_bound(0, 0) == 0.5
    assert lower_bound(10, 10) == pytest.approx(0.7225, abs=1e-4)  # Wilson's interval of 10 of 10
    assert lower_bound(81, 263) == pytest.approx(0.2553, abs=1e-4)  # the example of Newcombe (1998), table I
    assert lower_bound(999, 1000) < 0.999


NOT_MEASURED = {"theoremqa", "mint", "brackets", "unanswerable", "ifeval"}
"""Metrics of benchmarks."""


def test_every_check_was_measured_on_many_answers() -> None:
    by_source = {**figures()["by source"], **figures()["calls"]["by source"]}
    for name, entry in graders().items():
        if name in NOT_MEASURED:
            assert entry.check not in by_source, name
        elif entry.compare is not None:
            assert sum(counts["answers"] for counts in by_source[entry.check].values()) >= 300, entry.name
    for check in (
        "equivalence",
        "number",
        "choice",
        "boolean",
        "text",
        "answer_set",
        "calls",
        "function_calls",
        "bfcl_calls",
        "final_state",
    ):
        for correct in (True, False):
            best = max(reliability(check, basis, correct) for basis in Basis)
            assert 0.9 < best < 1, (check, correct)


def test_what_was_not_measured_is_not_trusted() -> None:
    assert reliability("of a plugin", Basis.EXACT, True) == 0.5


def test_more_hidden_tests_are_more_reliable() -> None:
    found = [reliability_of_tests(hidden) for hidden in (0, 1, 2, 3, 5, 8, 12, 20)]
    assert found[0] == 0.5
    assert found == sorted(found)
    assert found[1] < found[-1] < 1
    assert 0.5 < reliability_of_tests(None) < 1


def test_verdicts_carry_the_measured_figures() -> None:
    verdict = Graders().grade_literal(_instruction("5"), "5")
    assert verdict is not None
    assert verdict.evidence is not None
    assert verdict.evidence.reliability == reliability("equivalence", Basis.EXACT, True)


def test_the_documentation_shows_the_measured_figures() -> None:
    spec = importlib.util.spec_from_file_location("measure", ROOT / "scripts/_figures.py")
    assert spec is not None
    assert spec.loader is not None
    measure = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(measure)
    text = (ROOT / "docs/grading.md").read_text(encoding="utf-8")
    assert measure.in_document(text, figures()) == text


def test_an_interval_never_begins_below_zero() -> None:
    assert {f"{lower_bound(0, total):.1%}" for total in range(1, 3000)} == {"0.0%"}
