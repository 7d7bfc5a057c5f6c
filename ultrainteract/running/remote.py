"""A worker in a process of its own: grows leased trees, and hands records to the driver before it uses them."""

from __future__ import annotations

import asyncio
import logging
import os
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ultrainteract.config import RunConfig, parse_config
from ultrainteract.errors import BudgetExceeded, ProviderError, UltraInteractError
from ultrainteract.replay import Spent
from ultrainteract.running.leases import Ended, Lease, Message
from ultrainteract.running.outbox import Outbox
from ultrainteract.running.worker import TreeLeft, Worker
from ultrainteract.schema import Instruction


class RemoteWorker:
    """The far end of a `Connection`. All methods run in one event loop.

    Args:
        config: The run's configuration, JSON.
        prompts: Files of the user's prompts folder by relative name; None where there is none.
        share: Workers on this machine, which share its cores.
        unsafe: Allow running model-written code without isolation.
        divided: Whether workers share the models' `max_concurrency` too, and not the rates of keys alone.
    """

    def __init__(
        self,
        config: bytes,
        prompts: dict[str, str] | None,
        share: int,
        unsafe: bool,
        divided: bool = False,
    ) -> None:
        import orjson

        self._divided = divided
        self._bug: Exception | None = None
        self._recorder = Outbox()
        self._tasks: set[asyncio.Task[None]] = set()
        self._folder = tempfile.TemporaryDirectory(prefix="ultrainteract-worker-")
        made = parse_config(orjson.loads(config))
        if prompts is not None:
            folder = Path(self._folder.name) / "prompts"
            for name, text in prompts.items():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                (folder / name).write_text(text, encoding="utf-8")
            made = made.model_copy(update={"growth": made.growth.model_copy(update={"prompts": folder})})
        self._config = share_of_machine(made, share)
        self._unsafe = unsafe
        self._worker: Worker | None = None

    async def open(self, secrets: dict[str, str], parts: int, elsewhere: Spent) -> tuple[str, str] | None:
        """Opens models, graders and sandbox.

        Args:
            secrets: Environment variables that hold keys; they reach this process's memory only.
            parts: Workers among which the rates of keys are divided.
            elsewhere: What the run has spent so far.

        Returns:
            Name and text of the error that forbids it; None where all is well.
        """
        os.environ.update(secrets)
        logger = logging.getLogger("ultrainteract")
        logger.addHandler(self._recorder.handler)
        logger.setLevel(logging.INFO)
        try:
            worker = Worker(
                self._config, self._recorder, state_dir=Path(self._folder.name), unsafe=self._unsafe
            )
            self._worker = await worker.__aenter__()
        except UltraInteractError as error:
            return type(error).__name__, str(error)
        self._worker.sampler.budget.elsewhere = elsewhere
        self.divide(parts)
        return None

    def divide(self, parts: int) -> None:
        """Sets this worker's part of the rates: one of `parts`."""
        assert self._worker is not None
        self._worker.divide(parts, concurrency=self._divided)

    def drain(self) -> None:
        """Finishes the trees that have begun a turn, and leaves the others."""
        assert self._worker is not None
        self._worker.drain()

    def set_endpoints(self, model: str, addresses: Sequence[str]) -> None:
        """Replaces a model's endpoints."""
        assert self._worker is not None
        self._worker.set_endpoints(model, addresses)

    async def lease(self, leases: Sequence[Lease]) -> None:
        """Begins to grow the leased trees."""
        for lease in leases:
            task = asyncio.create_task(self._grow(lease))
            self._tasks.add(task)
            task.add_done_callback(self._ended)

    async def exchange(self, leases: Sequence[Lease], elsewhere: Spent, wait_s: float) -> Message:
        """What came up since the last call, all of whose records are on disk by now.

        Args:
            leases: More trees to grow.
            elsewhere: What all other workers have spent and have in flight.
            wait_s: How long to wait for something to come up, seconds.

        Raises:
            Exception: A bug that a tree met.
        """
        assert self._worker is not None
        self._worker.sampler.budget.elsewhere = elsewhere
        self._recorder.confirm()
        await self.lease(leases)
        await self._recorder.wait(wait_s)
        if self._bug is not None:
            raise self._bug
        message = self._recorder.message(self._worker.sampler.budget.spent(), self._worker.waiting())
        return replace(message, activity=self._worker.activity(), begun=self._worker.begun())

    async def close(self) -> None:
        """Gives up active trees, and closes connections, engines and the sandbox."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._worker is not None:
            await self._worker.__aexit__(None, None, None)
        self._folder.cleanup()

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and isinstance(bug := task.exception(), Exception):
            self._bug = self._bug or bug

    async def _grow(self, lease: Lease) -> None:
        assert self._worker is not None
        self._recorder.load(lease)
        try:
            settled = await self._worker.settle(Instruction.model_validate_json(lease.instruction))
            self._recorder.settle(settled)
        except TreeLeft:
            self._recorder.end(Ended(lease.key, left=True))
        except UltraInteractError as error:
            drains = isinstance(error, (BudgetExceeded, ProviderError))
            self._recorder.end(Ended(lease.key, error=(type(error).__name__, str(error)), drains=drains))
        finally:
            self._recorder.forget(lease)


def share_of_machine(config: RunConfig, share: int) -> RunConfig:
    """The configuration of one of `share` workers on this machine: each has its part of the cores for its sandbox."""
    cores = os.cpu_count() or 1
    sandbox = config.sandbox
    sizes = {
        "containers": sandbox.containers or -(-cores // (2 * share)),
        "concurrency": sandbox.concurrency or -(-4 * cores // share),
    }
    return config.model_copy(update={"sandbox": sandbox.model_copy(update=sizes)})
