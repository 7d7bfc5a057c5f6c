"""What a cluster saturates first: unit costs of a tree against what the cluster has of each thing.

Everything here is arithmetic over figures that say where they come from (`calibration`, a rehearsal, a run
directory, the configuration, the command line, or an assumption). A resource limits the run to
capacity / need trees per second; the minimum of these is the bottleneck.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from pydantic import Field, PositiveInt, computed_field

from ultrainteract.config import ModelConfig, RunConfig
from ultrainteract.errors import ConfigError
from ultrainteract.planning.calibration import UnitCosts
from ultrainteract.planning.demand import Figure, ModelDemand, TreeNeeds
from ultrainteract.planning.model_settings import ModelSetting, check_settings
from ultrainteract.running.ray.replicas import replica_options
from ultrainteract.schema import Record

STREAM_TOKENS_PER_S = 40.0
REPLICA_TOKENS_PER_S = 2500.0
_HTTP = ("openai", "openai-batch", "vllm-server")
_OWN = ("vllm", "vllm-server", "simulated")
_RATES = {
    "requests_per_minute": "requests",
    "input_tokens_per_minute": "prompt_tokens",
    "output_tokens_per_minute": "completion_tokens",
}
_LARGE_STORE = 20 * 2**30
"""Bytes from which on a store's index no longer fits the memory of a usual machine."""

Kind = Literal["model", "sandbox", "workers", "trees alive", "driver", "store"]


class Cluster(Record):
    """What there is."""

    nodes: PositiveInt = 64
    """Machines."""
    cpus: PositiveInt = 64
    """Cores of each."""
    gpus: int = Field(default=8, ge=0)
    """GPUs of each."""


class Resource(Record):
    """One thing that a cluster has so much of."""

    name: str
    """For people."""
    kind: Kind
    """What kind of thing."""
    unit: str
    """In what need and capacity count."""
    need: float
    """Units a tree takes."""
    capacity: float
    """Units per second, over the whole cluster."""
    count: float
    """How many there are of what is to be added more of."""
    add: str
    """What to add more of."""
    need_basis: str
    """Where the need comes from."""
    capacity_basis: str
    """Where the capacity comes from."""

    @computed_field  # type: ignore[prop-decorator]
    @property
    def trees_per_s(self) -> float:
        """Trees per second that it allows."""
        return self.capacity / self.need if self.need else math.inf

    @computed_field  # type: ignore[prop-decorator]
    @property
    def assumed(self) -> bool:
        """Whether part of it was assumed."""
        return any(basis.startswith("assumed") for basis in (self.need_basis, self.capacity_basis))


class Capacity(Record):
    """What a cluster does with a run."""

    instructions: int
    """Trees to grow."""
    cluster: Cluster
    """What there is."""
    workers: int
    """Processes in which trees grow."""
    resources: tuple[Resource, ...]
    """Everything that limits, the tightest first."""
    store_bytes: float
    """Size of the store, or of all shards' together, at the end."""
    notes: tuple[str, ...]
    """What to know about the figures."""

    @property
    def bottleneck(self) -> Resource:
        """What saturates first."""
        return self.resources[0]

    @computed_field  # type: ignore[prop-decorator]
    @property
    def saturates_first(self) -> str:
        """Name of what saturates first."""
        return self.bottleneck.name

    @computed_field  # type: ignore[prop-decorator]
    @property
    def trees_per_s(self) -> float:
        """Trees per second at the bottleneck."""
        return self.bottleneck.trees_per_s

    @computed_field  # type: ignore[prop-decorator]
    @property
    def seconds(self) -> float:
        """Time for all instructions."""
        return self.instructions / self.trees_per_s

    def utilisation(self, resource: Resource) -> float:
        """Share of a resource that is used when the bottleneck is saturated."""
        return self.trees_per_s / resource.trees_per_s

    @computed_field  # type: ignore[prop-decorator]
    @property
    def next_step(self) -> str:
        """What to add, how much of it, and what it brings."""
        first = self.bottleneck
        rest = [other for other in self.resources if other.add != first.add]
        if not rest or math.isinf(rest[0].trees_per_s):
            return f"Add {first.add}: nothing else is known to limit the run."
        second = rest[0]
        wanted = _count(math.ceil(first.count * second.trees_per_s / first.trees_per_s))
        return (
            f"Add {first.add}: {wanted} instead of {_count(first.count)} reach {second.trees_per_s:,.1f} trees/s "
            f"({duration(self.instructions / second.trees_per_s)}), where {second.name} saturates."
        )


@dataclass(frozen=True)
class _Service:
    """One model as the cluster has it."""

    name: str
    config: ModelConfig
    asks: ModelDemand
    replicas: int
    replicas_basis: str
    gpus: float
    """GPUs of a replica; 0 where it is not served by this cluster."""
    tokens_per_s: Figure
    latency_s: Figure


def saturation(
    config: RunConfig,
    needs: TreeNeeds,
    costs: UnitCosts,
    cluster: Cluster,
    instructions: int,
    settings: Mapping[str, ModelSetting] | None = None,
) -> Capacity:
    """Works out what saturates first.

    Args:
        config: The run; its executor says whether there is one driver or a shard on each node.
        needs: What a tree takes.
        costs: What one of each thing costs.
        cluster: What there is.
        instructions: Trees to grow.
        settings: What is known of models, by name.

    Raises:
        ConfigError: A setting names no model of the configuration.
    """
    settings = settings or {}
    check_settings(config, settings)
    ray = config.executor.kind == "ray"
    workers = cluster.nodes * config.executor.workers_per_node
    notes: list[str] = []
    services = [
        service_of(name, config, asks, workers, settings.get(name)) for name, asks in needs.models.items()
    ]
    services = _within_gpus(services, cluster, notes)
    resources = [
        *model_resources(services, workers, notes),
        trees_alive(config, services, workers),
        _workers(config, needs, costs, workers),
        *_sandbox(needs, costs, cluster, config.executor.workers_per_node),
        *_records(needs, costs, 1 if ray else workers, driven=ray),
    ]
    stores = 1 if ray else workers
    if needs.bytes.value * instructions / stores > _LARGE_STORE:
        notes.append(
            "Commits were measured on a small store. The index of one this large does not fit in memory, so that the "
            "disk's random reads count: put it on NVMe, or cut the run into shards."
        )
    resources.sort(key=lambda resource: resource.trees_per_s)
    return Capacity(
        instructions=instructions,
        cluster=cluster,
        workers=workers,
        resources=tuple(resources),
        store_bytes=needs.bytes.value * instructions,
        notes=tuple(notes),
    )


# --------------------------------------------------------------------------------------------- models


def service_of(
    name: str, config: RunConfig, asks: ModelDemand, workers: int, setting: ModelSetting | None
) -> _Service:
    """What is known of one model's service: stated, configured, or assumed."""
    setting = setting or ModelSetting()
    model = config.models[name]
    replicas, gpus = _replicas(name, config, workers)
    basis = f"configured: {replicas:,} replicas"
    if setting.replicas is not None:
        replicas, basis = setting.replicas, f"given: {setting.replicas:,} replicas"
    elif not replicas and setting.tokens_per_s is not None:
        replicas, basis = 1, "given: its tokens/s as a whole"
    if setting.tokens_per_s is not None:
        speed = Figure(value=setting.tokens_per_s, basis=f"given: {setting.tokens_per_s:,.0f} tokens/s each")
    else:
        speed = Figure(
            value=REPLICA_TOKENS_PER_S, basis=f"assumed: {REPLICA_TOKENS_PER_S:,.0f} tokens/s each"
        )
    if setting.latency_s is not None:
        latency = Figure(value=setting.latency_s, basis=f"given: {setting.latency_s:g} s per request")
    else:
        seconds = asks.completion_tokens / max(asks.completions, 1e-9) / STREAM_TOKENS_PER_S
        latency = Figure(
            value=seconds,
            basis=f"assumed: {seconds:.1f} s per request, {STREAM_TOKENS_PER_S:g} tokens/s per stream",
        )
    return _Service(name, model, asks, replicas, basis, gpus, speed, latency)


def _replicas(name: str, config: RunConfig, workers: int) -> tuple[int, float]:
    """Servers of a model and GPUs of each, by the configuration; no servers where others serve it."""
    model = config.models[name]
    parallel = int(model.options.get("tensor_parallel_size", 1)) * int(
        model.options.get("pipeline_parallel_size", 1)
    )
    match model.provider:
        case "vllm":
            return workers, config.executor.gpus_per_worker or parallel
        case "vllm-server" if config.executor.kind == "ray":
            options = replica_options(name, model)
            return options.max, parallel if options.gpus is None else options.gpus
        case "vllm-server":
            return workers, parallel
    if model.base_url is None or any(getattr(model, rate) is not None for rate in _RATES):
        return 0, 0
    return len(_addresses(model)), 0


def _addresses(model: ModelConfig) -> tuple[str | None, ...]:
    return model.base_url if isinstance(model.base_url, tuple) else (model.base_url,)


def _within_gpus(services: Sequence[_Service], cluster: Cluster, notes: list[str]) -> list[_Service]:
    """Leaves no more replicas than the cluster has GPUs for."""
    wanted = sum(service.replicas * service.gpus for service in services)
    there = cluster.nodes * cluster.gpus
    if wanted <= there:
        if wanted:
            notes.append(f"Models take {wanted:g} of the cluster's {there:,} GPUs.")
        return list(services)
    notes.append(f"Replicas ask for {wanted:g} GPUs and the cluster has {there:,}: each model has fewer.")
    cut = [
        replace(service, replicas=math.floor(service.replicas * there / wanted)) if service.gpus else service
        for service in services
    ]
    for before, after in zip(services, cut, strict=True):
        if before.replicas and not after.replicas:
            raise ConfigError(
                f"--gpus: the cluster's {there:,} GPUs are too few for one replica of each model "
                f"({wanted:g} are asked for; none is left for '{after.name}')."
            )
    return cut


def model_resources(services: Sequence[_Service], workers: int, notes: list[str]) -> Iterator[Resource]:
    """Yields what the models limit: tokens, requests in flight, rates of keys."""
    for service in services:
        name, model, asks = service.name, service.config, service.asks
        if service.replicas:
            yield Resource(
                name=f"{name}: tokens/s", kind="model", unit="tokens", need=asks.completion_tokens,
                capacity=service.replicas * service.tokens_per_s.value, count=service.replicas,
                add=f"replicas of {name}", need_basis=asks.basis,
                capacity_basis=f"{service.tokens_per_s.basis}; {service.replicas_basis}",
            )  # fmt: skip
        elif model.provider == "simulated":
            notes.append(
                f"'{name}' is simulated, without limit; --model {name}=replicas:N,tokens_per_s:N sets one."
            )
            continue
        if model.provider == "openai-batch":
            notes.append(
                f"'{name}' answers in batches: what it takes is the provider's time, up to a day a turn."
            )
            continue
        places = service.replicas if service.replicas and model.provider != "vllm" else len(_addresses(model))
        yield Resource(
            name=f"{name}: in flight", kind="model", unit="requests", need=asks.requests,
            capacity=workers * places * model.max_concurrency / max(service.latency_s.value, 1e-9),
            count=model.max_concurrency, add=f"models.{name}.max_concurrency", need_basis=asks.basis,
            capacity_basis=f"{service.latency_s.basis}; configured: {model.max_concurrency:,} in flight per worker "
            "and server",
        )  # fmt: skip
    yield from _rates(services)


def _rates(services: Sequence[_Service]) -> Iterator[Resource]:
    """The rates of keys: models with the same key at the same address share them."""
    keys: defaultdict[tuple[object, ...], list[_Service]] = defaultdict(list)
    for service in services:
        if service.config.provider in _OWN:  # asked at addresses of the run's own, or nowhere
            continue
        keys[service.config.api_key_env, service.config.base_url].append(service)
    for sharing in keys.values():
        names = " + ".join(service.name for service in sharing)
        for rate, what in _RATES.items():
            stated = [value for s in sharing if (value := getattr(s.config, rate)) is not None]
            if not stated:
                continue
            unit = what.replace("_", " ")
            yield Resource(
                name=f"{names}: {unit}/min", kind="model", unit=unit,
                need=sum(getattr(service.asks, what) for service in sharing), capacity=min(stated) / 60,
                count=min(stated), add=f"{rate} of {names}", need_basis=sharing[0].asks.basis,
                capacity_basis=f"configured: {min(stated):,.0f} per minute",
            )  # fmt: skip


# ------------------------------------------------------------------------------------- everything else


def trees_alive(config: RunConfig, services: Sequence[_Service], workers: int) -> Resource:
    """What active trees limit: each waits for its requests one after the other."""
    waits = [service.latency_s for service in services]
    basis = next((wait.basis for wait in waits if wait.assumed), "given: seconds per request")
    return Resource(
        name="trees alive", kind="trees alive", unit="tree s",
        need=sum(service.asks.requests * service.latency_s.value for service in services),
        capacity=workers * config.max_inflight_trees, count=config.max_inflight_trees, add="max_inflight_trees",
        need_basis=basis, capacity_basis=f"configured: {config.max_inflight_trees:,} in each of {workers:,} workers",
    )  # fmt: skip


def _workers(config: RunConfig, needs: TreeNeeds, costs: UnitCosts, workers: int) -> Resource:
    sent = sum(asks.requests for name, asks in needs.models.items() if config.models[name].provider in _HTTP)
    bases = [costs.grow_request_s.basis, *([costs.send_request_s.basis] if sent else [])]
    basis = "; ".join(sorted(bases))  # what is assumed comes first
    return Resource(
        name="workers", kind="workers", unit="CPU ms",
        need=1000 * (needs.requests * costs.grow_request_s.value + sent * costs.send_request_s.value),
        capacity=1000 * workers, count=config.executor.workers_per_node, add="executor.workers_per_node",
        need_basis=basis, capacity_basis=f"given: {workers:,} workers of one core",
    )  # fmt: skip


def _sandbox(needs: TreeNeeds, costs: UnitCosts, cluster: Cluster, workers: int) -> Iterator[Resource]:
    used = {task: count for task, count in needs.executions.items() if count}
    if not used:
        return
    cores = cluster.nodes * max(1, cluster.cpus - workers)
    yield Resource(
        name="sandbox", kind="sandbox", unit="core ms",
        need=1000 * sum(count * costs.execution(task).value for task, count in used.items()),
        capacity=1000 * cores, count=cores, add="cores for the sandbox",
        need_basis="; ".join(sorted({costs.execution(task).basis for task in used})),
        capacity_basis=f"given: {cores:,} cores that are no worker's",
    )  # fmt: skip


def _records(needs: TreeNeeds, costs: UnitCosts, stores: int, *, driven: bool) -> Iterator[Resource]:
    add = "shards, each with a driver and a store" if driven else "shards, each with a store"
    if driven:
        yield Resource(
            name="driver", kind="driver", unit="CPU ms", need=1000 * needs.rows.value * costs.drive_row_s.value,
            capacity=1000, count=1, add=add, need_basis=costs.drive_row_s.basis,
            capacity_basis="given: one core, since it is one process",
        )  # fmt: skip
    yield Resource(
        name="store", kind="store", unit="rows", need=needs.rows.value,
        capacity=stores * costs.commits_per_s.value, count=stores, add=add, need_basis=needs.rows.basis,
        capacity_basis=costs.commits_per_s.basis,
    )  # fmt: skip


# --------------------------------------------------------------------------------------------- for people


def duration(seconds: float) -> str:
    """A time for people: seconds, minutes, hours or days."""
    if seconds < 2 * 60:
        return f"{seconds:,.0f} s"
    if seconds < 2 * 3600:
        return f"{seconds / 60:,.0f} min"
    return f"{seconds / 3600:,.1f} h" if seconds < 3 * 86400 else f"{seconds / 86400:,.1f} days"


def _count(value: float) -> str:
    return f"{value:,.0f}"
