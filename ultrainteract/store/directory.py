"""One run directory: `store.sqlite` (WAL), the frozen configuration in it, a lock, and beside it the exports.

Guarantees: a directory is bound to one configuration; a torn write leaves the last commit; two processes
cannot write at once; every input has at most one outcome; trees are read back in the order of their ids,
which does not depend on the order in which they were grown.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Self

import orjson

from ultrainteract.config import RunConfig, Shard
from ultrainteract.errors import StoreError
from ultrainteract.schema import Tree
from ultrainteract.store.reading import STORE_FILE, StoreReader
from ultrainteract.store.records import Outcome, Settled, StoreRecord, tree_number
from ultrainteract.store.sql import FORMAT, READABLE, TABLES, connect, migrate
from ultrainteract.store.writer import Writer


class RunStore(StoreReader):
    """An open run directory. Use `open`, `create` or `resume`, then `close` (or a `with` block)."""

    def __init__(self, folder: Path, *, readonly: bool) -> None:
        self.readonly = readonly
        self._lock: int | None = None
        self._writer: Writer | None = None
        path = folder / STORE_FILE
        try:
            if not readonly:
                self._lock = _lock(folder)
            super().__init__(folder, connect(path, readonly=readonly))
            if not readonly:
                self._writer = Writer(path, connect(path, readonly=False))
        except sqlite3.Error as error:
            self._unlock()
            raise StoreError(f"Cannot open the run directory {folder}: {error}.") from error

    # ------------------------------------------------------------------------------------------- opening

    @classmethod
    def open(cls, folder: str | Path, *, readonly: bool = True) -> Self:
        """Opens an existing run directory.

        Raises:
            StoreError: There is none, its format is unknown, or another process is writing to it.
        """
        folder = Path(folder)
        if not (folder / STORE_FILE).is_file():
            raise StoreError(f"{folder} is not a run directory (no {STORE_FILE} in it).")
        store = cls(folder, readonly=readonly)
        version = store.meta("format")
        if version not in READABLE:
            store.close()
            known = " and ".join(sorted(READABLE))
            raise StoreError(f"{folder} has store format {version}; this version reads formats {known}.")
        if not readonly and version != str(FORMAT):
            store._migrate()
        return store

    @classmethod
    def create(cls, folder: str | Path, config: RunConfig) -> Self:
        """Makes a new run directory for `config`.

        Raises:
            StoreError: It cannot be written, or holds a run already.
        """
        folder = Path(folder)
        path = folder / STORE_FILE
        if path.exists():
            raise StoreError(f"{folder} holds a run already.")
        temporary = folder / f"{STORE_FILE}.new"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            temporary.unlink(missing_ok=True)
            connection = sqlite3.connect(temporary, isolation_level=None)
            connection.executescript("PRAGMA page_size=8192;" + TABLES)
            rows = {
                "format": str(FORMAT),
                "config": _dump(config),
                "frozen": orjson.dumps(config.frozen()).decode(),
            }
            connection.executemany("INSERT INTO meta VALUES (?, ?)", rows.items())
            connection.close()
            os.replace(temporary, path)  # a kill before this line leaves no half-made store
        except (OSError, sqlite3.Error) as error:
            raise StoreError(f"Cannot create the run directory {folder}: {error}.") from error
        return cls.open(folder, readonly=False)

    @classmethod
    def resume(cls, folder: str | Path, config: RunConfig, *, accept_config: bool = False) -> Self:
        """Opens the run directory of `config`, or makes it.

        Args:
            folder: The run directory.
            config: What the run is to do.
            accept_config: Bind the directory to `config` where it was made by another one: finished trees are
                dropped and grown again, recorded calls answer whatever did not change.

        Raises:
            StoreError: It belongs to another configuration, and holds answers of models; the message lists the fields
                that differ.
        """
        if not (Path(folder) / STORE_FILE).exists():
            return cls.create(folder, config)
        store = cls.open(folder, readonly=False)
        differences = list(store.differences(config.frozen()))
        if differences and accept_config and store.meta("compacted"):
            store.close()
            raise StoreError(
                f"{folder} was compacted: the calls that a changed configuration would replay are gone. "
                "Use another output directory."
            )
        if differences and not accept_config and not store.is_unused():
            store.close()
            raise StoreError(
                f"{folder} was made by another configuration. What differs (recorded → now):\n"
                + "\n".join(f"  {line}" for line in differences)
                + "\nUse another output directory; or --accept-config, where the command has it, to go on with the new "
                "configuration (finished trees are grown again, recorded calls are reused); or --fresh --yes of `run` "
                "to delete the run."
            )
        connection = store.connection()
        try:
            connection.execute("BEGIN IMMEDIATE")
            if differences:
                connection.execute("DELETE FROM outcomes")
                connection.execute("DELETE FROM admitted")
                connection.execute("DELETE FROM tallies")
                connection.execute("DROP TABLE IF EXISTS set_aside")
            connection.execute(
                "UPDATE meta SET value = ? WHERE key = 'frozen'", (orjson.dumps(config.frozen()).decode(),)
            )
            connection.execute("UPDATE meta SET value = ? WHERE key = 'config'", (_dump(config),))
            if config.shard is not None:
                _drop_foreign(connection, config.shard)
            connection.execute("COMMIT")
        except sqlite3.Error as error:
            store.close()
            raise StoreError(f"Cannot write to the run directory {folder}: {error}.") from error
        finally:
            connection.close()
        return store

    @staticmethod
    def delete(folder: str | Path) -> None:
        """Deletes a run's database and exports, and nothing else in the folder.

        Raises:
            StoreError: Another process is writing to it.
        """
        folder = Path(folder)
        if not (folder / STORE_FILE).exists():
            return
        lock = _lock(folder)
        for name in (STORE_FILE, f"{STORE_FILE}-wal", f"{STORE_FILE}-shm", "report.json", "config.yaml"):
            (folder / name).unlink(missing_ok=True)
        shutil.rmtree(folder / "exports", ignore_errors=True)
        os.close(lock)

    def close(self) -> None:
        """Commits what is queued and releases the directory. Idempotent."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        self._reader.close()
        self._unlock()

    def _unlock(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # ------------------------------------------------------------------------------------------- writing

    async def put(self, records: Sequence[StoreRecord]) -> None:
        """Writes all of `records`, or none, and returns when they are durable.

        Raises:
            StoreError: The write failed.
        """
        await self._write().put(records)

    async def put_outcomes(self, outcomes: list[tuple[Outcome, Tree | None]]) -> None:
        """Records how inputs ended, durably; a failed one may be replaced later.

        Raises:
            StoreError: The write failed.
        """
        await self.put([Settled.of(outcome, tree) for outcome, tree in outcomes])

    async def put_inputs(self, count: int) -> None:
        """Records how many inputs the seed set has, once all have been read.

        Raises:
            StoreError: The write failed.
        """
        await self._write().put_meta("inputs", str(count))

    def put_meta(self, key: str, value: str) -> None:
        """Records a value of the directory itself.

        Raises:
            StoreError: The write failed.
        """
        try:
            with closing(self.connection()) as connection:
                connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))
        except sqlite3.Error as error:
            raise StoreError(f"Cannot write to the run directory {self.folder}: {error}.") from error

    def connection(self) -> sqlite3.Connection:
        """A further writing connection, for copying rows by SQL within the store; the caller closes it."""
        return connect(self.folder / STORE_FILE, readonly=False)

    def vacuum(self) -> None:
        """Gives the room of deleted rows back to the disk.

        Raises:
            StoreError: There is not enough room for the copy that this takes.
        """
        connection = self.connection()
        try:
            connection.execute("VACUUM")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        except sqlite3.Error as error:
            raise StoreError(f"Cannot shrink {self.folder / STORE_FILE}: {error}.") from error
        finally:
            connection.close()

    def _write(self) -> Writer:
        if self._writer is None:
            raise StoreError(f"{self.folder} was opened for reading only.")
        return self._writer

    def _migrate(self) -> None:
        connection = self.connection()
        try:
            migrate(connection)
        except sqlite3.Error as error:
            self.close()
            raise StoreError(f"Cannot bring {self.folder} to store format {FORMAT}: {error}.") from error
        finally:
            connection.close()


def _drop_foreign(connection: sqlite3.Connection, shard: Shard) -> None:
    """Drops skipped inputs that belong to other shards since their keys changed (see `store.sql`)."""
    connection.create_function("held", 1, lambda key: shard.holds(tree_number(key)))
    connection.execute("DELETE FROM outcomes WHERE state = 'skipped' AND NOT held(key)")


def is_locked(folder: Path) -> bool:
    """Whether a process on this machine is writing to a run directory."""
    try:
        descriptor = os.open(folder / ".lock", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(descriptor)
    return False


def _lock(folder: Path) -> int:
    try:
        descriptor = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise StoreError(f"Cannot write to the run directory {folder}: {error.strerror}.") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        raise StoreError(f"Another process is running in {folder}; wait for it or stop it.") from error
    return descriptor


def _dump(config: RunConfig) -> str:
    return config.model_dump_json()
