"""The messages between the process that holds the run directory and those that grow trees elsewhere.

The driver leases trees to workers. It asks, and a worker answers with everything that came up since: records,
leases that ended, what was spent. With the next question the driver says that the records are on disk, and only
then does the worker use them. So one message carries the records of many trees, and a worker that is lost loses
nothing but calls that were in flight. Ray and local processes are transports of these messages.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from ultrainteract.replay import Spent
from ultrainteract.store import StoreRecord


@dataclass(frozen=True, slots=True)
class Lease:
    """An instruction to grow, with everything that is recorded of its tree."""

    key: str
    """Id of the instruction."""
    instruction: bytes
    """The instruction as JSON."""
    calls: Sequence[tuple[bytes, int, bytes]] = ()
    """Recorded replies: (key, first ordinal, packed JSON)."""
    observations: Sequence[tuple[bytes, bytes]] = ()
    """Recorded observations: (key, packed JSON)."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a lease ended: with an outcome, or with what stops the run."""

    key: str
    state: str = ""
    reason: str = ""
    tallies: Mapping[str, float] = field(default_factory=dict)
    error: tuple[str, str] | None = None
    """Class name and message of an expected error that stops the run."""
    drains: bool = False
    """Whether active trees may finish all the same."""
    left: bool = False
    """Whether the run is stopping, and the tree was left for the next one."""


@dataclass(frozen=True, slots=True)
class Message:
    """What came up at a worker since it was last asked."""

    records: list[StoreRecord]
    """To be written in one transaction; the next `exchange` says that they are."""
    ended: list[Ended]
    spent: Spent
    """What the worker has spent since it began, and has in flight."""
    waiting: list[str]
    """Why its models wait, a line each."""
    log: list[tuple[int, str]]
    """Level and text of what the worker logged."""
    activity: dict[str, int] = field(default_factory=dict)
    """What is in flight, as of `Worker.activity`."""
    begun: int = 0
    """Active trees that have begun a turn."""


class WorkerLost(Exception):
    """The worker's process, node or connection is gone. The driver gives its leases to others."""


class Connection(Protocol):
    """The driver's end of the line to one worker. All that is awaited raises `WorkerLost` where the worker is gone."""

    location: str
    """Where the worker is: a worker that dies is replaced there, later and later."""

    async def open(self, secrets: dict[str, str], parts: int, elsewhere: Spent) -> tuple[str, str] | None:
        """As of `RemoteWorker.open`."""
        ...

    async def exchange(self, leases: Sequence[Lease], elsewhere: Spent, wait_s: float) -> Message:
        """As of `RemoteWorker.exchange`."""
        ...

    def lease(self, leases: Sequence[Lease]) -> None:
        """As of `RemoteWorker.lease`; does not wait."""
        ...

    def divide(self, parts: int) -> None:
        """As of `RemoteWorker.divide`; does not wait."""
        ...

    def drain(self) -> None:
        """As of `RemoteWorker.drain`; does not wait."""
        ...

    def set_endpoints(self, model: str, addresses: Sequence[str]) -> None:
        """As of `RemoteWorker.set_endpoints`; does not wait."""
        ...

    async def close(self, grace_s: float) -> None:
        """Closes the worker, or kills it where that takes longer than `grace_s`. Never raises."""
        ...

    def kill(self) -> None:
        """Ends the worker at once. Idempotent."""
        ...
