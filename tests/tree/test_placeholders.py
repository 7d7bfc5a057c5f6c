"""An echoed placeholder is no answer, and hides none."""

from __future__ import annotations

import pytest

from tests.builders import math_cot
from ultrainteract.tree.placeholders import is_placeholder, read_action

PLACEHOLDERS = [
    r"\boxed{Your Answer}", "Your Answer", "your final answer", "<your answer>", "[answer]", "(insert your answer here)",
    "The answer goes here", "…", "...", "____", "?", r"\boxed{\text{Your Answer}}", r"$\boxed{...}$", "**Your Answer**.",
    "numerical answer", r"\boxed{}", "the number",
]  # fmt: skip
ANSWERS = [
    "42",
    r"\boxed{42}",
    "x",
    "yes",
    "no answer",
    "answer 5",
    "12.",
    "the number 7",
    "a solution of salt",
    "?!x",
    "-1",
]


@pytest.mark.parametrize("text", PLACEHOLDERS)
def test_the_name_of_an_answers_place_is_no_answer(text: str) -> None:
    assert is_placeholder(text)
    for form in (
        "{}",
        "Step 1: I think.\nAnswer: {}",
        "<thought>\nHm.\n</thought>\n<solution>\nAnswer: {}\n</solution>",
    ):
        assert read_action(form.format(text), math_cot(), "cot").answer is None


@pytest.mark.parametrize("text", ANSWERS)
def test_an_answer_is_none_of_them(text: str) -> None:
    assert not is_placeholder(text)
    assert read_action(f"Step 1: I think.\nAnswer: {text}", math_cot(), "cot").answer is not None


def test_what_is_the_gold_answer_is_no_placeholder() -> None:
    assert not is_placeholder("The Answer", ("The Answer",))


@pytest.mark.parametrize(
    "raw",
    [
        "Answer: 42\nPresent your final answer as \\boxed{Your Answer}.\nAnswer: Your Answer",
        "\\boxed{42} is right.\nSo \\boxed{Your Answer}",
        "The form is\nAnswer: …\nStep 1: 6 * 7\nAnswer: 42",
    ],
)
def test_the_answer_beside_an_echo_is_read(raw: str) -> None:
    action = read_action(raw, math_cot(), "cot")
    assert action.answer is not None
    assert "42" in action.answer
    assert action.raw == raw
