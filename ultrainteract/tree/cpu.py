"""CPU work on the event loop: long texts of many trees are read one by one, with the loop free in between."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class CPUQueue:
    """Runs pieces of work that take milliseconds, one in each turn of the event loop, in order of arrival."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()

    async def run(self, work: Callable[[], T]) -> T:
        """Calls `work` once the pieces before it are done and the loop has seen to everything else."""
        async with self._lock:
            done = work()
            await asyncio.sleep(0)
        return done
