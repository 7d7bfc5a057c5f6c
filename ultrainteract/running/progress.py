"""What a run shows while it works: a few lines of figures, live on a terminal, or as plain lines elsewhere.

Trees, pairs, spending and the time left stand first and are never cut; a narrow terminal gets a shorter bar. The last
line says what is waited for.
"""

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
    from rich.console import Console, RenderableType

    from ultrainteract.replay import Budget

_PLAIN_EVERY_S = 10.0
_LIVE_EVERY_S = 0.25
_SHORTEST_BAR, _LONGEST_BAR = 6, 40
_MOST_ROWS = 2


class Progress:
    """Counters of one session of a run.

    Args:
        store: The run directory: what earlier sessions did counts too.
        clock: Seconds, monotonic.
    """

    def __init__(self, store: RunStore, clock: Callable[[], float] = time.monotonic) -> None:
        self.alive = 0
        self.resumed = 0
        self.grown = 0
        self.begin(store)
        self.judged = self.judged_correct = 0
        self.sums: Counter[str] = Counter()
        self.budget: Budget | None = None
        self.waiting: Callable[[], Sequence[str]] = list
        """Why nothing comes (no endpoint of a model is up, say), a line each."""
        self.activity: Callable[[], Sequence[str]] = list
        """What is in flight: requests, executions."""
        self._clock = clock
        self._started = clock()

    def begin(self, store: RunStore) -> None:
        """Takes over what the run directory holds."""
        self.states = store.counts()
        self.settled = sum(self.states.values()) - self.states[TreeState.FAILED]
        self.inputs = store.inputs()
        self.pairs = int(store.tallies().get("pairs", 0))

    def add(self, state: TreeState, tallies: Mapping[str, float]) -> None:
        """Counts a settled instruction and what its tree adds to the sums."""
        self.grown += 1
        self.states[state] += 1
        self.pairs += int(tallies.get("pairs", 0))
        self.judged += int(tallies.get("judged", 0))
        self.judged_correct += int(tallies.get("judged_correct", 0))
        self.sums.update(tallies)

    @property
    def elapsed(self) -> float:
        """Seconds since this session began."""
        return self._clock() - self._started

    @property
    def done(self) -> int:
        """Inputs that have ended."""
        return self.settled + self.grown

    def headline(self) -> str:
        """Trees, pairs, spending and the time left: what must always be readable."""
        parts = [f"{self.done:,}{f'/{self.inputs:,}' if self.inputs else ''} trees", f"{self.pairs:,} pairs"]
        if self.budget is not None:
            parts.append("cost unknown" if self.budget.unpriced else f"${self.budget.cost:,.2f}")
        if self.inputs and self.grown and self.alive and self.done < self.inputs:
            left = (self.inputs - self.done) * max(self.elapsed, 1e-9) / self.grown
            parts.append(f"ETA {_duration(left)}")
        return " · ".join(parts)

    def details(self) -> list[str]:
        """Further figures."""
        parts = [f"{self.alive:,} active", f"{self.grown / max(self.elapsed, 1e-9):.1f} trees/s"]
        if self.states[TreeState.FAILED]:
            parts.append(f"{self.states[TreeState.FAILED]:,} failed")
        if self.judged:
            parts.append(f"pass rate {self.judged_correct / self.judged:.0%}")
        if samples := SampleReport.of(self.sums):
            parts.append(samples.brief())
        if self.budget is not None:
            parts.append(f"{self.budget.tokens:,} tokens")
        return parts

    def waits(self) -> list[str]:
        """What is waited for."""
        return [*self.waiting(), *self.activity()]

    def line(self) -> str:
        """All figures in one line."""
        return " · ".join((self.headline(), *self.details(), *self.waiting()))


@asynccontextmanager
async def shown(progress: Progress, console: Console) -> AsyncIterator[None]:
    """Shows `progress` on `console` while the block runs: live on a terminal, a line every ten seconds elsewhere."""
    is_live = console.is_terminal or console.is_jupyter
    task = asyncio.create_task(_live(progress, console) if is_live else _plain(progress, console))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        progress.alive = 0
        console.print(f"{progress.headline()} · {_duration(progress.elapsed)}", highlight=False)


async def _plain(progress: Progress, console: Console) -> None:
    while True:
        await asyncio.sleep(_PLAIN_EVERY_S)
        console.print(progress.line(), highlight=False, soft_wrap=True)


async def _live(progress: Progress, console: Console) -> None:
    from rich.live import Live

    with Live(console=console, transient=True, auto_refresh=False) as live:
        while True:
            live.update(panel(progress, console.width), refresh=True)
            await asyncio.sleep(_LIVE_EVERY_S)


def panel(progress: Progress, width: int) -> RenderableType:
    """The live display.

    Args:
        progress: The figures.
        width: Columns of the terminal.
    """
    from rich.console import Group
    from rich.text import Text

    headline = progress.headline()
    room = min(_LONGEST_BAR, width - len(headline) - 8)
    bar = ""
    if room >= _SHORTEST_BAR:
        filled = round(room * min(1.0, progress.done / progress.inputs)) if progress.inputs else 0
        bar = "━" * filled + "·" * (room - filled) + "  "
    width -= len("^C ")  # what an interrupt writes behind the last line must not begin another one
    lines = [Text(bar, style="green").append(headline, style="bold default")]
    for parts, style in ((progress.details(), "default"), (progress.waits(), "dim")):
        for row in _rows(parts, width):
            line = Text(row, style=style)
            line.truncate(width, overflow="ellipsis")
            lines.append(line)
    return Group(*lines)


def _rows(parts: list[str], width: int) -> list[str]:
    """Lines of whole parts; at most `_MOST_ROWS`, the last of which says if parts are left."""
    rows: list[str] = []
    for part in parts:
        if rows and len(rows[-1]) + 3 + len(part) <= width:
            rows[-1] += f" · {part}"
        else:
            rows.append(part)
    if len(rows) > _MOST_ROWS:
        rows[_MOST_ROWS - 1] += " …"
    return rows[:_MOST_ROWS]


def _duration(seconds: float) -> str:
    minutes, rest = divmod(int(max(seconds, 0)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h{minutes:02d}m" if hours else f"{minutes}m{rest:02d}s"
