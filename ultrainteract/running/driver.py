"""The driver of a run: leases instructions to workers, here and elsewhere, and alone writes the run directory.

Guarantees: a record is on disk before any tree uses it; a lease goes out with everything that is recorded of its
tree, so that wherever it is grown nothing is paid twice; the leases of a lost worker are given to others; no more
instructions are in memory than workers grow, and as many wait for them. Budgets and the rates of keys hold over
all workers together. Where workers come from, and how they are reached, is the affair of a `Crew`.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import time
from collections import Counter, deque
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

from ultrainteract.config import RunConfig
from ultrainteract.errors import (
    BudgetExceeded,
    ConfigError,
    ProviderError,
    UltraInteractError,
    error_from_report,
)
from ultrainteract.plugins import VARIABLE as PLUGINS
from ultrainteract.replay import Budget, Spent
from ultrainteract.running.admission import admitted
from ultrainteract.running.leases import Connection, Ended, Lease, Message, WorkerLost
from ultrainteract.running.progress import Progress
from ultrainteract.running.unread import UnreadGuard
from ultrainteract.running.worker import TreeLeft, Worker
from ultrainteract.schema import Instruction, TreeState
from ultrainteract.store import Outcome, RunStore, Settled

log = logging.getLogger(__name__)

TAKE_S = 1.0
"""A worker with nothing to say answers after this long."""
SILENT_S = 60.0
"""A worker that does not answer for this long is given up."""
OPEN_S = 1800.0
"""Maximum time for a worker to start: an engine in its process loads its weights."""
CLOSE_S = 4.0
"""Time a worker has to close its connections and engines before it is killed."""
MAX_DEATHS = 3
"""An instruction whose workers died this often while they grew it is set aside as failed."""
_PAUSES_S = (0.0, 1.0, 5.0, 30.0)
"""Pauses before a location whose workers die gets another one."""


class Crew(Protocol):
    """Where the workers of a run come from."""

    concurrency: bool
    """Whether workers share `max_inflight_trees` and the models' `max_concurrency`: they are one machine's."""
    expected: int
    """Workers that there will be, as far as is known; of those that share, each leaves the others their part."""
    secrets: dict[str, str]
    """Environment variables for workers beside those that the configuration names."""

    async def recruit(self, driver: Driver) -> None:
        """Adds workers by `driver.add` until it is cancelled, or has added all there will be.

        Raises:
            UltraInteractError: What ends the run.
        """
        ...

    def waiting(self) -> list[str]:
        """What the run waits for while no worker is open, a line each."""
        ...

    async def close(self) -> None:
        """Lets go of whatever is left, after all connections were closed."""
        ...


@dataclass(eq=False)
class _Link:
    """One worker, as the driver knows it; `connection` is None for the one in this process."""

    connection: Connection | None
    leases: dict[str, Instruction] = field(default_factory=dict)
    spent: Spent = field(default_factory=Spent)
    waiting: list[str] = field(default_factory=list)
    activity: dict[str, int] = field(default_factory=dict)
    begun: int = 0
    """Active trees that have begun a turn."""
    open: bool = False
    asked: bool = False
    """Whether an `exchange` is awaited: leases then go out by themselves, else with the next one."""
    outgoing: list[Instruction] = field(default_factory=list)


class Driver:
    """Grows a run's trees.

    Args:
        config: What to do.
        store: The run directory, open for writing.
        progress: Kept up to date.
        stop: Set by others, or here, to admit no further tree.
        crew: Where workers in other processes come from; None where there are none.
        home: A worker in this process, already open, that records in `store` itself; None where there is none.
    """

    def __init__(
        self,
        config: RunConfig,
        store: RunStore,
        progress: Progress,
        stop: asyncio.Event,
        *,
        crew: Crew | None = None,
        home: Worker | None = None,
    ) -> None:
        self._config = config
        self._store = store
        self._progress = progress
        self._stop = stop
        self._unread = UnreadGuard(config.stop_unread_after)
        self._crew = crew
        self._home = home
        self._budget = home.sampler.budget if home is not None else Budget(config, store.spend())
        self._home_link = _Link(None, open=True) if home is not None else None
        self._links: list[_Link] = [self._home_link] if self._home_link is not None else []
        self._ready: deque[Instruction] = deque()
        self._deaths: Counter[str] = Counter()
        self._failures: dict[str, tuple[int, float]] = {}
        self._changed = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._group: asyncio.TaskGroup | None = None
        self._admitted = False
        self._stopped_by: UltraInteractError | None = None
        progress.budget, progress.waiting = self._budget, self._waiting
        progress.activity = self._activity

    async def run(self, base: Path) -> UltraInteractError | None:
        """Grows every tree that has no outcome yet.

        Args:
            base: Folder that relative seed paths resolve against.

        Returns:
            What ended the run early after active trees were finished; None where nothing did.

        Raises:
            UltraInteractError: What ends the run at once (see `Runner.run`).
        """
        try:
            async with asyncio.TaskGroup() as group:
                self._group = group
                if self._crew is not None:
                    self.start(self._crew.recruit(self))
                self.start(self._admit(base))
                while not self._finished():
                    self._changed.clear()
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(1.0):  # `stop` may be set by others
                            await self._changed.wait()
                for task in self._tasks:
                    task.cancel()
        finally:
            await asyncio.shield(self._close())
        return self._stopped_by or (None if self._stop.is_set() else self._unread.error(ended=True))

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Runs `work` beside the run; it is cancelled when the run ends, and what it raises ends the run."""
        assert self._group is not None
        task = self._group.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _finished(self) -> bool:
        if self._stop.is_set():
            self._ready.clear()
        return (
            (self._admitted or self._stop.is_set())
            and not self._ready
            and not any(link.leases for link in self._links)
        )

    # ------------------------------------------------------------------------------------------ instructions

    async def _admit(self, base: Path) -> None:
        async for item in admitted(self._config, self._store, base, self._progress, self._stop.is_set):
            while len(self._ready) >= self._config.max_inflight_trees and not self._stop.is_set():
                self._changed.clear()
                await self._changed.wait()
            self._ready.append(item)
            self._hand_out()
        self._admitted = True
        self._changed.set()

    @property
    def backlog(self) -> bool:
        """Whether instructions wait for a worker, so that another one would have something to do."""
        return bool(self._ready) and not self._stop.is_set()

    def _capacity(self) -> int:
        """Maximum active trees per worker."""
        total = self._config.max_inflight_trees
        if self._crew is None or not self._crew.concurrency:
            return total
        return -(-total // max(self._crew.expected, sum(link.open for link in self._links)))

    def _hand_out(self) -> None:
        """Gives waiting instructions to the workers that have the fewest."""
        if self._stop.is_set():
            self._ready.clear()
        capacity = self._capacity()
        while self._ready:
            link = min(
                (link for link in self._links if link.open), key=lambda link: len(link.leases), default=None
            )
            if link is None or len(link.leases) >= capacity:
                break
            instruction = self._ready.popleft()
            link.leases[instruction.id] = instruction
            if link is self._home_link:
                self.start(self._grow(link, instruction))
            else:
                link.outgoing.append(instruction)
        for link in self._links:
            if link.asked and link.outgoing and link.connection is not None:
                link.connection.lease(self._leases(link))
        self._progress.alive = sum(len(link.leases) for link in self._links)
        self._changed.set()

    def _leases(self, link: _Link) -> list[Lease]:
        """What goes out to a worker: the instructions that were given to it, with what is recorded of them."""
        outgoing, link.outgoing = link.outgoing, []
        return [
            Lease(item.id, item.model_dump_json().encode(), *self._store.recorded(item.id))
            for item in outgoing
        ]

    async def _grow(self, link: _Link, instruction: Instruction) -> None:
        """Grows a tree in this process."""
        assert self._home is not None
        try:
            settled = await self._home.settle(instruction)
        except (BudgetExceeded, ProviderError) as error:
            self._drain(error)
        except TreeLeft:
            pass
        else:
            await self._store.put([settled])
            self._progress.add(settled.outcome.state, settled.tallies)
            self._look_at(settled.tallies, settled.outcome.reason)
        del link.leases[instruction.id]
        self._hand_out()

    def _look_at(self, tallies: Mapping[str, float], reason: str) -> None:
        """Ends the run where nothing that the models write can be read."""
        self._unread.add(tallies, reason)
        if (error := self._unread.error()) is not None:
            self._drain(error)

    def _drain(self, error: UltraInteractError) -> None:
        """Ends the run early. Trees that have begun go on: their recorded calls are worth finishing with."""
        self._stopped_by = self._stopped_by or error
        if not self._stop.is_set():
            self._stop.set()
            self.drain()

    def drain(self) -> int:
        """Lets all workers finish the trees that have begun a turn, and leave the others to the next run.

        Returns:
            Trees that are finished first, as far as is known.
        """
        finishing = self._home.begun() if self._home is not None else 0
        if self._home is not None:
            self._home.drain()
        for link in self._links:
            if link.connection is not None and link.open:
                link.connection.drain()
                finishing += link.begun
        self._changed.set()
        return finishing

    # ----------------------------------------------------------------------------------------------- workers

    def locations(self) -> Counter[str]:
        """Number of workers by location, those that are starting included."""
        return Counter(link.connection.location for link in self._links if link.connection is not None)

    def may_add(self, location: str) -> bool:
        """Whether a location may get a worker now; where workers die, it has to wait."""
        failures, since = self._failures.get(location, (0, 0.0))
        return time.monotonic() - since >= _PAUSES_S[min(failures, len(_PAUSES_S) - 1)]

    def add(self, make: Callable[[], Connection]) -> None:
        """Makes the connection to a new worker and serves it until the run ends or the worker is lost."""
        link = _Link(make())
        self._links.append(link)
        self.start(self._serve(link))

    def set_endpoints(self, model: str, addresses: tuple[str, ...]) -> None:
        """Replaces a model's endpoints at all workers."""
        for link in self._links:
            if link.connection is not None:
                link.connection.set_endpoints(model, addresses)

    async def _serve(self, link: _Link) -> None:
        """Opens a worker and writes down what it says, until the run ends or the worker is lost."""
        assert link.connection is not None
        try:
            await self._open(link, link.connection)
            while True:
                leases, link.asked = self._leases(link), True
                async with asyncio.timeout(SILENT_S):
                    message = await link.connection.exchange(leases, self._elsewhere(link), TAKE_S)
                link.asked = False
                await self._absorb(link, link.connection, message)
        except (WorkerLost, TimeoutError) as error:
            await self._lost(link, link.connection, str(error) or "it does not answer")

    async def _open(self, link: _Link, connection: Connection) -> None:
        parts = sum(other.open for other in self._links) + 1
        async with asyncio.timeout(OPEN_S):
            error = await connection.open(self._secrets(), parts, self._elsewhere(link))
        if error is not None:
            if self._home is not None:  # which could be opened: the run goes on without this worker
                raise WorkerLost(f"it cannot be opened: {error[1]}")
            raise error_from_report(*error)
        link.open = True
        self._divide()
        self._hand_out()

    async def _absorb(self, link: _Link, connection: Connection, message: Message) -> None:
        for level, text in message.log:
            log.log(level, "%s", text)
        link.waiting, link.activity, link.begun = message.waiting, message.activity, message.begun
        if message.records:
            await self._store.put(message.records)
            self._failures.pop(connection.location, None)
        self._count(link, message.spent)
        for ended in message.ended:
            self._end(link, ended)
        if message.ended:
            self._hand_out()

    def _end(self, link: _Link, ended: Ended) -> None:
        link.leases.pop(ended.key, None)
        self._deaths.pop(ended.key, None)
        if ended.left:
            return
        if ended.error is None:
            self._progress.add(TreeState(ended.state), ended.tallies)
            self._look_at(ended.tallies, ended.reason)
            return
        error = error_from_report(*ended.error)
        if not ended.drains:
            raise error
        self._drain(error)

    async def _lost(self, link: _Link, connection: Connection, why: str) -> None:
        """Takes the leases of a lost worker back: what they recorded goes out with them again."""
        self._links.remove(link)
        location, why = connection.location, why.splitlines()[0]
        log.warning(
            "A worker on %s is lost, %d trees are grown elsewhere: %s", location, len(link.leases), why
        )
        connection.kill()
        failures = self._failures.get(location, (0, 0.0))[0] + 1
        self._failures[location] = failures, time.monotonic()
        if failures > len(_PAUSES_S) and not any(other.open for other in self._links):
            raise ConfigError(f"Workers on {location} die again and again: {why}")
        for instruction in list(link.leases.values()):
            self._deaths[instruction.id] += 1
            if self._deaths[instruction.id] >= MAX_DEATHS:
                await self._set_aside(instruction, why)
            else:
                self._ready.appendleft(instruction)
        link.leases.clear()
        if link.open:
            link.open = False
            self._divide()
        self._hand_out()

    async def _set_aside(self, instruction: Instruction, why: str) -> None:
        outcome = Outcome(
            key=instruction.id, state=TreeState.FAILED, dataset=instruction.dataset, source=instruction.source,
            reason=f"its worker died {MAX_DEATHS} times while it was grown: {why}",
        )  # fmt: skip
        await self._store.put([Settled(outcome=outcome)])
        self._progress.add(TreeState.FAILED, {})

    def _secrets(self) -> dict[str, str]:
        """The environment variables that hold keys and say where they are valid: sent to workers, written nowhere."""
        names = {model.api_key_env for model in self._config.models.values()}
        names |= {"OPENAI_BASE_URL", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID", "HF_TOKEN", PLUGINS}
        found = {name: os.environ[name] for name in sorted(names) if name in os.environ}
        return found | (self._crew.secrets if self._crew is not None else {})

    # ------------------------------------------------------------------------------------------------ limits

    def _count(self, link: _Link, spent: Spent) -> None:
        self._budget.absorb(spent - link.spent)
        link.spent = spent
        if self._home is not None:
            in_flight = sum(other.spent.in_flight for other in self._links)
            self._budget.elsewhere = Spent(in_flight=in_flight)

    def _elsewhere(self, link: _Link) -> Spent:
        """All that the run has spent and has in flight, less what `link` counts itself."""
        here = self._budget.spent()
        in_flight = here.in_flight + sum(other.spent.in_flight for other in self._links)
        return replace(here, in_flight=in_flight) - link.spent

    def _divide(self) -> None:
        """Gives every worker its part of the rates of keys."""
        open_links = [link for link in self._links if link.open]
        for link in open_links:
            if link.connection is not None:
                link.connection.divide(len(open_links))
            elif self._home is not None and self._crew is not None:
                self._home.divide(len(open_links), concurrency=self._crew.concurrency)

    def _waiting(self) -> list[str]:
        """What the run waits for, a line each."""
        if self._crew is not None and not any(link.open for link in self._links):
            return self._crew.waiting()
        lines = {line for link in self._links for line in link.waiting}
        return sorted(lines | set(self._home.waiting() if self._home is not None else ()))

    def _activity(self) -> list[str]:
        """What is in flight, over all workers."""
        sums: Counter[str] = Counter(self._home.activity() if self._home is not None else {})
        for link in self._links:
            sums.update(link.activity)
        return [
            f"{count:,} {name}" if " " not in name else f"{name} {count:,}" for name, count in sums.items()
        ]

    async def _close(self) -> None:
        """Closes all workers, or kills those that do not close in time."""
        connections = [link.connection for link in self._links if link.connection is not None]
        await asyncio.gather(*(connection.close(CLOSE_S) for connection in connections))
        if self._crew is not None:
            await self._crew.close()
