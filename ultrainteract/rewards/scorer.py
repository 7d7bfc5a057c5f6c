"""Grades attempts on one event loop, with graders and a sandbox of its own: what every worker process runs.

The verdict is the tree's: the same reading of the completion, the same environment, the same graders and limits. A
fault of the sandbox or a grader leaves an attempt undetermined and is counted; where nothing but faults comes back it
raises, so that training stops rather than going on without rewards.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, OrderedDict
from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import Literal, NamedTuple, Self

from pydantic import PositiveFloat, PositiveInt

from ultrainteract.config import SandboxConfig
from ultrainteract.dataset.verifiable import is_verifiable
from ultrainteract.errors import GraderError, SandboxError
from ultrainteract.grading import Graders
from ultrainteract.grading.boundary import fault_of, wrong_by_form
from ultrainteract.models.reasoning import split_reasoning
from ultrainteract.prompts import Prompts
from ultrainteract.replay import Observed
from ultrainteract.rewards.attempts import Attempt, Score, read_problem
from ultrainteract.running.worker import LazySandbox
from ultrainteract.sandbox import open_sandbox
from ultrainteract.sandbox.base import Sandbox
from ultrainteract.schema import Action, Instruction, Observation, Record, Verdict
from ultrainteract.store import ObservationRecord, Spend, StoreRecord
from ultrainteract.tools import open_tools
from ultrainteract.tree.environment import Environment
from ultrainteract.tree.placeholders import read_action

log = logging.getLogger(__name__)

REMEMBERED = 4_096
"""Observations that are kept: samples of a group often hold the same program."""
ALL_FAULTY = 8
"""Executions of a batch from which on nothing but faults is an error."""
_TURN_OF_LOOP = 64
"""Attempts that are read before other work on the loop has its turn."""
_CUT_OFF = Verdict.undetermined("the answer was cut off at the token cap")
_WITHHELD = Verdict.undetermined("the provider withheld the answer")
LATE = Verdict.undetermined("the deadline of the batch passed")


class ScorerConfig(Record):
    """How completions are graded."""

    sandbox: SandboxConfig = SandboxConfig()
    """Where programs run, and their limits: those of the run, for verdicts that are the run's."""
    deadline_s: PositiveFloat | None = 300.0
    """Maximum time of a batch, seconds; what is not graded by then has no reward. No limit if None."""
    max_pending: PositiveInt = 4096
    """Maximum attempts that are waiting or being graded, over all batches; further callers wait."""
    unanswered: Literal["mask", "zero"] = "mask"
    """What a completion gets that ends on its own and holds neither an answer nor a program: no reward, as in a tree,
    or 0, so that a policy cannot escape the penalty of a wrong answer by giving none."""
    unsafe: bool = False
    """Allow running programs without isolation."""


class Read(NamedTuple):
    """An attempt, read."""

    instruction: Instruction
    cells: tuple[str, ...]
    """Code of the turns before."""
    action: Action
    verdict: Verdict | None
    """What is known without grading; None where it has to be graded."""


class Scorer:
    """Grades attempts; use it in an `async with` block.

    Args:
        config: How.
        sandbox: Sandbox to use instead of the configured one.
    """

    def __init__(self, config: ScorerConfig | None = None, *, sandbox: Sandbox | None = None) -> None:
        self.config = config or ScorerConfig()
        self.counts: Counter[str] = Counter()
        """Attempts by what came of them: `correct`, `wrong`, `undetermined`, and `fault` among the latter."""
        self._sandbox = LazySandbox(
            lambda: sandbox or open_sandbox(self.config.sandbox, unsafe=self.config.unsafe)
        )
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        async with self._stack as stack:
            graders = await stack.enter_async_context(Graders())
            stack.push_async_callback(self._sandbox.close)
            tools = open_tools(self.config.sandbox)
            self._environment = Environment(
                _Memory(), self._sandbox, graders, self.config.sandbox, tools, Prompts()
            )
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._stack.aclose()

    async def score(self, attempts: Sequence[Attempt]) -> list[Score]:
        """Grades a batch, in order; equal attempts are graded once.

        Raises:
            DataError: A problem cannot be read.
            SandboxError: Programs are to be run and there is no isolation here, or every execution failed.
        """
        distinct = list(dict.fromkeys(attempts))
        found: dict[Attempt, Score] = {}
        waiting: dict[asyncio.Task[Score], Attempt] = {}
        for number, attempt in enumerate(distinct):
            read = self.read(attempt)
            if read.verdict is not None:
                found[attempt] = Score.of(read.verdict)
                continue
            if _runs_code(read.instruction):
                await self._sandbox.start()
            if (known := self._environment.literal(read.instruction, read.action)) is not None:
                found[attempt] = self._scored(read, known)
            else:
                waiting[asyncio.create_task(self._graded(read))] = attempt
            if number % _TURN_OF_LOOP == 0:
                await asyncio.sleep(0)
        try:
            done, late = await asyncio.wait(waiting, timeout=self.config.deadline_s) if waiting else ((), ())
        finally:
            for task in waiting:
                task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        found |= {waiting[task]: Score.of(LATE) for task in late}
        found |= {waiting[task]: task.result() for task in done}
        self._refuse_nothing_but_faults([task.result() for task in done])
        self.counts.update(found[attempt].verdict.label.value for attempt in attempts)
        return [found[attempt] for attempt in attempts]

    def read(self, attempt: Attempt) -> Read:
        """Reads a completion as a tree does.

        Raises:
            DataError: The problem cannot be read.
        """
        instruction = read_problem(attempt.problem)
        cells: list[str] = []
        for text in attempt.earlier:
            before = _action(text, instruction, cells)
            cells += [] if before.code is None else [before.code]
        action = _action(attempt.text, instruction, cells)
        verdict = None
        if attempt.finish_reason != "stop":
            verdict = _CUT_OFF if attempt.finish_reason == "length" else _WITHHELD
        elif not is_verifiable(instruction):
            verdict = Verdict.undetermined("nothing but a judge can check this problem")
        elif self.config.unanswered == "zero" and action.code is None and action.answer is None:
            verdict = wrong_by_form("the completion holds neither an answer nor a program")
        return Read(instruction, tuple(cells), action, verdict)

    async def observe(self, instruction: Instruction, cells: Sequence[str], action: Action) -> Observed:
        """What the environment says of an action; undetermined where the sandbox or a grader failed.

        Raises:
            SandboxError: There is no isolation here.
        """
        if _runs_code(instruction):
            await self._sandbox.start()
        try:
            [observed] = await self._environment.observe(instruction, cells, [action])
        except (SandboxError, GraderError) as error:
            self.counts["fault"] += 1
            log.warning("A completion for %s has no reward: %s", instruction.source, error)
            return Observed(observation=Observation(status="fault"), verdict=Verdict.undetermined(str(error)))
        return observed

    async def call_tool(self, instruction: Instruction, cells: Sequence[str], action: Action) -> str:
        """The output of a tool call that is not yet an answer.

        Raises:
            SandboxError: There is no isolation here, or the sandbox failed again and again.
        """
        await self._sandbox.start()
        [output] = await self._environment.call_tools(instruction, cells, [action])
        return output

    async def _graded(self, read: Read) -> Score:
        return self._scored(read, await self.observe(read.instruction, read.cells, read.action))

    def _scored(self, read: Read, observed: Observed) -> Score:
        return Score.of(observed.verdict, observed.observation)

    def _refuse_nothing_but_faults(self, scores: Sequence[Score]) -> None:
        faults = [score for score in scores if score.observation.status == "fault"]
        if len(faults) >= ALL_FAULTY and len(faults) == len(scores):
            raise SandboxError(
                f"All {len(faults)} executions of a batch failed ({faults[0].verdict.reason}). Look at the sandbox: "
                "`ultrainteract sandbox check`."
            )


def _action(text: str, instruction: Instruction, cells: Sequence[str]) -> Action:
    answer, reasoning = split_reasoning(text)
    try:
        return read_action(answer, instruction, "cot", (), cells, reasoning)
    except Exception as error:  # what the parser fails on says nothing
        log.exception("A completion for %s could not be parsed", instruction.source)
        return Action(raw=text, reasoning_schema="cot", text=fault_of(error).why)


def _runs_code(instruction: Instruction) -> bool:
    return bool(instruction.tools) or instruction.task.runs_program


class _Memory:
    """A recorder that keeps the latest observations in memory and nothing else."""

    def __init__(self) -> None:
        self._kept: OrderedDict[bytes, bytes] = OrderedDict()

    def spend(self) -> list[Spend]:
        return []

    def call(self, key: bytes) -> list[tuple[int, bytes]]:
        return []

    def observation(self, key: bytes) -> bytes | None:
        return self._kept.get(key)

    async def put(self, records: Sequence[StoreRecord]) -> None:
        for record in records:
            if isinstance(record, ObservationRecord):
                self._kept[record.key] = record.observation
        while len(self._kept) > REMEMBERED:
            self._kept.popitem(last=False)
