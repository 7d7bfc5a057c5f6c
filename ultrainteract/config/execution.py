"""Where and how far a run goes: shards, executors, budgets."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, PositiveFloat, PositiveInt, model_validator

from ultrainteract.errors import ConfigError
from ultrainteract.schema import Record


class Shard(Record):
    """A slice of the instructions, by content hash: shard 5 of 128 is a half of shard 5 of 64."""

    index: PositiveInt
    """Which slice, from 1."""
    count: PositiveInt
    """How many slices there are."""

    @model_validator(mode="after")
    def _inside(self) -> Self:
        if self.index > self.count:
            raise ValueError(f"there is no shard {self.index} of {self.count}: shards count from 1")
        return self

    @classmethod
    def parse(cls, text: str) -> Self:
        """Reads `3/64`.

        Raises:
            ConfigError: It is not of that form.
        """
        index, _, count = text.partition("/")
        try:
            return cls(index=int(index), count=int(count))
        except ValueError as error:
            raise ConfigError(f"--shard {text}: write INDEX/COUNT, such as 3/64, counted from 1.") from error

    @property
    def folder(self) -> str:
        """Name of its run directory, below the run's output."""
        return f"shard-{self.index:04d}-of-{self.count:04d}"

    def holds(self, number: int) -> bool:
        """Whether the input with this number (`store.tree_number`) is in this slice."""
        return number % self.count == self.index - 1


class ExecutorConfig(Record):
    """Where trees grow."""

    kind: Literal["local", "ray"] = "local"
    """`local`: on this machine; `ray`: in workers on all nodes of a Ray cluster."""
    processes: PositiveInt | Literal["auto"] = "auto"
    """Processes of a local run. `auto` is one per usable core (affinity and CPU quota), started once the first one
    has been busy for a second and instructions wait. They share the run directory, the budget, `max_inflight_trees`,
    and the rates and `max_concurrency` of the models. In-process vLLM and batches stay in one process."""
    address: str | None = None
    """Ray cluster to join: `auto`, or `HOST:PORT` of its head; a cluster of this machine alone if None."""
    workers_per_node: PositiveInt = 1
    """Workers on each node; each grows up to `max_inflight_trees` trees and uses about one core, beside the
    sandbox."""
    cpus_per_worker: float = Field(default=1, ge=0)
    """CPUs that Ray sets aside for a worker; nodes with fewer get none."""
    gpus_per_worker: float = Field(default=0, ge=0)
    """GPUs that Ray sets aside for a worker, for models of `provider: vllm` in its process."""


class BudgetConfig(Record):
    """When to stop spending. The run drains and can be resumed after the budget is raised."""

    max_cost: PositiveFloat | None = None
    """US dollars."""
    max_tokens: PositiveInt | None = None
    """Prompt and completion tokens together."""
    max_reasoning_tokens: PositiveInt | None = None
    """Completion tokens of reasoning, which `max_tokens` counts as well."""
