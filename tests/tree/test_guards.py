"""The quality guards: what they catch, and what they leave alone."""

from __future__ import annotations

import pytest

from tests.builders import cot, math_cot
from ultrainteract.schema import Instruction, Task
from ultrainteract.tree.actions import parse_action
from ultrainteract.tree.guards import REDACTED, leaks, normalised, redact, speaks_of_reference
from ultrainteract.tree.guided import masked

CHOICE = Instruction(
    task=Task.LOGIC, dataset="reclor", prompt="Which?", question="Which?", grader="choice", gold="B",
    choices=("the long break", "the short summer", "no change"),
)  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "The correct answer is 42.",
        "You should have gotten 42 here.",
        "You added; 6 * 7 gives 42 instead.",
        "The final answer should be $\\boxed{42}$.",
        "It must come to 42, not 13.",
    ],
)
def test_a_critique_that_gives_the_answer_away_is_caught_and_redacted(text: str) -> None:
    assert leaks(text, math_cot())
    cleaned = redact(text, math_cot())
    assert "42" not in cleaned
    assert REDACTED in cleaned
    assert not leaks(cleaned, math_cot())


@pytest.mark.parametrize(
    "text",
    [
        "You added where you should have multiplied.",
        "Look at step 2 again: 142 is too much.",
        "See 4.42 there.",
    ],
)
def test_a_critique_that_keeps_the_answer_to_itself_passes(text: str) -> None:
    assert not leaks(text, math_cot())


def test_a_gold_value_that_the_actor_can_see_anyway_leaks_only_as_the_answer() -> None:
    instruction = math_cot("He has 5 boxes of 1. How many?", "5")
    assert not leaks("In Step 5 you miscount the boxes.", instruction)
    assert leaks("The right answer is 5.", instruction)


@pytest.mark.parametrize(
    ("text", "leak"),
    [
        ("The correct option is B.", True),
        ("You should have chosen (B).", True),
        ("The answer is the short summer, as the text says.", True),
        ("B is not about breaks at all; compare it with C.", False),
        ("A closer reading of the passage rules your option out.", False),
    ],
)
def test_choices_leak_by_letter_and_by_text(text: str, leak: bool) -> None:
    assert leaks(text, CHOICE) is leak


def test_copied_solution_lines_are_a_leak() -> None:
    program = "n = int(input())\nvalues = list(map(int, input().split()))\nprint(sum(values) - max(values))\n"
    instruction = Instruction(
        task=Task.CODING,
        dataset="codecontest",
        prompt="p",
        question="q",
        grader="tests",
        solutions=(program,),
    )
    assert leaks(f"Write this:\n{program}", instruction)
    assert not leaks("Subtract the largest value: print(sum(values) - max(values))", instruction)


@pytest.mark.parametrize(
    "text",
    [
        "As the reference solution shows, …",
        "The given answer is 7.",
        "Following the provided code",
        "the rationale I was given",
    ],
)
def test_a_guided_action_that_speaks_of_its_source_is_refused(text: str) -> None:
    assert speaks_of_reference(text)


@pytest.mark.parametrize(
    "text", ["Given the numbers, add them.", "The solution is x = 2.", "We are given a code word."]
)
def test_ordinary_wording_is_not_refused(text: str) -> None:
    assert not speaks_of_reference(text)


def test_equal_but_for_looks() -> None:
    one = parse_action(cot("4", "Step 1:  Add them."), math_cot(), "cot")
    other = parse_action(cot("4", "step 1: add them"), math_cot(), "cot")
    different = parse_action(cot("5", "step 1: add them"), math_cot(), "cot")
    assert normalised(one) == normalised(other)
    assert normalised(one) != normalised(different)


def test_masking_hides_the_answer_and_results_but_not_the_reasoning() -> None:
    text = masked("He sold 48 / 2 = 24 clips. In all 48 + 24 = 72, so \\boxed{72}.", "72")
    assert text == "He sold 48 / 2 = <mask> clips. In all 48 + 24 = <mask>, so \\boxed{<mask>}."
