"""How trees grow: the ladder, the pool, the critic, the judge."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, PositiveInt

from ultrainteract.config.types import Fraction, UserPath
from ultrainteract.schema import Record, SamplingParams


class LadderStep(Record):
    """One way to come by a correct action. Steps are tried in order until one yields."""

    name: str
    """Name in provenance and reports."""
    model: str
    """A key of `models`."""
    samples: PositiveInt = 20
    """Maximum completions drawn per turn."""
    guided: bool = False
    """True: the model is given the ground truth, in the form that fits the task; skipped where there is
    none."""
    sampling: SamplingParams | None = None
    """Sampling parameters; the model's own if None."""


class EarlyEscalation(Record):
    """Sequential test that gives a step up when its model evidently cannot solve the turn."""

    target_rate: Fraction = 0.25
    """Pass rate worth waiting for."""
    confidence: Fraction = 0.9
    """Give up when, at `target_rate`, this much of the probability says a correct sample would have been
    seen."""


class GrowthConfig(Record):
    """How a tree grows (paper, section 2)."""

    ladder: tuple[LadderStep, ...] = Field(min_length=1)
    """Steps to a correct action; the first step's model is *the actor*."""
    waves: PositiveInt | Literal["off"] = 4
    """Samples drawn at a time, stopping as soon as the turn has what it needs; `off` draws all at once."""
    early_escalation: EarlyEscalation | None = None
    """Give a step up early; off if None."""
    rejected_from: Literal["pool", "actor", "actor_then_pool"] = "actor_then_pool"
    """Where the incorrect action comes from: other models, the actor's own wrong samples, or those first."""
    pool: tuple[str, ...] = ()
    """Keys of `models` from which the incorrect action's model is drawn."""
    pool_samples: PositiveInt = 8
    """Maximum completions drawn from the pool per turn."""
    max_turns: PositiveInt = 5
    """Turn cap."""
    stop: Literal["until_solved", "full"] = "until_solved"
    """`until_solved`: the tree ends where the actor's first sample of the turn is correct; `full`: at the
    cap."""
    syntax_filter: Literal["pairs", "all", "off"] = "pairs"
    """Actions that fail Python's syntax check: not paired, not kept at all, or no different."""
    modular_share: Fraction = 0.5
    """Probability of the modularization schema at a turn (else chain of thought), where the task allows
    it."""
    extra_pairs: int = Field(default=4, ge=0)
    """Maximum additional pairs of a hard instruction, one for each further ground-truth solution."""
    max_tool_rounds: int = Field(default=3, ge=0)
    """Most tool calls within one attempt before its answer is due."""
    max_call_rounds: int = Field(default=8, ge=0)
    """Most messages with function calls within one attempt at an instruction whose calls are executed."""
    mutate_calls: bool = True
    """Where no sampled action of a turn is wrong, give a right function call one fault (task `Tools`). Such actions are
    proved wrong again, marked as mutated, and can be left out of exports (`export.filter.mutated`)."""
    prompts: UserPath | None = None
    """Folder whose templates override the built-in ones of the same name; or `compact`, the package's short set for
    small models."""


class CriticConfig(Record):
    """Who comments on wrong actions."""

    model: str
    """A key of `models`."""
    sampling: SamplingParams | None = None
    """Sampling parameters; the model's own if None."""
    leak_retries: int = Field(default=1, ge=0)
    """How often a critique that gives the gold answer away is asked for again before it is redacted."""


class JudgeConfig(Record):
    """Who judges instructions that nothing else can check."""

    model: str
    """A key of `models`."""
    sampling: SamplingParams | None = None
    """Sampling parameters; the model's own if None."""
