"""Grows the trees of a whole seed set: instructions stream in, few trees are active, outcomes stream out.

Resuming has no code of its own: inputs with an outcome are skipped, all others are grown from the top and
meet their recorded calls. Every input ends in one line of the ledger. What stops a run early (an interrupt, a
used-up budget, a model that refuses everything) lets active trees finish what they can, and leaves a
directory that resumes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

from ultrainteract.config import RunConfig
from ultrainteract.errors import ConfigError, UltraInteractError
from ultrainteract.models.base import ChatModel
from ultrainteract.running.driver import Driver
from ultrainteract.running.processes.crew import ProcessCrew, process_count
from ultrainteract.running.progress import Progress
from ultrainteract.running.worker import Worker
from ultrainteract.sandbox.base import Sandbox
from ultrainteract.store import RunStore


class Runner:
    """One run of one configuration in one open run directory.

    Args:
        config: What to do.
        store: The run directory, open for writing.
        base: Folder that relative seed paths resolve against (the config file's).
        unsafe: Allow running model-written code without isolation.
        models: Models to use instead of those the configuration names (tests, embedding): local executor and one
            process only.
        sandbox: Sandbox to use instead of the configured one: local executor and one process only.
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
        self._driver: Driver | None = None

    def stop(self) -> str:
        """Admits no further tree; `run` returns when the trees that have begun a turn are finished.

        Trees that cannot go on, because a model does not answer, are left as well: a stop always ends.

        Returns:
            What happens now, for a reader.
        """
        self._stop.set()
        active = self.progress.alive
        finishing = min(active, self._driver.drain()) if self._driver is not None else 0
        if not finishing:
            return f"Stopping: no active tree can be finished now, {active:,} are left for the next run."
        return (
            f"Stopping: {finishing:,} trees that have begun a turn are finished first, {active - finishing:,} that "
            "have not are left for the next run."
        )

    async def run(self) -> bool:
        """Grows every tree that has no outcome yet.

        Returns:
            True where all inputs have been read and settled; False where `stop` ended the run early.

        Raises:
            SeedError: A seed source cannot be read.
            SandboxError: Code is to be run, and there is no isolation here.
            ProviderError, BudgetExceeded: No further request can be sent; raised after active trees ended.
            StoreError: A record could not be written; raised at once.
        """
        try:
            run = self._on_ray if self.config.executor.kind == "ray" else self._here
            stopped_by = await run()
        except* UltraInteractError as group:
            raise _first(group) from None
        if stopped_by is not None:
            raise stopped_by
        return not self._stop.is_set()

    async def _here(self) -> UltraInteractError | None:
        given = self._models is not None or self._sandbox is not None
        processes = process_count(self.config, own_models=given)
        crew = ProcessCrew(self.config, processes, unsafe=self._unsafe) if processes > 1 else None
        worker = Worker(
            self.config, self.store, state_dir=self.store.folder / "batches", unsafe=self._unsafe,
            models=self._models, sandbox=self._sandbox,
        )  # fmt: skip
        async with worker:
            self._driver = Driver(self.config, self.store, self.progress, self._stop, crew=crew, home=worker)
            return await self._driver.run(self._base)

    async def _on_ray(self) -> UltraInteractError | None:
        from ultrainteract.running.ray.cluster import RayCrew

        if self._models is not None or self._sandbox is not None:
            raise ConfigError("Models and a sandbox of your own go with executor: local only.")
        crew = RayCrew(self.config, unsafe=self._unsafe)
        await crew.open()
        self._driver = Driver(self.config, self.store, self.progress, self._stop, crew=crew)
        return await self._driver.run(self._base)


def _first(group: BaseExceptionGroup[UltraInteractError]) -> UltraInteractError:
    """The first expected error of a group, however deep."""
    error = group.exceptions[0]
    return _first(error) if isinstance(error, BaseExceptionGroup) else error
