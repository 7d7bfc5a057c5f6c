"""What the parts of a run cost on this machine, measured in a few seconds: growing, driving, the store, the sandbox.

Trees are grown by the real grower, with the real store and graders, over simulated answers; what simulating takes
is subtracted. Programs are not run while trees grow (whether one is right is a coin): those that the trees held
are run in the sandbox afterwards, as many at once as it takes.
"""

from __future__ import annotations

import asyncio
import os
import pickle
import random
import tempfile
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from itertools import cycle
from pathlib import Path

from ultrainteract.config import Limits, ModelConfig, RunConfig
from ultrainteract.errors import SandboxError
from ultrainteract.grading import Graders
from ultrainteract.models import build_model, price_of
from ultrainteract.models.base import ChatModel, ChatRequest, Reply
from ultrainteract.planning.client_cost import client_request_s
from ultrainteract.planning.demand import Figure
from ultrainteract.replay import Ask, Observed, RecordedSampler, Spent
from ultrainteract.running.leases import Lease, Message
from ultrainteract.sandbox import open_sandbox
from ultrainteract.sandbox.base import CaseResult, Execution, Sandbox, TestReport, ToolHandler
from ultrainteract.schema import Action, Instruction, Record, Task, TestSuite
from ultrainteract.store import CallRecord, ObservationRecord, Outcome, RunStore, Settled, StoreRecord
from ultrainteract.tree import Grower
from ultrainteract.tree.environment import Environment

_GROW_CPU_S = 1.5
_GROW_S = 6.0
_SANDBOX_S = 2.5
_AT_ONCE = 32
_WARM_UP = 32
_ROWS_PER_MESSAGE = 64
_MESSAGES_AT_ONCE = 32
_COPIES = 8
"""Times the rows of the grown trees are written when the store is measured."""
_SKILL_SHAPE = 0.7
"""Pass rates of simulated models follow from Beta(0.7, 1)."""
ASSUMED_EXECUTION_S = 0.05
"""Core seconds of an execution, where no sandbox can be tried."""


class UnitCosts(Record):
    """What one of each thing costs."""

    grow_request_s: Figure
    """CPU seconds of a worker per request and all that follows from it, without sending it."""
    send_request_s: Figure
    """CPU seconds of a worker per request sent over HTTP."""
    rows_per_request: Figure
    """Rows of the store for each request."""
    bytes_per_token: Figure
    """Bytes of the store for each completion token."""
    drive_row_s: Figure
    """CPU of a Ray driver for each row of the store: leases, messages, writing; seconds."""
    commits_per_s: Figure
    """Rows that the store commits per second."""
    execution_s: dict[Task, Figure]
    """Core seconds of the sandbox for an execution, by task."""

    def execution(self, task: Task) -> Figure:
        """Core seconds of an execution of a task, assumed where none of its programs was met."""
        nothing = Figure(
            value=ASSUMED_EXECUTION_S, basis=f"assumed: {ASSUMED_EXECUTION_S:g} core s an execution"
        )
        return self.execution_s.get(task, nothing)


async def calibrate(
    config: RunConfig,
    instructions: Sequence[Instruction],
    *,
    pass_rate: float,
    samples: int,
    completion_tokens: int,
    scratch: Path,
) -> UnitCosts:
    """Measures unit costs on this machine.

    Args:
        config: The run.
        instructions: Some of its instructions.
        pass_rate: Mean pass rate of the answers.
        samples: Completions of a typical request.
        completion_tokens: Tokens of a typical completion.
        scratch: Folder, on the disk where the run directory will be, for stores that are deleted again.
    """
    with tempfile.TemporaryDirectory(prefix=".ultrainteract-calibration-", dir=scratch) as folder:
        mixed = random.Random(config.seed).sample(instructions, len(instructions))
        await _grow(config, mixed[:_WARM_UP], Path(folder, "warm"), pass_rate)  # imports, caches, processes
        grown = await _grow(config, mixed, Path(folder, "grown"), pass_rate)
        rows, tokens = grown.rows(), max(1, grown.tokens)
        driven = await _drive(config, grown, Path(folder))
    requests = max(1, grown.requests)
    count = f"{len(grown.settled)} trees"
    return UnitCosts(
        grow_request_s=Figure(value=grown.cpu_s / requests, basis=f"measured: {count}, simulated answers"),
        send_request_s=await client_request_s(samples, completion_tokens),
        rows_per_request=Figure(value=len(rows) / requests, basis=f"measured: {count}"),
        bytes_per_token=Figure(
            value=driven.bytes / (_COPIES * tokens), basis=f"measured: {count}, simulated answers"
        ),
        drive_row_s=Figure(
            value=driven.cpu_s / driven.rows, basis="measured: leases, messages, commits; not Ray's own part"
        ),
        commits_per_s=Figure(value=driven.rows / driven.wall_s, basis="measured: this disk, a small store"),
        execution_s=await _execute(config, grown.programs),
    )


# --------------------------------------------------------------------------------------------- growing


class _Timed:
    """A simulated model that counts what simulating takes."""

    simulated = True

    def __init__(self, model: ChatModel) -> None:
        self.name, self.model, self.provider = model.name, model.model, model.provider
        self.cpu_s = 0.0
        self.requests = self.tokens = 0
        self._model = model

    async def sample(self, request: ChatRequest) -> Reply:
        began = time.thread_time()
        reply = await self._model.sample(request)
        self.cpu_s += time.thread_time() - began
        self.requests += 1
        self.tokens += reply.usage.completion_tokens
        return reply

    async def close(self) -> None:
        await self._model.close()


Program = Callable[[Sandbox], Awaitable[object]]


class _CoinSandbox:
    """A sandbox for one instruction in which a coin stands for every execution; it keeps the programs."""

    kind = "coin"

    def __init__(self, instruction: Instruction, rate: float, programs: list[Program]) -> None:
        self._instruction = instruction
        self._rate = rate
        self._programs = programs

    async def start(self) -> None:
        pass

    async def run(
        self,
        cells: Sequence[str],
        *,
        stdin: str = "",
        limits: Limits | None = None,
        tools: Mapping[str, ToolHandler] | None = None,
    ) -> Execution:
        self._programs.append(lambda sandbox: sandbox.run(cells, limits=limits))
        right = self._toss(cells[-1])
        return Execution(status="ok", value=(self._instruction.gold or "1") if right else "'no answer'")

    async def run_tests(
        self,
        program: str,
        suite: TestSuite,
        *,
        limits: Limits | None = None,
        stop_at_first_failure: bool = True,
    ) -> TestReport:
        self._programs.append(lambda sandbox: sandbox.run_tests(program, suite, limits=limits))
        result = CaseResult(passed=self._toss(program), status="ok")
        return TestReport(results=(result,) * len(suite.cases) if result.passed else (result,))

    async def close(self) -> None:
        pass

    def _toss(self, code: str) -> bool:
        return random.Random(f"{self._instruction.id} {code}").random() < self._rate


class _CoinObserver:
    """An observer that records and grades as a run does, over coins."""

    def __init__(self, store: RunStore, graders: Graders, config: RunConfig, rate: float) -> None:
        self.programs: defaultdict[Task, list[Program]] = defaultdict(list)
        self._store, self._graders, self._config, self._rate = store, graders, config, rate

    async def observe(
        self,
        instruction: Instruction,
        cells: Sequence[str],
        actions: Sequence[Action],
        ask: Ask | None = None,
    ) -> list[Observed]:
        return await self._environment(instruction).observe(instruction, cells, actions, ask)

    async def call_tools(
        self, instruction: Instruction, cells: Sequence[str], actions: Sequence[Action]
    ) -> list[str]:
        return await self._environment(instruction).call_tools(instruction, cells, actions)

    async def call_functions(
        self, instruction: Instruction, actions: Sequence[Action]
    ) -> list[tuple[str, ...]]:
        return await self._environment(instruction).call_functions(instruction, actions)

    async def earlier_results(self, instruction: Instruction) -> tuple[str, ...]:
        return await self._environment(instruction).earlier_results(instruction)

    def _environment(self, instruction: Instruction) -> Environment:
        sandbox = _CoinSandbox(instruction, self._rate, self.programs[instruction.task])
        return Environment(self._store, sandbox, self._graders, self._config.sandbox)


class _Grown:
    """What came of growing some trees."""

    def __init__(self) -> None:
        self.cpu_s = 0.0
        self.requests = self.tokens = 0
        self.settled: list[tuple[Instruction, Settled]] = []
        self.records: list[tuple[list[tuple[bytes, int, bytes]], list[tuple[bytes, bytes]]]] = []
        self.programs: Mapping[Task, list[Program]] = {}

    def rows(self, copy: int = 0) -> list[StoreRecord]:
        """The records of all trees, as a worker sends them; those of different copies have different keys."""
        mark = bytes([copy])
        rows: list[StoreRecord] = []
        for (_, settled), (calls, observations) in zip(self.settled, self.records, strict=True):
            tree = f"{settled.outcome.key}{copy or ''}"
            rows += [CallRecord(tree, mark + key[1:], first, reply) for key, first, reply in calls]
            rows += [ObservationRecord(tree, mark + key[1:], text) for key, text in observations]
            outcome = settled.outcome.model_copy(update={"key": tree})
            rows.append(settled.model_copy(update={"outcome": outcome}))
        return rows


async def _grow(config: RunConfig, instructions: Sequence[Instruction], folder: Path, rate: float) -> _Grown:
    grown = _Grown()
    # The mean of a Beta(0.7, 1) variable to the power k is 0.7 / (0.7 + k), and a skill of s makes k = (1 - s) / s.
    power = _SKILL_SHAPE * (1 - rate) / max(rate, 0.01)
    options = {"skill": 1 / (1 + power)}
    models = {
        name: _Timed(build_model(name, ModelConfig(provider="simulated", model=name, options=options)))
        for name in config.models
    }
    with RunStore.create(folder, config) as store:
        async with Graders() as graders:
            observer = _CoinObserver(store, graders, config, rate)
            grower = Grower(config, RecordedSampler(store, models, config, price_of), observer)

            async def settle(instruction: Instruction) -> None:
                tree = await grower.grow(instruction)
                outcome = Outcome(
                    key=instruction.id, state=tree.state, reason=tree.ended, dataset=instruction.dataset,
                    source=instruction.source,
                )  # fmt: skip
                settled = Settled.of(outcome, tree)
                await store.put([settled])
                grown.settled.append((instruction, settled.packed()))

            began, cpu = time.monotonic(), time.process_time()
            for some in _chunks(instructions, _AT_ONCE):
                await asyncio.gather(*map(settle, some))
                if time.process_time() - cpu > _GROW_CPU_S or time.monotonic() - began > _GROW_S:
                    break
            simulating = sum(model.cpu_s for model in models.values())
            grown.cpu_s = max(0.0, time.process_time() - cpu - simulating)
        grown.requests = sum(model.requests for model in models.values())
        grown.tokens = sum(model.tokens for model in models.values())
        grown.records = [store.recorded(settled.outcome.key) for _, settled in grown.settled]
        grown.programs = {task: found for task, found in observer.programs.items() if found}
    return grown


def _chunks(items: Sequence[Instruction], size: int) -> Iterator[Sequence[Instruction]]:
    return (items[at : at + size] for at in range(0, len(items), size))


# --------------------------------------------------------------------------------------------- driving


class _Driven(Record):
    rows: int
    cpu_s: float
    wall_s: float
    bytes: int


async def _drive(config: RunConfig, grown: _Grown, folder: Path) -> _Driven:
    """What a driver does for the trees: leases go out, messages come in, rows are committed."""
    with RunStore.open(folder / "grown") as store:
        spend = store.spend()
    messages: list[bytes] = []
    total = 0
    for copy in range(1, _COPIES + 1):
        rows = grown.rows(copy)
        total += len(rows)
        for at in range(0, len(rows), _ROWS_PER_MESSAGE):
            message = Message([*rows[at : at + _ROWS_PER_MESSAGE], *spend], [], Spent(), [], [])
            messages.append(pickle.dumps(message))
    with RunStore.create(folder / "driven", config) as store:
        empty = store.size()
        cpu, wall = time.process_time(), 0.0
        for _ in range(_COPIES):
            for instruction, _settled in grown.settled:
                written = instruction.model_dump_json().encode()
                pickle.dumps(Lease(instruction.id, written, *store.recorded(instruction.id)))
                store.state(instruction.id)
        for at in range(0, len(messages), _MESSAGES_AT_ONCE):
            rows_of = [pickle.loads(text).records for text in messages[at : at + _MESSAGES_AT_ONCE]]
            began = time.perf_counter()
            await asyncio.gather(*map(store.put, rows_of))
            wall += time.perf_counter() - began
        cpu = time.process_time() - cpu
    with RunStore.open(folder / "driven") as store:  # closing has moved the log into the database
        size = store.size() - empty
    return _Driven(rows=total, cpu_s=cpu, wall_s=wall, bytes=max(0, size))


# --------------------------------------------------------------------------------------------- sandbox


async def _execute(config: RunConfig, programs: Mapping[Task, Sequence[Program]]) -> dict[Task, Figure]:
    """Core seconds of an execution, by task; assumed where no sandbox can be used here."""
    if not programs:
        return {}
    try:
        sandbox = open_sandbox(config.sandbox, run_id="calibration")
        try:
            await sandbox.start()
            return {task: await _timed(sandbox, some) for task, some in programs.items()}
        finally:
            await sandbox.close()
    except SandboxError as error:
        why = str(error).splitlines()[0].rstrip(".:")
        return {task: Figure(value=ASSUMED_EXECUTION_S, basis=f"assumed: {why}") for task in programs}


async def _timed(sandbox: Sandbox, programs: Sequence[Program]) -> Figure:
    cores = os.cpu_count() or 1
    todo, done = cycle(programs), 0
    until = time.monotonic() + _SANDBOX_S
    await next(todo)(sandbox)  # warms up

    async def work() -> None:
        nonlocal done
        while time.monotonic() < until:
            await next(todo)(sandbox)
            done += 1

    began = time.monotonic()
    await asyncio.gather(*(work() for _ in range(4 * cores)))
    seconds = time.monotonic() - began
    basis = f"measured: {sandbox.kind}, {cores} cores of this machine"
    return Figure(value=cores * seconds / max(1, done), basis=basis)
