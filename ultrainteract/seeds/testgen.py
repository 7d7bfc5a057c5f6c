"""Test generation for coding problems without tests (paper: 4 basic, 4 edge and 4 large inputs).

A model writes inputs; the gold solutions, run in the sandbox, give the outputs. An input on which a gold
solution crashes, runs out of time or disagrees with another is dropped. How good the result is, is measured:
the share of mutated gold solutions that fail on it is reported with every suite.

Suites are kept in a JSON Lines file, by the hash of the problem statement, which the TACO and APPS loaders
read (`options.generated_tests`): so making tests is one step that is paid for once, and loading stays
deterministic.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from functools import lru_cache
from pathlib import Path
from random import Random
from typing import Any

from pydantic import ValidationError

from ultrainteract.config import Limits
from ultrainteract.errors import SeedError
from ultrainteract.models.base import ChatModel, ChatRequest, Purpose
from ultrainteract.prompts import Prompts
from ultrainteract.sandbox.base import Execution, Sandbox
from ultrainteract.schema import (
    Instruction,
    Message,
    Record,
    SamplingParams,
    TestCase,
    TestSuite,
    content_hash,
)
from ultrainteract.seeds.mutation import mutants
from ultrainteract.seeds.statements import judging

Ask = Callable[[tuple[Message, ...]], Awaitable[str]]
"""Sends a conversation to a model and returns its answer."""

_FENCE = re.compile(r"```(?:json)?\s*\n(.*?)```", re.DOTALL)
_MARK = "__result__:"


class TestGenSettings(Record):
    """How tests are made."""

    __test__ = False

    basic: int = 4
    """Ordinary inputs asked for."""
    edge: int = 4
    """Edge cases asked for."""
    large: int = 4
    """Large inputs asked for."""
    attempts: int = 2
    """How often the model is asked until its answer can be used."""
    solutions: int = 3
    """Most gold solutions that must agree."""
    mutants: int = 20
    """Mutated solutions the result is measured with; none if 0."""
    time_limit_s: float = 10.0
    """Seconds a program may take on one input."""
    least: int = 4
    """Fewest inputs that make a suite."""


class GeneratedTests(Record):
    """The tests made for one problem, and how they came about."""

    key: str
    """Hash of the problem statement."""
    source: str
    """Where the problem comes from."""
    fn_name: str | None = None
    """Function to call, for call suites."""
    inputs: tuple[Any, ...] = ()
    """Inputs: texts of standard input, or lists of arguments."""
    outputs: tuple[Any, ...] = ()
    """What the gold solutions give."""
    kinds: tuple[str, ...] = ()
    """`basic`, `edge` or `large`, for each input."""
    solutions: int = 0
    """Gold solutions that agree on every output."""
    dropped: Mapping[str, int] = {}
    """Inputs dropped, by reason."""
    mutants: int = 0
    """Mutated solutions the tests were measured with."""
    killed: int = 0
    """How many of them the tests notice."""
    problem: str = ""
    """Why there are no tests, where there are none."""

    @property
    def kill_rate(self) -> float | None:
        """Share of the mutants that the tests notice; None where none was run."""
        return self.killed / self.mutants if self.mutants else None


def model_ask(model: ChatModel, sampling: SamplingParams, instruction: Instruction) -> Ask:
    """An `Ask` that draws one completion of `model`."""

    async def ask(messages: tuple[Message, ...]) -> str:
        request = ChatRequest(
            messages=messages,
            sampling=sampling,
            purpose=Purpose(role="testgen", step="testgen", instruction=instruction),
        )
        return (await model.sample(request)).completions[0].text

    return ask


def statement_key(question: str) -> str:
    """The key of a problem statement in a file of generated tests."""
    return content_hash(" ".join(question.split()))


async def generate_tests(
    instruction: Instruction,
    ask: Ask,
    sandbox: Sandbox,
    settings: TestGenSettings | None = None,
    entry_point: str | None = None,
    prompts: Prompts | None = None,
) -> GeneratedTests:
    """Makes tests for one coding problem.

    Args:
        instruction: The problem, with at least one gold solution; tests it may have are not looked at.
        ask: The model that writes inputs.
        sandbox: Where inputs are made and gold solutions run.
        settings: How many of what.
        entry_point: Function to call, where the problem is one of calls.
        prompts: Templates of the run; the built-in ones if None.

    Returns:
        The tests, or the reason why there are none. A sandbox fault drops the input it struck.
    """
    settings = settings or TestGenSettings()
    made = GeneratedTests(
        key=statement_key(instruction.question), source=instruction.source, fn_name=entry_point
    )
    programs = instruction.solutions[: settings.solutions]
    if not programs:
        return made.model_copy(update={"problem": "there is no gold solution to give the outputs"})
    wanted, trouble = None, ""
    for _ in range(settings.attempts):
        answer = await ask(
            _request(prompts or Prompts(), instruction.question, entry_point, settings, trouble)
        )
        wanted, trouble = _read_answer(answer)
        if wanted is not None:
            break
    if wanted is None:
        return made.model_copy(update={"problem": f"the model's answer could not be used: {trouble}"})
    dropped: Counter[str] = Counter()
    kept: dict[str, tuple[str, str]] = {}
    for kind, given, code in wanted:
        text, reason = await _input(given, code, entry_point, sandbox, settings)
        if text is not None and text in kept:
            reason = "repeated"
        output = None
        if not reason and text is not None:
            output, reason = await _output(
                programs, text, entry_point, sandbox, instruction.question, settings
            )
        if reason or text is None or output is None:
            dropped[reason] += 1
        else:
            kept[text] = kind, output
    cases = tuple(TestCase(input=text, expected=output) for text, (_, output) in kept.items())
    made = made.model_copy(update={"dropped": dict(sorted(dropped.items())), "solutions": len(programs)})
    if len(cases) < settings.least:
        return made.model_copy(update={"problem": f"only {len(cases)} of {len(wanted)} inputs could be used"})
    suite = _suite(cases, entry_point, instruction.question, settings)
    total, killed = await _kill(programs[0], suite, settings, sandbox)
    load: Callable[[str], Any] = json.loads if entry_point else str
    return made.model_copy(
        update={
            "inputs": tuple(load(case.input) for case in cases),
            "outputs": tuple([load(case.expected)] if entry_point else case.expected for case in cases),
            "kinds": tuple(kind for kind, _ in kept.values()),
            "mutants": total,
            "killed": killed,
        }
    )


def _limits(settings: TestGenSettings) -> Limits:
    """Large inputs are long texts: more output is kept than of an action."""
    return Limits(wall_s=settings.time_limit_s, cpu_s=settings.time_limit_s, output_bytes=8 << 20)


def _suite(
    cases: tuple[TestCase, ...], entry_point: str | None, question: str, settings: TestGenSettings
) -> TestSuite:
    checker, any_answer = judging(question)
    return TestSuite(
        kind="call" if entry_point else "stdin",
        entry_point=entry_point,
        cases=cases,
        checker=checker,
        any_answer=any_answer,
        time_limit_s=settings.time_limit_s,
    )


def _request(
    prompts: Prompts, question: str, entry_point: str | None, settings: TestGenSettings, trouble: str
) -> tuple[Message, ...]:
    code = "import random\nrandom.seed(1)\nprint(50000)\nprint(*[random.randint(1, 9) for _ in range(50000)])"
    return prompts.render(
        "testgen/inputs",
        question=question,
        entry_point=entry_point,
        basic=settings.basic,
        edge=settings.edge,
        large=settings.large,
        example_input="[[3, 1, 2], 2]" if entry_point else json.dumps("3\n3 1 2\n"),
        example_code=json.dumps("print([list(range(100000)), 7])" if entry_point else code),
        problem_with_last=trouble,
    )  # fmt: skip


def _read_answer(answer: str) -> tuple[list[tuple[str, Any, str | None]] | None, str]:
    """The (kind, input, code) triples of an answer, or None and what is wrong with it."""
    blocks = _FENCE.findall(answer)
    try:
        items = json.loads(blocks[-1] if blocks else answer)
    except (ValueError, RecursionError) as error:
        return None, f"it is not valid JSON ({error})"
    if not isinstance(items, list) or not items:
        return None, "it is not a JSON list"
    found: list[tuple[str, Any, str | None]] = []
    for number, item in enumerate(items, 1):
        if not isinstance(item, dict) or ("input" in item) == ("code" in item):
            return None, f"element {number} is no object with either 'input' or 'code'"
        if item.get("kind") not in ("basic", "edge", "large"):
            return None, f"element {number} has no kind of basic, edge or large"
        code = item.get("code")
        if code is not None and not isinstance(code, str):
            return None, f"the code of element {number} is no text"
        found.append((item["kind"], item.get("input"), code))
    return found, ""


async def _input(
    given: Any, code: str | None, entry_point: str | None, sandbox: Sandbox, settings: TestGenSettings
) -> tuple[str | None, str]:
    """The input as a test case holds it, or None and the reason why it cannot be used."""
    if code is not None:
        execution = await sandbox.run([code], limits=_limits(settings))
        if execution.status != "ok" or execution.truncated:
            return None, "input program failed"
        given = execution.stdout
        if entry_point:
            try:
                given = json.loads(given)
            except (ValueError, RecursionError):
                return None, "not a list of arguments"
    if entry_point:
        return (json.dumps(given), "") if isinstance(given, list) else (None, "not a list of arguments")
    if not isinstance(given, str) or not given.strip():
        return None, "not a text of standard input"
    return given if given.endswith("\n") else given + "\n", ""


async def _output(
    programs: tuple[str, ...],
    given: str,
    entry_point: str | None,
    sandbox: Sandbox,
    question: str,
    settings: TestGenSettings,
) -> tuple[str | None, str]:
    """What the gold solutions agree on for one input, or None and the reason."""
    first: str | None = None
    for program in programs:
        if first is None:
            execution = await _execute(program, given, entry_point, sandbox, settings)
            output, reason = _result(execution, entry_point)
            if output is None:
                return None, reason
            first = output
            continue
        case = TestCase(input=given, expected=first)
        report = await sandbox.run_tests(program, _suite((case,), entry_point, question, settings))
        result = report.results[0] if report.results else None
        if result is None or result.passed is None:
            return None, "sandbox fault" if not report.error else "solution crashed"
        if not result.passed:
            return None, _REASONS.get(result.status, "solutions disagree")
    return first, ""


_REASONS = {
    "error": "solution crashed",
    "timeout": "solution out of time",
    "memory": "solution out of memory",
    "output_limit": "output too long",
    "killed": "solution crashed",
    "fault": "sandbox fault",
}


async def _execute(
    program: str, given: str, entry_point: str | None, sandbox: Sandbox, settings: TestGenSettings
) -> Execution:
    if entry_point is None:
        return await sandbox.run([program], stdin=given, limits=_limits(settings))
    call = (
        "import json as _json\n"
        f"_call = globals().get({entry_point!r}) or getattr(globals()['Solution'](), {entry_point!r})\n"
        f"print({_MARK!r} + _json.dumps(_call(*_json.loads({given!r}))))"
    )
    return await sandbox.run([program, call], limits=_limits(settings))


def _result(execution: Execution, entry_point: str | None) -> tuple[str | None, str]:
    if execution.status != "ok":
        return None, _REASONS[execution.status]
    if execution.truncated:
        return None, "output too long"
    if entry_point is None:
        return (execution.stdout, "") if execution.stdout.strip() else (None, "no output")
    _, found, value = execution.stdout.rpartition(_MARK)
    return (value.strip(), "") if found else (None, "no output")


async def _kill(
    program: str, suite: TestSuite, settings: TestGenSettings, sandbox: Sandbox
) -> tuple[int, int]:
    """How many mutants were run, and how many of them fail on the suite."""
    total = killed = 0
    for mutant in mutants(program, settings.mutants, Random(content_hash(program))):
        report = await sandbox.run_tests(mutant, suite)
        if report.fault:
            continue
        total += 1
        killed += not report.passed
    return total, killed


# --------------------------------------------------------------------------------------------- the file


def append_tests(path: Path, made: GeneratedTests) -> None:
    """Adds one problem's tests to a file."""
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(made.model_dump(mode="json"), ensure_ascii=False) + "\n")


@lru_cache(maxsize=8)
def read_tests(path: str) -> dict[str, GeneratedTests]:
    """All tests of a file by statement key; the last one wins. A line cut off by a crash is passed over.

    Raises:
        SeedError: The file cannot be read, or a line that is whole holds something else.
    """
    found: dict[str, GeneratedTests] = {}
    try:
        lines = Path(path).read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise SeedError(f"Cannot read the generated tests {path}: {error}") from error
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            made = GeneratedTests.model_validate_json(line)
        except ValidationError as error:
            if number == len(lines):
                continue
            raise SeedError(
                f"{path}:{number} holds no generated tests: {error.errors()[0]['msg']}"
            ) from error
        found[made.key] = made
    return found


def generated_tests(path: str, question: str) -> dict[str, Any] | None:
    """The tests made for a problem, in the form of the datasets' own `input_output`; None without any."""
    made = read_tests(path).get(statement_key(question))
    if made is None or not made.inputs:
        return None
    tests: dict[str, Any] = {"inputs": list(made.inputs), "outputs": list(made.outputs)}
    return {**tests, "fn_name": made.fn_name} if made.fn_name else tests
