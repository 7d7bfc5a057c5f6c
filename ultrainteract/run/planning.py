"""What a run will ask for: requests, tokens and cost, before it begins."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from ultrainteract.config import RunConfig
from ultrainteract.errors import SeedError
from ultrainteract.instructions import stream_instructions
from ultrainteract.models import price_of
from ultrainteract.run.rehearsal import PassRates, rehearse
from ultrainteract.schema import Instruction, Record, Usage

if TYPE_CHECKING:
    from rich.console import Console

_REHEARSED = 300
"""Instructions that are rehearsed; the rest are taken to be like them."""


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

    def show(self, console: Console) -> None:
        """Prints the estimate as a table."""
        from rich.table import Table

        known = [line.cost for line in self.lines if line.cost is not None]
        unknown = len(known) < len(self.lines)
        total = f"${sum(known):,.2f}" + (" + unknown" if unknown else "") if known else "unknown"
        table = Table(
            title=f"{self.instructions:,} instructions, about {self.pairs:,} pairs", show_footer=True
        )
        sums = [sum(getattr(line, name) for line in self.lines) for name in
                ("requests", "completions", "prompt_tokens", "completion_tokens")]  # fmt: skip
        for name, footer in (("role", "total"), ("step", ""), ("model", "")):
            table.add_column(name, footer)
        for name, number in zip(("requests", "completions", "tokens in", "tokens out"), sums, strict=True):
            table.add_column(name, f"{number:,}", justify="right")
        table.add_column("cost", total, justify="right")
        for line in self.lines:
            figures = (line.requests, line.completions, line.prompt_tokens, line.completion_tokens)
            cost = "unknown" if line.cost is None else f"${line.cost:,.2f}"
            table.add_row(line.role, line.step, line.model, *(f"{number:,}" for number in figures), cost)
        console.print(table)
        if self.unusable:
            console.print(
                f"{self.unusable:,} inputs are unusable or dropped by a rule: see `ultrainteract seeds build`."
            )


def plan_run(
    config: RunConfig, base: Path, *, pass_rate: float, prompt_tokens: int, completion_tokens: int
) -> Plan:
    """Rehearses the growth policy on the first instructions and scales up to all of them.

    Args:
        config: The run.
        base: Folder that relative seed paths resolve against.
        pass_rate: Mean pass rate expected of the actor's first step.
        prompt_tokens: Tokens of a first-turn prompt; each further turn adds an action and its feedback.
        completion_tokens: Tokens of a completion.

    Raises:
        SeedError: A source cannot be read, or holds no usable instruction.
    """
    stream = stream_instructions(config, base)
    usable = unusable = 0
    first: list[Instruction] = []
    for item in stream:
        if isinstance(item, Instruction):
            usable += 1
            if len(first) < _REHEARSED:
                first.append(item)
        else:
            unusable += 1
    if not first:
        raise SeedError(
            "No usable instruction in the seeds: `ultrainteract seeds build` says why each was left out."
        )
    found = rehearse(config, islice(first, _REHEARSED), PassRates.with_mean(pass_rate))
    scale = usable / len(first)
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
    return Plan(instructions=usable, unusable=unusable, pairs=round(found.pairs * scale), lines=tuple(lines))
