"""What a run will ask for: requests, tokens and cost, before it begins."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ultrainteract.config import RunConfig
from ultrainteract.errors import SeedError
from ultrainteract.models import price_of
from ultrainteract.planning.duration import Duration, run_time
from ultrainteract.planning.model_settings import ModelSetting
from ultrainteract.planning.rehearsal import PassRates, Rehearsal, rehearse
from ultrainteract.schema import Instruction, Record, Usage
from ultrainteract.seeds import stream_instructions

_REHEARSED = 300
"""Instructions that are rehearsed, drawn at random; the rest are taken to be like them."""


class PlanLine(Record):
    """What one step will ask of one model."""

    role: str
    """Role that asks."""
    step: str
    """Ladder step or role."""
    model: str
    """Name in the configuration."""
    requests: int
    """Requests."""
    completions: int
    """Completions."""
    prompt_tokens: int
    """Tokens sent."""
    completion_tokens: int
    """Tokens drawn."""
    cost: float | None
    """US dollars; None where the price is unknown."""


class Plan(Record):
    """Estimate for a whole run."""

    instructions: int
    """Usable instructions."""
    unusable: int
    """Inputs that become no instruction, or are dropped by a rule."""
    pairs: int
    """Pairs expected."""
    lines: tuple[PlanLine, ...]
    """What is asked, by step and model."""
    time: Duration | None = None
    """How long the models take; None where none of them sets a limit."""


@dataclass(frozen=True)
class SeedSample:
    """The seeds of a run, and some of its instructions."""

    instructions: tuple[Instruction, ...]
    """Instructions drawn at random, in the order in which they were read."""
    usable: int
    """Usable instructions."""
    unusable: int
    """Inputs that become no instruction, or are dropped by a rule."""


def sample_seeds(config: RunConfig, base: Path, size: int = _REHEARSED) -> SeedSample:
    """Reads all seeds once and keeps some instructions, each as likely as any other.

    Args:
        config: The run.
        base: Folder that relative seed paths resolve against.
        size: How many to keep.

    Raises:
        SeedError: A source cannot be read, or holds no usable instruction.
    """
    rng = random.Random(f"sample {config.seed}")
    usable = unusable = 0
    kept: list[tuple[int, Instruction]] = []
    for item in stream_instructions(config, base):
        if not isinstance(item, Instruction):
            unusable += 1
            continue
        usable += 1
        if len(kept) < size:
            kept.append((usable, item))
        elif (place := rng.randrange(usable)) < size:
            kept[place] = (usable, item)
    if not kept:
        raise SeedError(
            "No usable instruction in the seeds: `ultrainteract seeds build` says why each was left out."
        )
    kept.sort(key=lambda numbered: numbered[0])
    return SeedSample(tuple(item for _, item in kept), usable, unusable)


def plan_run(
    config: RunConfig,
    base: Path,
    *,
    pass_rate: float,
    prompt_tokens: int,
    completion_tokens: int,
    settings: Mapping[str, ModelSetting] | None = None,
) -> Plan:
    """Rehearses the growth policy on a sample of the instructions and scales up to all of them.

    Args:
        config: The run.
        base: Folder that relative seed paths resolve against.
        pass_rate: Mean pass rate expected of the actor's first step.
        prompt_tokens: Tokens of a first-turn prompt; each further turn adds an action and its feedback.
        completion_tokens: Tokens of a completion.
        settings: What is known of models, by name; the rest is assumed.

    Raises:
        SeedError: A source cannot be read, or holds no usable instruction.
        ConfigError: A setting names no model of the configuration.
    """
    seeds = sample_seeds(config, base)
    found = rehearse(config, seeds.instructions, PassRates.with_mean(pass_rate))
    scale = seeds.usable / len(seeds.instructions)
    lines = plan_lines(config, found, scale, prompt_tokens, completion_tokens)
    return Plan(
        instructions=seeds.usable,
        unusable=seeds.unusable,
        pairs=round(found.pairs * scale),
        lines=lines,
        time=run_time(config, lines, seeds.usable, settings or {}),
    )


def plan_lines(
    config: RunConfig, found: Rehearsal, scale: float, prompt_tokens: int, completion_tokens: int
) -> tuple[PlanLine, ...]:
    """What a rehearsal asked of each model, `scale` times.

    Args:
        config: The run.
        found: The rehearsal.
        scale: Instructions of the run for each rehearsed one.
        prompt_tokens: Tokens of a first-turn prompt; each further turn adds an action and its feedback.
        completion_tokens: Tokens of a completion.
    """
    lines = []
    for where, requests in sorted(found.requests.items()):
        role, step, model = where
        earlier = found.turns[where] - requests
        sent = requests * prompt_tokens + earlier * 2 * completion_tokens
        usage = Usage(
            prompt_tokens=round(sent * scale),
            completion_tokens=round(found.completions[where] * completion_tokens * scale),
        )
        lines.append(
            PlanLine(
                role=role,
                step=step,
                model=model,
                requests=round(requests * scale),
                completions=round(found.completions[where] * scale),
                prompt_tokens=usage.prompt_tokens,
                completion_tokens=usage.completion_tokens,
                cost=price_of(config.models[model], usage),
            )
        )
    return tuple(lines)
