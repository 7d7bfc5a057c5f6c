"""The report of a run: the ledger, what was spent on what, what was kept, and what the quality guards did.

It is computed from the store alone, so that `status` prints the same figures while a run works, after it
ended, and after a kill.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from ultrainteract.running.profile import LoopLag
from ultrainteract.schema import Record, TreeState
from ultrainteract.store import Runs, RunStore, Spend

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console
    from rich.table import Table


class RunReport(Record):
    """Figures of a run directory."""

    inputs: int | None
    """Inputs of the seed set; None while it has not been read to its end."""
    states: dict[TreeState, int]
    """Inputs by the state they ended in."""
    pairs: int
    """Pairs in the finished trees."""
    correct: int
    """Correct actions in the finished trees."""
    turns: int
    """Turns of the finished trees."""
    pass_rate: float | None
    """Correct share of what the actor's own step judged."""
    spend: tuple[Spend, ...]
    """What was spent, by role, step, model and task."""
    cost: float
    """US dollars spent, over requests of known price."""
    unpriced: int
    """Requests of unknown price."""
    kept_cost: float
    """US dollars that went into nodes and critiques which were kept."""
    kept_tokens: int
    """Completion tokens of nodes and critiques which were kept."""
    guards: dict[str, int]
    """What each quality guard did."""
    simulated: bool
    """True where any kept text was written by a simulated model."""
    store_bytes: int
    """Size of the store on disk."""
    set_aside: int = 0
    """Inputs in the run directory that are no longer in the seeds; they count nowhere else."""
    grown: int = 0
    """Inputs that this session settled."""
    stopped: bool = False
    """True where this session ended before all that it was asked for was grown."""
    loop: LoopLag | None = None
    """How late the event loop of this session was; None where it was not measured."""

    @classmethod
    def of(cls, store: RunStore | Runs, loop: LoopLag | None = None) -> Self:
        """Reads the figures of a run directory, or of all shards of a run."""
        tallies = store.tallies()
        spend = tuple(store.spend())
        judged = tallies.get("judged", 0)
        return cls(
            inputs=store.inputs(),
            states=store.counts(),
            pairs=int(tallies.get("pairs", 0)),
            correct=int(tallies.get("correct", 0)),
            turns=int(tallies.get("turns", 0)),
            pass_rate=tallies.get("judged_correct", 0) / judged if judged else None,
            spend=spend,
            cost=sum(item.cost for item in spend),
            unpriced=sum(item.unpriced for item in spend),
            kept_cost=tallies.get("kept_cost", 0.0),
            kept_tokens=int(tallies.get("kept_tokens", 0)),
            guards={
                name[6:]: int(value) for name, value in sorted(tallies.items()) if name.startswith("guard.")
            },
            simulated=bool(tallies.get("simulated")),
            store_bytes=store.size(),
            set_aside=store.count_set_aside(),
            loop=loop,
        )

    @property
    def settled(self) -> int:
        """Inputs that have ended, in whatever state."""
        return sum(self.states.values())

    def show(self, console: Console) -> None:
        """Prints the report as tables."""
        from rich.table import Table

        ledger = Table(title="Ledger", title_justify="left")
        ledger.add_column("state")
        ledger.add_column("inputs", justify="right")
        for state, count in self.states.items():
            ledger.add_row(state.value, f"{count:,}")
        if self.inputs is not None and self.inputs > self.settled:
            ledger.add_row("not yet grown", f"{self.inputs - self.settled:,}")
        total = f"{self.settled:,} so far" if self.inputs is None else f"{self.inputs:,}"
        ledger.add_row("[bold]inputs[/bold]", f"[bold]{total}[/bold]")
        console.print(ledger)
        if self.set_aside:
            console.print(
                f"{self.set_aside:,} more are set aside: their problems are no longer in the seeds "
                "(`run --prune` deletes them).",
                highlight=False,
            )
        rate = "unknown" if self.pass_rate is None else f"{self.pass_rate:.0%}"
        console.print(
            f"{self.pairs:,} pairs · {self.correct:,} correct actions · {self.turns:,} turns · actor's pass rate {rate}"
            f" · store {self.store_bytes / 2**20:,.1f} MiB",
            highlight=False,
        )
        if self.spend:
            console.print(_spend_table(self))
        if self.guards:
            acted = ", ".join(f"{name.replace('_', ' ')} {count:,}" for name, count in self.guards.items())
            console.print(f"Quality guards: {acted}", highlight=False)
        if self.loop is not None:
            self.loop.show(console)


def _spend_table(report: RunReport) -> Table:
    """What was spent by role, step and model; `--json` has it by task too."""
    from rich.table import Table

    table = Table(title="Spent", title_justify="left", show_footer=True)
    for name, footer in (("role", "total"), ("step", ""), ("model", "")):
        table.add_column(name, footer)
    total = _sums(report.spend)
    for name, number in zip(("requests", "completions", "tokens in", "tokens out"), total, strict=True):
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
    names = ("requests", "completions", "prompt_tokens", "completion_tokens")
    return [sum(getattr(item, name) for item in items) for name in names]


def _money(cost: float, unpriced: int) -> str:
    if unpriced:
        return f"${cost:,.4f} + unknown" if cost else "unknown"
    return f"${cost:,.4f}"
