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
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import orjson

from ultrainteract.config import RunConfig, parse_config
from ultrainteract.errors import StoreError
from ultrainteract.schema import Record, Tree, TreeState
from ultrainteract.store.writer import Statement, Writer

FORMAT = 1
"""Version of the database layout."""

_FILE = "store.sqlite"
_PUT_OUTCOME = (
    "INSERT OR REPLACE INTO outcomes (key, state, reason, dataset, source, depth, tree) "
    "VALUES (?, ?, ?, ?, ?, ?, pack(?))"
)
_TABLES = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE calls (id INTEGER PRIMARY KEY, key BLOB NOT NULL, first INTEGER NOT NULL, payload BLOB NOT NULL,
                    UNIQUE (key, first));
CREATE TABLE observations (id INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE, payload BLOB NOT NULL);
CREATE TABLE outcomes (id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, state TEXT NOT NULL, reason TEXT NOT
                       NULL, dataset TEXT NOT NULL, source TEXT NOT NULL, depth INTEGER NOT NULL, tree BLOB);
CREATE TABLE spend (role TEXT, step TEXT, model TEXT, task TEXT, requests INTEGER, completions INTEGER,
                    prompt_tokens INTEGER, completion_tokens INTEGER, cost REAL, unpriced INTEGER,
                    PRIMARY KEY (role, step, model, task)) WITHOUT ROWID;
CREATE TABLE tallies (name TEXT PRIMARY KEY, value REAL NOT NULL) WITHOUT ROWID;
"""


class Outcome(Record):
    """How one input ended: a line of the ledger."""

    key: str
    """Instruction id, or a content hash of the source for an input that became no instruction."""
    state: TreeState
    """The one state it is in."""
    reason: str = ""
    """Why, for a reader."""
    dataset: str
    """Dataset name."""
    source: str
    """Where the input comes from."""


class Spend(Record):
    """What one (role, step, model, task) has cost so far."""

    role: str
    """Role that asked."""
    step: str
    """Ladder step or role."""
    model: str
    """Model name at the provider."""
    task: str
    """Task of the instruction."""
    requests: int
    """Requests answered."""
    completions: int
    """Completions recorded."""
    prompt_tokens: int
    """Tokens sent."""
    completion_tokens: int
    """Tokens drawn."""
    cost: float
    """US dollars, over the requests whose price is known."""
    unpriced: int
    """Requests whose price is unknown."""


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
        version = store._meta("format")
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
        differences = list(_differences(store.frozen(), orjson.loads(orjson.dumps(config.frozen()))))
        if differences and not accept_config:
            store.close()
            raise StoreError(
                f"{folder} was made by another configuration. What differs (recorded → now):\n"
                + "\n".join(f"  {line}" for line in differences)
                + "\nUse another output directory; or --accept-config to go on with the new configuration "
                "(finished trees are grown again, recorded calls are reused); or --fresh --yes to delete the run."
            )
        connection = _connect(store.folder / _FILE, readonly=False)
        try:
            connection.execute("BEGIN IMMEDIATE")
            if differences:
                connection.execute("DELETE FROM outcomes")
                connection.execute("DELETE FROM tallies")
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
        return orjson.loads(self._meta("frozen"))

    def config(self) -> RunConfig:
        """The configuration of the last run in this directory."""
        return parse_config(orjson.loads(self._meta("config")), str(self.folder))

    def trees(self) -> Iterator[Tree]:
        """Yields all finished trees, streamed, in the order of their ids."""
        for blob in self.packed_trees():
            yield Tree.model_validate_json(zlib.decompress(blob))

    def packed_trees(self) -> Iterator[bytes]:
        """Yields what `trees` yields in its stored form, compressed JSON, for other processes to read."""
        for (blob,) in self._reader.execute("SELECT tree FROM outcomes WHERE tree IS NOT NULL ORDER BY key"):
            yield blob

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
        return Tree.model_validate_json(zlib.decompress(blob))

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

    def outcomes(self) -> Iterator[Outcome]:
        """Yields the ledger, in the order of keys."""
        for row in self._reader.execute(
            "SELECT key, state, reason, dataset, source FROM outcomes ORDER BY key"
        ):
            yield Outcome(key=row[0], state=row[1], reason=row[2], dataset=row[3], source=row[4])

    def counts(self) -> dict[TreeState, int]:
        """Number of inputs in each state."""
        found = dict(self._reader.execute("SELECT state, count(*) FROM outcomes GROUP BY state").fetchall())
        return {state: found.get(state.value, 0) for state in TreeState}

    def inputs(self) -> int | None:
        """Number of inputs of the seed set; None while it has not been read to its end."""
        text = self._meta("inputs")
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
        return [(first, zlib.decompress(payload)) for first, payload in rows]

    def observation(self, key: bytes) -> bytes | None:
        """The recorded observation under `key`, as JSON; None if there is none."""
        row = self._reader.execute("SELECT payload FROM observations WHERE key = ?", (key,)).fetchone()
        return zlib.decompress(row[0]) if row else None

    def size(self) -> int:
        """Bytes of the database on disk."""
        return sum(path.stat().st_size for path in self.folder.glob(f"{_FILE}*"))

    def _meta(self, key: str) -> str:
        row = self._reader.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return str(row[0]) if row else ""

    # ------------------------------------------------------------------------------------------- writing

    async def put_call(self, key: bytes, first: int, reply: bytes, spend: Spend) -> None:
        """Records one reply and what it cost, durably, in one transaction.

        Raises:
            StoreError: The write failed.
        """
        await self._write().put(
            [
                (
                    "INSERT INTO calls (key, first, payload) VALUES (?, ?, pack(?))",
                    (key, first, reply),
                ),
                _add_spend(spend),
            ]
        )

    async def put_observations(self, rows: list[tuple[bytes, bytes]]) -> None:
        """Records observations (key, JSON), durably. One that is there already stays as it is.

        Raises:
            StoreError: The write failed.
        """
        sql = "INSERT OR IGNORE INTO observations (key, payload) VALUES (?, pack(?))"
        await self._write().put([(sql, row) for row in rows])

    async def put_outcomes(self, outcomes: list[tuple[Outcome, Tree | None]]) -> None:
        """Records how inputs ended, durably; a failed one may be replaced later.

        Raises:
            StoreError: The write failed.
        """
        statements: list[Statement] = []
        for outcome, tree in outcomes:
            blob = None if tree is None else tree.model_dump_json().encode()
            depth = 0 if tree is None else tree.depth
            row = (
                outcome.key,
                outcome.state.value,
                outcome.reason,
                outcome.dataset,
                outcome.source,
                depth,
                blob,
            )
            statements.append((_PUT_OUTCOME, row))
            statements += [_add_tally(name, value) for name, value in _tallies(tree).items()]
        await self._write().put(statements)

    async def put_inputs(self, count: int) -> None:
        """Records how many inputs the seed set has, once all have been read.

        Raises:
            StoreError: The write failed.
        """
        await self._write().put([("INSERT OR REPLACE INTO meta VALUES ('inputs', ?)", (str(count),))])

    def _write(self) -> Writer:
        if self._writer is None:
            raise StoreError(f"{self.folder} was opened for reading only.")
        return self._writer


def _add_spend(spend: Spend) -> Statement:
    names = tuple(Spend.model_fields)
    sums = ", ".join(f"{name} = {name} + excluded.{name}" for name in names[4:])
    return (
        f"INSERT INTO spend ({', '.join(names)}) VALUES ({', '.join('?' * len(names))}) "
        f"ON CONFLICT (role, step, model, task) DO UPDATE SET {sums}",
        tuple(getattr(spend, name) for name in names),
    )


def _tallies(tree: Tree | None) -> dict[str, float]:
    if tree is None:
        return {}
    nodes = [node for _, node in tree.nodes()]
    written = [part.provenance for node in nodes for part in (node, node.critique) if part is not None]
    tallies: dict[str, float] = {
        "trees": 1,
        "turns": tree.depth,
        "pairs": sum(1 for _ in tree.pairs()),
        "correct": sum(node.verdict.label == "correct" for node in nodes),
        "judged": sum(step.judged for turn in tree.turns for step in turn.steps[:1]),
        "judged_correct": sum(step.correct for turn in tree.turns for step in turn.steps[:1]),
        "kept_tokens": sum(provenance.completion_tokens for provenance in written),
        "kept_cost": sum(provenance.cost or 0.0 for provenance in written),
        "simulated": float(tree.simulated),
    }
    tallies.update({f"guard.{name}": count for name, count in tree.guards.items()})
    return {name: value for name, value in tallies.items() if value}


def _add_tally(name: str, value: float) -> Statement:
    return (
        "INSERT INTO tallies VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = value + excluded.value",
        (name, value),
    )


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
        connection.create_function("pack", 1, _pack, deterministic=True)
    connection.execute("PRAGMA cache_size=-16000")
    return connection


def _pack(payload: bytes | None) -> bytes | None:
    return None if payload is None else zlib.compress(payload, 1)


def _lock(folder: Path) -> int:
    descriptor = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
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
