"""vLLM servers on a cluster's GPUs, for models of `provider: vllm-server`: placed, guarded, scaled by their queues.

Each replica is a Ray actor with the resources that the model needs, which runs `vllm serve` on its node. Workers
reach replicas over the cluster's network with a key that is made for the run. A replica that is lost is replaced;
where requests wait in the servers' queues another one is started, as long as the cluster has room; one that has
nothing to do is ended.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import orjson
from pydantic import Field, PositiveFloat, PositiveInt, ValidationError

from ultrainteract.config import ModelConfig, RunConfig
from ultrainteract.errors import ConfigError, ProviderError, UltraInteractError, error_from_report
from ultrainteract.schema import Record

log = logging.getLogger(__name__)

KEY_VARIABLE = "ULTRAINTERACT_REPLICA_KEY"
"""Environment variable, in workers' memory alone, with the key of the run's replicas."""
_WAITING = re.compile(rb"^vllm:num_requests_waiting\S*\s+([0-9.eE+]+)", re.MULTILINE)
_RUNNING = re.compile(rb"^vllm:num_requests_running\S*\s+([0-9.eE+]+)", re.MULTILINE)
_ASK_S = 10.0
_CLOSE_S = 5.0


class ReplicaOptions(Record):
    """`options.replicas` of a model of `provider: vllm-server` on a Ray cluster."""

    min: PositiveInt = 1
    """Replicas that are always there."""
    max: PositiveInt = 1
    """Maximum number of replicas."""
    gpus: float | None = Field(default=None, ge=0)
    """GPUs of a replica; tensor_parallel_size x pipeline_parallel_size if None."""
    cpus: float = Field(default=1, ge=0)
    """CPUs of a replica."""
    queue: PositiveFloat = 8
    """Requests waiting in a replica's queue, on average, from which on another one is started."""
    every_s: PositiveFloat = 10
    """Seconds between two looks at the queues."""
    idle_s: PositiveFloat = 300
    """A replica beyond the minimum with nothing to do for this long is ended."""


class Replica:
    """The actor: one `vllm serve`.

    Args:
        name: The model's name in the configuration.
        model: Its configuration, JSON.
    """

    def __init__(self, name: str, model: bytes) -> None:
        self._name = name
        self._config = ModelConfig.model_validate_json(model)
        self._server: Any = None

    async def open(self, key: str) -> tuple[str, tuple[str, str] | None]:
        """Starts the server.

        Args:
            key: What it asks of those who send requests.

        Returns:
            Its address, and name and text of the error that keeps it from starting.
        """
        import ray

        from ultrainteract.models.vllm.server import VLLMServerModel

        os.environ["VLLM_API_KEY"] = os.environ[KEY_VARIABLE] = key
        host = ray.util.get_node_ip_address()  # type: ignore[no-untyped-call]
        options = {**self._config.options, "host": host}
        config = self._config.model_copy(update={"options": options, "api_key_env": KEY_VARIABLE})
        try:
            self._server = VLLMServerModel(self._name, config)
            await self._server.start()
        except UltraInteractError as error:
            return "", (type(error).__name__, str(error))
        return self._server.address, None

    async def queue(self) -> tuple[float, float]:
        """Requests that wait in the server's queue, and requests it works on."""
        import aiohttp

        address = self._server.address.removesuffix("/v1") + "/metrics"
        limit = aiohttp.ClientTimeout(total=_ASK_S / 2)
        async with aiohttp.ClientSession(timeout=limit) as session, session.get(address) as answer:
            text = await answer.read()
        return sum(map(float, _WAITING.findall(text))), sum(map(float, _RUNNING.findall(text)))

    async def close(self) -> None:
        """Ends the server."""
        if self._server is not None:
            await self._server.close()


@dataclass(eq=False)
class _Running:
    actor: Any
    address: str = ""
    idle_s: float = 0.0


class Replicas:
    """The replicas of one model.

    Args:
        name: The model's name in the configuration.
        config: Its configuration.
        key: What replicas ask of those who send requests.
        tell: Called with the addresses whenever they change, never with none.
    """

    def __init__(
        self,
        name: str,
        config: ModelConfig,
        key: str,
        tell: Callable[[str, tuple[str, ...]], Awaitable[None]],
    ) -> None:
        self.name = name
        self.options = replica_options(name, config)
        self._config = config
        self._key = key
        self._tell = tell
        self._running: list[_Running] = []
        self._starting: set[asyncio.Task[None]] = set()
        self._failures = 0

    @property
    def addresses(self) -> tuple[str, ...]:
        """Where replicas answer now."""
        return tuple(replica.address for replica in self._running)

    async def open(self) -> None:
        """Starts the least number of replicas and waits for the first of them.

        Raises:
            ConfigError, ProviderError: The server does not start.
        """
        for _ in range(self.options.min):
            self._start()
        while not self._running:
            await asyncio.wait(self._starting, return_when=asyncio.FIRST_COMPLETED)
            self._reap()
            if not self._starting and not self._running:
                self._start()

    async def keep(self) -> None:
        """Replaces what is lost, and starts and ends replicas as their queues ask for it, until cancelled.

        Raises:
            ProviderError: Replicas fail to start again and again.
        """
        while True:
            await asyncio.sleep(self.options.every_s)
            waiting, idle = await self._look()
            total = len(self._running) + len(self._starting)
            if total < self.options.min:
                self._start()
            elif waiting > self.options.queue * max(1, len(self._running)) and total < self.options.max:
                if not self._starting:
                    log.info(
                        "%s: %.0f requests wait in %d queues; starting a replica", self.name, waiting, total
                    )
                    self._start()
            elif idle is not None and len(self._running) > self.options.min:
                await self._end(idle)

    async def close(self) -> None:
        """Ends all replicas."""
        for task in self._starting:
            task.cancel()
        await asyncio.gather(*(self._close(replica) for replica in self._running))
        self._running.clear()

    def _start(self) -> None:
        self._starting.add(asyncio.create_task(self._run()))

    def _reap(self) -> None:
        """Raises what keeps replicas from starting."""
        for task in [task for task in self._starting if task.done()]:
            self._starting.discard(task)
            task.result()

    async def _run(self) -> None:
        import ray
        from ray.exceptions import RayError

        options = self.options
        parallel = [
            int(self._config.options.get(f"{kind}_parallel_size", 1)) for kind in ("tensor", "pipeline")
        ]
        gpus = parallel[0] * parallel[1] if options.gpus is None else options.gpus
        actor: Any = (
            ray.remote(Replica)
            .options(num_gpus=gpus, num_cpus=options.cpus, max_restarts=0, scheduling_strategy="SPREAD")
            .remote(self.name, orjson.dumps(self._config.model_dump(mode="json")))
        )
        try:
            address, error = await actor.open.remote(self._key)
        except RayError as lost:
            self._failed(f"its node or process was lost: {str(lost).splitlines()[0]}")
            return
        except asyncio.CancelledError:
            with contextlib.suppress(RayError):
                ray.kill(actor)
            raise
        if error is not None:
            failure = error_from_report(*error)
            if isinstance(failure, ConfigError):
                raise failure
            self._failed(str(failure))
            return
        self._failures = 0
        self._running.append(_Running(actor, address))
        log.info("%s: replica %d answers at %s", self.name, len(self._running), address)
        await self._tell(self.name, self.addresses)

    def _failed(self, why: str) -> None:
        self._failures += 1
        log.warning("%s: a replica did not start: %s", self.name, why)
        if self._failures > 3 and not self._running:
            raise ProviderError(f"Replicas of model '{self.name}' do not start: {why}", fatal=True)

    async def _look(self) -> tuple[float, _Running | None]:
        """Requests waiting in all queues, and a replica that has been idle for long."""
        from ray.exceptions import RayError

        self._reap()
        waiting, long_idle = 0.0, None
        for replica in list(self._running):
            try:
                async with asyncio.timeout(_ASK_S):
                    queued, running = await replica.actor.queue.remote()
            except (RayError, TimeoutError) as error:
                log.warning("%s: the replica at %s is lost: %s", self.name, replica.address, error)
                await self._end(replica)
                continue
            waiting += queued
            replica.idle_s = 0.0 if queued + running else replica.idle_s + self.options.every_s
            if replica.idle_s >= self.options.idle_s:
                long_idle = replica
        return waiting, long_idle

    async def _end(self, replica: _Running) -> None:
        """Sends no further request to a replica, then closes it."""
        self._running.remove(replica)
        if self._running:
            await self._tell(self.name, self.addresses)
        await self._close(replica)

    async def _close(self, replica: _Running) -> None:
        import ray
        from ray.exceptions import RayError

        with contextlib.suppress(RayError, TimeoutError):
            async with asyncio.timeout(_CLOSE_S):
                await replica.actor.close.remote()
        with contextlib.suppress(RayError):
            ray.kill(replica.actor)


def replica_options(name: str, config: ModelConfig) -> ReplicaOptions:
    """Reads `options.replicas`.

    Raises:
        ConfigError: A field is unknown or wrong.
    """
    try:
        return ReplicaOptions.model_validate(config.options.get("replicas", {}))
    except ValidationError as error:
        lines = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise ConfigError(f"models.{name}.options.replicas: {lines}.") from error


def replicated(config: RunConfig) -> dict[str, ModelConfig]:
    """The models of a run that are served by replicas on the cluster, by name."""
    return {name: model for name, model in config.models.items() if model.provider == "vllm-server"}


def as_seen_by_workers(config: RunConfig, addresses: dict[str, tuple[str, ...]]) -> RunConfig:
    """The configuration in which replicated models are servers at their addresses."""
    models = dict(config.models)
    for name in addresses:
        served = models[name].options.get("served_model_name")
        update: dict[str, Any] = {
            "provider": "openai", "base_url": addresses[name], "api_key_env": KEY_VARIABLE, "options": {},
            **({"model": served if isinstance(served, str) else served[0]} if served else {}),
        }  # fmt: skip
        models[name] = models[name].model_copy(update=update)
    return config.model_copy(update={"models": models})
