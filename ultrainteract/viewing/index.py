"""The viewer's own index: what is listed, filtered and searched. It lies beside the run, never in its database.

Guarantees: it is built while the page is open, a few hundred trees at a time, and goes on where it stopped; one that
belongs to another run, or to another version of this one, is made anew. Filters and counts work on a few bytes per
tree in memory; texts are in SQLite's full-text index alone.
"""

from __future__ import annotations

import re
import sqlite3
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import orjson

from ultrainteract.errors import StoreError
from ultrainteract.viewing.summary import ONE_OF, SOME_OF, Line, Summary

INDEX_FILE = "viewer.sqlite"
"""Name of the index in a run directory."""
_VERSION = "1"
_TABLES = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE lines (row INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, title TEXT NOT NULL, source TEXT NOT NULL,
                    one TEXT NOT NULL, some TEXT NOT NULL, pairs INTEGER, chars INTEGER, rate REAL);
CREATE TABLE trees (row INTEGER PRIMARY KEY, tree BLOB NOT NULL);
CREATE VIRTUAL TABLE texts USING fts5(body, content='', tokenize="unicode61 remove_diacritics 2");
"""
_COLUMNS = "key, title, source, one, some, pairs, chars, rate"
SORTS = ("order", "depth", "pass_rate", "pairs", "length")
"""What a list can be sorted by; a leading `-` turns it round."""

Codes = npt.NDArray[np.int32]
Mask = npt.NDArray[np.bool_]


class Page(NamedTuple):
    """A part of a list."""

    lines: list[Line]
    matched: int
    offset: int
    facets: dict[str, dict[str, int]]


class Index:
    """An index that is open for reading and writing. Every method may be called from any thread.

    Args:
        path: The file; made anew if it belongs to something else.
        origin: What it is an index of: any text that differs where the trees may differ.

    Raises:
        StoreError: It cannot be written.
    """

    def __init__(self, path: Path, origin: str) -> None:
        self._lock = threading.RLock()
        try:
            self._connection = _open(path, origin)
            self._reset()
            self._load()
        except sqlite3.Error as error:
            raise StoreError(f"Cannot write the index {path}: {error}.") from error

    def _reset(self) -> None:
        self.count = 0
        self._one: dict[str, _OneOf] = {name: _OneOf() for name in ONE_OF}
        self._some: dict[str, _SomeOf] = {name: _SomeOf() for name in SOME_OF}
        self._numbers: dict[str, _Grown] = {name: _Grown(np.float32) for name in SORTS[1:]}

    def _load(self) -> None:
        sql = "SELECT one, some, pairs, chars, rate FROM lines ORDER BY row"
        for one, some, pairs, chars, rate in self._connection.execute(sql):
            self._take(orjson.loads(one), orjson.loads(some), pairs, chars, rate)

    def _take(
        self, one: dict[str, str], some: dict[str, list[str]], pairs: int, chars: int, rate: float | None
    ) -> None:
        for name, values in self._one.items():
            values.add(one.get(name, ""))
        for name, lists in self._some.items():
            lists.add(self.count, some.get(name, ()))
        numbers = (float(one.get("depth") or 0), np.nan if rate is None else rate, pairs, chars)
        for grown, value in zip(self._numbers.values(), numbers, strict=True):
            grown.add(float(value))
        self.count += 1

    def meta(self, key: str) -> str:
        """A value that was kept beside the lines; empty where there is none."""
        with self._lock:
            row = self._connection.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
            return str(row[0]) if row else ""

    def add(
        self,
        summaries: Sequence[Summary],
        trees: Sequence[bytes | None] = (),
        meta: dict[str, str] | None = None,
    ) -> None:
        """Adds lines, all or none.

        Args:
            summaries: What is added. One with a known key takes the place of the earlier one.
            trees: Their trees, where nothing else keeps them.
            meta: Values to keep with them: how far the index has come.
        """
        with self._lock:
            run = self._connection.execute
            replaced = False
            run("BEGIN")
            try:
                for place, (line, text) in enumerate(summaries):
                    known = run("SELECT row FROM lines WHERE key = ?", (line.key,)).fetchone()
                    row = known[0] if known else self.count + place + 1
                    replaced = replaced or known is not None
                    values = (
                        line.key, line.title, line.source, orjson.dumps(line.one).decode(),
                        orjson.dumps(line.some).decode(), line.pairs, line.chars, line.rate,
                    )  # fmt: skip
                    run(
                        f"INSERT OR REPLACE INTO lines (row, {_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                        (row, *values),
                    )
                    run("INSERT INTO texts (rowid, body) VALUES (?, ?)", (row, text))
                    if trees and (tree := trees[place]) is not None:
                        run("INSERT OR REPLACE INTO trees VALUES (?, ?)", (row, tree))
                self._connection.executemany(
                    "INSERT OR REPLACE INTO meta VALUES (?, ?)", (meta or {}).items()
                )
                run("COMMIT")
            except BaseException:
                run("ROLLBACK")
                raise
            if replaced:
                self._reset()
                self._load()
            else:
                for line, _ in summaries:
                    self._take(line.one, line.some, line.pairs, line.chars, line.rate)

    def clear(self) -> None:
        """Forgets everything."""
        with self._lock:
            self._connection.executescript(
                "BEGIN; DELETE FROM lines; DELETE FROM trees; INSERT INTO texts (texts) VALUES ('delete-all'); COMMIT;"
            )
            self._reset()

    def tree(self, key: str) -> bytes | None:
        """The tree that was kept with a line."""
        with self._lock:
            sql = "SELECT tree FROM trees JOIN lines USING (row) WHERE key = ?"
            row = self._connection.execute(sql, (key,)).fetchone()
            return None if row is None else bytes(row[0])

    def find(self, prefix: str) -> list[str]:
        """Keys that begin with `prefix`, or whose record comes from it; at most two."""
        with self._lock:
            sql = "SELECT key FROM lines WHERE key >= ? AND key < ? LIMIT 2"
            rows = self._connection.execute(sql, (prefix, prefix + "\U0010ffff")).fetchall()
            rows = (
                rows
                or self._connection.execute(
                    "SELECT key FROM lines WHERE source = ? LIMIT 2", (prefix,)
                ).fetchall()
            )
            return [str(key) for (key,) in rows]

    def page(
        self,
        filters: dict[str, set[str]],
        words: str = "",
        *,
        marked: set[str] | None = None,
        sort: str = "order",
        offset: int = 0,
        limit: int = 50,
        around: str = "",
    ) -> Page:
        """A part of the list of what passes the filters, and how many pass with each further value.

        Args:
            filters: Values by facet; a tree passes that has any of them, for every facet.
            words: Words that all have to occur; `"two words"` side by side, `begin*` at the beginning of one.
            marked: Only these keys, if not None.
            sort: One of `SORTS`.
            offset: Lines to skip.
            limit: Lines to give.
            around: Key of a line that has to be on the page; `offset` is ignored where it is on the list.
        """
        with self._lock:
            base = np.ones(self.count, dtype=np.bool_) if not words.strip() else self._matching(words)
            if marked is not None:
                base &= self._mask(self._rows(marked))
            masks = {name: self._facet(name).passing(values) for name, values in filters.items() if values}
            passed = base.copy()
            for mask in masks.values():
                passed &= mask
            facets = {}
            for name in (*ONE_OF, *SOME_OF):
                others = passed
                if name in masks:
                    others = base.copy()
                    for other, mask in masks.items():
                        if other != name:
                            others &= mask
                facets[name] = self._facet(name).counts(others)
            rows = np.flatnonzero(passed)
            by, down = sort.lstrip("-"), sort.startswith("-")
            if by in self._numbers:
                values = self._numbers[by].values()[rows].astype(np.float64)
                rows = rows[np.argsort(-values if down else values, kind="stable")]
            elif down:
                rows = rows[::-1]
            if around:
                for row in self._rows({around}):
                    place = np.flatnonzero(rows == row)
                    if place.size:
                        offset = int(place[0]) // limit * limit
            shown = [int(row) + 1 for row in rows[offset : offset + limit]]
            found = {
                row: Line(key, title, source, orjson.loads(one), orjson.loads(some), *rest)
                for row, key, title, source, one, some, *rest in self._connection.execute(
                    f"SELECT row, {_COLUMNS} FROM lines WHERE row IN ({', '.join('?' * len(shown))})", shown
                )
            }
            return Page([found[row] for row in shown], int(rows.size), offset, facets)

    def lines(self) -> Iterable[Line]:
        """Yields all lines, in order."""
        last = 0
        while True:
            with self._lock:
                sql = f"SELECT row, {_COLUMNS} FROM lines WHERE row > ? ORDER BY row LIMIT 1000"
                rows = self._connection.execute(sql, (last,)).fetchall()
            if not rows:
                return
            last = rows[-1][0]
            for _, key, title, source, one, some, *rest in rows:
                yield Line(key, title, source, orjson.loads(one), orjson.loads(some), *rest)

    def words(self) -> Iterable[tuple[str, list[int]]]:
        """Yields every word that can be searched, with the numbers (from 0) of the lines that hold it, in order."""
        with self._lock:
            self._connection.execute(
                "CREATE VIRTUAL TABLE IF NOT EXISTS temp.vocab USING fts5vocab(main, texts, instance)"
            )
            word, rows = "", list[int]()
            for term, doc in self._connection.execute(
                "SELECT DISTINCT term, doc FROM temp.vocab ORDER BY term, doc"
            ):
                if term != word and rows:
                    yield word, rows
                    rows = []
                word = term
                rows.append(doc - 1)
            if rows:
                yield word, rows

    def close(self) -> None:
        """Closes the file."""
        with self._lock:
            self._connection.close()

    def _facet(self, name: str) -> _OneOf | _SomeOf:
        return self._one[name] if name in self._one else self._some[name]

    def _rows(self, keys: set[str]) -> list[int]:
        listed, found = list(keys), []
        for start in range(0, len(listed), 500):
            part = listed[start : start + 500]
            sql = f"SELECT row - 1 FROM lines WHERE key IN ({', '.join('?' * len(part))})"
            found += [row for (row,) in self._connection.execute(sql, part)]
        return found

    def _mask(self, rows: Sequence[int]) -> Mask:
        mask = np.zeros(self.count, dtype=np.bool_)
        mask[np.asarray(rows, dtype=np.int64)] = True
        return mask

    def _matching(self, words: str) -> Mask:
        query = match_query(words)
        if not query:
            return np.zeros(self.count, dtype=np.bool_)
        self._connection.row_factory = None
        rows = self._connection.execute(
            "SELECT rowid - 1 FROM texts WHERE texts MATCH ?", (query,)
        ).fetchall()
        return self._mask([row for (row,) in rows])


def match_query(words: str) -> str:
    """What a user types as a query of FTS5 in which every word has to occur; nothing of its syntax gets through."""
    parts = []
    for phrase, word in re.findall(r'"([^"]*)"?|([^\s"]+)', words):
        text, star = (phrase, "") if phrase else (word.rstrip("*"), "*" if word.endswith("*") else "")
        if re.search(r"\w", text):
            parts.append(f'"{text}"{star}')
    return " AND ".join(parts)


class _Grown:
    """Numbers in an array that grows by doubling."""

    def __init__(self, kind: type[np.generic]) -> None:
        self._array = np.zeros(1024, dtype=kind)
        self._count = 0

    def add(self, value: float) -> None:
        if self._count == self._array.size:
            self._array = np.concatenate([self._array, np.zeros_like(self._array)])
        self._array[self._count] = value
        self._count += 1

    def values(self) -> npt.NDArray[np.generic]:
        return self._array[: self._count]


class _Names:
    """Values as numbers."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self._codes: dict[str, int] = {}

    def code(self, name: str) -> int:
        if name not in self._codes:
            self._codes[name] = len(self.names)
            self.names.append(name)
        return self._codes[name]

    def wanted(self, values: set[str]) -> Mask:
        return np.array([name in values for name in self.names] or [False], dtype=np.bool_)

    def counted(self, codes: npt.NDArray[np.generic]) -> dict[str, int]:
        numbers = np.bincount(codes.astype(np.int64), minlength=len(self.names))
        return {name: int(n) for name, n in zip(self.names, numbers, strict=False) if n and name}


class _OneOf(_Names):
    """A facet with one value per tree."""

    def __init__(self) -> None:
        super().__init__()
        self._column = _Grown(np.int32)

    def add(self, value: str) -> None:
        self._column.add(self.code(value))

    def passing(self, values: set[str]) -> Mask:
        found: Mask = self.wanted(values)[self._column.values().astype(np.int64)]
        return found

    def counts(self, mask: Mask) -> dict[str, int]:
        return self.counted(self._column.values()[mask])


class _SomeOf(_Names):
    """A facet with any number of values per tree."""

    def __init__(self) -> None:
        super().__init__()
        self._rows, self._column, self._count = _Grown(np.int32), _Grown(np.int32), 0

    def add(self, row: int, values: Iterable[str]) -> None:
        self._count = row + 1
        for value in values:
            self._rows.add(row)
            self._column.add(self.code(value))

    def passing(self, values: set[str]) -> Mask:
        mask = np.zeros(self._count, dtype=np.bool_)
        mask[
            self._rows.values().astype(np.int64)[self.wanted(values)[self._column.values().astype(np.int64)]]
        ] = True
        return mask

    def counts(self, mask: Mask) -> dict[str, int]:
        return self.counted(self._column.values()[mask[self._rows.values().astype(np.int64)]])


def _open(path: Path, origin: str) -> sqlite3.Connection:
    for attempt in (1, 2):
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=0.5)
        try:
            connection.execute(
                "PRAGMA locking_mode=EXCLUSIVE"
            )  # one viewer writes it; another one has its own
            connection.executescript(
                "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF; PRAGMA cache_size=-8000;"
            )
            connection.executescript("BEGIN IMMEDIATE; COMMIT;")
            made = connection.execute("SELECT count(*) FROM sqlite_master WHERE name = 'meta'").fetchone()[0]
            if not made:
                connection.executescript(f"PRAGMA page_size=4096; BEGIN; {_TABLES} COMMIT;")
                rows = {"version": _VERSION, "origin": origin}
                connection.executemany("INSERT INTO meta VALUES (?, ?)", rows.items())
            found = dict(connection.execute("SELECT key, value FROM meta WHERE key IN ('version', 'origin')"))
            if found == {"version": _VERSION, "origin": origin}:
                return connection
        except sqlite3.DatabaseError as error:
            if attempt == 2 or "locked" in str(error):
                raise
        connection.close()
        for suffix in ("", "-wal", "-shm"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)
    raise StoreError(f"Cannot make the index {path}.")
