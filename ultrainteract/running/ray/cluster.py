"""Workers on all nodes of a Ray cluster: one transport of the messages in `running.leases`."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import secrets
from collections.abc import Awaitable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import orjson

from ultrainteract.config import RunConfig
from ultrainteract.errors import ConfigError, require
from ultrainteract.prompts import own_folder
from ultrainteract.replay import Spent
from ultrainteract.running.driver import Driver
from ultrainteract.running.leases import Lease, Message, WorkerLost
from ultrainteract.running.ray.replicas import KEY_VARIABLE, Replicas, as_seen_by_workers, replicated
from ultrainteract.running.remote import RemoteWorker

NODES_EVERY_S = 2.0
"""How often the cluster is asked for nodes that have no worker yet."""

T = TypeVar("T")


class RayConnection:
    """A worker that is a Ray actor.

    Args:
        actor: The actor, a `RemoteWorker`.
        node: Id of its node.
    """

    def __init__(self, actor: Any, node: str) -> None:
        self.location = f"node {node[:8]}"
        self._actor = actor

    async def open(self, secrets: dict[str, str], parts: int, elsewhere: Spent) -> tuple[str, str] | None:
        """As of `RemoteWorker`."""
        error: tuple[str, str] | None = await _answer(self._actor.open.remote(secrets, parts, elsewhere))
        return error

    async def exchange(self, leases: Sequence[Lease], elsewhere: Spent, wait_s: float) -> Message:
        """As of `RemoteWorker`."""
        message: Message = await _answer(self._actor.exchange.remote(leases, elsewhere, wait_s))
        return message

    def lease(self, leases: Sequence[Lease]) -> None:
        """As of `RemoteWorker`."""
        self._actor.lease.remote(leases)

    def divide(self, parts: int) -> None:
        """As of `RemoteWorker`."""
        self._actor.divide.remote(parts)

    def drain(self) -> None:
        """As of `RemoteWorker`."""
        self._actor.drain.remote()

    def set_endpoints(self, model: str, addresses: Sequence[str]) -> None:
        """As of `RemoteWorker`."""
        self._actor.set_endpoints.remote(model, tuple(addresses))

    async def close(self, grace_s: float) -> None:
        """Closes the worker, or kills it where that takes longer than `grace_s`."""
        with contextlib.suppress(WorkerLost, TimeoutError, RuntimeError):
            async with asyncio.timeout(grace_s):
                await _answer(self._actor.close.remote())
        self.kill()

    def kill(self) -> None:
        """Ends the worker at once."""
        import ray
        from ray.exceptions import RayError

        with contextlib.suppress(RayError):
            ray.kill(self._actor)


async def _answer(asked: Awaitable[T]) -> T:
    """What a worker answers; a bug that it met is raised here too."""
    from ray.exceptions import RayError, RayTaskError

    try:
        return await asked
    except RayTaskError as error:
        raise RuntimeError(f"A worker failed: {error}") from error
    except RayError as error:
        raise WorkerLost(str(error)) from error


class RayCrew:
    """The workers of a run on a Ray cluster, and the replicas of its models.

    Args:
        config: What to do.
        unsafe: Allow running model-written code without isolation.

    Raises:
        ConfigError: Ray is not installed, or a setting does not go with it.
    """

    concurrency = False
    expected = 1

    def __init__(self, config: RunConfig, *, unsafe: bool) -> None:
        require("ray", "ray")
        _check(config)
        import ray

        self._ray = ray
        self._config = config
        self._unsafe = unsafe
        self._owned = False
        self._driver: Driver | None = None
        key = secrets.token_urlsafe(24)
        models = replicated(config)
        self.secrets = {KEY_VARIABLE: key} if models else {}
        self._replicas = [Replicas(name, model, key, self._set_endpoints) for name, model in models.items()]

    async def open(self) -> None:
        """Joins the cluster, or starts one on this machine.

        Raises:
            ConfigError: The cluster cannot be joined.
        """
        self._owned = await asyncio.to_thread(self._connect)

    async def recruit(self, driver: Driver) -> None:
        """Keeps every node of the cluster supplied with its workers."""
        self._driver = driver
        for replicas in self._replicas:
            await replicas.open()
            driver.start(replicas.keep())
        executor = self._config.executor
        while True:
            for node in await asyncio.to_thread(self._ray.nodes):
                has = node["Resources"]
                room = (
                    has.get("CPU", 0) >= executor.cpus_per_worker
                    and has.get("GPU", 0) >= executor.gpus_per_worker
                )
                if node["Alive"] and room:
                    self._supply(node["NodeID"], driver)
            await asyncio.sleep(NODES_EVERY_S)

    def waiting(self) -> list[str]:
        """What the run waits for while no worker is open."""
        starting = self._driver is not None and self._driver.locations()
        return ["workers are starting" if starting else "no node of the cluster has room for a worker"]

    async def close(self) -> None:
        """Ends the replicas and leaves the cluster."""
        await asyncio.gather(*(replicas.close() for replicas in self._replicas))
        if self._owned:
            await asyncio.to_thread(self._ray.shutdown)

    def _supply(self, node: str, driver: Driver) -> None:
        location = f"node {node[:8]}"
        if driver.may_add(location):
            for _ in range(self._config.executor.workers_per_node - driver.locations()[location]):
                driver.add(lambda: RayConnection(self._make_actor(node), node))

    def _make_actor(self, node: str) -> Any:
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        executor = self._config.executor
        options = {
            "num_cpus": executor.cpus_per_worker,
            "num_gpus": executor.gpus_per_worker,
            "max_restarts": 0,
            "scheduling_strategy": NodeAffinitySchedulingStrategy(node_id=node, soft=False),
        }
        # Replicated models are servers that workers reach.
        config = as_seen_by_workers(self._config, {r.name: r.addresses for r in self._replicas})
        folder = own_folder(config.growth.prompts)
        return (
            self._ray.remote(RemoteWorker)
            .options(**options)
            .remote(
                orjson.dumps(config.model_dump(mode="json")),
                None if folder is None else _texts(folder),
                executor.workers_per_node,
                self._unsafe,
            )
        )

    async def _set_endpoints(self, name: str, addresses: tuple[str, ...]) -> None:
        if self._driver is not None:
            self._driver.set_endpoints(name, addresses)

    def _connect(self) -> bool:
        """Joins the cluster, or starts one on this machine; True where it is this run's own."""
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


def _check(config: RunConfig) -> None:
    for name, model in config.models.items():
        if model.provider == "openai-batch":
            raise ConfigError(
                f"models.{name}.provider: a batch is remembered in the run directory, where one process works; "
                "use executor: local with openai-batch."
            )


def _texts(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text("utf-8") for path in sorted(folder.rglob("*.md"))}
