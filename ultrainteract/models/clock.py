"""Time as the model clients see it, so that tests of hours of waiting take milliseconds."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Protocol


class Clock(Protocol):
    """A source of time and of waiting. All limits, pauses and backoffs go through one."""

    def now(self) -> float:
        """Monotonic seconds."""
        ...

    def wall(self) -> float:
        """Seconds since the epoch, to compare with dates that servers send."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Waits."""
        ...

    def call_later(self, seconds: float, callback: Callable[[], None]) -> asyncio.TimerHandle:
        """Calls `callback` from the running event loop after a while."""
        ...


class SystemClock:
    """Real time."""

    def now(self) -> float:
        """Monotonic seconds."""
        return time.monotonic()

    def wall(self) -> float:
        """Seconds since the epoch."""
        return time.time()

    async def sleep(self, seconds: float) -> None:
        """Waits."""
        await asyncio.sleep(seconds)

    def call_later(self, seconds: float, callback: Callable[[], None]) -> asyncio.TimerHandle:
        """Calls `callback` from the running event loop after a while."""
        return asyncio.get_running_loop().call_later(seconds, callback)
