"""One run: everything it depends on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

from pydantic import Field, PositiveInt, field_validator, model_validator

from ultrainteract.config.binding import binding
from ultrainteract.config.execution import BudgetConfig, ExecutorConfig, Shard
from ultrainteract.config.exporting import ExportConfig, PublishConfig
from ultrainteract.config.growth import CriticConfig, GrowthConfig, JudgeConfig
from ultrainteract.config.models import _DELIVERY_FIELDS, _RATES, ModelConfig
from ultrainteract.config.principles import PrinciplesConfig
from ultrainteract.config.problems import did_you_mean
from ultrainteract.config.rollouts import RolloutConfig
from ultrainteract.config.sandbox import SandboxConfig
from ultrainteract.config.seeds import SeedConfig, SelectionConfig
from ultrainteract.config.types import UserPath
from ultrainteract.schema import Record, content_hash


class RunConfig(Record):
    """Everything a run depends on."""

    name: str = Field(default="run", pattern=r"^[A-Za-z0-9._-]+$")
    """Name of the run."""
    seed: int = 0
    """Seed of every random choice."""
    output: UserPath = Path("runs/run")
    """Run directory."""
    seeds: tuple[SeedConfig, ...] = Field(min_length=1)
    """Sources of instructions, read in order."""
    selection: SelectionConfig = SelectionConfig()
    """Selection rules and decontamination."""
    models: dict[str, ModelConfig]
    """Models by the name the rest of the file uses."""
    growth: GrowthConfig
    """How trees grow."""
    critic: CriticConfig
    """The critic."""
    judge: JudgeConfig | None = None
    """The judge; needed only for instructions whose grader is `judge`."""
    rollout: RolloutConfig | None = None
    """Set by `ultrainteract eval`: the run is an evaluation, which rolls the actor out and grows no tree."""
    principles: PrinciplesConfig | None = None
    """Set by `ultrainteract principles run`: queries are answered under constitutions, and no tree is grown."""
    sandbox: SandboxConfig = SandboxConfig()
    """The sandbox."""
    budget: BudgetConfig = BudgetConfig()
    """Spending limits. Not part of the fingerprint."""
    stop_unread_after: PositiveInt | None = 20
    """Stop with an error once so many instructions were grown and nearly none had a sample that could be read; never
    if null. Not part of the fingerprint."""
    max_inflight_trees: PositiveInt = 96
    """Maximum active trees, over all processes of a local run or per Ray worker: bounds memory. About 1.5 times
    `max_concurrency` keeps a model saturated while records are committed. Not part of the fingerprint."""
    executor: ExecutorConfig = ExecutorConfig()
    """Where trees grow; `ray` is short for `{kind: ray}`. Not part of the fingerprint."""
    shard: Shard | None = None
    """The slice to grow, set by `--shard`; rates and budgets are divided by the number of shards. Not part of
    the fingerprint."""
    plugins: tuple[str, ...] = ()
    """Python files, beside this one, whose decorators register datasets, graders, rules, providers, tools or exporters.
    Not part of the fingerprint."""
    limit: PositiveInt | None = None
    """Grow this many instructions only, the first ones, set by `--limit`. A later run without it goes on to the rest:
    not part of the fingerprint."""
    export: ExportConfig = ExportConfig()
    """Exports. Not part of the fingerprint."""
    publish: PublishConfig = PublishConfig()
    """Publication on the Hub. Not part of the fingerprint."""

    @field_validator("executor", mode="before")
    @classmethod
    def _executor_by_name(cls, executor: Any) -> Any:
        return {"kind": executor} if isinstance(executor, str) else executor

    @field_validator("models")
    @classmethod
    def _some_model(cls, models: dict[str, ModelConfig]) -> dict[str, ModelConfig]:
        if not models:
            raise ValueError("name at least one model")
        return models

    @model_validator(mode="after")
    def _names_resolve(self) -> Self:
        for where, name in self.model_uses():
            if name not in self.models:
                near = did_you_mean(name, self.models)
                raise ValueError(f"{where}: no model named '{name}' (models: {', '.join(self.models)}){near}")
        if self.growth.ladder[0].guided:
            raise ValueError("growth.ladder.0: the first step is the actor's own and cannot be guided")
        names = [step.name for step in self.growth.ladder]
        if len(set(names)) != len(names):
            raise ValueError("growth.ladder: step names must differ")
        if self.growth.rejected_from == "pool" and not self.growth.pool:
            raise ValueError("growth.pool: name at least one model, or set growth.rejected_from: actor")
        return self

    @model_validator(mode="after")
    def _budget_in_money_has_prices(self) -> Self:
        used = dict.fromkeys(name for _, name in self.model_uses())
        unpriced = [
            name
            for name in used
            if self.models[name].price is None and self.models[name].provider != "simulated"
        ]
        if self.budget.max_cost is not None and unpriced:
            raise ValueError(
                f"budget.max_cost: no price is known of {', '.join(unpriced)}, so the budget would never be reached; "
                f"set models.{unpriced[0]}.price (zeros where it costs nothing), or budget.max_tokens instead"
            )
        return self

    def model_uses(self) -> Iterator[tuple[str, str]]:
        """Yields (place in the config, model name) for every use of a model."""
        for number, step in enumerate(self.growth.ladder):
            yield f"growth.ladder.{number}.model", step.model
        for number, name in enumerate(self.growth.pool):
            yield f"growth.pool.{number}", name
        yield "critic.model", self.critic.model
        if self.judge is not None:
            yield "judge.model", self.judge.model

    def frozen(self) -> dict[str, Any]:
        """The part a run directory is bound to, as plain JSON: all that can change what the run produces."""
        data = binding(self)
        for field in (
            "output", "budget", "stop_unread_after", "max_inflight_trees", "executor", "shard", "limit",
            "plugins", "export", "publish", "name",
        ):  # fmt: skip
            data.pop(field, None)
        for model in data["models"].values():
            for field in _DELIVERY_FIELDS:
                model.pop(field, None)
        for field in ("kind", "runtime", "containers", "concurrency"):
            data["sandbox"].pop(field, None)
        return data

    def share(self, parts: int) -> RunConfig:
        """The same run with its rates and budgets divided by `parts`: what each of so many processes may use."""
        models = {
            name: model.model_copy(
                update={
                    field: getattr(model, field) / parts
                    for field in _RATES
                    if getattr(model, field) is not None
                }
            )
            for name, model in self.models.items()
        }
        limits = {
            name: max(1, limit // parts) if isinstance(limit, int) else limit / parts
            for name, limit in self.budget
            if limit is not None
        }
        return self.model_copy(update={"models": models, "budget": self.budget.model_copy(update=limits)})

    def fingerprint(self) -> str:
        """Content hash of `frozen()`."""
        return content_hash(self.frozen())
