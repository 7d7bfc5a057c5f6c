"""The driver of a Ray cluster: leases instructions to workers on all nodes, and alone holds the run directory.

Guarantees: a record is on disk before any tree uses it; a lease goes out with everything that is recorded of its
tree, so that wherever it is grown nothing is paid twice; the leases of a lost worker or node are given to
others; no more instructions are in memory than workers grow, and as many wait for them. Budgets and the rates
of keys hold over all workers together.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import secrets
import time
from collections import Counter, deque
from collections.abc import Coroutine
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import orjson

from ultrainteract.config import RunConfig
from ultrainteract.errors import ConfigError, UltraInteractError, require, told
from ultrainteract.running.admission import admitted
from ultrainteract.running.progress import Progress
from ultrainteract.running.ray.replicas import KEY_VARIABLE, Replicas, as_seen_by_workers, replicated
from ultrainteract.running.ray.worker import Ended, Lease, Message, RayWorker
from ultrainteract.schema import Instruction, TreeState
from ultrainteract.store import Outcome, RunStore, Settled
from ultrainteract.store.calls import Budget, Spent
from ultrainteract.store.database import settled_rows

log = logging.getLogger(__name__)

TAKE_S = 1.0
"""A worker with nothing to say answers after this long."""
SILENT_S = 60.0
"""A worker that does not answer for this long is given up."""
OPEN_S = 1800.0
"""Longest time for a worker to start: an engine in its process loads its weights."""
CLOSE_S = 4.0
"""Time a worker has to close its connections and engines before it is killed."""
NODES_EVERY_S = 2.0
"""How often the cluster is asked for nodes that have no worker yet."""
MOST_DEATHS = 3
"""An instruction whose workers died this often while they grew it is set aside as failed."""
_PAUSES_S = (0.0, 1.0, 5.0, 30.0)
"""Pauses before a node whose workers die gets another one."""


@dataclass(eq=False)
class _Link:
    """One worker, as the driver knows it."""

    actor: Any
    node: str
    leases: dict[str, Lease] = field(default_factory=dict)
    spent: Spent = field(default_factory=Spent)
    waiting: list[str] = field(default_factory=list)
    open: bool = False
    asked: bool = False
    """Whether an `exchange` is under way: leases then go out by themselves, else with the next one."""
    outgoing: list[Lease] = field(default_factory=list)


class RayDriver:
    """Grows a run's trees on a Ray cluster.

    Args:
        config: What to do.
        store: The run directory, open for writing.
        progress: Kept up to date.
        stop: Set by others, or here, to admit no further tree.
        unsafe: Allow running model-written code without isolation.

    Raises:
        ConfigError: Ray is not installed, or a setting does not go with it.
    """

    def __init__(
        self, config: RunConfig, store: RunStore, progress: Progress, stop: asyncio.Event, *, unsafe: bool
    ) -> None:
        require("ray", "ray")
        _check(config)
        import ray

        self._ray = ray
        self._config = config
        self._store = store
        self._progress = progress
        self._stop = stop
        self._unsafe = unsafe
        self._budget = Budget(config, store.spend())
        self._links: list[_Link] = []
        self._ready: deque[Lease] = deque()
        self._deaths: Counter[str] = Counter()
        self._failures: dict[str, tuple[int, float]] = {}
        self._changed = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._admitted = False
        self._stopped_by: UltraInteractError | None = None
        self._key = secrets.token_urlsafe(24)
        self._replicas = [
            Replicas(name, model, self._key, self._reach) for name, model in replicated(config).items()
        ]
        progress.budget, progress.waiting = self._budget, self._waiting

    async def run(self, base: Path) -> UltraInteractError | None:
        """Grows every tree that has no outcome yet.

        Args:
            base: Folder that relative seed paths resolve against.

        Returns:
            What ended the run early after the trees under way were finished; None where nothing did.

        Raises:
            UltraInteractError: What ends the run at once (see `Runner.run`).
        """
        owned = await asyncio.to_thread(self._connect)
        try:
            async with asyncio.TaskGroup() as tasks:
                for replicas in self._replicas:
                    await replicas.open()
                    self._start(tasks, replicas.keep())
                self._start(tasks, self._recruit(tasks))
                self._start(tasks, self._admit(base))
                while not self._finished():
                    self._changed.clear()
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(1.0):  # `stop` may be set by others
                            await self._changed.wait()
                for task in self._tasks:
                    task.cancel()
        finally:
            await asyncio.shield(self._close(owned))
        return self._stopped_by

    def _start(self, tasks: asyncio.TaskGroup, work: Coroutine[Any, Any, None]) -> None:
        task = tasks.create_task(work)
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
            self._ready.append(self._lease(item.id, item.model_dump_json().encode()))
            self._hand_out()
        self._admitted = True
        self._changed.set()

    def _lease(self, key: str, instruction: bytes) -> Lease:
        return Lease(key, instruction, *self._store.recorded(key))

    def _hand_out(self) -> None:
        """Gives waiting leases to the workers that have most room."""
        if self._stop.is_set():
            self._ready.clear()
        while self._ready:
            link = min(
                (link for link in self._links if link.open), key=lambda link: len(link.leases), default=None
            )
            if link is None or len(link.leases) >= self._config.max_inflight_trees:
                break
            lease = self._ready.popleft()
            link.leases[lease.key] = lease
            link.outgoing.append(lease)
        for link in self._links:
            if link.asked and link.outgoing:
                link.actor.lease.remote(link.outgoing)
                link.outgoing = []
        self._progress.alive = sum(len(link.leases) for link in self._links)
        self._changed.set()

    # ----------------------------------------------------------------------------------------------- workers

    async def _recruit(self, tasks: asyncio.TaskGroup) -> None:
        """Keeps every node of the cluster supplied with its workers."""
        executor = self._config.executor
        while True:
            nodes = await asyncio.to_thread(self._ray.nodes)
            for node in nodes:
                has = node["Resources"]
                room = (
                    has.get("CPU", 0) >= executor.cpus_per_worker
                    and has.get("GPU", 0) >= executor.gpus_per_worker
                )
                if node["Alive"] and room:
                    self._supply(node["NodeID"], tasks)
            await asyncio.sleep(NODES_EVERY_S)

    def _supply(self, node: str, tasks: asyncio.TaskGroup) -> None:
        failures, since = self._failures.get(node, (0, 0.0))
        if time.monotonic() - since < _PAUSES_S[min(failures, len(_PAUSES_S) - 1)]:
            return
        here = sum(link.node == node for link in self._links)
        for _ in range(self._config.executor.workers_per_node - here):
            link = _Link(self._make_actor(node), node)
            self._links.append(link)
            self._start(tasks, self._serve(link))

    def _make_actor(self, node: str) -> Any:
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        executor = self._config.executor
        options = {
            "num_cpus": executor.cpus_per_worker,
            "num_gpus": executor.gpus_per_worker,
            "max_restarts": 0,
            "scheduling_strategy": NodeAffinitySchedulingStrategy(node_id=node, soft=False),
        }
        folder = self._config.growth.prompts
        return (
            self._ray.remote(RayWorker)
            .options(**options)
            .remote(
                orjson.dumps(self._worker_config().model_dump(mode="json")),
                None if folder is None else _texts(folder),
                executor.workers_per_node,
                self._unsafe,
            )
        )

    def _worker_config(self) -> RunConfig:
        """What workers are told to do: replicated models are servers that they reach."""
        return as_seen_by_workers(self._config, {r.name: r.addresses for r in self._replicas})

    async def _reach(self, name: str, addresses: tuple[str, ...]) -> None:
        """Tells all workers where the replicas of a model answer."""
        for link in self._links:
            link.actor.reach.remote(name, addresses)

    async def _serve(self, link: _Link) -> None:
        """Opens a worker and writes down what it says, until the run ends or the worker is lost."""
        from ray.exceptions import RayError

        try:
            await self._open(link)
            while True:
                leases, link.outgoing, link.asked = link.outgoing, [], True
                async with asyncio.timeout(SILENT_S):
                    asked = link.actor.exchange.remote(leases, self._elsewhere(link), TAKE_S)
                    message: Message = await asked
                link.asked = False
                await self._absorb(link, message)
        except (RayError, TimeoutError) as error:
            await self._lost(link, error)

    async def _open(self, link: _Link) -> None:
        parts = sum(other.open for other in self._links) + 1
        async with asyncio.timeout(OPEN_S):
            error = await link.actor.open.remote(self._secrets(), parts, self._elsewhere(link))
        if error is not None:
            raise told(*error)
        link.open = True
        self._divide()
        self._hand_out()

    async def _absorb(self, link: _Link, message: Message) -> None:
        for level, text in message.log:
            log.log(level, "%s", text)
        link.waiting = message.waiting
        if message.rows:
            await self._store.put(message.rows)
            self._failures.pop(link.node, None)
        self._count(link, message.spent)
        for ended in message.ended:
            self._end(link, ended)
        if message.ended:
            self._hand_out()

    def _end(self, link: _Link, ended: Ended) -> None:
        link.leases.pop(ended.key, None)
        self._deaths.pop(ended.key, None)
        if ended.error is None:
            self._progress.add(TreeState(ended.state), ended.tallies)
            return
        error = told(*ended.error)
        if not ended.drains:
            raise error
        # Trees under way go on: their recorded calls are worth finishing with.
        self._stopped_by = self._stopped_by or error
        self._stop.set()

    async def _lost(self, link: _Link, error: Exception) -> None:
        """Takes the leases of a lost worker back: what they recorded goes out with them again."""
        from ray.exceptions import RayError

        self._links.remove(link)
        why = str(error).splitlines()[0] if str(error) else "it does not answer"
        log.warning(
            "A worker on node %s is lost, %d trees are grown elsewhere: %s",
            link.node[:8],
            len(link.leases),
            why,
        )
        with contextlib.suppress(RayError):
            self._ray.kill(link.actor)
        failures = self._failures.get(link.node, (0, 0.0))[0] + 1
        self._failures[link.node] = failures, time.monotonic()
        if failures > len(_PAUSES_S) and not any(other.open for other in self._links):
            raise ConfigError(f"Workers on node {link.node[:8]} die again and again: {why}")
        for lease in link.leases.values():
            self._deaths[lease.key] += 1
            if self._deaths[lease.key] >= MOST_DEATHS:
                await self._set_aside(lease, why)
            else:
                self._ready.appendleft(self._lease(lease.key, lease.instruction))
        link.leases.clear()
        if link.open:
            link.open = False
            self._divide()
        self._hand_out()

    async def _set_aside(self, lease: Lease, why: str) -> None:
        instruction = Instruction.model_validate_json(lease.instruction)
        outcome = Outcome(
            key=lease.key, state=TreeState.FAILED, dataset=instruction.dataset, source=instruction.source,
            reason=f"its worker died {MOST_DEATHS} times while it was grown: {why}",
        )  # fmt: skip
        await self._store.put(settled_rows(Settled(outcome=outcome)))
        self._progress.add(TreeState.FAILED, {})

    def _secrets(self) -> dict[str, str]:
        """The environment variables that hold keys and say where they are valid: told to workers, written nowhere."""
        names = {model.api_key_env for model in self._config.models.values()}
        names |= {"OPENAI_BASE_URL", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID", "HF_TOKEN"}
        found = {name: os.environ[name] for name in sorted(names) if name in os.environ}
        return found | ({KEY_VARIABLE: self._key} if self._replicas else {})

    # ------------------------------------------------------------------------------------------------ limits

    def _count(self, link: _Link, spent: Spent) -> None:
        fresh, link.spent = spent - link.spent, spent
        budget = self._budget
        budget.requests += fresh.requests
        budget.unpriced += fresh.unpriced
        budget.tokens += fresh.tokens
        budget.cost += fresh.cost

    def _elsewhere(self, link: _Link) -> Spent:
        """All that the run has spent and has under way, less what `link` counts itself."""
        under_way = sum(other.spent.under_way for other in self._links)
        return replace(self._budget.spent(), under_way=under_way) - link.spent

    def _divide(self) -> None:
        """Gives every worker its part of the rates of keys."""
        at_work = [link for link in self._links if link.open]
        for link in at_work:
            link.actor.divide.remote(len(at_work))

    def _waiting(self) -> list[str]:
        """What the run waits for, a line each."""
        if not any(link.open for link in self._links):
            return ["workers are starting" if self._links else "no node of the cluster has room for a worker"]
        return sorted({line for link in self._links for line in link.waiting})

    # ----------------------------------------------------------------------------------------------- cluster

    def _connect(self) -> bool:
        """Joins the cluster, or starts one on this machine; True where it is this driver's own."""
        if self._ray.is_initialized():
            return False
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        address = self._config.executor.address
        own: dict[str, Any] = {} if address else {"include_dashboard": False}
        try:
            self._ray.init(
                address=address,
                namespace="ultrainteract",
                log_to_driver=False,
                logging_level=logging.ERROR,
                **own,
            )
        except (ConnectionError, ValueError) as error:
            raise ConfigError(
                f"executor.address: cannot join the Ray cluster at {address}: {error}"
            ) from error
        return True

    async def _close(self, owned: bool) -> None:
        """Closes all workers, or kills those that do not close in time, and leaves the cluster."""
        from ray.exceptions import RayError

        closing = [link.actor.close.remote() for link in self._links]
        if closing:
            await asyncio.to_thread(self._ray.wait, closing, num_returns=len(closing), timeout=CLOSE_S)
        for link in self._links:
            with contextlib.suppress(RayError):
                self._ray.kill(link.actor)
        await asyncio.gather(*(replicas.close() for replicas in self._replicas))
        if owned:
            await asyncio.to_thread(self._ray.shutdown)


def _check(config: RunConfig) -> None:
    for name, model in config.models.items():
        if model.provider == "openai-batch":
            raise ConfigError(
                f"models.{name}.provider: a batch is remembered in the run directory, where one process works; "
                "use executor: local with openai-batch."
            )


def _texts(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text("utf-8") for path in sorted(folder.rglob("*.md"))}
