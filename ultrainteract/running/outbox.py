"""The recorder of a worker in another process: records go to the driver, and are used once they are on its disk."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Sequence

from ultrainteract.replay import Spent
from ultrainteract.running.leases import Ended, Lease, Message
from ultrainteract.store import (
    CallRecord,
    ObservationRecord,
    Settled,
    Spend,
    StoreRecord,
    pack,
    summed,
    unpack,
)

LINGER_S = 0.004
"""How long the first record of a message waits for others."""


class Outbox:
    """A worker's recorder: answers from what leases brought along, and sends records with the next message."""

    def __init__(self) -> None:
        self.handler = _Forward()
        self._calls: dict[bytes, list[tuple[int, bytes]]] = {}
        self._observations: dict[bytes, bytes] = {}
        self._of_tree: dict[str, list[bytes]] = defaultdict(list)
        self._records: list[StoreRecord] = []
        self._spends: list[Spend] = []
        self._ended: list[Ended] = []
        self._written: asyncio.Future[None] | None = None
        self._sent: asyncio.Future[None] | None = None
        self._news = asyncio.Event()

    # --------------------------------------------------------------------------------- as the trees see it

    def spend(self) -> list[Spend]:
        """Nothing: the driver knows what was spent before."""
        return []

    def call(self, key: bytes) -> list[tuple[int, bytes]]:
        """The recorded replies under `key`: (first ordinal, JSON), in order."""
        return [(first, unpack(reply)) for first, reply in self._calls.get(key, ())]

    def observation(self, key: bytes) -> bytes | None:
        """The recorded observation under `key`, as JSON; None if there is none."""
        found = self._observations.get(key)
        return None if found is None else unpack(found)

    async def put(self, records: Sequence[StoreRecord]) -> None:
        """Records all of `records`; returns when they are on the driver's disk."""
        if self._written is None:
            self._written = asyncio.get_running_loop().create_future()
        written = self._written
        for record in records:
            match record:
                case Spend():
                    self._spends.append(record)
                case CallRecord(tree, key, first, reply):
                    packed = pack(reply) or b""
                    self._calls.setdefault(key, []).append((first, packed))
                    self._of_tree[tree].append(key)
                    self._records.append(CallRecord(tree, key, first, packed))
                case ObservationRecord(tree, key, observation):
                    packed = pack(observation) or b""
                    self._observations[key] = packed
                    self._of_tree[tree].append(key)
                    self._records.append(ObservationRecord(tree, key, packed))
                case _:
                    self._records.append(record)
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
        self._records.append(settled.packed())
        self.end(Ended(outcome.key, outcome.state.value, outcome.reason, settled.tallies))

    def end(self, ended: Ended) -> None:
        """Sends how a lease ended."""
        self._ended.append(ended)
        self._news.set()

    async def wait(self, wait_s: float) -> None:
        """Returns when there is something to send, after a moment in which more may come, or after `wait_s`."""
        try:
            async with asyncio.timeout(wait_s):
                await self._news.wait()
        except TimeoutError:
            return
        await asyncio.sleep(LINGER_S)

    def message(self, spent: Spent, waiting: list[str]) -> Message:
        """Everything that came up since the last message."""
        records = [*self._records, *summed(self._spends)]
        message = Message(records, self._ended, spent, waiting, self.handler.take())
        self._sent, self._written = self._written, None
        self._records, self._spends, self._ended = [], [], []
        self._news.clear()
        return message

    def confirm(self) -> None:
        """The records of the last message are on disk: their trees go on."""
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
