"""Kinds of answers that graders elsewhere got wrong: never the opposite verdict, not knowing where it cannot be known."""

from __future__ import annotations

import pytest

from tests.grading.collection import _instruction
from tests.grading.reported import reported
from tests.grading.test_collection import ALLOWED
from ultrainteract.grading import Graders
from ultrainteract.schema import Label


async def test_reported_kinds() -> None:
    mistakes = []
    async with Graders() as graders:
        for kind, instruction, answer, expected in reported():
            verdict = await graders.grade(instruction, answer)
            if verdict.label not in ALLOWED[expected]:
                mistakes.append((kind, instruction.gold or instruction.gold_set, answer, expected, verdict))
    assert not mistakes


@pytest.mark.parametrize(
    ("gold", "grader", "stdout", "value", "expected"),
    [
        ("5", "math", "5\n", "2", "?"),  # sys.stdout.write returns the length
        ("5", "math", "5\n", "True", "?"),  # main() prints and returns
        ("5", "math", "5\n", "1", "?"),  # setdefault
        ("5", "math", "5\n", "[None]", "="),  # a comprehension of prints
        ("5", "math", "5\n", "5", "="),
        ("5", "math", "", "5", "="),
        ("5", "math", "5\n", None, "="),
        ("5", "math", "6\n", "7", "!"),
        ("5", "math", "6\n", None, "!"),
        ("5", "math", "Total sum: 3\n", "5", "="),
        ("5", "math", "", None, "!"),
        ("Spain | Italy", "answer_set", "Spain\nItaly\n", "True", "?"),
        ("Spain | Italy", "answer_set", "France\n", "['Greece']", "!"),
        ("yes", "boolean", "yes\n", "4", "?"),
        ("A", "choice", "A\n", "2", "?"),
        ("Paris", "text", "Paris\n", "6", "?"),
    ],
)
async def test_a_program_is_graded_by_all_that_it_shows(
    gold: str, grader: str, stdout: str, value: str | None, expected: str
) -> None:
    choices = ("x", "y") if grader == "choice" else ()
    instruction = _instruction(gold, grader=grader, task="Math_PoT", choices=choices)
    async with Graders() as graders:
        verdict = await graders.grade_output(instruction, stdout, value)
    assert verdict.label in ALLOWED[expected], verdict


async def test_a_program_that_shows_nothing_is_judged_by_its_form() -> None:
    verdict = await Graders().grade_output(_instruction("5", task="Math_PoT"), " \n", None)
    assert verdict.label is Label.WRONG
    assert verdict.evidence is not None
    assert verdict.evidence.check == "format"
