"""The environment: runs an action, says what happened, and decides what is known about it.

Guarantees: an observation and its verdict are recorded before they are used, and answered from the record
when the tree is grown again; a fault of the sandbox is never an observation (it raises); only proof makes an
action correct or wrong.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence

from ultrainteract.config import SandboxConfig
from ultrainteract.dataset.call_samples import UNANSWERED
from ultrainteract.errors import GraderError, SandboxError, UltraInteractError
from ultrainteract.grading import Graders, judge, verdict_from_tests
from ultrainteract.grading.boundary import fault_of, wrong_by_form
from ultrainteract.grading.call_judging import violations
from ultrainteract.grading.registry import find_grader
from ultrainteract.prompts import Prompts
from ultrainteract.replay import Ask, Observations, Observed
from ultrainteract.sandbox.base import Execution, Sandbox, TestReport, ToolHandler
from ultrainteract.schema import (
    Action,
    Call,
    Instruction,
    Observation,
    Verdict,
    content_hash,
)
from ultrainteract.schema.calls import results_text
from ultrainteract.store import Recorder
from ultrainteract.tree.call_cells import CallRun, calls_cell, expressions_cell, opening_cells, run_of
from ultrainteract.tree.call_state import CHECK, RightCalls, state_verdict

log = logging.getLogger(__name__)

ENVIRONMENT_VERSION = 2
"""Raised when the environment would answer differently: older observations are then made again."""

_ADDRESS = re.compile(r"\bat 0x[0-9a-fA-F]+")
_MAX_SHOWN = 2_000
"""Characters of output that a user turn carries; the middle of longer output is cut."""


class Environment:
    """Observes actions: an `Observer` over the record, the sandbox and the graders.

    Args:
        recorder: Where observations are recorded.
        sandbox: Runs the code.
        graders: Decide on final answers.
        config: Limits.
        tools: Handlers of the tools that sandboxed code may call.
        prompts: Templates of the run, for the judge; the built-in ones if None.
    """

    def __init__(
        self, recorder: Recorder, sandbox: Sandbox, graders: Graders, config: SandboxConfig,
        tools: Mapping[str, ToolHandler] | None = None, prompts: Prompts | None = None,
    ) -> None:  # fmt: skip
        self._observations = Observations(recorder)
        self._sandbox = sandbox
        self._graders = graders
        self._limits = config.limits
        self._tools = dict(tools or {})
        self._prompts = prompts or Prompts()

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
            ask: ModelDemand the judge model; needed where nothing but a judge can check the instruction.

        Raises:
            SandboxError: The sandbox failed, again and again: the tree is to be tried later.
        """
        found = [self.literal(instruction, action) for action in actions]
        rest = [action for action, observed in zip(actions, found, strict=True) if observed is None]
        keys = [self._key(instruction, cells, action) for action in rest]
        made = iter(
            await self._observations.recorded(
                instruction.id,
                keys,
                lambda number: self._observe(instruction, cells, rest[number], ask),
                Observed,
            )
        )
        return [observed or next(made) for observed in found]

    def literal(self, instruction: Instruction, action: Action) -> Observed | None:
        """What needs neither the sandbox nor the record: an answer that a literal comparison decides, else None."""
        grader = find_grader(instruction.grader)
        if (
            grader.compare is None
            or grader.whole
            or _by_program(instruction, action)
            or action.answer is None
        ):
            return None
        if instruction.backend is not None:
            return None
        verdict = self._graders.grade_literal(instruction, action.answer)
        return (
            None
            if verdict is None
            else Observed(observation=_unanswered(instruction, action), verdict=verdict)
        )

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
        return [
            found.output or ""
            for found in await self._observations.recorded(instruction.id, keys, call, Observation)
        ]

    async def call_functions(
        self, instruction: Instruction, actions: Sequence[Action]
    ) -> list[tuple[str, ...]]:
        """Makes the function calls of messages that are not yet the end of an attempt.

        Raises:
            SandboxError: See `observe`.
        """
        runs = await self._run_calls(instruction, [_messages(action) for action in actions])
        return [run.texts for run in runs]

    async def earlier_results(self, instruction: Instruction) -> tuple[str, ...]:
        """The results of the calls that an instruction's dialogue holds, in order.

        Raises:
            SandboxError: See `observe`.
        """
        backend = instruction.backend
        if backend is None or not backend.before:
            return ()
        return (await self._stated(instruction, backend.before, before=False)).texts

    # ------------------------------------------------------------------------------------------- functions

    async def _run_calls(
        self, instruction: Instruction, attempts: Sequence[Sequence[tuple[Call, ...]]], *, state: bool = False
    ) -> list[CallRun]:
        """What the last message of each attempt gave; an attempt is the calls of its messages, in order."""
        cells = [
            [
                *(calls_cell(instruction, calls) for calls in before),
                calls_cell(instruction, last, state=state),
            ]
            for *before, last in attempts
        ]
        opening = opening_cells(instruction)
        keys = [self._call_key(opening, attempt) for attempt in cells]

        async def make(number: int) -> CallRun:
            return await self._execute(instruction, cells[number], len(attempts[number][-1]), opening)

        return await self._observations.recorded(instruction.id, keys, make, CallRun)

    async def _stated(
        self, instruction: Instruction, calls: Sequence[str], *, before: bool = True, shifted: bool = False
    ) -> CallRun:
        """What calls that the data set states give; see `opening_cells` for the arguments."""
        opening = opening_cells(instruction, before=before, shifted=shifted)
        cell = expressions_cell(instruction, calls)

        async def make(number: int) -> CallRun:
            return await self._execute(instruction, [cell], len(calls), opening)

        key = self._call_key(opening, [cell])
        (run,) = await self._observations.recorded(instruction.id, [key], make, CallRun)
        return run

    async def _right_calls(self, instruction: Instruction) -> RightCalls:
        backend = instruction.backend
        assert backend is not None
        gold = await self._stated(instruction, backend.gold)
        return RightCalls(
            before=await self._stated(instruction, backend.before, before=False),
            gold=gold,
            again=await self._stated(instruction, backend.gold, shifted=True) if backend.gold else gold,
        )

    def _call_key(self, opening: Sequence[str], cells: Sequence[str]) -> bytes:
        return bytes.fromhex(
            content_hash([ENVIRONMENT_VERSION, "calls", self._limits.model_dump(), [*opening, *cells]])
        )

    async def _execute(
        self, instruction: Instruction, cells: Sequence[str], calls: int, opening: Sequence[str]
    ) -> CallRun:
        tools = {name: self._tools[name] for name in instruction.tools if name in self._tools}
        execution = await self._sandbox.run([*opening, *cells], limits=self._limits, tools=tools)
        if execution.status == "fault":
            raise SandboxError(
                "The sandbox failed while it ran calls of this instruction; it is kept for retry."
            )
        return run_of(execution, calls)

    async def _check_calls(self, instruction: Instruction, action: Action) -> Observed:
        """Observes an attempt whose calls are carried out."""
        messages = _messages(action)
        (last,) = await self._run_calls(instruction, [messages], state=instruction.grader == CHECK)
        observation = Observation(
            output=results_text(last.texts) or None, status=last.status, results=last.texts
        )
        if instruction.grader != CHECK:
            if action.answer is None:
                verdict = Verdict.undetermined("neither calls nor a final answer could be read")
            else:
                verdict = await self._graders.grade(instruction, action.answer)
            return Observed(observation=observation, verdict=verdict)
        if action.answer is None:
            return Observed(
                observation=observation, verdict=Verdict.undetermined("the message cannot be read")
            )
        right = await self._right_calls(instruction)
        earlier = [messages[: number + 1] for number in range(len(messages) - 1)]
        exchanged = await self._run_calls(instruction, earlier)
        calls = [call for message in messages for call in message]
        verdict = state_verdict(instruction, right, calls, exchanged, last)
        return Observed(observation=observation, verdict=verdict)

    # ------------------------------------------------------------------------------------------ recording

    def _key(
        self, instruction: Instruction, cells: Sequence[str], action: Action, kind: str = "answer"
    ) -> bytes:
        own = [exchange.raw for exchange in action.exchanges]
        tests = instruction.tests.model_dump(mode="json") if instruction.tests else None
        shown = action.text if instruction.grader == "judge" else None
        if find_grader(instruction.grader).whole:
            shown = action.raw
        # Tests run a program alone: the same program at a later turn is not run again, least of all one that timed out.
        is_tested = instruction.grader == "tests" and tests is not None and kind == "answer"
        before = [] if is_tested else [list(cells), own]
        parts = [ENVIRONMENT_VERSION, kind, instruction.id, tests, self._limits.model_dump(), before,
                 action.code, action.answer, shown]  # fmt: skip
        if instruction.functions:
            parts.append(action.text)
        if (backend := instruction.backend) is not None:  # no part of the instruction's id
            parts.append([*opening_cells(instruction), *backend.gold])
        return bytes.fromhex(content_hash(parts))

    # ----------------------------------------------------------------------------------------- observing

    async def _observe(
        self, instruction: Instruction, cells: Sequence[str], action: Action, ask: Ask | None
    ) -> Observed:
        """Observes one action; an exception of a check or of what shows its result leaves it undetermined."""
        try:
            return await self._check(instruction, cells, action, ask)
        except UltraInteractError:
            raise
        except (Exception, SystemExit) as error:
            log.exception("The check of an action for %s failed", instruction.source)
            return Observed(observation=Observation(), verdict=Verdict.undetermined(fault_of(error).why))

    async def _check(
        self, instruction: Instruction, cells: Sequence[str], action: Action, ask: Ask | None
    ) -> Observed:
        if instruction.backend is not None:
            return await self._check_calls(instruction, action)
        if instruction.grader == "tests" and instruction.tests is not None:
            return await self._test(instruction, action)
        if instruction.grader == "judge":
            if ask is None:
                raise GraderError("This instruction needs a judge: set `judge.model` in the config.")
            reference = next(iter(instruction.solutions), None)
            verdict = await judge(instruction, action.text, ask, reference, prompts=self._prompts)
            return Observed(observation=Observation(), verdict=verdict)
        if find_grader(instruction.grader).whole:
            return Observed(
                observation=Observation(), verdict=await self._graders.grade(instruction, action.raw)
            )
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
            return wrong_by_form(f"the program raised {execution.error_type or 'an error'}")
        if execution.status != "ok":
            return Verdict.undetermined(f"the program was stopped: {execution.status}")
        if execution.truncated:
            return Verdict.undetermined("the program's output was cut off")
        return await self._graders.grade_output(instruction, execution.stdout, execution.value)

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
        return Observed(
            observation=observation, verdict=verdict_from_tests(instruction.tests, report, action.code)
        )

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


def _messages(action: Action) -> list[tuple[Call, ...]]:
    """The calls of each message of an attempt, the last one's at the end, even where there are none."""
    return [*(exchange.calls for exchange in action.exchanges), action.calls]


def _unanswered(instruction: Instruction, action: Action) -> Observation:
    """What an action without tools, or whose calls nothing answers, shows: what its calls have against the schemas."""
    faults = violations(action.calls, instruction.functions) if action.calls else []
    if not any(faults):
        return Observation()
    results = tuple(f"Error: {fault}" if fault else UNANSWERED for fault in faults)
    return Observation(output=results_text(results), status="error", results=results)


def _by_program(instruction: Instruction, action: Action) -> bool:
    """Whether the program's output, not the stated answer, is what counts."""
    return instruction.task.runs_program or action.answer is None


def _shown(text: str) -> str:
    """Output as a user turn carries it: no addresses (they change from run to run), the middle of long text cut."""
    text = _ADDRESS.sub("at 0x…", text)
    if len(text) > _MAX_SHOWN:
        half = _MAX_SHOWN // 2
        text = f"{text[:half]}\n[… {len(text) - 2 * half} characters cut …]\n{text[-half:]}"
    return text


def _worst_status(report: TestReport) -> str:
    return next(
        (result.status for result in report.results if result.status != "ok"),
        "error" if report.error else "ok",
    )


def _test_feedback(instruction: Instruction, report: TestReport) -> str:
    """The feedback on a program that fails tests. Expected outputs are quoted only where the statement shows them."""
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
