"""What a run shows while it works: one line of figures, as a live bar on a terminal or as plain lines elsewhere."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from ultrainteract.schema import Tree, TreeState
from ultrainteract.store import RunStore

if TYPE_CHECKING:
    from rich.console import Console

    from ultrainteract.models.base import ChatModel
    from ultrainteract.store import Calls

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
        self.calls: Calls | None = None
        self.models: tuple[ChatModel, ...] = ()
        self._clock = clock
        self._started = clock()

    def add(self, state: TreeState, tree: Tree | None) -> None:
        """Counts a settled instruction."""
        self.grown += 1
        self.states[state] += 1
        if tree is not None:
            first = [step for turn in tree.turns for step in turn.steps[:1]]
            self.judged += sum(step.judged for step in first)
            self.judged_correct += sum(step.correct for step in first)

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
        if self.calls is not None:
            budget = self.calls.budget
            parts.append(f"{budget.tokens:,} tokens")
            parts.append("cost unknown" if budget.unpriced else f"${budget.cost:,.2f}")
        if self.judged:
            parts.append(f"pass rate {self.judged_correct / self.judged:.0%}")
        failed = self.states[TreeState.FAILED]
        if failed:
            parts.append(f"{failed} failed")
        parts += sorted({why for model in self.models if (why := _waiting(model))})
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


def _waiting(model: ChatModel) -> str | None:
    """Why a model waits (all its endpoints are down, say); None where it does not, or cannot tell."""
    status: Callable[[], str | None] | None = getattr(model, "status", None)
    return status() if status is not None else None


def _duration(seconds: float) -> str:
    minutes, rest = divmod(int(max(seconds, 0)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h{minutes:02d}m" if hours else f"{minutes}m{rest:02d}s"
