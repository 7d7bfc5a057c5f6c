"""Grows the trees of a whole seed set: instructions stream in, a bounded number of trees is alive, outcomes stream out.

Resuming has no code of its own: inputs with an outcome are skipped, all others are grown from the top and
meet their recorded calls. Every input ends in one line of the ledger. What stops a run early (an interrupt, a
used-up budget, a model that refuses everything) lets the trees under way finish what they can, and leaves a
directory that resumes.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack
from itertools import islice
from pathlib import Path

from ultrainteract.config import RunConfig
from ultrainteract.errors import BudgetExceeded, GraderError, ProviderError, SandboxError, UltraInteractError
from ultrainteract.grading import Graders
from ultrainteract.instructions import SeedIssue, stream_instructions
from ultrainteract.models import build_models, price_of
from ultrainteract.models.base import ChatModel
from ultrainteract.run.progress import Progress
from ultrainteract.sandbox import open_sandbox
from ultrainteract.sandbox.base import Sandbox, ToolHandler
from ultrainteract.schema import Instruction, Task, Tree, TreeState, content_hash
from ultrainteract.store import Calls, Outcome, RunStore
from ultrainteract.tree import Grower
from ultrainteract.tree.environment import Environment

log = logging.getLogger(__name__)

_CHUNK = 64
"""Instructions read from the seeds at a time, in a thread of their own."""


class Runner:
    """One run of one configuration in one open run directory.

    Args:
        config: What to do.
        store: The run directory, open for writing.
        base: Folder that relative seed paths resolve against (the config file's).
        unsafe: Allow running model-written code without isolation.
        models: Models to use instead of those the configuration names (tests, embedding).
        sandbox: Sandbox to use instead of the configured one.
    """

    def __init__(
        self,
        config: RunConfig,
        store: RunStore,
        *,
        base: Path = Path(),
        unsafe: bool = False,
        models: Mapping[str, ChatModel] | None = None,
        sandbox: Sandbox | None = None,
    ) -> None:
        self.config = config
        self.store = store
        self.progress = Progress(store)
        self._base = base
        self._unsafe = unsafe
        self._models = models
        self._sandbox = sandbox
        self._stop = asyncio.Event()
        self._stopped_by: UltraInteractError | None = None

    def stop(self) -> None:
        """Admits no further tree; `run` returns when the trees under way are finished."""
        self._stop.set()

    async def run(self) -> bool:
        """Grows every tree that has no outcome yet.

        Returns:
            True where all inputs have been read and settled; False where `stop` ended the run early.

        Raises:
            SeedError: A seed source cannot be read.
            SandboxError: Code is to be run, and there is no isolation here.
            ProviderError, BudgetExceeded: No further request can be sent; raised after the trees under way
            ended. StoreError: A record could not be written; raised at once.
        """
        async with AsyncExitStack() as stack:
            models = await self._open_models(stack)
            calls = Calls(self.store, models, self.config, price_of)
            self.progress.calls, self.progress.models = calls, tuple(models.values())
            graders = await stack.enter_async_context(Graders())
            sandbox = LazySandbox(self._sandbox or open_sandbox(self.config.sandbox, unsafe=self._unsafe))
            stack.push_async_callback(sandbox.close)
            environment = Environment(self.store, sandbox, graders, self.config.sandbox, self._tools())
            grower = Grower(self.config, calls, environment)
            queue: asyncio.Queue[Instruction | None] = asyncio.Queue(self.config.max_inflight_trees)
            try:
                async with asyncio.TaskGroup() as tasks:
                    tasks.create_task(self._admit(queue, sandbox))
                    for _ in range(self.config.max_inflight_trees):
                        tasks.create_task(self._work(queue, grower))
            except* UltraInteractError as group:
                raise _first(group) from None
        if self._stopped_by is not None:
            raise self._stopped_by
        return not self._stop.is_set()

    async def _open_models(self, stack: AsyncExitStack) -> Mapping[str, ChatModel]:
        if self._models is not None:
            return self._models
        models = build_models(self.config, state_dir=self.store.folder / "batches")
        for model in {id(model): model for model in models.values()}.values():
            stack.push_async_callback(model.close)
        return models

    def _tools(self) -> dict[str, ToolHandler]:
        from ultrainteract.sandbox.wikipedia import open_wikipedia

        source = self.config.sandbox.wikipedia
        return {"wikipedia_search": open_wikipedia(source)} if source else {}

    # ---------------------------------------------------------------------------------------- admission

    async def _admit(self, queue: asyncio.Queue[Instruction | None], sandbox: LazySandbox) -> None:
        """Feeds the queue with every input that has no outcome; settles what became no instruction."""
        inputs = 0
        async for chunk in _chunks(stream_instructions(self.config, self._base)):
            issues: list[tuple[Outcome, Tree | None]] = []
            for item in chunk:
                inputs += 1
                if isinstance(item, SeedIssue):
                    issues.append((_skipped(item), None))
                elif self.store.state(item.id) in (None, TreeState.FAILED):
                    if _runs_code(item):
                        await sandbox.start()
                    await self._offer(queue, item)
                else:
                    self.progress.resumed += 1
            if issues:
                await self.store.put_outcomes(issues)
            if self._stop.is_set():
                break
        else:
            self.progress.inputs = inputs
            await self.store.put_inputs(inputs)
        for _ in range(self.config.max_inflight_trees):
            await queue.put(None)

    async def _offer(self, queue: asyncio.Queue[Instruction | None], item: Instruction) -> None:
        """Puts `item` into the queue as soon as there is room; drops it if the run is stopped meanwhile."""
        stop, put = asyncio.ensure_future(self._stop.wait()), asyncio.ensure_future(queue.put(item))
        try:
            await asyncio.wait((stop, put), return_when=asyncio.FIRST_COMPLETED)
        finally:
            stop.cancel()
            put.cancel()

    # ------------------------------------------------------------------------------------------- growth

    async def _work(self, queue: asyncio.Queue[Instruction | None], grower: Grower) -> None:
        while (instruction := await queue.get()) is not None:
            if self._stop.is_set():
                continue
            self.progress.alive += 1
            try:
                outcome, tree = await self._settle(instruction, grower)
            except (BudgetExceeded, ProviderError) as error:
                # Trees under way go on: their recorded calls are worth finishing with.
                self._stopped_by = self._stopped_by or error
                self._stop.set()
                continue
            finally:
                self.progress.alive -= 1
            await self.store.put_outcomes([(outcome, tree)])
            self.progress.add(outcome.state, tree)

    async def _settle(self, instruction: Instruction, grower: Grower) -> tuple[Outcome, Tree | None]:
        """Grows one tree. Expected failures end here, as a record; bugs and failed writes go on to the top."""
        try:
            k = self.config.selection.drop_solved
            if k and await grower.solves(instruction, k):
                return _outcome(
                    instruction, TreeState.SKIPPED, f"the actor solves it {k} times out of {k}"
                ), None
            tree = await grower.grow(instruction)
        except ProviderError as error:
            if error.fatal:
                raise
            return self._failed(instruction, error), None
        except (SandboxError, GraderError) as error:
            return self._failed(instruction, error), None
        return _outcome(instruction, tree.state, tree.ended), tree

    def _failed(self, instruction: Instruction, error: UltraInteractError) -> Outcome:
        log.warning(
            "%s (%s) failed and is kept for retry: %s", instruction.source, instruction.id[:12], error
        )
        return _outcome(instruction, TreeState.FAILED, str(error))


class LazySandbox:
    """Starts a sandbox when the first instruction that runs code is admitted, and only then."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.kind = sandbox.kind
        self.run = sandbox.run
        self.judge = sandbox.judge
        self._sandbox = sandbox
        self._lock = asyncio.Lock()
        self._started = False

    async def start(self) -> None:
        """Starts it once.

        Raises:
            SandboxError: There is no isolation here.
        """
        async with self._lock:
            if not self._started:
                await self._sandbox.start()
                self._started = True

    async def close(self) -> None:
        """Stops it."""
        await self._sandbox.close()


def _runs_code(instruction: Instruction) -> bool:
    return bool(instruction.tools) or instruction.task in (Task.CODING, Task.MATH_POT)


def _outcome(instruction: Instruction, state: TreeState, reason: str) -> Outcome:
    return Outcome(
        key=instruction.id, state=state, reason=reason, dataset=instruction.dataset, source=instruction.source
    )


def _skipped(issue: SeedIssue) -> Outcome:
    reason = f"{issue.rule or issue.kind}: {issue.reason}"
    key = content_hash(["seed issue", issue.dataset, issue.source, reason])
    return Outcome(
        key=key, state=TreeState.SKIPPED, reason=reason, dataset=issue.dataset, source=issue.source
    )


async def _chunks(stream: Iterator[Instruction | SeedIssue]) -> AsyncIterator[list[Instruction | SeedIssue]]:
    """Reads a blocking stream in a thread, a chunk at a time."""
    while chunk := await asyncio.to_thread(lambda: list(islice(stream, _CHUNK))):
        yield chunk


def _first(group: BaseExceptionGroup[UltraInteractError]) -> UltraInteractError:
    """The first expected error of a group, however deep."""
    error = group.exceptions[0]
    return _first(error) if isinstance(error, BaseExceptionGroup) else error
