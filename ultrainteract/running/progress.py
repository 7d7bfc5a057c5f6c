"""What a run shows while it works: one line of figures, as a live bar on a terminal or as plain lines elsewhere."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from ultrainteract.running.samples import SampleReport
from ultrainteract.schema import TreeState
from ultrainteract.store import RunStore

if TYPE_CHECKING:
    from rich.console import Console

    from ultrainteract.replay import Budget

_PLAIN_EVERY_S = 10.0


class Progress:
    """Counters of one session of a run.

    Args:
        store: The run directory: what earlier sessions did counts too.
        clock: Seconds, monotonic.
    """

    def __init__(self, store: RunStore, clock: Callable[[], float] = time.monotonic) -> None:
        counts = store.counts()
        self.settled = sum(counts.values()) - counts[TreeState.FAILED]
        self.inputs = store.inputs()
        self.alive = 0
        self.resumed = 0
        self.grown = 0
        self.states = counts
        self.judged = self.judged_correct = 0
        self.sums: Counter[str] = Counter()
        self.budget: Budget | None = None
        self.waiting: Callable[[], Sequence[str]] = list
        self._clock = clock
        self._started = clock()

    def add(self, state: TreeState, tallies: Mapping[str, float]) -> None:
        """Counts a settled instruction and what its tree adds to the sums."""
        self.grown += 1
        self.states[state] += 1
        self.judged += int(tallies.get("judged", 0))
        self.judged_correct += int(tallies.get("judged_correct", 0))
        self.sums.update(tallies)

    @property
    def elapsed(self) -> float:
        """Seconds since this session began."""
        return self._clock() - self._started

    def line(self) -> str:
        """The figures in one line."""
        seconds = max(self.elapsed, 1e-9)
        done = self.settled + self.grown
        parts = [
            f"{done:,}{f'/{self.inputs:,}' if self.inputs else ''} inputs",
            f"{self.grown / seconds:.1f} trees/s",
        ]
        if self.budget is not None:
            parts.append(f"{self.budget.tokens:,} tokens")
            parts.append("cost unknown" if self.budget.unpriced else f"${self.budget.cost:,.2f}")
        if self.judged:
            parts.append(f"pass rate {self.judged_correct / self.judged:.0%}")
        if samples := SampleReport.of(self.sums):
            parts.append(samples.brief())
        failed = self.states[TreeState.FAILED]
        if failed:
            parts.append(f"{failed} failed")
        parts += self.waiting()
        if self.inputs and self.grown:
            parts.append(f"ETA {_duration((self.inputs - done) * seconds / self.grown)}")
        return " · ".join(parts)


@asynccontextmanager
async def shown(progress: Progress, console: Console) -> AsyncIterator[None]:
    """Shows `progress` on `console` while the block runs: live on a terminal, a line every ten seconds elsewhere."""
    task = asyncio.create_task(_live(progress, console) if console.is_terminal else _plain(progress, console))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        console.print(progress.line(), highlight=False)


async def _plain(progress: Progress, console: Console) -> None:
    while True:
        await asyncio.sleep(_PLAIN_EVERY_S)
        console.print(progress.line(), highlight=False)


async def _live(progress: Progress, console: Console) -> None:
    from rich.progress import BarColumn, TextColumn
    from rich.progress import Progress as Bar

    columns = (TextColumn("growing"), BarColumn(), TextColumn("{task.description}"))
    with Bar(*columns, console=console, transient=True) as bar:
        task = bar.add_task(progress.line(), total=progress.inputs)
        while True:
            done = progress.settled + progress.grown
            bar.update(task, description=progress.line(), total=progress.inputs, completed=done)
            await asyncio.sleep(0.25)


def _duration(seconds: float) -> str:
    minutes, rest = divmod(int(max(seconds, 0)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h{minutes:02d}m" if hours else f"{minutes}m{rest:02d}s"
