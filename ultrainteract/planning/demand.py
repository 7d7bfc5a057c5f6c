"""What a tree takes on average: read from a rehearsal of the growth policy, or from a run that has begun."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ultrainteract.config import RunConfig
from ultrainteract.errors import ConfigError, StoreError
from ultrainteract.schema import Record, Task, TreeState
from ultrainteract.tree.turn import INCORRECT

if TYPE_CHECKING:
    from ultrainteract.planning.estimate import PlanLine
    from ultrainteract.store import Runs, Spend


class Figure(Record):
    """A number, and where it comes from."""

    value: float
    """The number."""
    basis: str
    """For people; begins with `measured`, `rehearsed`, `configured`, `given` or `assumed`."""

    @property
    def assumed(self) -> bool:
        """Whether nobody measured or stated it."""
        return self.basis.startswith("assumed")


class ModelDemand(Record):
    """Requests and tokens that a tree needs of one model, on average."""

    requests: float
    """Requests."""
    completions: float
    """Completions."""
    prompt_tokens: float
    """Tokens sent."""
    completion_tokens: float
    """Tokens drawn."""
    basis: str
    """Where the figures come from."""


class TreeNeeds(Record):
    """What a tree takes, on average."""

    models: dict[str, ModelDemand]
    """By the models' names in the configuration."""
    executions: dict[Task, float]
    """Executions of the sandbox, by task."""
    rows: Figure
    """Rows of the store."""
    bytes: Figure
    """Bytes of the store."""

    @property
    def requests(self) -> float:
        """Requests, of all models."""
        return sum(asks.requests for asks in self.models.values())

    @property
    def completion_tokens(self) -> float:
        """Tokens drawn, of all models."""
        return sum(asks.completion_tokens for asks in self.models.values())


def asks_of_plan(lines: Sequence[PlanLine], trees: int) -> dict[str, ModelDemand]:
    """What a tree asks of each model, from the plan of `trees` of them."""
    return _averages([(line.model, line) for line in lines], trees, f"rehearsed: {trees} trees")


def asks_of_run(config: RunConfig, spend: Sequence[Spend], trees: int) -> dict[str, ModelDemand]:
    """What a tree asks of each model, from what a run has spent on `trees` of them.

    Raises:
        ConfigError: The run was made under another configuration.
    """
    return _averages(
        [(_model_of(config, item), item) for item in spend], trees, f"measured: {trees:,} trees of the run"
    )


def grown(runs: Runs) -> int:
    """Trees that a run has finished.

    Raises:
        StoreError: There are none.
    """
    counts = runs.counts()
    trees = sum(counts.values()) - counts[TreeState.SKIPPED] - counts[TreeState.FAILED]
    if not trees:
        raise StoreError("--measured: the run has finished no tree yet, so there is nothing to measure.")
    return trees


def _averages(
    asked: Sequence[tuple[str, PlanLine | Spend]], trees: int, basis: str
) -> dict[str, ModelDemand]:
    names = ("requests", "completions", "prompt_tokens", "completion_tokens")
    sums: defaultdict[str, dict[str, float]] = defaultdict(lambda: dict.fromkeys(names, 0.0))
    for model, item in asked:
        for name in names:
            sums[model][name] += getattr(item, name) / trees
    return {model: ModelDemand(**found, basis=basis) for model, found in sorted(sums.items())}


def _model_of(config: RunConfig, item: Spend) -> str:
    """The name, in the configuration, of the model that something was spent on."""
    candidates = [step.model for step in config.growth.ladder if step.name == item.step]
    if item.role == "critic":
        candidates = [config.critic.model]
    elif item.role == "judge" and config.judge is not None:
        candidates = [config.judge.model]
    elif item.step == INCORRECT:
        candidates = list(config.growth.pool)
    for name in candidates:
        if config.models[name].model == item.model:
            return name
    raise ConfigError(
        f"--measured: the run asked '{item.model}' for step '{item.step}', which this configuration does not. "
        "Give the configuration that the run was made with."
    )
