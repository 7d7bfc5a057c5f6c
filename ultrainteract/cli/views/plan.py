"""Estimates of a run as tables: requests, tokens and cost; what a cluster saturates first."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from rich.table import Table

from ultrainteract.planning.capacity import duration

if TYPE_CHECKING:
    from rich.console import Console

    from ultrainteract.planning.capacity import Capacity
    from ultrainteract.planning.estimate import Plan


def show_plan(plan: Plan, console: Console) -> None:
    """Prints the estimate as a table."""
    known = [line.cost for line in plan.lines if line.cost is not None]
    unknown = len(known) < len(plan.lines)
    total = f"${sum(known):,.2f}" + (" + unknown" if unknown else "") if known else "unknown"
    table = Table(title=f"{plan.instructions:,} instructions, about {plan.pairs:,} pairs", show_footer=True)
    sums = [sum(getattr(line, name) for line in plan.lines) for name in
            ("requests", "completions", "prompt_tokens", "completion_tokens")]  # fmt: skip
    for name, footer in (("role", "total"), ("step", ""), ("model", "")):
        table.add_column(name, footer)
    for name, number in zip(("requests", "completions", "tokens in", "tokens out"), sums, strict=True):
        table.add_column(name, f"{number:,}", justify="right")
    table.add_column("cost", total, justify="right")
    for line in plan.lines:
        figures = (line.requests, line.completions, line.prompt_tokens, line.completion_tokens)
        cost = "unknown" if line.cost is None else f"${line.cost:,.2f}"
        table.add_row(line.role, line.step, line.model, *(f"{number:,}" for number in figures), cost)
    console.print(table)
    if plan.time is None:
        console.print("Time: the models are simulated, and answer at once.")
    else:
        console.print(
            f"Time: about {duration(plan.time.seconds)}, limited by {plan.time.limited_by} ({plan.time.basis}). "
            "With a measured time per request: --model NAME=latency_s:SECONDS.",
            highlight=False,
        )
    if plan.unusable:
        console.print(
            f"{plan.unusable:,} inputs are unusable or dropped by a rule: see `ultrainteract seeds build`."
        )


def show_capacity(capacity: Capacity, console: Console) -> None:
    """Prints a table of all resources, the bottleneck, and what to add next."""
    cluster = capacity.cluster
    table = Table(
        title=f"{capacity.instructions:,} instructions on {cluster.nodes:,} nodes of {cluster.cpus} cores and "
        f"{cluster.gpus} GPUs, {capacity.workers:,} workers", title_justify="left",
    )  # fmt: skip
    for name in (
        "resource",
        "need per tree",
        "capacity per second",
        "trees/s",
        "used",
        "where the figures come from",
    ):
        table.add_column(name, justify="left" if name[0] in "rw" else "right")
    for resource in capacity.resources:
        bases = (resource.need_basis, resource.capacity_basis)
        table.add_row(
            resource.name + ("*" if resource.assumed else ""),
            f"{_number(resource.need)} {resource.unit}",
            _number(resource.capacity),
            _number(resource.trees_per_s),
            f"{capacity.utilisation(resource):.0%}",
            "; ".join(dict.fromkeys(bases)),
        )
    console.print(table)
    if any(resource.assumed for resource in capacity.resources):
        console.print("* rests on an assumption")
    first = capacity.bottleneck
    console.print(
        f"{first.name} saturates first: {capacity.trees_per_s:,.1f} trees/s, all instructions in "
        f"{duration(capacity.seconds)}. Store: {capacity.store_bytes / 2**30:,.1f} GiB "
        f"({capacity.store_bytes / capacity.instructions / 1024:,.1f} KiB per tree)."
    )
    console.print(capacity.next_step)
    for note in capacity.notes:
        console.print(f"- {note}")


def _number(value: float) -> str:
    if math.isinf(value):
        return "no limit"
    return f"{value:,.0f}" if value >= 100 else f"{value:,.3g}"
