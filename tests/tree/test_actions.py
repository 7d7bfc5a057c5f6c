"""What a model wrote becomes an action, and its published rendering."""

from __future__ import annotations

import pytest

from tests.builders import math_cot, math_pot, pot
from ultrainteract.schema import Instruction, Task
from ultrainteract.tree.actions import parse_action, syntax_ok


def parse(raw: str, instruction: Instruction):
    return parse_action(raw, instruction, "cot")


def test_tags_are_gone_from_a_published_chain_of_thought() -> None:
    action = parse(
        "<thought>\nStep 1: 6 * 7 = 42, so it is $\\boxed{42}$.\n</thought>\n"
        "<solution>\nAnswer:\n\\boxed{42}\n</solution>",
        math_cot(),
    )
    assert action.text == "Step 1: 6 * 7 = 42, so it is $\\boxed{42}$.\n\nAnswer:\n\\boxed{42}"
    assert action.answer == "\\boxed{42}"
    assert action.code is None


def test_a_program_is_published_in_a_fence_without_an_answer_line() -> None:
    raw = pot("# Step 2: print\nprint(6 * 7)", "Step 1: Multiply.") + "\n<solution>42</solution>"
    action = parse(raw, math_pot())
    assert action.text == "Step 1: Multiply.\n```python\n# Step 2: print\nprint(6 * 7)\n```"
    assert action.code == "# Step 2: print\nprint(6 * 7)"
    assert action.answer == "42"


def test_a_logic_answer_follows_its_label_without_a_space() -> None:
    instruction = math_cot().model_copy(update={"task": Task.LOGIC})
    action = parse("<thought>Step 1: It is the band.</thought><solution>3OH!3</solution>", instruction)
    assert action.text == "Step 1: It is the band.\nAnswer:3OH!3"


@pytest.mark.parametrize(
    ("raw", "answer"),
    [
        ("Step 1: So it is 7.\nAnswer: 7", "7"),
        ("Step 1: So it is\n\nAnswer:\n\\boxed{\\frac{1}{2}}", "\\boxed{\\frac{1}{2}}"),
        ("It follows that $\\boxed{\\frac{\\sqrt{3}}{2}}$ is right.", "\\boxed{\\frac{\\sqrt{3}}{2}}"),
        ("<thought>x</thought><solution>The final answer is 12", "12"),
        ("<thought>x</thought><solution></solution>", None),
        ("I do not know.", None),
        ("**Answer:** B", "B"),
    ],
)
def test_answers_are_found_with_and_without_tags(raw: str, answer: str | None) -> None:
    assert parse(raw, math_cot()).answer == answer


@pytest.mark.parametrize(
    "raw",
    [
        "Plan.\n```python\nx = 1\nprint(x)\n```",
        "<thought>Plan.</thought>\n<execute>\n```python\nx = 1\nprint(x)\n```\n</execute>",
        "<thought>Plan.\n<execute>\nx = 1\nprint(x)",
        "<thought>Plan.</thought>\n<solution>\n```py\nx = 1\nprint(x)\n```\n</solution>",
    ],
)
def test_code_is_found_wherever_models_put_it(raw: str) -> None:
    action = parse(raw, math_pot())
    assert action.code == "x = 1\nprint(x)"
    assert action.text == "Plan.\n```python\nx = 1\nprint(x)\n```"


@pytest.mark.parametrize(
    ("code", "good"),
    [
        ("x = 1", True),
        ("await f()", True),
        ("x = (", False),
        ("def f(:\n  pass", False),
        ("a\0b", False),
        ("(" * 5000 + ")" * 5000, False),
        ("-" * 200_000 + "1", False),
        ("print('" + "a" * 10 + "')\n%timeit 1", False),
    ],
)
def test_the_syntax_check_survives_anything(code: str, good: bool) -> None:
    assert syntax_ok(code) is good
