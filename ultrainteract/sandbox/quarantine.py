"""Requests whose worker was lost, and which of them is to blame for it.

A worker that dies takes all its executions along, and nothing says which of them did it. Each of them is then tried
once more with a worker to itself, so that no neighbour is lost a second time. A request that loses this worker too is
not tried again, now or later: it is a fault of the sandbox, never a verdict on the code.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ultrainteract.sandbox.channel import Answer, ConnectionLost, ToolCall
from ultrainteract.sandbox.worker import Worker

IN_QUARANTINE = "this program cost two sandboxes and is not run again"
_REMEMBERED = 10_000
"""Programs in quarantine; the oldest is forgotten."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Request:
    """One execution, as a worker is asked for it."""

    header: dict[str, Any]
    body: bytes
    tool: ToolCall | None
    deadline_s: float
    """Seconds after which the worker counts as lost."""

    @property
    def digest(self) -> bytes:
        """What it is known by: the same program on the same input."""
        return hashlib.sha256(self.body).digest()

    async def ask(self, worker: Worker) -> Answer:
        """The worker's answer.

        Raises:
            ConnectionLost: The worker is gone.
            TimeoutError: It missed the deadline.
        """
        async with asyncio.timeout(self.deadline_s):
            return await worker.request(self.header, self.body, self.tool)


class Quarantine:
    """Runs suspects one at a time, and remembers the guilty.

    Args:
        make: Makes a worker, not started yet.
    """

    def __init__(self, make: Callable[[], Worker]) -> None:
        self._make = make
        self._worker: Worker | None = None
        self._turn = asyncio.Lock()
        self._suspects = 0
        self._guilty: OrderedDict[bytes, None] = OrderedDict()
        self.count = 0
        """Programs put in quarantine so far."""

    def holds(self, request: Request) -> bool:
        """True where the request is not to be run."""
        return bool(self._guilty) and request.digest in self._guilty

    def put(self, request: Request) -> None:
        """Remembers a request that cost a second worker."""
        self.count += 1
        self._guilty[request.digest] = None
        if len(self._guilty) > _REMEMBERED:
            self._guilty.popitem(last=False)
        _log.error(
            "quarantine: program %s cost two sandboxes (%d so far)", request.digest.hex()[:16], self.count
        )

    async def alone(self, request: Request) -> Answer:
        """Runs a suspect with no other beside it.

        Raises:
            ConnectionLost: It lost this worker too.
            TimeoutError: So it did, by a missed deadline.
            SandboxError: No worker can be started.
        """
        self._suspects += 1
        try:
            async with self._turn:
                if self._worker is None or not self._worker.usable:
                    await self._close()
                    worker = self._make()
                    await worker.start()
                    self._worker = worker
                try:
                    return await request.ask(self._worker)
                except (ConnectionLost, TimeoutError):
                    await self._close()
                    raise
        finally:
            self._suspects -= 1
            if not self._suspects:
                await self._close()

    async def _close(self) -> None:
        worker, self._worker = self._worker, None
        if worker is not None:
            await worker.close()

    async def close(self) -> None:
        """Ends its worker. Idempotent."""
        await self._close()
