"""Admission to an engine that batches by itself: enough sequences under way to keep it busy, and no more.

Requests are weighted by the samples they ask for. Of those that wait, the role with the fewest sequences under
way is next, and within it the deepest turn, then the longest waiting; a large request is not overtaken for
ever by small ones.
"""

from __future__ import annotations

import asyncio
import contextlib
import heapq
from collections import Counter
from collections.abc import AsyncIterator
from itertools import count


class SequenceGate:
    """Bounds the sequences under way.

    Args:
        limit: Most sequences at once; a single request for more is let in alone.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.in_flight = 0
        self._by_role: Counter[str] = Counter()
        self._waiting: dict[str, list[tuple[int, int, int, asyncio.Future[None]]]] = {}
        self._arrival = count()

    @contextlib.asynccontextmanager
    async def hold(self, sequences: int, role: str, turn: int) -> AsyncIterator[None]:
        """Waits for room for `sequences`, and keeps it taken."""
        ready = asyncio.get_running_loop().create_future()
        entry = (-turn, next(self._arrival), sequences, ready)
        heapq.heappush(self._waiting.setdefault(role, []), entry)
        self._admit()
        try:
            await ready
            yield
        finally:
            if ready.done() and not ready.cancelled():
                self.in_flight -= sequences
                self._by_role[role] -= sequences
            self._admit()

    def _admit(self) -> None:
        while self._waiting:
            role = min(self._waiting, key=self._by_role.__getitem__)
            line = self._waiting[role]
            _, _, sequences, ready = line[0]
            if not ready.done():
                if self.in_flight and self.in_flight + sequences > self.limit:
                    return
                self.in_flight += sequences
                self._by_role[role] += sequences
                ready.set_result(None)
            heapq.heappop(line)
            if not line:
                del self._waiting[role]
