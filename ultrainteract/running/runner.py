"""Grows the trees of a whole seed set: instructions stream in, a bounded number of trees is alive, outcomes stream out.

Resuming has no code of its own: inputs with an outcome are skipped, all others are grown from the top and
meet their recorded calls. Every input ends in one line of the ledger. What stops a run early (an interrupt, a
used-up budget, a model that refuses everything) lets the trees under way finish what they can, and leaves a
directory that resumes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

from ultrainteract.config import RunConfig
from ultrainteract.errors import BudgetExceeded, ConfigError, ProviderError, UltraInteractError
from ultrainteract.models.base import ChatModel
from ultrainteract.running.admission import admitted
from ultrainteract.running.progress import Progress
from ultrainteract.running.worker import TreeLeft, Worker
from ultrainteract.sandbox.base import Sandbox
from ultrainteract.schema import Instruction
from ultrainteract.store import RunStore
from ultrainteract.store.database import settled_rows

_CHECK_EVERY_S = 0.5
_STUCK_CHECKS = 4
"""Checks in a row that must find a stopping run stuck: between two requests a tree is nowhere for a moment."""


class Runner:
    """One run of one configuration in one open run directory.

    Args:
        config: What to do.
        store: The run directory, open for writing.
        base: Folder that relative seed paths resolve against (the config file's).
        unsafe: Allow running model-written code without isolation.
        models: Models to use instead of those the configuration names (tests, embedding); local executor only.
        sandbox: Sandbox to use instead of the configured one; local executor only.
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
        self.config = config if config.shard is None else config.share(config.shard.count)
        self.store = store
        self.progress = Progress(store)
        self._base = base
        self._unsafe = unsafe
        self._models = models
        self._sandbox = sandbox
        self._stop = asyncio.Event()
        self._stopped_by: UltraInteractError | None = None
        self._worker: Worker | None = None

    def stop(self) -> str:
        """Admits no further tree; `run` returns when the trees that have begun a turn are finished.

        Trees that cannot go on, because a model does not answer, are left as well: a stop always ends.

        Returns:
            What happens now, for a reader.
        """
        self._stop.set()
        if self._worker is None:
            return "Stopping: the active trees are finished first."
        if self._worker.is_stuck:
            _, left = self._worker.leave(begun=True)
            return f"Stopping: no endpoint answers, so {left:,} active trees are left for the next run."
        finishing, left = self._worker.leave(begun=False)
        return (
            f"Stopping: {finishing:,} trees that have begun a turn are finished first, {left:,} that have not are left "
            "for the next run."
        )

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
        try:
            if self.config.executor.kind == "ray":
                from ultrainteract.running.ray.driver import RayDriver

                if self._models is not None or self._sandbox is not None:
                    raise ConfigError("Models and a sandbox of your own go with executor: local only.")
                driver = RayDriver(self.config, self.store, self.progress, self._stop, unsafe=self._unsafe)
                self._stopped_by = await driver.run(self._base)
            else:
                await self._run_here()
        except* UltraInteractError as group:
            raise _first(group) from None
        if self._stopped_by is not None:
            raise self._stopped_by
        return not self._stop.is_set()

    async def _run_here(self) -> None:
        worker = Worker(
            self.config, self.store, state_dir=self.store.folder / "batches", unsafe=self._unsafe,
            models=self._models, sandbox=self._sandbox,
        )  # fmt: skip
        async with worker:
            self.progress.budget, self.progress.waiting = worker.calls.budget, worker.waiting
            self._worker, self.progress.activity = worker, worker.activity
            queue: asyncio.Queue[Instruction | None] = asyncio.Queue(self.config.max_inflight_trees)
            watch = asyncio.create_task(self._leave_what_is_stuck(worker))
            try:
                async with asyncio.TaskGroup() as tasks:
                    tasks.create_task(self._admit(queue))
                    for _ in range(self.config.max_inflight_trees):
                        tasks.create_task(self._grow(queue, worker))
            finally:
                watch.cancel()
                self._worker = None

    async def _leave_what_is_stuck(self, worker: Worker) -> None:
        """Once the run is stopping, leaves all trees when none of them has been able to go on for a while."""
        await self._stop.wait()
        checks = 0
        while True:
            checks = checks + 1 if worker.is_stuck else 0
            if checks == _STUCK_CHECKS:
                worker.leave(begun=True)
            await asyncio.sleep(_CHECK_EVERY_S)

    async def _admit(self, queue: asyncio.Queue[Instruction | None]) -> None:
        """Feeds the queue with every instruction that has no outcome."""
        stop = asyncio.ensure_future(self._stop.wait())
        try:
            async for item in admitted(self.config, self.store, self._base, self.progress, self._stop.is_set):
                put = asyncio.ensure_future(queue.put(item))
                await asyncio.wait((stop, put), return_when=asyncio.FIRST_COMPLETED)
                put.cancel()
        finally:
            stop.cancel()
        for _ in range(self.config.max_inflight_trees):
            await queue.put(None)

    async def _grow(self, queue: asyncio.Queue[Instruction | None], worker: Worker) -> None:
        while (instruction := await queue.get()) is not None:
            if self._stop.is_set():
                continue
            self.progress.alive += 1
            try:
                settled = await worker.settle(instruction)
            except TreeLeft:
                continue
            except (BudgetExceeded, ProviderError) as error:
                # Trees under way go on: their recorded calls are worth finishing with.
                self._stopped_by = self._stopped_by or error
                self._stop.set()
                continue
            finally:
                self.progress.alive -= 1
            await self.store.put(settled_rows(settled))
            self.progress.add(settled.outcome.state, settled.tallies)


def _first(group: BaseExceptionGroup[UltraInteractError]) -> UltraInteractError:
    """The first expected error of a group, however deep."""
    error = group.exceptions[0]
    return _first(error) if isinstance(error, BaseExceptionGroup) else error
