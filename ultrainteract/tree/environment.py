"""The environment: runs an action, says what happened, and decides what is known about it.

Guarantees: an observation and its verdict are recorded before they are used, and answered from the record
when the tree is grown again; a fault of the sandbox is never an observation (it raises); only proof makes an
action correct or wrong.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TypeVar

import orjson

from ultrainteract.config import SandboxConfig
from ultrainteract.errors import GraderError, SandboxError
from ultrainteract.grading import Graders, judge, verdict_from_tests
from ultrainteract.sandbox.base import Execution, Sandbox, TestReport, ToolHandler
from ultrainteract.schema import (
    Action,
    Instruction,
    Message,
    Observation,
    Record,
    Task,
    Verdict,
    content_hash,
)
from ultrainteract.store import Recorder

ENVIRONMENT_VERSION = 1
"""Raised when the environment would answer differently: older observations are then made again."""

Ask = Callable[[tuple[Message, ...], str], Awaitable[str]]
"""Asks a model for one text; the second argument names the form of the question."""

T = TypeVar("T", bound=Record)

_ADDRESS = re.compile(r"\bat 0x[0-9a-fA-F]+")
_MOST_SHOWN = 2_000
"""Characters of output that a user turn carries; the middle of longer output is cut."""


class Observed(Record):
    """What the environment says of an action, and what is known about it."""

    observation: Observation
    """Output and status."""
    verdict: Verdict
    """Correct, wrong or undetermined."""


class Environment:
    """Observes actions.

    Args:
        store: Where observations are recorded.
        sandbox: Runs the code.
        graders: Decide on final answers.
        config: Limits.
        tools: Handlers of the tools that sandboxed code may call.
    """

    def __init__(
        self, store: Recorder, sandbox: Sandbox, graders: Graders, config: SandboxConfig,
        tools: Mapping[str, ToolHandler] | None = None,
    ) -> None:  # fmt: skip
        self._store = store
        self._sandbox = sandbox
        self._graders = graders
        self._limits = config.limits
        self._tools = dict(tools or {})

    async def observe(
        self,
        instruction: Instruction,
        cells: Sequence[str],
        actions: Sequence[Action],
        ask: Ask | None = None,
    ) -> list[Observed]:
        """Observes several actions that share a history, side by side.

        Args:
            instruction: The instruction.
            cells: Code of the earlier turns, oldest first: the notebook's state.
            actions: The actions.
            ask: Asks the judge model; needed where nothing but a judge can check the instruction.

        Raises:
            SandboxError: The sandbox failed, again and again: the tree is to be tried later.
        """
        found = [self._plain(instruction, action) for action in actions]
        rest = [action for action, observed in zip(actions, found, strict=True) if observed is None]
        keys = [self._key(instruction, cells, action) for action in rest]
        made = iter(
            await self._recorded(
                instruction.id,
                keys,
                lambda number: self._observe(instruction, cells, rest[number], ask),
                Observed,
            )
        )
        return [observed or next(made) for observed in found]

    def _plain(self, instruction: Instruction, action: Action) -> Observed | None:
        """What needs neither the sandbox nor the record: an answer that a literal comparison decides."""
        if (
            instruction.grader in ("tests", "judge")
            or _by_program(instruction, action)
            or action.answer is None
        ):
            return None
        verdict = self._graders.grade_literal(instruction, action.answer)
        return None if verdict is None else Observed(observation=Observation(), verdict=verdict)

    async def call_tools(
        self, instruction: Instruction, cells: Sequence[str], actions: Sequence[Action]
    ) -> list[str]:
        """Runs tool calls that are not yet answers and returns what the actor is shown, in order.

        Raises:
            SandboxError: See `observe`.
        """

        async def call(number: int) -> Observation:
            execution = await self._run(instruction, cells, actions[number])
            return Observation(output=_shown(execution.text), status=execution.status)

        keys = [self._key(instruction, cells, action, "tools") for action in actions]
        return [found.output or "" for found in await self._recorded(instruction.id, keys, call, Observation)]

    # ------------------------------------------------------------------------------------------ recording

    def _key(
        self, instruction: Instruction, cells: Sequence[str], action: Action, kind: str = "answer"
    ) -> bytes:
        own = [exchange.raw for exchange in action.exchanges]
        tests = instruction.tests.model_dump(mode="json") if instruction.tests else None
        shown = action.text if instruction.grader == "judge" else None
        # Tests run a program alone: the same program at a later turn is not run again, least of all one that timed out.
        is_tested = instruction.grader == "tests" and tests is not None and kind == "answer"
        before = [] if is_tested else [list(cells), own]
        parts = [ENVIRONMENT_VERSION, kind, instruction.id, tests, self._limits.model_dump(), before,
                 action.code, action.answer, shown]  # fmt: skip
        return bytes.fromhex(content_hash(parts))

    async def _recorded(
        self, tree: str, keys: Sequence[bytes], make: Callable[[int], Awaitable[T]], kind: type[T]
    ) -> list[T]:
        """Answers from the record; makes what is missing, records it, and only then returns."""
        payloads = [self._store.observation(key) for key in keys]
        found: dict[bytes, T] = {
            key: kind.model_validate_json(payload)
            for key, payload in zip(keys, payloads, strict=True)
            if payload
        }
        # Equal actions have equal keys: each is observed once.
        missing = {key: number for number, key in enumerate(keys) if key not in found}
        if missing:
            made = await asyncio.gather(*(make(number) for number in missing.values()))
            rows = [
                (key, orjson.dumps(item.model_dump(mode="json")))
                for key, item in zip(missing, made, strict=True)
            ]
            await self._store.put_observations(tree, rows)
            found.update(zip(missing, made, strict=True))
        return [found[key] for key in keys]

    # ----------------------------------------------------------------------------------------- observing

    async def _observe(
        self, instruction: Instruction, cells: Sequence[str], action: Action, ask: Ask | None
    ) -> Observed:
        if instruction.grader == "tests" and instruction.tests is not None:
            return await self._test(instruction, action)
        if instruction.grader == "judge":
            if ask is None:
                raise GraderError("This instruction needs a judge: set `judge.model` in the config.")
            reference = next(iter(instruction.solutions), None)
            verdict = await judge(instruction, action.text, ask, reference)
            return Observed(observation=Observation(), verdict=verdict)
        if action.code is not None and _by_program(instruction, action):
            execution = await self._run(instruction, cells, action)
            observation = Observation(output=_shown(execution.text), status=execution.status)
            return Observed(observation=observation, verdict=await self._judge_output(instruction, execution))
        if action.answer is None:
            return Observed(
                observation=Observation(), verdict=Verdict.undetermined("no final answer was found")
            )
        return Observed(
            observation=Observation(), verdict=await self._graders.grade(instruction, action.answer)
        )

    async def _judge_output(self, instruction: Instruction, execution: Execution) -> Verdict:
        if execution.status == "error":
            return Verdict.wrong("format", f"the program raised {execution.error_type or 'an error'}")
        if execution.status != "ok":
            return Verdict.undetermined(f"the program was stopped: {execution.status}")
        answer = execution.value if execution.value is not None else execution.stdout
        if not answer.strip():
            return Verdict.wrong("format", "the program showed no result")
        return await self._graders.grade(instruction, answer)

    async def _test(self, instruction: Instruction, action: Action) -> Observed:
        assert instruction.tests is not None
        if action.code is None:
            return Observed(observation=Observation(), verdict=Verdict.undetermined("no program was found"))
        report = await self._sandbox.run_tests(action.code, instruction.tests, limits=self._limits)
        if report.fault:
            raise SandboxError(
                "The sandbox failed while it ran the tests of this instruction; it is kept for retry."
            )
        observation = Observation(output=_test_feedback(instruction, report), status=_worst_status(report))
        return Observed(observation=observation, verdict=verdict_from_tests(instruction.tests, report))

    async def _run(self, instruction: Instruction, cells: Sequence[str], action: Action) -> Execution:
        assert action.code is not None
        before = [code for exchange in action.exchanges if (code := exchange.code) is not None]
        tools: dict[str, ToolHandler] = {
            name: self._tools[name] for name in instruction.tools if name in self._tools
        }
        execution = await self._sandbox.run([*cells, *before, action.code], limits=self._limits, tools=tools)
        if execution.status == "fault":
            raise SandboxError(
                "The sandbox failed while it ran an action of this instruction; it is kept for retry."
            )
        return execution


def _by_program(instruction: Instruction, action: Action) -> bool:
    """Whether the program's output, not the stated answer, is what counts."""
    return instruction.task in (Task.MATH_POT, Task.CODING) or action.answer is None


def _shown(text: str) -> str:
    """Output as a user turn carries it: no addresses (they change from run to run), the middle of long text cut."""
    text = _ADDRESS.sub("at 0x…", text)
    if len(text) > _MOST_SHOWN:
        half = _MOST_SHOWN // 2
        text = f"{text[:half]}\n[… {len(text) - 2 * half} characters cut …]\n{text[-half:]}"
    return text


def _worst_status(report: TestReport) -> str:
    return next(
        (result.status for result in report.results if result.status != "ok"),
        "error" if report.error else "ok",
    )


def _test_feedback(instruction: Instruction, report: TestReport) -> str:
    """What a wrong program's author is told. Expected outputs are quoted only where the statement shows them."""
    assert instruction.tests is not None
    if report.error:
        return _shown(report.error)
    cases = instruction.tests.cases
    for number, (case, result) in enumerate(zip(cases, report.results, strict=False), 1):
        if result.passed:
            continue
        head = f"Test {number} of {len(cases)} failed"
        if result.status in ("timeout", "memory"):
            limit = "time limit" if result.status == "timeout" else "memory limit"
            return f"{head}: {limit} exceeded."
        if result.error:
            return _shown(f"{head}:\n{result.error}")
        lines = [f"{head}.", "Input:", case.input.rstrip("\n")]
        if case.public:
            lines += ["Expected output:", case.expected.rstrip("\n")]
        return _shown("\n".join([*lines, "Your output:", result.output.rstrip("\n")]))
    return f"All {len(report.results)} tests passed."
