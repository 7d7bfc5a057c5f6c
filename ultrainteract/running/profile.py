"""How long the event loop kept others waiting: what `run --profile` measures and reports.

A task that sleeps for ten milliseconds at a time sees by how much it wakes late. A thread beside it looks at
the loop's stack while the task is late, so that a stall is reported with the code that caused it.
"""

from __future__ import annotations

import asyncio
import gc
import sys
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import FrameType

from ultrainteract.schema import Record

STALL_S = 0.05
"""Lag from which on the loop counts as stalled."""
_BEAT_S = 0.01
_LONGEST_KEPT = 10
_FRAMES = 4
_PACKAGE = str(Path(__file__).parents[1])


class Stall(Record):
    """One time that the loop did not get to its next callback."""

    lag_ms: float
    cpu_ms: float
    """Of it, CPU time of the loop's thread; the rest went to other threads, other processes and the disk."""
    gc_ms: float
    """Of it, garbage collection."""
    where: str
    """What the loop was seen at most often, innermost call first; empty if it was never seen late."""


class LoopLag(Record):
    """How late the event loop was over a run."""

    seconds: float
    """How long it was watched."""
    cpu_share: float
    """CPU time of the loop's thread, as a share of that."""
    p99_ms: float
    """99th percentile of the delay of a due callback."""
    longest_ms: float
    stalls: int
    """Times it was late by more than 50 ms."""
    worst: tuple[Stall, ...]
    """The longest of these, at most ten."""


class LoopWatch:
    """Measures the running event loop; use `watched`."""

    def __init__(self) -> None:
        self._lags: Counter[int] = Counter()  # tenths of a millisecond
        self._worst: list[Stall] = []
        self._stalls = 0
        self._seen: Counter[str] = Counter()
        self._thread_id = threading.get_ident()
        self._due = time.perf_counter() + _BEAT_S
        self._gc_began = self._gc_s = 0.0
        self._over = threading.Event()
        self._began, self._cpu_began = time.perf_counter(), time.thread_time()

    def lag(self) -> LoopLag:
        """The figures so far; call it on the loop's thread."""
        seconds = time.perf_counter() - self._began
        return LoopLag(
            seconds=seconds,
            cpu_share=(time.thread_time() - self._cpu_began) / max(seconds, 1e-9),
            p99_ms=self._percentile(0.99),
            longest_ms=max(self._lags, default=0) / 10,
            stalls=self._stalls,
            worst=tuple(self._worst),
        )

    async def beat(self) -> None:
        """Measures until it is cancelled."""
        while True:
            self._gc_s, cpu = 0.0, time.thread_time()
            self._due = time.perf_counter() + _BEAT_S
            await asyncio.sleep(_BEAT_S)
            lag = max(time.perf_counter() - self._due, 0.0)
            self._note(lag, time.thread_time() - cpu)

    def _note(self, lag: float, cpu: float) -> None:
        # What became due in the course of a long lag waited for the rest of it: it counts too.
        waited = lag
        while True:
            self._lags[int(waited * 1e4)] += 1
            waited -= _BEAT_S
            if waited <= 0:
                break
        seen, self._seen = self._seen, Counter()
        if lag <= STALL_S:
            return
        self._stalls += 1
        where = seen.most_common(1)[0][0] if seen else ""
        stall = Stall(lag_ms=lag * 1e3, cpu_ms=cpu * 1e3, gc_ms=self._gc_s * 1e3, where=where)
        self._worst = sorted((*self._worst, stall), key=lambda item: -item.lag_ms)[:_LONGEST_KEPT]

    def _percentile(self, share: float) -> float:
        left = share * self._lags.total()
        for tenths in sorted(self._lags):
            left -= self._lags[tenths]
            if left <= 0:
                return tenths / 10
        return 0.0

    def look(self) -> None:
        """Looks at the loop's stack whenever it is late; runs in a thread of its own."""
        while not self._over.wait(_BEAT_S):
            if time.perf_counter() - self._due < STALL_S / 2:
                continue
            frame = sys._current_frames().get(self._thread_id)
            if frame is not None:
                self._seen[_place(frame)] += 1

    def collected(self, phase: str, info: dict[str, int]) -> None:
        """Counts the time of garbage collections on the loop's thread (`gc.callbacks`)."""
        if threading.get_ident() != self._thread_id:
            return
        if phase == "start":
            self._gc_began = time.perf_counter()
        else:
            self._gc_s += time.perf_counter() - self._gc_began

    def end(self) -> None:
        """Ends the thread that runs `look`."""
        self._over.set()


@asynccontextmanager
async def watched() -> AsyncIterator[LoopWatch]:
    """Watches the running loop while the block runs."""
    watch = LoopWatch()
    thread = threading.Thread(target=watch.look, name="loop-watch", daemon=True)
    gc.callbacks.append(watch.collected)
    thread.start()
    task = asyncio.create_task(watch.beat())
    try:
        yield watch
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        watch.end()
        thread.join()
        gc.callbacks.remove(watch.collected)


def _place(frame: FrameType) -> str:
    """The innermost call, and the innermost ones of this package."""
    calls = [_call(frame)]
    outer: FrameType | None = frame.f_back
    while outer is not None and len(calls) < _FRAMES:
        if outer.f_code.co_filename.startswith(_PACKAGE):
            calls.append(_call(outer))
        outer = outer.f_back
    return " < ".join(calls)


def _call(frame: FrameType) -> str:
    path = Path(frame.f_code.co_filename)
    return f"{'/'.join(path.parts[-2:])}:{frame.f_lineno} {frame.f_code.co_name}"
