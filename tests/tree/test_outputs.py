"""What is read as code and as an answer: the rules of docs/outputs.md, each on several texts."""

from __future__ import annotations

import pytest

from tests.builders import math_cot, math_pot
from ultrainteract.schema import Task
from ultrainteract.tree.actions import parse_action


def code_of(raw: str, task: Task = Task.MATH_POT) -> str | None:
    return parse_action(raw, math_pot().model_copy(update={"task": task}), "cot").code


def answer_of(raw: str) -> str | None:
    return parse_action(raw, math_cot().model_copy(update={"task": Task.LOGIC}), "cot").answer


@pytest.mark.parametrize(
    "raw",
    [
        "The formula is\n```text\na + b\n```\nThen\n```python\nprint(2+3)\n```",
        "```python\nprint(2+3)\n```\nThis prints:\n```\nThe result is 5\n```",
        "```python\nprint(2+3)\n```\nOutput:\n```text\n5\n```\nSo it is 5.",
        "```json\n[1]\n```\n```py\nprint(2+3)\n```\n```bash\npython x.py\n```",
        "1. Compute:\n\n   ```python\n   print(2+3)\n   ```\n\n2. Done.",
        "- ```python\n  print(2+3)\n  ```",
        "Step 1\n\n    ```python\n    print(2+3)\n    ```\n",
        "> ```python\n> print(2+3)\n> ```",
        "```python\r\nprint(2+3)\r\n```\r\n",
        "~~~python\nprint(2+3)\n~~~",
        "````python title='a'\nprint(2+3)\n````",
        "```{python}\nprint(2+3)\n```",
        "```Python3\nprint(2+3)",
        "The code: ```python\nprint(2+3)\n```",
        "```\nprint(2+3)\n```",
        "```python\nprint(2+3)\n```\n```python\n>>> 2+3\n5\n```",
        "```python\nprint(2+3)\n```\n```python\n5\n```",
        "I will write it inside `<execute>` tags.\n<execute>\nprint(2+3)\n</execute>",
        "Inside <execute> tags comes\n<execute>\nprint(2+3)\n</execute>",
        "Code: <execute>print(2+3)</execute>",
        "```\n<execute>\nprint(2+3)\n</execute>\n```",
        "  <execute>\n  print(2+3)\n  </execute>",
        "```python\nprint(2+3)\n```\n\nQuestion: another one?\n```python\nprint(9)\n```",
    ],
)
def test_one_program_is_found(raw: str) -> None:
    assert code_of(raw) == "print(2+3)"


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        ("```python\ndef f(x):\n    return x\n```\nNow:\n```python\nprint(f(3))\n```", "def f(x):\n    return x\nprint(f(3))"),
        ("```python\nx = 1\nprint(x)\n```\nBetter:\n```python\nx = 2\nprint(x)\n```", "x = 2\nprint(x)"),
        ("```python\nimport math\n```\n```python\ndef g(y):\n    return y\n```\n```python\nprint(math.sqrt(g(4)))\n```",
         "import math\ndef g(y):\n    return y\nprint(math.sqrt(g(4)))"),
        ("```python\nx = 1\n```\n```python\nx = x + 1\nprint(x)\n```", "x = 1\nx = x + 1\nprint(x)"),
        ("```python\nfor i in range(3):\n    t = i\n    print(t)\n```\n```python\nresult\n```",
         "for i in range(3):\n    t = i\n    print(t)"),
        ("<execute>\nprint(1)\n</execute>\nor\n<execute>\nx = 2\nprint(x)\n</execute>", "x = 2\nprint(x)"),
    ],
)  # fmt: skip
def test_blocks_that_continue_belong_together_and_whole_programs_are_never_joined(
    raw: str, code: str
) -> None:
    assert code_of(raw) == code


@pytest.mark.parametrize(
    "code",
    [
        'usage = """\n```\nrunme\n```\n"""\nprint(int(input())+1)',
        "print('</execute>')\nprint(1)",
        "text = '''\n<solution>\n'''\nprint(text)",
        "# Question: a\nprint(1)\n# Problem: b\nprint(2)",
    ],
)
def test_what_stands_in_strings_and_comments_of_a_program_is_part_of_it(code: str) -> None:
    assert code_of(f"<execute>\n{code}\n</execute>", Task.CODING) == code


@pytest.mark.parametrize(
    "raw", ["```cpp\nint main() {}\n```", "```\n5\n```", "```text\nprint(1)\n```", "`print(1)`"]
)
def test_what_is_no_python_is_no_program(raw: str) -> None:
    assert code_of(raw) is None


@pytest.mark.parametrize(
    "raw",
    [
        "Answer: 5", "**Answer:** 5", "**Answer: 5**", "Answer: **5**", "_Answer_: 5", "Answer: `5`", "## Answer: 5",
        "**Final Answer**\n\n5", "- **Answer**: 5", "**Final Answer:** **5**", "Therefore, the answer is 5.", "x\n#### 5",
        "2 + 3 = 5\n#### 5\n\nQuestion: Tom has 9 pens. How many?\nAnswer: Tom has 9.\n#### 9",
        "Answer: 5\n\nHuman: and 2 + 2?\nAnswer: 4", "<solution>5</solution><|im_end|>\n<|im_start|>user\nmore",
        "<solution>5</solution>\n\nProblem: x?\n<solution>9</solution>", "Question: restated\nAnswer: 5",
        "I write <solution> below.\n<solution>Answer: 5</solution>",
    ],
)  # fmt: skip
def test_one_answer_is_found(raw: str) -> None:
    assert answer_of(raw) == "5"


@pytest.mark.parametrize("call", ["answer_question(x=1)", "answer(1)", "answers.first()"])
def test_a_call_is_no_marker_with_a_text(call: str) -> None:
    assert answer_of(f"<solution>{call}</solution>") == call
    assert answer_of(f"I call {call}") is None


def test_the_text_that_is_published_reads_the_same_again() -> None:
    for raw in ("Plan.\n```python\nprint(1)\n```\nOutput:\n```\n1\n```", "~~~py\nx = 1\nprint(x)\n~~~\nSo."):
        action = parse_action(raw, math_pot(), "cot")
        assert code_of(action.text) == action.code


def test_a_model_in_a_loop_costs_no_time() -> None:
    nested = "```\nx\n```\n" + "\n".join(" " * number + "- a" for number in range(300))
    for raw in (nested, "```" * 3_000, "```\n- a\n  - b\n" * 300, "<execute>" * 3_000, "Answer:" * 3_000):
        parse_action(raw, math_pot(), "cot")  # some of these took minutes; pytest's time limit holds them
