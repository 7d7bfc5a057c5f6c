"""Generated tests: a scripted model writes inputs, the real sandbox runs gold solutions and mutants on them."""

from __future__ import annotations

import ast
import json
from collections.abc import AsyncIterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
from seed_helpers import load, write_lines

from ultrainteract.config import SandboxConfig, SeedConfig
from ultrainteract.prompts import Prompts
from ultrainteract.sandbox import open_sandbox
from ultrainteract.sandbox.base import Sandbox
from ultrainteract.schema import Instruction, Message, Task
from ultrainteract.seeds.loading import load_untested
from ultrainteract.seeds.mutation import mutants
from ultrainteract.seeds.testgen import (
    GeneratedTests,
    TestGenSettings,
    append_tests,
    generate_tests,
    read_tests,
    statement_key,
)

LARGEST = """
n = int(input())
best = None
for x in map(int, input().split()):
    if best is None or x > best:
        best = x
print(best)
"""
BY_MAX = "n = int(input())\nprint(max(map(int, input().split())))"
ABSOLUTE = "n = int(input())\nprint(max(map(abs, map(int, input().split()))))"  # wrong on negative numbers


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    made = open_sandbox(SandboxConfig(kind="bubblewrap", containers=1))
    await made.start()
    yield made
    await made.close()


def problem(*solutions: str, question: str = "Print the largest of n integers.") -> Instruction:
    return Instruction(
        task=Task.CODING,
        dataset="TACO",
        prompt=question,
        question=question,
        grader="tests",
        solutions=solutions,
    )


class Model:
    """Answers with the next text; keeps what it was asked."""

    def __init__(self, *answers: Any) -> None:
        self.answers = [
            answer if isinstance(answer, str) else f"```json\n{json.dumps(answer)}\n```" for answer in answers
        ]
        self.asked: list[str] = []

    async def __call__(self, messages: tuple[Message, ...]) -> str:
        self.asked.append(messages[-1].content)
        return self.answers[len(self.asked) - 1]


INPUTS = [
    {"kind": "basic", "input": "3\n1 2 3\n"},
    {"kind": "basic", "input": "3\n9 2 3"},
    {"kind": "edge", "input": "1\n0\n"},
    {"kind": "edge", "input": "2\n5 5\n"},
    {"kind": "large", "code": "n = 20000\nprint(n)\nprint(*range(n))"},
]


@pytest.mark.bubblewrap
async def test_inputs_become_tests_measured_by_mutants(sandbox: Sandbox) -> None:
    model = Model(INPUTS)
    made = await generate_tests(problem(LARGEST, BY_MAX), model, sandbox)
    assert made.problem == ""
    assert made.inputs[:2] == ("3\n1 2 3\n", "3\n9 2 3\n")
    assert made.outputs == ("3\n", "9\n", "0\n", "5\n", "19999\n")
    assert made.kinds == ("basic", "basic", "edge", "edge", "large")
    assert made.solutions == 2
    assert made.kill_rate is not None
    assert made.kill_rate >= 0.5
    assert "Print the largest of n integers." in model.asked[0]
    assert "exactly 12 inputs" in model.asked[0]


@pytest.mark.bubblewrap
async def test_what_solutions_cannot_agree_on_is_dropped(sandbox: Sandbox) -> None:
    bad = [
        {"kind": "edge", "input": "2\n-7 3\n"},  # the two disagree
        {"kind": "edge", "input": "zero\n"},  # both crash
        {"kind": "basic", "input": "3\n1 2 3\n"},  # repeated
        {"kind": "large", "code": "1/0"},
        {"kind": "basic", "input": ""},
    ]
    made = await generate_tests(problem(LARGEST, ABSOLUTE), Model(INPUTS + bad), sandbox)
    assert made.dropped == {
        "input program failed": 1,
        "not a text of standard input": 1,
        "repeated": 1,
        "solution crashed": 1,
        "solutions disagree": 1,
    }
    assert len(made.inputs) == 5


@pytest.mark.bubblewrap
async def test_a_slow_solution_drops_the_input(sandbox: Sandbox) -> None:
    slow = "n = int(input())\nwhile n > 5: pass\nprint(max(map(int, input().split())))"
    model = Model([*INPUTS[:4], {"kind": "large", "input": "6\n1 2 3 4 5 6\n"}])
    settings = TestGenSettings(mutants=0, time_limit_s=1)
    made = await generate_tests(problem(BY_MAX, slow), model, sandbox, settings)
    assert made.dropped == {"solution out of time": 1}
    assert (len(made.inputs), made.kill_rate) == (4, None)


@pytest.mark.bubblewrap
async def test_function_calls(sandbox: Sandbox) -> None:
    solution = "class Solution:\n    def add(self, a, b):\n        return {'sum': a + b}"
    model = Model(
        [{"kind": "basic", "input": [n, 2]} for n in range(4)]
        + [{"kind": "large", "code": "print([10**9, 7])"}]
    )
    made = await generate_tests(problem(solution), model, sandbox, entry_point="add")
    assert made.fn_name == "add"
    assert made.inputs[-1] == [10**9, 7]
    assert made.outputs[0] == [{"sum": 2}]
    assert "`add`" in model.asked[0]


@pytest.mark.bubblewrap
async def test_an_unusable_answer_is_asked_for_again(sandbox: Sandbox) -> None:
    model = Model("Here are some: 1, 2, 3", INPUTS)
    made = await generate_tests(problem(BY_MAX), model, sandbox, TestGenSettings(mutants=0))
    assert len(made.inputs) == 5
    assert "could not be used: it is not valid JSON" in model.asked[1]


@pytest.mark.parametrize(
    ("answer", "problem_named"),
    [
        ("no json", "not valid JSON"),
        ("[]", "not a JSON list"),
        ('[{"kind": "basic"}]', "element 1 is no object"),
        ('[{"kind": "odd", "input": "1"}]', "no kind"),
        ('[{"kind": "large", "code": 5}]', "no text"),
    ],
)
async def test_answers_that_stay_unusable_are_reported(answer: str, problem_named: str) -> None:
    made = await generate_tests(problem(BY_MAX), Model(answer, answer), None)  # type: ignore[arg-type]
    assert problem_named in made.problem
    assert made.inputs == ()


async def test_a_run_s_own_template_asks_for_the_inputs(tmp_path: Path) -> None:
    (tmp_path / "testgen").mkdir()
    (tmp_path / "testgen/inputs.md").write_text("### user\nOWN {{ question }} {{ basic + edge + large }}\n")
    model = Model("no json", "no json")
    await generate_tests(problem(BY_MAX), model, None, prompts=Prompts(tmp_path))  # type: ignore[arg-type]
    assert model.asked == ["OWN Print the largest of n integers. 12"] * len(model.asked)
    assert model.asked


async def test_without_a_solution_nobody_is_asked() -> None:
    made = await generate_tests(problem(), Model(), None)  # type: ignore[arg-type]
    assert "no gold solution" in made.problem


def test_taco_reads_generated_tests(tmp_path: Path) -> None:
    untested = {"question": "Print  the sum.", "input_output": "", "solutions": json.dumps([BY_MAX])}
    starter = "class Solution:\n    def add(self, a: int) -> int:"
    called = {**untested, "question": "Add.", "starter_code": starter}
    write_lines(tmp_path / "t.jsonl", [untested, called, {**untested, "question": "Other."}])
    seed = SeedConfig(dataset="TACO", path="t.jsonl", options={"generated_tests": "tests.jsonl"})
    (tmp_path / "tests.jsonl").write_text("")
    assert [entry for _, entry in load_untested(seed, tmp_path)] == [None, "add", None]
    append_tests(
        tmp_path / "tests.jsonl",
        GeneratedTests(key=statement_key("Print the sum."), source="s", inputs=("1 2\n",), outputs=("3\n",)),
    )
    append_tests(
        tmp_path / "tests.jsonl",
        GeneratedTests(key=statement_key("Add."), source="s", fn_name="add", inputs=([4],), outputs=([5],)),
    )
    with (tmp_path / "tests.jsonl").open("a") as file:
        file.write('{"key": "cut off by a cr')
    read_tests.cache_clear()
    (plain, call), (issue,) = load(seed, tmp_path)
    assert plain.tests is not None
    assert call.tests is not None
    assert [(c.input, c.expected) for c in plain.tests.cases] == [("1 2\n", "3\n")]
    assert (call.tests.entry_point, call.tests.cases[0].input, call.tests.cases[0].expected) == (
        "add",
        "[4]",
        "5",
    )
    assert call.prompt.endswith(starter)
    assert "no test case" in issue.reason


def test_mutants_are_different_valid_and_reproducible() -> None:
    found = mutants(LARGEST, 20, Random(3))
    assert found == mutants(LARGEST, 20, Random(3))
    assert len(set(found)) == len(found) > 3
    original = ast.unparse(ast.parse(LARGEST))
    for mutant in found:
        assert ast.unparse(ast.parse(mutant)) != original
    assert len(mutants(LARGEST, 2, Random(3))) == 2
    assert mutants("this is no Python", 5, Random(1)) == []
    assert mutants("pass", 5, Random(1)) == []
