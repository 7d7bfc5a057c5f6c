"""One run directory: `store.sqlite` (WAL), the frozen configuration in it, a lock, and beside it the exports.

Guarantees: a directory is bound to one configuration; a torn write leaves the last commit; two processes
cannot write at once; every input has at most one outcome; trees are read back in the order of their ids,
which does not depend on the order in which they were grown.
"""

from __future__ import annotations

import fcntl
import operator
import os
import shutil
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Self

import orjson

from ultrainteract.config import RunConfig, parse_config
from ultrainteract.errors import StoreError
from ultrainteract.schema import Instruction, Tree, TreeState
from ultrainteract.store.records import Outcome, Settled, Spend, pack, tree_number, unpack
from ultrainteract.store.writer import Statement, Writer

FORMAT = 2
"""Version of the database layout."""

_FILE = "store.sqlite"
_PUT_OUTCOME = (
    "INSERT OR REPLACE INTO outcomes (key, state, reason, dataset, source, depth, tree, tallies) "
    "VALUES (?, ?, ?, ?, ?, ?, pack(?), ?)"
)
_SPEND = tuple(Spend.model_fields)
_spend_values = operator.attrgetter(*_SPEND)
_PUT_SPEND = (
    f"INSERT INTO spend ({', '.join(_SPEND)}) VALUES ({', '.join('?' * len(_SPEND))}) ON CONFLICT "
    f"(role, step, model, task) DO UPDATE SET {', '.join(f'{name} = {name} + excluded.{name}' for name in _SPEND[4:])}"
)
_TABLES = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE calls (id INTEGER PRIMARY KEY, key BLOB NOT NULL, first INTEGER NOT NULL, tree INTEGER NOT NULL,
                    payload BLOB NOT NULL, UNIQUE (key, first));
CREATE INDEX calls_of_tree ON calls (tree);
CREATE TABLE observations (id INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE, tree INTEGER NOT NULL,
                           payload BLOB NOT NULL);
CREATE INDEX observations_of_tree ON observations (tree);
CREATE TABLE outcomes (id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, state TEXT NOT NULL, reason TEXT NOT
                       NULL, dataset TEXT NOT NULL, source TEXT NOT NULL, depth INTEGER NOT NULL, tree BLOB,
                       tallies TEXT NOT NULL);
CREATE TABLE admitted (key TEXT PRIMARY KEY, instruction BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE spend (role TEXT, step TEXT, model TEXT, task TEXT, requests INTEGER, completions INTEGER,
                    prompt_tokens INTEGER, completion_tokens INTEGER, cost REAL, unpriced INTEGER,
                    PRIMARY KEY (role, step, model, task)) WITHOUT ROWID;
CREATE TABLE tallies (name TEXT PRIMARY KEY, value REAL NOT NULL) WITHOUT ROWID;
"""


class RunStore:
    """An open run directory. Use `open`, `create` or `resume`, then `close` (or a `with` block)."""

    def __init__(self, folder: Path, *, readonly: bool) -> None:
        self.folder = folder
        self.readonly = readonly
        self._lock: int | None = None
        self._writer: Writer | None = None
        path = folder / _FILE
        try:
            if not readonly:
                self._lock = _lock(folder)
            self._reader = _connect(path, readonly=readonly)
            if not readonly:
                self._writer = Writer(path, _connect(path, readonly=False))
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
        if not (folder / _FILE).is_file():
            raise StoreError(f"{folder} is not a run directory (no {_FILE} in it).")
        store = cls(folder, readonly=readonly)
        version = store.meta("format")
        if version != str(FORMAT):
            store.close()
            raise StoreError(f"{folder} has store format {version}; this version reads format {FORMAT}.")
        return store

    @classmethod
    def create(cls, folder: str | Path, config: RunConfig) -> Self:
        """Makes a new run directory for `config`.

        Raises:
            StoreError: It cannot be written, or holds a run already.
        """
        folder = Path(folder)
        path = folder / _FILE
        if path.exists():
            raise StoreError(f"{folder} holds a run already.")
        temporary = folder / f"{_FILE}.new"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            temporary.unlink(missing_ok=True)
            connection = sqlite3.connect(temporary, isolation_level=None)
            connection.executescript("PRAGMA page_size=8192;" + _TABLES)
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
            StoreError: It belongs to another configuration; the message lists the fields that differ.
        """
        if not (Path(folder) / _FILE).exists():
            return cls.create(folder, config)
        store = cls.open(folder, readonly=False)
        differences = list(store.differences(config.frozen()))
        if differences and accept_config and store.meta("compacted"):
            store.close()
            raise StoreError(
                f"{folder} was compacted: the calls that a changed configuration would replay are gone. "
                "Use another output directory."
            )
        if differences and not accept_config:
            store.close()
            raise StoreError(
                f"{folder} was made by another configuration. What differs (recorded → now):\n"
                + "\n".join(f"  {line}" for line in differences)
                + "\nUse another output directory; or --accept-config to go on with the new configuration "
                "(finished trees are grown again, recorded calls are reused); or --fresh --yes to delete the run."
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
        if not (folder / _FILE).exists():
            return
        lock = _lock(folder)
        for name in (_FILE, f"{_FILE}-wal", f"{_FILE}-shm", "report.json", "config.yaml"):
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

    # ------------------------------------------------------------------------------------------- reading

    def frozen(self) -> Any:
        """The configuration's binding part, as recorded."""
        return orjson.loads(self.meta("frozen"))

    def differences(self, frozen: dict[str, Any]) -> Iterator[str]:
        """Yields a line for each field in which another configuration's binding part differs: recorded → other."""
        yield from _differences(self.frozen(), orjson.loads(orjson.dumps(frozen)))

    def config(self) -> RunConfig:
        """The configuration of the last run in this directory."""
        return parse_config(orjson.loads(self.meta("config")), str(self.folder))

    def trees(self) -> Iterator[Tree]:
        """Yields all finished trees, streamed, in the order of their ids."""
        for _, blob in self.packed_trees():
            yield Tree.model_validate_json(unpack(blob))

    def packed_trees(self) -> Iterator[tuple[str, bytes]]:
        """Yields (id, tree as stored: packed JSON) of what `trees` yields, for other processes to read."""
        yield from self._reader.execute("SELECT key, tree FROM outcomes WHERE tree IS NOT NULL ORDER BY key")

    def tree(self, prefix: str) -> Tree:
        """The tree whose id begins with `prefix`.

        Raises:
            StoreError: None does, or more than one.
        """
        rows = self._reader.execute(
            "SELECT key, state, reason, tree FROM outcomes WHERE key >= ? AND key < ? LIMIT 2",
            (prefix, prefix + "g"),
        ).fetchall()
        if len(rows) != 1:
            raise StoreError(
                f"{'No' if not rows else 'More than one'} instruction of {self.folder} begins with '{prefix}'."
            )
        key, state, reason, blob = rows[0]
        if blob is None:
            raise StoreError(f"Instruction {key} has no tree: {state} ({reason}).")
        return Tree.model_validate_json(unpack(blob))

    def grown_from(self, key: str) -> Instruction | None:
        """The instruction as the finished tree of this id holds it; None where there is no such tree."""
        row = self._reader.execute("SELECT tree FROM outcomes WHERE key = ?", (key,)).fetchone()
        return Tree.model_validate_json(unpack(row[0])).instruction if row and row[0] else None

    def count_set_aside(self) -> int:
        """Number of inputs that are no longer in the seeds and count nowhere (see `store.upkeep`)."""
        sql = "SELECT count(*) FROM sqlite_master WHERE name = 'set_aside'"
        if not self._reader.execute(sql).fetchone()[0]:
            return 0
        return int(self._reader.execute("SELECT count(*) FROM set_aside").fetchone()[0])

    def deepest(self) -> str:
        """Id of the tree with the most turns (of complete ones, if there are any).

        Raises:
            StoreError: The run has no tree yet.
        """
        sql = "SELECT key FROM outcomes WHERE tree IS NOT NULL ORDER BY state != 'complete', depth DESC, key LIMIT 1"
        row = self._reader.execute(sql).fetchone()
        if row is None:
            raise StoreError(f"{self.folder} has no tree yet.")
        return str(row[0])

    def state(self, key: str) -> TreeState | None:
        """The recorded state of an input; None if it has none yet."""
        row = self._reader.execute("SELECT state FROM outcomes WHERE key = ?", (key,)).fetchone()
        return TreeState(row[0]) if row else None

    def admitted(self) -> list[Instruction]:
        """Instructions that were being grown when the last run ended: what a resumed run begins with."""
        rows = self._reader.execute("SELECT instruction FROM admitted ORDER BY key").fetchall()
        return [Instruction.model_validate_json(unpack(blob)) for (blob,) in rows]

    def done(self, keys: Sequence[str]) -> set[str]:
        """Those of some inputs that have ended, for good."""
        sql = f"SELECT key FROM outcomes WHERE state != 'failed' AND key IN ({', '.join('?' * len(keys))})"
        return {key for (key,) in self._reader.execute(sql, tuple(keys))}

    def outcomes(self) -> Iterator[Outcome]:
        """Yields the ledger, in the order of keys."""
        for outcome, _ in self.ledger():
            yield outcome

    def ledger(self) -> Iterator[tuple[Outcome, dict[str, float]]]:
        """Yields the ledger with what each input adds to the sums (see `tallies`), in the order of keys."""
        sql = "SELECT key, state, reason, dataset, source, tallies FROM outcomes ORDER BY key"
        for *row, tallies in self._reader.execute(sql):
            yield Outcome(**dict(zip(Outcome.model_fields, row, strict=True))), orjson.loads(tallies)

    def counts(self) -> dict[TreeState, int]:
        """Number of inputs in each state."""
        found = dict(self._reader.execute("SELECT state, count(*) FROM outcomes GROUP BY state").fetchall())
        return {state: found.get(state.value, 0) for state in TreeState}

    def inputs(self) -> int | None:
        """Number of inputs of the seed set; None while it has not been read to its end."""
        text = self.meta("inputs")
        return int(text) if text else None

    def tallies(self) -> dict[str, float]:
        """Sums over all finished trees: `pairs`, `correct`, `turns`, `kept_tokens`, `kept_cost`, and `guard.<name>`."""
        return dict(self._reader.execute("SELECT name, value FROM tallies"))

    def spend(self) -> list[Spend]:
        """What was spent, by role, step, model and task."""
        names = tuple(Spend.model_fields)
        rows = self._reader.execute(f"SELECT {', '.join(names)} FROM spend ORDER BY 1, 2, 3, 4")
        return [Spend(**dict(zip(names, row, strict=True))) for row in rows]

    def call(self, key: bytes) -> list[tuple[int, bytes]]:
        """The recorded replies under `key`: (first ordinal, JSON), in order."""
        rows = self._reader.execute("SELECT first, payload FROM calls WHERE key = ? ORDER BY first", (key,))
        return [(first, unpack(payload)) for first, payload in rows]

    def observation(self, key: bytes) -> bytes | None:
        """The recorded observation under `key`, as JSON; None if there is none."""
        row = self._reader.execute("SELECT payload FROM observations WHERE key = ?", (key,)).fetchone()
        return unpack(row[0]) if row else None

    def observations(self) -> int:
        """Number of recorded observations."""
        return int(self._reader.execute("SELECT count(*) FROM observations").fetchone()[0])

    def recorded(self, tree: str) -> tuple[list[tuple[bytes, int, bytes]], list[tuple[bytes, bytes]]]:
        """What is recorded of one tree, packed: its calls (key, first ordinal, reply), its observations (key, text)."""
        number = (tree_number(tree),)
        calls = "SELECT key, first, payload FROM calls WHERE tree = ? ORDER BY id"
        observations = "SELECT key, payload FROM observations WHERE tree = ? ORDER BY id"
        return self._reader.execute(calls, number).fetchall(), self._reader.execute(
            observations, number
        ).fetchall()

    def size(self) -> int:
        """Bytes of the database on disk."""
        return sum(path.stat().st_size for path in self.folder.glob(f"{_FILE}*"))

    def meta(self, key: str) -> str:
        """A value of the directory itself; empty where it is not set."""
        row = self._reader.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return str(row[0]) if row else ""

    # ------------------------------------------------------------------------------------------- writing

    async def put_call(self, tree: str, key: bytes, first: int, reply: bytes, spend: Spend) -> None:
        """Records one reply that the tree `tree` asked for, and what it cost, durably, in one transaction.

        Raises:
            StoreError: The write failed.
        """
        await self.put([call_row(tree, key, first, reply), spend_row(spend)])

    async def put_observations(self, tree: str, rows: list[tuple[bytes, bytes]]) -> None:
        """Records observations (key, JSON) of a tree, durably. One that is there already stays as it is.

        Raises:
            StoreError: The write failed.
        """
        await self.put([observation_row(tree, *row) for row in rows])

    async def put_outcomes(self, outcomes: list[tuple[Outcome, Tree | None]]) -> None:
        """Records how inputs ended, durably; a failed one may be replaced later.

        Raises:
            StoreError: The write failed.
        """
        await self.put([row for outcome, tree in outcomes for row in settled_rows(Settled.of(outcome, tree))])

    async def put(self, rows: Sequence[Statement]) -> None:
        """Writes rows in one transaction, durably.

        Raises:
            StoreError: The write failed.
        """
        await self._write().put(rows)

    async def put_inputs(self, count: int) -> None:
        """Records how many inputs the seed set has, once all have been read.

        Raises:
            StoreError: The write failed.
        """
        await self._write().put([("INSERT OR REPLACE INTO meta VALUES ('inputs', ?)", (str(count),))])

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
        """A further writing connection, for copying rows by SQL; the caller closes it."""
        return _connect(self.folder / _FILE, readonly=False)

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
            raise StoreError(f"Cannot shrink {self.folder / _FILE}: {error}.") from error
        finally:
            connection.close()

    def _write(self) -> Writer:
        if self._writer is None:
            raise StoreError(f"{self.folder} was opened for reading only.")
        return self._writer


def call_row(tree: str, key: bytes, first: int, reply: bytes) -> Statement:
    """Writes one reply, as JSON or packed. What is recorded stays: on a cluster two trees may ask the same at once."""
    sql = "INSERT OR IGNORE INTO calls (key, first, tree, payload) VALUES (?, ?, ?, pack(?))"
    return sql, (key, first, tree_number(tree), reply)


def observation_row(tree: str, key: bytes, observation: bytes) -> Statement:
    """Writes one observation, as JSON or packed, unless it is there."""
    sql = "INSERT OR IGNORE INTO observations (key, tree, payload) VALUES (?, ?, pack(?))"
    return sql, (key, tree_number(tree), observation)


def settled_rows(settled: Settled) -> list[Statement]:
    """Write a line of the ledger with its tree, and add to the sums."""
    return [settled_row(settled), end_row(settled.outcome.key), *tally_rows(settled.tallies)]


def admitted_row(instruction: Instruction) -> Statement:
    """Notes that an instruction is about to be grown."""
    sql = "INSERT OR REPLACE INTO admitted (key, instruction) VALUES (?, pack(?))"
    return sql, (instruction.id, instruction.model_dump_json().encode())


def end_row(key: str) -> Statement:
    """Notes that an instruction is no longer being grown."""
    return "DELETE FROM admitted WHERE key = ?", (key,)


def settled_row(settled: Settled) -> Statement:
    """Writes a line of the ledger with its tree."""
    outcome = settled.outcome
    row = (outcome.key, outcome.state.value, outcome.reason, outcome.dataset, outcome.source)
    tallies = orjson.dumps(settled.tallies).decode()
    return _PUT_OUTCOME, (*row, settled.depth, settled.tree, tallies)


def tally_rows(tallies: Mapping[str, float]) -> list[Statement]:
    """Add to the sums."""
    sql = "INSERT INTO tallies VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = value + excluded.value"
    return [(sql, item) for item in tallies.items()]


def spend_row(spend: Spend) -> Statement:
    """Adds to what was spent."""
    return _PUT_SPEND, _spend_values(spend)


def _connect(path: Path, *, readonly: bool) -> sqlite3.Connection:
    mode = "ro" if readonly else "rw"
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}",
        uri=True,
        isolation_level=None,
        check_same_thread=False,
        timeout=30,
    )
    if not readonly:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA wal_autocheckpoint=4000")
        # Packing is part of the statement, so that it is done by the writer's thread.
        connection.create_function("pack", 1, pack, deterministic=True)
    connection.execute("PRAGMA cache_size=-16000")
    return connection


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


def _differences(old: Any, new: Any, path: str = "") -> Iterator[str]:
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted(old.keys() | new.keys()):
            yield from _differences(old.get(key), new.get(key), f"{path}.{key}" if path else key)
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for number, (a, b) in enumerate(zip(old, new, strict=True)):
            yield from _differences(a, b, f"{path}.{number}")
    elif old != new:
        yield f"{path}: {orjson.dumps(old).decode()} → {orjson.dumps(new).decode()}"
