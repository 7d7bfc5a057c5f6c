"""Group commit: one thread owns the writing connection and puts whatever is queued into one transaction.

Guarantees: `put` returns only after its rows are on disk; rows of one `put` are committed together; after a
failed write every later `put` fails, so that nothing is ever used that was not recorded.
"""

from __future__ import annotations

import asyncio
import queue
import sqlite3
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from ultrainteract.errors import StoreError
from ultrainteract.store.records import StoreRecord
from ultrainteract.store.sql import write

_MAX_PUTS = 2_000
LINGER_PER_PUT_S = 0.0006
MAX_LINGER_S = 0.010
"""How long the first record of a commit waits for others: longer the more the last commit had. A commit costs as much
CPU as ten records, in syncing the disk; trees beyond a model's `max_concurrency` keep it busy meanwhile."""


class Writer:
    """Commits records from any number of tasks, many at a time.

    Args:
        path: The SQLite file.
        connection: Open connection to it; from now on used by the writer's thread alone.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self._path = path
        self._connection = connection
        self._queue: queue.SimpleQueue[_Put | None] = queue.SimpleQueue()
        self._error: StoreError | None = None
        self._thread = threading.Thread(target=self._work, name="store-writer", daemon=True)
        self._thread.start()

    async def put(self, records: Sequence[StoreRecord]) -> None:
        """Commits all `records` together and returns when they are durable.

        Raises:
            StoreError: The write failed, or an earlier one did. The run must stop.
        """
        await self._put(records, {})

    async def put_meta(self, key: str, value: str) -> None:
        """Commits a value of the directory itself.

        Raises:
            StoreError: As of `put`.
        """
        await self._put((), {key: value})

    async def _put(self, records: Sequence[StoreRecord], meta: dict[str, str]) -> None:
        if self._error is not None:
            raise self._error
        loop = asyncio.get_running_loop()
        put = _Put(records, meta, loop, loop.create_future())
        self._queue.put(put)
        await put.future  # a caller that is cancelled does not take the rows back

    def close(self) -> None:
        """Commits what is queued, then ends the thread and closes the connection."""
        self._queue.put(None)
        self._thread.join()

    def _work(self) -> None:
        batch: list[_Put] = []
        while True:
            item = self._queue.get()
            if item is None:
                break
            if len(batch) > 1:
                time.sleep(min(MAX_LINGER_S, LINGER_PER_PUT_S * len(batch)))
            batch = [item]
            last = False
            while len(batch) < _MAX_PUTS:
                try:
                    item = self._queue.get_nowait()
                except queue.Empty:
                    break
                if item is None:
                    last = True
                    break
                batch.append(item)
            self._commit(batch)
            if last:
                break
        self._connection.close()

    def _commit(self, batch: list[_Put]) -> None:
        if self._error is None:
            try:
                self._connection.execute("BEGIN IMMEDIATE")
                write(self._connection, (record for put in batch for record in put.records))
                meta = [item for put in batch for item in put.meta.items()]
                self._connection.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", meta)
                self._connection.execute("COMMIT")
            except sqlite3.Error as error:
                if self._connection.in_transaction:
                    self._connection.rollback()
                self._error = StoreError(
                    f"Writing to {self._path} failed: {error}. Everything recorded before is intact; make room "
                    "or repair the disk, then run the same command to resume."
                )
        for loop in {put.loop for put in batch}:
            mine = [put.future for put in batch if put.loop is loop]
            if not loop.is_closed():
                loop.call_soon_threadsafe(_resolve, mine, self._error)


class _Put:
    __slots__ = ("future", "loop", "meta", "records")

    def __init__(
        self,
        records: Sequence[StoreRecord],
        meta: dict[str, str],
        loop: asyncio.AbstractEventLoop,
        future: asyncio.Future[None],
    ) -> None:
        self.records = records
        self.meta = meta
        self.loop = loop
        self.future = future


def _resolve(futures: list[asyncio.Future[None]], error: StoreError | None) -> None:
    for future in futures:
        if not future.done():
            if error is None:
                future.set_result(None)
            else:
                future.set_exception(error)
                future.exception()  # a cancelled caller no longer asks: keep asyncio from warning about it
