"""Grows trees, any number side by side, with models, a sandbox and graders of its own: what every executor runs.

A worker knows neither seeds nor the run directory. It is handed instructions and a recorder, and says how
each instruction ended.
"""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Protocol, Self, TypeVar, runtime_checkable

from ultrainteract.config import RunConfig
from ultrainteract.errors import (
    BudgetExceeded,
    GraderError,
    ProviderError,
    SandboxError,
    StoreError,
    UltraInteractError,
)
from ultrainteract.grading import Graders
from ultrainteract.models import SharedLimits, build_models, price_of
from ultrainteract.models.base import ChatModel, ReportsStatus
from ultrainteract.prompts import Prompts
from ultrainteract.replay import RecordedSampler
from ultrainteract.sandbox import open_sandbox
from ultrainteract.sandbox.base import Execution, Sandbox, TestReport
from ultrainteract.schema import EvaluatedItem, Instruction, TestSuite, TreeState
from ultrainteract.seeds.selection.rules import build_actor_rules
from ultrainteract.store import Outcome, Recorder, Settled
from ultrainteract.tools import open_tools
from ultrainteract.tree import Grower
from ultrainteract.tree.environment import Environment
from ultrainteract.tree.rollouts import Roller

log = logging.getLogger(__name__)

T = TypeVar("T")

_CHECK_EVERY_S = 0.5
_STUCK_CHECKS = 4
"""Checks in a row that must find a stopping worker stuck: between two requests a tree is nowhere for a moment."""


@runtime_checkable
class HasEndpoints(Protocol):
    """A model whose servers may change while it is in use."""

    def set_endpoints(self, base_urls: Sequence[str]) -> None:
        """Replaces the model's endpoints."""
        ...


class TreeLeft(Exception):
    """The run is stopping, and this tree is left for the next one: nothing of it is lost."""


class Worker:
    """Grows trees under one configuration; use it in an `async with` block.

    Args:
        config: What to do, with the limits that this worker may use.
        recorder: Where calls and observations are recorded.
        state_dir: Where models that outlive the process keep what they must not forget.
        unsafe: Allow running model-written code without isolation.
        models: Models to use instead of those the configuration names.
        sandbox: Sandbox to use instead of the configured one.
    """

    def __init__(
        self,
        config: RunConfig,
        recorder: Recorder,
        *,
        state_dir: Path | None = None,
        unsafe: bool = False,
        models: Mapping[str, ChatModel] | None = None,
        sandbox: Sandbox | None = None,
    ) -> None:
        self.config = config
        self._recorder = recorder
        self._state_dir = state_dir
        self._given = models
        run_id = str(config.output.absolute())
        self._sandbox = LazySandbox(
            lambda: sandbox or open_sandbox(config.sandbox, run_id=run_id, unsafe=unsafe)
        )
        self._rules = build_actor_rules(config.selection)
        self.limits = SharedLimits()
        self._active: dict[str, asyncio.Task[Settled]] = {}
        self._left: set[str] = set()
        self._watch: asyncio.Task[None] | None = None
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        async with self._stack as stack:
            self.models = self._given or self._build_models(stack)
            self.sampler = RecordedSampler(self._recorder, self.models, self.config, price_of)
            graders = await stack.enter_async_context(Graders())
            stack.push_async_callback(self._sandbox.close)
            environment = Environment(
                self._recorder, self._sandbox, graders, self.config.sandbox, open_tools(self.config.sandbox),
                Prompts(self.config.growth.prompts),
            )  # fmt: skip
            make = Grower if self.config.rollout is None else Roller
            self._policy = make(self.config, self.sampler, environment)
            stack.callback(_collect_seldom())
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *error: object) -> None:
        if self._watch is not None:
            self._watch.cancel()
        await self._stack.aclose()

    async def settle(self, instruction: Instruction) -> Settled:
        """Grows one tree. Whatever goes wrong with it ends here, as a record; failed writes go on to the top.

        No text may end a run, and end it again at each resume: an exception that nobody expected is a line in the
        ledger too, with its place in the log.

        Raises:
            TreeLeft: The run is stopping, and the tree is left as it is.
            SandboxError: Code is to be run, and there is no isolation here.
            ProviderError, BudgetExceeded: No further request can be sent.
            StoreError: A record could not be written.
        """
        if self._watch is not None:  # leased just before the stop
            raise TreeLeft
        task = asyncio.create_task(self._settle(instruction))
        self._active[instruction.id] = task
        try:
            return await task
        except asyncio.CancelledError:
            if instruction.id not in self._left:
                raise
            raise TreeLeft from None
        finally:
            del self._active[instruction.id]
            self.sampler.begun.discard(instruction.id)

    async def _settle(self, instruction: Instruction) -> Settled:
        if _runs_code(instruction):
            await self._sandbox.start()
        try:
            for _, rule in self._rules:
                if (why := await rule.reason(instruction, self._policy.solves)) is not None:
                    return Settled(outcome=_outcome(instruction, TreeState.SKIPPED, why))
            tree = await self._policy.grow(instruction)
        except ProviderError as error:
            if error.fatal:
                raise
            return _failed(instruction, error)
        except (SandboxError, GraderError) as error:
            return _failed(instruction, error)
        except (BudgetExceeded, StoreError):
            raise
        except (Exception, SystemExit) as error:
            return _unexpected(instruction, error)
        if isinstance(tree, EvaluatedItem):
            return Settled.of_item(_outcome(instruction, TreeState.COMPLETE, "evaluated"), tree)
        reason = f"no sample could be read: {tree.unread}" if tree.unread else tree.ended
        return Settled.of(_outcome(instruction, tree.state, reason), tree)

    def divide(self, parts: int, *, concurrency: bool = False) -> None:
        """Allows this worker one of `parts` of the rates of keys; with `concurrency`, of concurrent requests too."""
        self.limits.divide(parts, concurrency=concurrency)

    def set_endpoints(self, model: str, addresses: Sequence[str]) -> None:
        """Replaces the endpoints of a model that has some.

        Args:
            model: Its name in the configuration.
            addresses: Base URLs.
        """
        endpoints = self.models[model]
        assert isinstance(endpoints, HasEndpoints)
        endpoints.set_endpoints(addresses)

    def drain(self) -> None:
        """Leaves trees that hold no sample yet to the next run, and all that cannot go on: a stop always ends."""
        for tree in self._active.keys() - self._begun():
            self._leave(tree)
        if self._watch is None:
            self._watch = asyncio.create_task(self._leave_what_is_stuck())

    def begun(self) -> int:
        """Active trees that hold a sample, or whose first one is in flight; none where no tree can go on."""
        return 0 if self.is_stuck else len(self._begun())

    def _begun(self) -> set[str]:
        sending = {tree for model in self._distinct() for tree in getattr(model, "sending", ())}
        return {tree for tree in self._active if tree in self.sampler.begun or tree in sending}

    def _leave(self, tree: str) -> None:
        self._left.add(tree)
        self._active[tree].cancel()

    async def _leave_what_is_stuck(self) -> None:
        checks = 0
        while True:
            checks = checks + 1 if self.is_stuck else 0
            if checks == _STUCK_CHECKS:
                for tree in list(self._active):
                    self._leave(tree)
            await asyncio.sleep(_CHECK_EVERY_S)

    @property
    def is_stuck(self) -> bool:
        """Whether no tree can go on now: a model does not answer, and nothing is in flight or running elsewhere."""
        models = self._distinct()
        dead = [model for model in models if getattr(model, "is_dead", False)]
        busy = any(getattr(model, "sending", ()) for model in models if model not in dead)
        return bool(dead) and not busy and not self._sandbox.running

    def activity(self) -> dict[str, int]:
        """What is in flight: requests by model, and executions."""
        found = {f"{model.name}: requests": len(getattr(model, "sending", ())) for model in self._distinct()}
        return {
            name: count for name, count in (found | {"executions": self._sandbox.running}).items() if count
        }

    def _distinct(self) -> list[ChatModel]:
        return list({id(model): model for model in self.models.values()}.values())

    def waiting(self) -> list[str]:
        """Why models wait (all endpoints of one are down, say), a line each."""
        models = self._distinct()
        found = {model.status() for model in models if isinstance(model, ReportsStatus)}
        notes = {note for model in models for note in getattr(model, "notes", list)()}
        return [*sorted(filter(None, found)), *sorted(notes)]

    def _build_models(self, stack: AsyncExitStack) -> Mapping[str, ChatModel]:
        models = build_models(self.config, shared=self.limits, state_dir=self._state_dir)
        for model in {id(model): model for model in models.values()}.values():
            stack.push_async_callback(model.close)
        return models


class LazySandbox:
    """Opens and starts a sandbox when the first instruction that runs code is grown, and only then.

    Args:
        open_: Opens it.
    """

    kind = "not open"

    def __init__(self, open_: Callable[[], Sandbox]) -> None:
        self._open = open_
        self._lock = asyncio.Lock()
        self._sandbox: Sandbox | None = None
        self._started = False
        self.running = 0
        """Executions in flight."""

    async def start(self) -> None:
        """Starts it once.

        Raises:
            SandboxError: There is no isolation here.
        """
        await self._ready()

    async def run(self, cells: Sequence[str], **options: Any) -> Execution:
        """As of the sandbox."""
        return await self._counted((await self._ready()).run(cells, **options))

    async def run_tests(self, program: str, suite: TestSuite, **options: Any) -> TestReport:
        """As of the sandbox."""
        return await self._counted((await self._ready()).run_tests(program, suite, **options))

    async def _counted(self, execution: Awaitable[T]) -> T:
        self.running += 1
        try:
            return await execution
        finally:
            self.running -= 1

    async def _ready(self) -> Sandbox:
        async with self._lock:
            if self._sandbox is None:
                self._sandbox = self._open()
                self.kind = self._sandbox.kind
            if not self._started:
                await self._sandbox.start()
                self._started = True
            return self._sandbox

    async def close(self) -> None:
        """Stops it."""
        if self._sandbox is not None:
            await self._sandbox.close()


_GC_THRESHOLD = 20_000
"""Allocations between two collections of young objects: trees make few cycles, and many short-lived records."""


def _collect_seldom() -> Callable[[], None]:
    """Makes garbage collection cheap while trees grow, and returns what undoes it.

    Modules are taken out of it: collections that look at them stall the loop for 50 ms and more.
    """
    if gc.get_freeze_count():  # another worker in this process, or the embedding program, has seen to it
        return lambda: None
    before = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(_GC_THRESHOLD, *before[1:])

    def undo() -> None:
        gc.set_threshold(*before)
        gc.unfreeze()

    return undo


def _runs_code(instruction: Instruction) -> bool:
    return bool(instruction.tools) or instruction.task.runs_program


def _failed(instruction: Instruction, error: UltraInteractError) -> Settled:
    log.warning("%s (%s) failed and is kept for retry: %s", instruction.source, instruction.id[:12], error)
    return Settled(outcome=_outcome(instruction, TreeState.FAILED, str(error)))


def _unexpected(instruction: Instruction, error: BaseException) -> Settled:
    log.error("%s (%s) failed", instruction.source, instruction.id[:12], exc_info=error)
    said = " ".join(str(error).split())[:200]
    why = said if isinstance(error, UltraInteractError) else f"an unexpected {type(error).__name__}: {said}"
    outcome = _outcome(instruction, TreeState.FAILED, why)
    return Settled(outcome=outcome, tallies={"guard.unexpected_error": 1})


def _outcome(instruction: Instruction, state: TreeState, reason: str) -> Outcome:
    return Outcome(
        key=instruction.id, state=state, reason=reason, dataset=instruction.dataset, source=instruction.source
    )
