"""Parquet shards, written as rows stream by: the same rows in the same order give the same bytes.

Nothing in a file depends on time, place or the number of cores: row groups and shards end at fixed sizes of
the Arrow data. Rows are turned into Arrow on the caller's thread; encoding and compression run on another one,
outside the interpreter's lock. A split appears in its folder whole or not at all.
"""

from __future__ import annotations

import re
import shutil
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future
from contextlib import suppress
from pathlib import Path
from typing import Any

from ultrainteract.errors import StoreError
from ultrainteract.exporting.columns import arrow_schema
from ultrainteract.exporting.order import ArrowSpread

Row = dict[str, Any]

GROUP_BYTES = 16 * 2**20
"""Arrow bytes of a row group, about."""
SHARD_BYTES = 512 * 2**20
"""Arrow bytes of a shard, about."""
PARQUET: dict[str, Any] = {
    "version": "2.6",
    "data_page_version": "1.0",
    "compression": "zstd",
    "compression_level": 3,
    "write_page_index": False,
    "store_schema": True,
}
"""Settings pinned so that a newer library's defaults do not change the bytes."""
_REPETITIVE = ("task", "dataset", "role", "from", "label", "check", "model", "provider", "step", "status", "critic",
               "state", "ended", "detail")  # fmt: skip


class SplitWriter:
    """Writes one split of one export as Parquet shards.

    Args:
        folder: Folder of the export; shards are written to a temporary name in it until `finish`.
        columns: Type names by column name.
        metadata: Computes the key-value metadata of a shard when the shard is closed.
        pool: Runs the encoding. Tasks of one writer run in order.
        spread: Keep rows of one problem apart.
    """

    def __init__(
        self, folder: Path, columns: Mapping[str, str], metadata: Callable[[], dict[str, str]], pool: Executor,
        *, spread: bool = False,
    ) -> None:  # fmt: skip
        self.rows = 0
        self.shards: list[Path] = []
        self._folder = folder
        self._schema = arrow_schema(columns)
        self._options = PARQUET | {
            "use_dictionary": _leaves(self._schema, _REPETITIVE),
            "write_statistics": _leaves(self._schema, (*_REPETITIVE, "id", "parent_id", "depth")),
        }
        self._metadata = metadata
        self._pool = pool
        self._spread = ArrowSpread() if spread else None
        self._batches: list[Any] = []
        self._group_bytes = 0
        self._shard_bytes = 0
        self._writer: Any = None
        self._jobs: deque[Future[None]] = deque()

    def add(self, batch: Any, size: int, problems: Sequence[str] = ()) -> None:
        """Adds rows.

        Args:
            batch: The rows, as an Arrow batch.
            size: Its Arrow bytes: a property of the rows, which a copy of the batch need not share.
            problems: The problem of each row; not looked at unless rows are spread.

        Raises:
            StoreError: A write failed.
        """
        self.rows += batch.num_rows
        if self._spread is None:
            self._append(batch, size)
            return
        for ordered in self._spread.add(batch, problems):
            self._append(ordered, ordered.nbytes)

    def _append(self, batch: Any, size: int) -> None:
        self._batches.append(batch)
        self._group_bytes += size
        if self._group_bytes >= GROUP_BYTES:
            self._group()
        if self._shard_bytes >= SHARD_BYTES:
            self._close()

    def add_rows(self, rows: list[tuple[str, Row]]) -> None:
        """Adds rows that are not Arrow yet.

        Args:
            rows: (problem, row).

        Raises:
            StoreError: A write failed.
        """
        import pyarrow as pa

        if rows:
            batch = pa.RecordBatch.from_pylist([row for _, row in rows], schema=self._schema)
            self.add(batch, batch.nbytes, [problem for problem, _ in rows])

    def finish(self) -> list[Path]:
        """Writes what is left and returns the shards; an empty split has one shard without rows.

        Raises:
            StoreError: A write failed.
        """
        for ordered in self._spread.rest() if self._spread else ():
            self._append(ordered, ordered.nbytes)
        self._group()
        if self._writer is None and not self.shards:
            self._open()
        self._close()
        self._wait(0)
        return self.shards

    def abandon(self) -> None:
        """Closes what is open, after a failure."""
        for job in self._jobs:
            job.cancel()
        if self._writer is not None:
            with suppress(OSError):  # the file is thrown away
                self._writer.close()
            self._writer = None

    def _group(self) -> None:
        import pyarrow as pa

        if not self._batches:
            return
        if self._writer is None:
            self._open()
        table, writer = pa.Table.from_batches(self._batches), self._writer
        self._shard_bytes += self._group_bytes
        self._batches, self._group_bytes = [], 0
        self._wait(1)
        self._jobs.append(self._pool.submit(writer.write_table, table, row_group_size=max(1, table.num_rows)))

    def _open(self) -> None:
        import pyarrow.parquet as pq

        path = self._folder / f"{len(self.shards):05d}.parquet"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._writer = pq.ParquetWriter(path, self._schema, **self._options)
        except OSError as error:
            raise StoreError(
                f"Cannot write the export {path}: {error}. What was there before is kept."
            ) from error
        self.shards.append(path)

    def _close(self) -> None:
        if self._writer is None:
            return
        writer, metadata = self._writer, self._metadata()
        self._writer, self._shard_bytes = None, 0

        def close() -> None:
            writer.add_key_value_metadata(metadata)
            writer.close()

        self._jobs.append(self._pool.submit(close))

    def _wait(self, left: int) -> None:
        while len(self._jobs) > left:
            try:
                self._jobs.popleft().result()
            except OSError as error:
                raise StoreError(
                    f"Cannot write the export in {self._folder}: {error}. What was there before is kept."
                ) from error


_SHARD = re.compile(r"(?:(?:train|validation)-)?\d{5}(?:-of-\d{5})?\.parquet")
"""Name of a file that an export has written."""


def replace_folder(new: Path, target: Path) -> None:
    """Puts a finished export in the place of `target`; files there that no export has written are kept.

    Args:
        new: The finished folder.
        target: The folder to replace; it need not exist.

    Raises:
        StoreError: The file system refuses.
    """
    old = target.with_name(f".{target.name}.old")
    try:
        if old.exists() and not target.exists():  # a kill came between the two renames
            old.rename(target)
        shutil.rmtree(old, ignore_errors=True)
        if target.exists():
            for path in target.rglob("*"):
                kept = new / path.relative_to(target)
                if not path.is_dir() and not _SHARD.fullmatch(path.name) and not kept.exists():
                    kept.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copy2(path, kept, follow_symlinks=False)
            target.rename(old)
        new.rename(target)
        shutil.rmtree(old, ignore_errors=True)
    except OSError as error:
        raise StoreError(f"Cannot put the export in place at {target}: {error}.") from error


def _leaves(schema: Any, names: tuple[str, ...]) -> list[str]:
    """Parquet paths of the leaf columns with one of `names`."""
    import pyarrow as pa

    def walk(path: str, kind: Any) -> Iterator[str]:
        if pa.types.is_struct(kind):
            for field in kind:
                yield from walk(f"{path}.{field.name}", field.type)
        elif pa.types.is_list(kind):
            yield from walk(f"{path}.list.element", kind.value_type)
        elif path.rsplit(".", 1)[-1] in names:
            yield path

    return [leaf for field in schema for leaf in walk(field.name, field.type)]
