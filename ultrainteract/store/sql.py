"""The layout of a run directory's database, and how records become rows. Private to the store.

Formats: 3 is written. Format 2 differs in the keys of skipped inputs alone, which were made of the reason's wording:
it is read as it is, and brought to format 3 when it is opened for writing or copied.
"""

from __future__ import annotations

import operator
import sqlite3
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import orjson

from ultrainteract.schema import TreeState, content_hash
from ultrainteract.store.records import (
    Admission,
    CallRecord,
    ObservationRecord,
    Settled,
    Spend,
    StoreRecord,
    pack,
    skipped_key,
    summed,
    tree_number,
)

FORMAT = 3
"""Version of the layout that is written."""
READABLE = {"2", "3"}
"""Versions that are read."""

SPEND = tuple(Spend.model_fields)
_spend_values = operator.attrgetter(*SPEND)
TABLES = """
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
                    reasoning_tokens INTEGER NOT NULL DEFAULT 0,
                    PRIMARY KEY (role, step, model, task)) WITHOUT ROWID;
CREATE TABLE tallies (name TEXT PRIMARY KEY, value REAL NOT NULL) WITHOUT ROWID;
"""

_PUT_CALLS = "INSERT OR IGNORE INTO calls (key, first, tree, payload) VALUES (?, ?, ?, ?)"
_PUT_OBSERVATIONS = "INSERT OR IGNORE INTO observations (key, tree, payload) VALUES (?, ?, ?)"
_MAX_ROWS = 64
"""Rows per statement."""
_PUT_ADMISSION = "INSERT OR REPLACE INTO admitted (key, instruction) VALUES (?, ?)"
_PUT_OUTCOME = (
    "INSERT OR REPLACE INTO outcomes (key, state, reason, dataset, source, depth, tree, tallies) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
)
_PUT_TALLY = (
    "INSERT INTO tallies VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = value + excluded.value"
)
_PUT_SPEND = (
    f"INSERT INTO spend ({', '.join(SPEND)}) VALUES ({', '.join('?' * len(SPEND))}) ON CONFLICT "
    f"(role, step, model, task) DO UPDATE SET {', '.join(f'{name} = {name} + excluded.{name}' for name in SPEND[4:])}"
)


def connect(path: Path, *, readonly: bool) -> sqlite3.Connection:
    """Opens the database; a writing connection syncs every commit."""
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
    connection.execute("PRAGMA cache_size=-16000")
    return connection


def write(connection: sqlite3.Connection, records: Iterable[StoreRecord]) -> None:
    """Writes records in the transaction that is open; what is added up is added up once for all of them.

    Raises:
        sqlite3.Error: The write failed.
    """
    calls: list[tuple[object, ...]] = []
    observations: list[tuple[object, ...]] = []
    admissions: list[tuple[object, ...]] = []
    outcomes: list[tuple[object, ...]] = []
    spends: list[Spend] = []
    tallies: Counter[str] = Counter()
    for record in records:
        match record:
            case CallRecord(tree, key, first, reply):
                calls.append((key, first, tree_number(tree), pack(reply)))
            case Spend():
                spends.append(record)
            case ObservationRecord(tree, key, observation):
                observations.append((key, tree_number(tree), pack(observation)))
            case Admission(key=id, instruction=instruction):
                admissions.append((id, pack(instruction)))
            case Settled(outcome=outcome):
                line = (outcome.key, outcome.state.value, outcome.reason, outcome.dataset, outcome.source)
                sums = orjson.dumps(record.tallies).decode()
                outcomes.append((*line, record.depth, pack(record.tree), sums))
                tallies.update(record.tallies)
    _insert(connection, _PUT_CALLS, calls)
    _insert(connection, _PUT_OBSERVATIONS, observations)
    connection.executemany(_PUT_ADMISSION, admissions)
    connection.executemany(_PUT_OUTCOME, outcomes)
    # A failed one keeps its instruction: without a tree, nothing else says what was asked.
    ended = [(key,) for key, state, *_ in outcomes if state != TreeState.FAILED]
    connection.executemany("DELETE FROM admitted WHERE key = ?", ended)
    connection.executemany(_PUT_TALLY, tallies.items())
    put_spend(connection, spends)


def _insert(connection: sqlite3.Connection, statement: str, rows: Sequence[tuple[object, ...]]) -> None:
    """Inserts rows, many per statement: between two statements the thread has to wait for the interpreter's lock."""
    head, _, row = statement.partition(" VALUES ")
    at = 0
    while at < len(rows):
        # Powers of two: few statements, which are prepared once.
        count = min(_MAX_ROWS, 1 << (len(rows) - at).bit_length() - 1)
        sql = f"{head} VALUES {', '.join([row] * count)}"
        connection.execute(sql, [value for values in rows[at : at + count] for value in values])
        at += count


def put_spend(connection: sqlite3.Connection, spends: Sequence[Spend]) -> None:
    """Adds to what was spent."""
    connection.executemany(_PUT_SPEND, map(_spend_values, summed(spends)))


def recount(connection: sqlite3.Connection) -> None:
    """Makes the sums anew from the ledger."""
    sums: Counter[str] = Counter()
    for (tallies,) in connection.execute("SELECT tallies FROM outcomes WHERE tallies != '{}'"):
        sums.update(orjson.loads(tallies))
    connection.execute("DELETE FROM tallies")
    connection.executemany("INSERT INTO tallies VALUES (?, ?)", sums.items())


def rekeyed(connection: sqlite3.Connection, schema: str = "main") -> list[tuple[str, str, str]]:
    """The ledger lines whose key was made of their reason, as format 2 did: (key there, key now, source now).

    Sources that one rule left out twice are numbered in the order in which they were read, as they are today.
    """
    sql = f"SELECT key, dataset, source, reason FROM {schema}.outcomes WHERE state = ? ORDER BY id"
    seen: Counter[tuple[str, str, str]] = Counter()
    found = []
    for key, dataset, source, reason in connection.execute(sql, (TreeState.SKIPPED.value,)):
        if key != content_hash(["seed issue", dataset, source, reason]):
            continue
        rule = reason.partition(":")[0]
        seen[dataset, source, rule] += 1
        if (number := seen[dataset, source, rule]) > 1:
            source = f"{source} #{number}"
        found.append((key, skipped_key(dataset, source, rule), source))
    return found


def migrate(connection: sqlite3.Connection) -> None:
    """Brings a database of format 2 to today's, in one transaction.

    Raises:
        sqlite3.Error: The write failed; nothing has changed.
    """
    connection.execute("BEGIN IMMEDIATE")
    rows = rekeyed(connection)
    connection.executemany(
        "UPDATE outcomes SET key = ?2, source = ?3 WHERE key = ?1", [tuple(row) for row in rows]
    )
    connection.execute("ALTER TABLE spend ADD COLUMN reasoning_tokens INTEGER NOT NULL DEFAULT 0")
    connection.execute("UPDATE meta SET value = ? WHERE key = 'format'", (str(FORMAT),))
    connection.execute("COMMIT")
