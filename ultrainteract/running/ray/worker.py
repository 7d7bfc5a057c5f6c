"""A worker on a node of a Ray cluster: grows leased trees, and hands records to the driver before it uses them.

The driver asks and the worker answers with everything that came up since; with the next question the driver says
that it is on disk, and only then is it used. So one message carries the records of many trees, and a worker
that is lost loses nothing but calls that were in flight.
"""

from __future__ import annotations

import asyncio
import logging
import os
import tempfile
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ultrainteract.config import RunConfig, parse_config
from ultrainteract.errors import BudgetExceeded, ProviderError, UltraInteractError
from ultrainteract.models.openai.client import OpenAIModel
from ultrainteract.running.worker import Worker
from ultrainteract.schema import Instruction
from ultrainteract.store import Settled, Spend
from ultrainteract.store.calls import Spent
from ultrainteract.store.database import (
    call_row,
    end_row,
    observation_row,
    settled_row,
    spend_row,
    tally_rows,
)
from ultrainteract.store.records import pack, summed, unpack
from ultrainteract.store.writer import Statement

LINGER_S = 0.004
"""How long the first record of a message waits for others."""

Calls = list[tuple[bytes, int, bytes]]
Observations = list[tuple[bytes, bytes]]


@dataclass(frozen=True)
class Lease:
    """An instruction to grow, with everything that is recorded of its tree."""

    key: str
    instruction: bytes
    calls: Calls
    observations: Observations


@dataclass(frozen=True)
class Ended:
    """How a lease ended: with an outcome, or with what stops the run."""

    key: str
    state: str = ""
    reason: str = ""
    tallies: Mapping[str, float] = field(default_factory=dict)
    error: tuple[str, str] | None = None
    """Name and text of an expected error that stops the run."""
    drains: bool = False
    """Whether trees under way may finish all the same."""


@dataclass(frozen=True)
class Message:
    """What came up at a worker since it was last asked."""

    rows: list[Statement]
    """To be written in one transaction; the next `exchange` says that they are."""
    ended: list[Ended]
    spent: Spent
    """What the worker has spent since it began, and has under way."""
    waiting: list[str]
    log: list[tuple[int, str]]
    """Level and text of what the worker logged."""


class RayWorker:
    """The actor. All methods run in one event loop.

    Args:
        config: The run's configuration, JSON.
        prompts: Files of the user's prompts folder by relative name; None where there is none.
        share: Workers on this node, which share its cores.
        unsafe: Allow running model-written code without isolation.
    """

    def __init__(self, config: bytes, prompts: dict[str, str] | None, share: int, unsafe: bool) -> None:
        import orjson

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
        self._config = _of_node(made, share)
        self._unsafe = unsafe
        self._worker: Worker | None = None
        self._parts = 1

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
        self._worker.calls.budget.elsewhere = elsewhere
        self.divide(parts)
        return None

    def divide(self, parts: int) -> None:
        """Sets this worker's part of the rates: one of `parts`."""
        assert self._worker is not None
        self._worker.limits.divide(parts)

    def reach(self, name: str, addresses: Sequence[str]) -> None:
        """Moves a model to other servers."""
        assert self._worker is not None
        model = self._worker.models[name]
        assert isinstance(model, OpenAIModel)
        model.reach(addresses)

    async def lease(self, leases: Sequence[Lease]) -> None:
        """Begins to grow the leased trees."""
        for lease in leases:
            task = asyncio.create_task(self._grow(lease))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def exchange(self, leases: Sequence[Lease], elsewhere: Spent, wait_s: float) -> Message:
        """What came up since the last call, of which all rows are on disk by now.

        Args:
            leases: More trees to grow.
            elsewhere: What all other workers have spent and have under way.
            wait_s: How long to wait for something to come up, seconds.
        """
        assert self._worker is not None
        self._worker.calls.budget.elsewhere = elsewhere
        self._recorder.confirm()
        await self.lease(leases)
        await self._recorder.something(wait_s)
        return self._recorder.message(self._worker.calls.budget.spent(), self._worker.waiting())

    async def close(self) -> None:
        """Gives up the trees under way, and closes connections, engines and the sandbox."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._worker is not None:
            await self._worker.__aexit__(None, None, None)
        self._folder.cleanup()

    async def _grow(self, lease: Lease) -> None:
        assert self._worker is not None
        self._recorder.load(lease)
        try:
            settled = await self._worker.settle(Instruction.model_validate_json(lease.instruction))
            self._recorder.settle(settled)
        except UltraInteractError as error:
            drains = isinstance(error, (BudgetExceeded, ProviderError))
            self._recorder.end(Ended(lease.key, error=(type(error).__name__, str(error)), drains=drains))
        finally:
            self._recorder.forget(lease)


class Outbox:
    """The recorder of a Ray worker: answers from what leases brought along, and sends rows with the next message."""

    def __init__(self) -> None:
        self.handler = _Forward()
        self._calls: dict[bytes, list[tuple[int, bytes]]] = {}
        self._observations: dict[bytes, bytes] = {}
        self._of_tree: dict[str, list[bytes]] = defaultdict(list)
        self._rows: list[Statement] = []
        self._spends: list[Spend] = []
        self._tallies: Counter[str] = Counter()
        self._ended: list[Ended] = []
        self._written: asyncio.Future[None] | None = None
        self._sent: asyncio.Future[None] | None = None
        self._news = asyncio.Event()

    # --------------------------------------------------------------------------------- as the trees see it

    def spend(self) -> list[Spend]:
        """Nothing: what was spent before is told by the driver."""
        return []

    def call(self, key: bytes) -> list[tuple[int, bytes]]:
        """The recorded replies under `key`: (first ordinal, JSON), in order."""
        return [(first, unpack(reply)) for first, reply in self._calls.get(key, ())]

    def observation(self, key: bytes) -> bytes | None:
        """The recorded observation under `key`, as JSON; None if there is none."""
        found = self._observations.get(key)
        return None if found is None else unpack(found)

    async def put_call(self, tree: str, key: bytes, first: int, reply: bytes, spend: Spend) -> None:
        """Records one reply and what it cost; returns when both are on the driver's disk."""
        packed = pack(reply) or b""
        self._calls.setdefault(key, []).append((first, packed))
        self._of_tree[tree].append(key)
        self._spends.append(spend)
        await self._put([call_row(tree, key, first, packed)])

    async def put_observations(self, tree: str, rows: list[tuple[bytes, bytes]]) -> None:
        """Records observations; returns when they are on the driver's disk."""
        packed = {key: pack(text) or b"" for key, text in rows}
        self._observations.update(packed)
        self._of_tree[tree] += packed
        await self._put([observation_row(tree, key, text) for key, text in packed.items()])

    async def _put(self, rows: list[Statement]) -> None:
        if self._written is None:
            self._written = asyncio.get_running_loop().create_future()
        written = self._written
        self._rows += rows
        self._news.set()
        await asyncio.shield(written)

    # -------------------------------------------------------------------------------- as the worker sees it

    def load(self, lease: Lease) -> None:
        """Takes in what is recorded of a leased tree."""
        for key, first, reply in lease.calls:
            self._calls.setdefault(key, []).append((first, reply))
        self._observations.update(lease.observations)
        self._of_tree[lease.key] += [key for key, *_ in lease.calls] + [key for key, _ in lease.observations]

    def forget(self, lease: Lease) -> None:
        """Lets go of the record of a tree that ended."""
        for key in self._of_tree.pop(lease.key, ()):
            self._calls.pop(key, None)
            self._observations.pop(key, None)

    def settle(self, settled: Settled) -> None:
        """Sends an outcome with its tree."""
        outcome = settled.outcome
        self._rows += [settled_row(settled.packed()), end_row(outcome.key)]
        self._tallies.update(settled.tallies)
        self.end(Ended(outcome.key, outcome.state.value, outcome.reason, settled.tallies))

    def end(self, ended: Ended) -> None:
        """Sends how a lease ended."""
        self._ended.append(ended)
        self._news.set()

    async def something(self, wait_s: float) -> None:
        """Returns when there is something to send, after a moment in which more may come, or after `wait_s`."""
        try:
            async with asyncio.timeout(wait_s):
                await self._news.wait()
        except TimeoutError:
            return
        await asyncio.sleep(LINGER_S)

    def message(self, spent: Spent, waiting: list[str]) -> Message:
        """Everything that came up since the last message."""
        rows = [*self._rows, *map(spend_row, summed(self._spends)), *tally_rows(self._tallies)]
        message = Message(rows, self._ended, spent, waiting, self.handler.take())
        self._sent, self._written = self._written, None
        self._rows, self._spends, self._ended = [], [], []
        self._tallies.clear()
        self._news.clear()
        return message

    def confirm(self) -> None:
        """The rows of the last message are on disk: their trees go on."""
        if self._sent is not None and not self._sent.done():
            self._sent.set_result(None)
        self._sent = None


class _Forward(logging.Handler):
    """Keeps log records for the driver, which is where people look."""

    def __init__(self) -> None:
        super().__init__()
        self._kept: list[tuple[int, str]] = []

    def emit(self, record: logging.LogRecord) -> None:
        self._kept.append((record.levelno, record.getMessage()))

    def take(self) -> list[tuple[int, str]]:
        kept, self._kept = self._kept, []
        return kept


def _of_node(config: RunConfig, share: int) -> RunConfig:
    """The configuration of one of `share` workers on this node: each has its part of the cores for its sandbox."""
    cores = os.cpu_count() or 1
    sandbox = config.sandbox
    sizes = {
        "containers": sandbox.containers or -(-cores // (2 * share)),
        "concurrency": sandbox.concurrency or -(-4 * cores // share),
    }
    return config.model_copy(update={"sandbox": sandbox.model_copy(update=sizes)})
