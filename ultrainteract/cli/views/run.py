"""The report of a run, and how late its event loop got, as tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table

from ultrainteract.running.profile import STALL_S

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from ultrainteract.running import RunReport
    from ultrainteract.running.profile import LoopLag
    from ultrainteract.store import Spend


def show_report(report: RunReport, console: Console) -> None:
    """Prints the ledger, the spending and the guards."""
    ledger = Table(title="Ledger", title_justify="left")
    ledger.add_column("state")
    ledger.add_column("inputs", justify="right")
    for state, count in report.states.items():
        ledger.add_row(state.value, f"{count:,}")
    if report.inputs is not None and report.inputs > report.settled:
        ledger.add_row("not yet grown", f"{report.inputs - report.settled:,}")
    total = f"{report.settled:,} so far" if report.inputs is None else f"{report.inputs:,}"
    ledger.add_row("[bold]inputs[/bold]", f"[bold]{total}[/bold]")
    console.print(ledger)
    if report.set_aside:
        console.print(
            f"{report.set_aside:,} more are set aside: their problems changed, or left the seeds (`run --prune` "
            "deletes them).",
            highlight=False,
        )
    rate = "unknown" if report.pass_rate is None else f"{report.pass_rate:.0%}"
    console.print(
        f"{report.pairs:,} pairs · {report.correct:,} correct actions · {report.turns:,} turns · "
        f"actor's pass rate {rate} · store {report.store_bytes / 2**20:,.1f} MiB",
        highlight=False,
    )
    if report.spend:
        console.print(_spend_table(report))
    if report.samples is not None:
        for line in report.samples.lines():
            console.print(line, highlight=False, markup=False)
    if report.guards:
        acted = ", ".join(f"{name.replace('_', ' ')} {count:,}" for name, count in report.guards.items())
        console.print(f"Quality guards: {acted}", highlight=False)
    if report.loop is not None:
        show_loop(report.loop, console)


def show_loop(loop: LoopLag, console: Console) -> None:
    """Prints how late the event loop got, and where."""
    console.print(
        f"Event loop: late by {loop.longest_ms:,.0f} ms at most, by {loop.p99_ms:,.1f} ms at the 99th percentile; "
        f"{loop.stalls:,} stalls over {STALL_S * 1e3:.0f} ms; busy for {loop.cpu_share:.0%} of "
        f"{loop.seconds:,.0f} s",
        highlight=False,
        markup=False,
    )
    for stall in loop.worst:
        console.print(
            f"  {stall.lag_ms:,.0f} ms ({stall.cpu_ms:,.0f} ms its own CPU time, {stall.gc_ms:,.0f} ms "
            f"garbage collection) at {stall.where or 'an unknown place'}",
            highlight=False,
            markup=False,
        )


def _spend_table(report: RunReport) -> Table:
    """What was spent by role, step and model; `--json` has it by task too."""
    table = Table(title="Spent", title_justify="left", show_footer=True)
    for name, footer in (("role", "total"), ("step", ""), ("model", "")):
        table.add_column(name, footer)
    total = _sums(report.spend)
    for name, number in zip(
        ("requests", "completions", "tokens in", "tokens out", "reasoning"), total, strict=True
    ):
        table.add_column(name, f"{number:,}", justify="right")
    table.add_column("cost", _money(report.cost, report.unpriced), justify="right")
    groups: dict[tuple[str, str, str], list[Spend]] = {}
    for item in report.spend:
        groups.setdefault((item.role, item.step, item.model), []).append(item)
    for where, items in groups.items():
        cost = _money(sum(item.cost for item in items), sum(item.unpriced for item in items))
        table.add_row(*where, *(f"{number:,}" for number in _sums(items)), cost)
    if report.cost:
        table.caption = f"${report.kept_cost:,.4f} of it went into what was kept"
    return table


def _sums(items: Sequence[Spend]) -> list[int]:
    names = ("requests", "completions", "prompt_tokens", "completion_tokens", "reasoning_tokens")
    return [sum(getattr(item, name) for item in items) for name in names]


def _money(cost: float, unpriced: int) -> str:
    if unpriced:
        return f"${cost:,.4f} + unknown" if cost else "unknown"
    return f"${cost:,.4f}"
