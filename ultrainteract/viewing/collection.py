"""One set of trees that is looked at: a run (its shards read as one), or trees imported from anywhere else."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any
from zlib import crc32

import orjson

from ultrainteract.dataset.audits import Audit, read_audit, write_audit
from ultrainteract.errors import DataError, StoreError, UltraInteractError
from ultrainteract.schema import content_hash
from ultrainteract.store import OutcomeRow, RunStore, find_runs, is_locked, pack
from ultrainteract.viewing.auditing import drawn_audit
from ultrainteract.viewing.index import INDEX_FILE, Index
from ultrainteract.viewing.summary import Json, plain_tree, summary_of

_BATCH = 50
"""Trees per transaction of the index."""
_NO_ROW = OutcomeRow(0, "", "", "", "", "", None)
_NICE = 10
"""Priority of the thread that builds an index: what the page asks for, and a run under way, go first."""


class Collection:
    """Trees of one place. Use it in a `with` block; `start` builds its index.

    Args:
        place: A run directory, a folder or glob of shards, exports, Parquet, or a Hub dataset id.
        revision: Revision of a Hub dataset.

    Raises:
        StoreError: The run cannot be read.
        ConfigError: Runs at this place have different settings.
    """

    def __init__(self, place: str, revision: str | None = None) -> None:
        self.place, self.revision = place, revision
        self.error = ""
        """Why the index is not whole; empty where nothing is wrong."""
        self.finished = False
        """Whether all that there was has been indexed once."""
        self._stack = ExitStack()
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None
        self.folders = find_runs(place, self._stack)
        self.stores = [self._stack.enter_context(RunStore.open(folder)) for folder in self.folders]
        for other in self.stores[1:]:
            if any(self.stores[0].differences(other.frozen())):
                raise StoreError(
                    f"{self.stores[0].folder} and {other.folder} are of different runs. Name them apart."
                )
        self.name = Path(place.rstrip("/")).name or place
        self.index = self._open_index()

    @property
    def is_run(self) -> bool:
        """Whether these are run directories."""
        return bool(self.stores)

    @property
    def home(self) -> Path:
        """The folder beside whose data marks and audits lie."""
        if len(self.folders) == 1:
            return self.folders[0]
        path = Path(self.place)
        if path.is_dir():
            return path
        return path.parent if path.is_file() else (self.folders[0].parent if self.folders else Path.cwd())

    def _open_index(self) -> Index:
        origin = content_hash([store.frozen() for store in self.stores])
        if self.is_run and "://" not in self.place and os.access(self.home, os.W_OK):
            with suppress(StoreError):
                return Index(self.home / INDEX_FILE, origin)
        folder = self._stack.enter_context(tempfile.TemporaryDirectory(prefix="ultrainteract-view-"))
        return Index(Path(folder) / INDEX_FILE, origin)

    # ------------------------------------------------------------------------------------------ indexing

    def start(self) -> None:
        """Builds the index, and keeps following a run, in a thread of low priority."""
        if not self.is_run and not Path(self.place).exists() and "/" not in self.place:
            raise DataError(
                f"{self.place} is neither a run directory, nor a file or folder of exports, nor a Hub id."
            )
        self._thread = threading.Thread(target=self._work, name=f"index {self.name}", daemon=True)
        self._thread.start()

    def build(self) -> None:
        """Builds the index to its end, here and now.

        Raises:
            UltraInteractError: The place cannot be read.
        """
        if self.is_run:
            while self.follow():
                pass
        else:
            self._import()
        self.finished = True

    def _work(self) -> None:
        with suppress(OSError, AttributeError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)
        try:
            if not self.is_run:
                if not self.finished:
                    self._import()
                self.finished = True
                return
            while not self._ended.is_set():
                if not self.follow():
                    self.finished = True
                    self._ended.wait(1.0)
        except (UltraInteractError, sqlite3.Error, OSError) as error:
            if not self._ended.is_set():
                self.error = str(error)

    def follow(self) -> int:
        """Indexes the next few outcomes of a run that are not indexed yet; returns how many there were."""
        done = 0
        for number, store in enumerate(self.stores):
            last = int(self.index.meta(f"last {number}") or 0)
            if last and _mark_of((store.outcome_rows(last - 1, 1) or [_NO_ROW])[0]) != self.index.meta(
                f"mark {number}"
            ):
                return self._begin_again()
            rows = store.outcome_rows(last, _BATCH)
            if rows:
                newest = {f"last {number}": str(rows[-1].number), f"mark {number}": _mark_of(rows[-1])}
                self.index.add([summary_of(*row[1:]) for row in rows], meta=newest)
                done += len(rows)
        if not done and len(self.stores) == 1 and self.total() != self.index.count:
            return self._begin_again()
        return done

    def _begin_again(self) -> int:
        """Forgets an index whose run has dropped outcomes since: it was retried, pruned, or made anew."""
        self.index.clear()
        self.index.add((), meta={f"last {number}": "0" for number in range(len(self.stores))})
        return 1

    def _import(self) -> None:
        from ultrainteract.dataset.source import Source

        with Source.open(self.place, revision=self.revision) as source:
            lines, trees = [], []
            for tree in source.trees:
                if self._ended.is_set():
                    return
                text = tree.model_dump_json().encode()
                instruction = tree.instruction
                lines.append(
                    summary_of(tree.id, tree.state.value, "", instruction.dataset, instruction.source, text)
                )
                trees.append(pack(text))
                if len(lines) == _BATCH:
                    self.index.add(lines, trees)
                    lines, trees = [], []
            self.index.add(lines, trees)

    # ------------------------------------------------------------------------------------------- reading

    def tree(self, key: str) -> bytes | None:
        """A tree as it is stored, packed or not; None where the input has none.

        Raises:
            DataError: No input has this id.
        """
        for store in self.stores:
            found = store.packed_tree(key)
            if found is not None:
                return found
        found = self.index.tree(key)
        if found is None and not self.index.find(key):
            raise DataError(f"There is no input {key} in {self.name}.")
        return found

    def plain_trees(self) -> Iterator[tuple[str, Json]]:
        """Yields (id, plain tree) of everything that is indexed and has a tree."""
        for line in self.index.lines():
            stored = self.tree(line.key)
            if stored is not None:
                yield line.key, plain_tree(stored)

    def draw_audit(self, count: int) -> Audit:
        """The audit beside these trees; drawn where there is none yet.

        Args:
            count: Actions to draw.

        Raises:
            DataError: There is nothing to judge, or another audit cannot be read.
        """
        found = read_audit(self.home)
        if found is None:
            found = drawn_audit(self.plain_trees(), count, self.name)
            if not found.items:
                raise DataError(f"{self.name} has no labelled action to judge.")
            write_audit(self.home, found)
        return found

    def total(self) -> int | None:
        """Inputs that have ended, indexed or not; None where that is not known."""
        return sum(store.count_outcomes() for store in self.stores) if self.is_run else None

    def is_live(self) -> bool:
        """Whether a process on this machine is growing trees here."""
        return any(is_locked(folder) for folder in self.folders)

    async def drawn(self, key: str) -> list[dict[str, Any]]:
        """Every recorded sample of a tree, kept or not, in the order in which they were asked for.

        A process of its own grows the tree once more over the record: that takes graders and their libraries, which
        would stay in memory here.

        Raises:
            DataError: Nothing is recorded, or it cannot be read.
        """
        for store in self.stores:
            if store.packed_tree(key) is not None:
                if not store.recorded(key)[0]:
                    raise DataError("The recorded calls of this run were dropped by `compact`.")
                output = await command("calls", str(store.folder), key, "--jsonl")
                return [orjson.loads(line) for line in output.splitlines()]
        raise DataError("Only a run directory records samples that were not kept.")

    async def figures(self) -> bytes:
        """What `stats --json` prints of these trees."""
        more = ["--revision", self.revision] if self.revision else []
        return await command("stats", self.place, "--json", *more)

    def close(self) -> None:
        """Ends the thread and closes everything."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join(10)
        self.index.close()
        self._stack.close()

    def __enter__(self) -> Collection:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


async def command(*arguments: str) -> bytes:
    """What a command of this program prints.

    Raises:
        DataError: It failed; the message is its own.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "ultrainteract", *arguments,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, stdin=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        output, said = await process.communicate()
    except asyncio.CancelledError:
        process.kill()
        raise
    if process.returncode:
        raise DataError(said.decode("utf-8", "replace").strip().removeprefix("error: ") or "It failed.")
    return output


def _mark_of(row: OutcomeRow) -> str:
    """Tells an outcome from another one that was written in its place."""
    return f"{row.number} {row.key} {crc32(row.tree or b'')}"
