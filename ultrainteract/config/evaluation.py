"""Evaluations: what is asked of which model on which benchmarks, under which protocol."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Self

from pydantic import Field, PositiveInt, field_validator, model_validator

from ultrainteract.config.execution import BudgetConfig, ExecutorConfig
from ultrainteract.config.growth import CriticConfig, GrowthConfig, JudgeConfig, LadderStep
from ultrainteract.config.models import ModelConfig
from ultrainteract.config.rollouts import RolloutConfig
from ultrainteract.config.run import RunConfig
from ultrainteract.config.sandbox import SandboxConfig
from ultrainteract.config.seeds import SeedConfig
from ultrainteract.config.types import UserPath
from ultrainteract.schema import Record

ACTOR = "actor"
"""Name, in the run that an evaluation is, of the model that is evaluated."""


class EvaluationConfig(Record):
    """One evaluation: one model on any number of benchmarks."""

    name: str = Field(default="evaluation", pattern=r"^[A-Za-z0-9._-]+$")
    """Name in reports."""
    output: UserPath = Path("runs/evaluation")
    """Its directory: a run directory, in which the command resumes, with `report.json` and `items.jsonl` beside it."""
    model: ModelConfig
    """The model that is evaluated."""
    benchmarks: tuple[SeedConfig, ...] = Field(min_length=1)
    """What it is evaluated on: benchmarks (`ultrainteract seeds list`) or any seed dataset, with `path` and `split`."""
    rollout: RolloutConfig = RolloutConfig()
    """Protocol, samples, turns and feedback."""
    critic: ModelConfig | None = None
    """The model that comments on wrong answers, for `rollout.feedback: critique`."""
    leak_retries: int = Field(default=1, ge=0)
    """How often a critique that gives the answer away is asked for again before it is withheld."""
    judge: ModelConfig | None = None
    """The judge, for instructions that nothing else can check."""
    prompts: UserPath | None = None
    """As `growth.prompts` of a run: templates for `rollout.prompt: template` and for the critic."""
    training_data: tuple[str, ...] = ()
    """Exports or files that the model was trained on: items that share text with them are counted and listed."""
    ngram: PositiveInt = 8
    """Words of an n-gram in that comparison."""
    confidence: float = Field(default=0.95, gt=0, lt=1)
    """Level of the intervals."""
    seed: int = 0
    """Seed of bootstrap and of random subsets."""
    sandbox: SandboxConfig = SandboxConfig()
    """The sandbox."""
    budget: BudgetConfig = BudgetConfig()
    """Spending limits."""
    max_inflight_items: PositiveInt = 96
    """Maximum items under way."""
    executor: ExecutorConfig = ExecutorConfig()
    """Where items are evaluated, as of a run."""
    plugins: tuple[str, ...] = ()
    """As of a run."""
    limit: PositiveInt | None = None
    """Evaluate this many items only, the first ones."""

    @field_validator("executor", mode="before")
    @classmethod
    def _executor_by_name(cls, executor: Any) -> Any:
        return {"kind": executor} if isinstance(executor, str) else executor

    @model_validator(mode="after")
    def _critic_is_there(self) -> Self:
        if self.rollout.feedback == "critique" and self.critic is None:
            raise ValueError("critic: feedback by critique needs a model that writes it")
        return self

    def run_config(self) -> RunConfig:
        """The run that this evaluation is: its policy is rollouts in the place of trees."""
        models = {ACTOR: self.model}
        models |= {name: model for name, model in (("critic", self.critic), ("judge", self.judge)) if model}
        if self.rollout.logprobs:
            body = {"logprobs": True, **self.model.extra_body}
            models[ACTOR] = self.model.model_copy(update={"extra_body": body})
        step = LadderStep(name="sample", model=ACTOR, samples=self.rollout.samples)
        return RunConfig(
            name=self.name,
            seed=self.seed,
            output=self.output,
            seeds=self.benchmarks,
            models=models,
            growth=GrowthConfig(
                ladder=(step,),
                rejected_from="actor",
                max_turns=self.rollout.max_turns,
                modular_share=0,
                prompts=self.prompts,
            ),
            critic=CriticConfig(model="critic" if self.critic else ACTOR, leak_retries=self.leak_retries),
            judge=JudgeConfig(model="judge") if self.judge else None,
            sandbox=self.sandbox,
            budget=self.budget,
            stop_unread_after=None,
            max_inflight_trees=self.max_inflight_items,
            executor=self.executor,
            plugins=self.plugins,
            limit=self.limit,
            rollout=self.rollout,
        )
