"""Published splits back into trees: rows are grouped by instruction on disk, so that memory stays flat.

Trees come in the order in which the SFT split names their instructions, then those that only the pair split has.
"""

from __future__ import annotations

import sqlite3
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import orjson

from ultrainteract.dataset.published import PAIR_COLUMNS, SFT_COLUMNS, kind_name, trajectory_fault
from ultrainteract.dataset.rebuild import rebuild, task_of
from ultrainteract.errors import DataError
from ultrainteract.readers.tables import Table, open_tables
from ultrainteract.schema import Tree

EXAMPLES = 20
"""Issues kept for printing."""


class ImportedTrees:
    """Trees rebuilt from published rows; can be iterated again and again. Close it, or use it in a `with` block."""

    def __init__(self) -> None:
        self.rows: Counter[str] = Counter()
        """Rows read, by split."""
        self.issues: Counter[str] = Counter()
        """What did not fit, by kind (filled while iterating)."""
        self.examples: list[str] = []
        """The first issues, in words."""
        self._folder = tempfile.TemporaryDirectory(prefix="ultrainteract-import-")
        self._database = sqlite3.connect(Path(self._folder.name) / "rows.sqlite", isolation_level=None)
        self._database.executescript(
            "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF;"
            "CREATE TABLE rows (seq INTEGER PRIMARY KEY, parent TEXT NOT NULL, split TEXT NOT NULL, row BLOB NOT NULL);"
        )
        self.simulated = False
        """True where a source says that its rows are simulated: the trees are marked so, too."""
        self._sorted = False

    @classmethod
    def of(cls, *sources: str, revision: str | None = None) -> Self:
        """Reads the published splits found in `sources`.

        Args:
            sources: Files, folders or Hub dataset ids; each may hold the SFT split, the pair split, or both.
            revision: Revision of Hub datasets.

        Raises:
            DataError: A source holds no published split, or one of its rows cannot be used.
        """
        return cls.of_tables(
            [table for source in sources for table in open_tables(source, revision)], *sources
        )

    @classmethod
    def of_tables(cls, found: Sequence[Table], *sources: str) -> Self:
        """Reads the published splits among tables.

        Args:
            found: The tables.
            sources: What messages call their origin.

        Raises:
            DataError: None is a published split, or a row of one cannot be used.
        """
        sft = [table for table in found if is_sft(table)]
        pairs = [table for table in found if is_pair(table) and not table.name.startswith("single-turn")]
        if not sft and not pairs:
            seen = ", ".join(f"{table.name} ({', '.join(table.columns)})" for table in found)
            raise DataError(f"No UltraInteract sft or pair split in {' '.join(sources)}. Found: {seen}.")
        trees = cls()
        for split, tables in (("sft", sft), ("pair", pairs)):
            for table in tables:
                trees.add(split, table)
        return trees

    def add(self, split: str, table: Table) -> None:
        """Takes the rows of a table in; SFT rows before pair rows, for the order of the trees.

        Raises:
            DataError: A row lacks a value.
        """
        wanted = SFT_COLUMNS if split == "sft" else PAIR_COLUMNS

        def records() -> Iterator[tuple[str, str, bytes]]:
            for where, row in table.rows():
                if (why := _unusable(row, wanted)) is not None:
                    raise DataError(f"{where}: {why}. `ultrainteract validate-data` lists all such rows.")
                self.rows[split] += 1
                yield row["parent_id"], split, orjson.dumps({name: row[name] for name in wanted})

        self.simulated = self.simulated or table.simulated
        self._database.execute("BEGIN")
        self._database.executemany("INSERT INTO rows (parent, split, row) VALUES (?, ?, ?)", records())
        self._database.execute("COMMIT")
        self._sorted = False

    def __iter__(self) -> Iterator[Tree]:
        if not self._sorted:
            self._database.executescript(
                "DROP TABLE IF EXISTS firsts; CREATE INDEX IF NOT EXISTS by_parent ON rows (parent, seq);"
                "CREATE TABLE firsts AS SELECT parent, min(seq) AS first FROM rows GROUP BY parent ORDER BY first;"
            )
            self._sorted = True
        self.issues, self.examples = Counter(), []
        for (parent,) in self._database.execute("SELECT parent FROM firsts ORDER BY first"):
            splits: dict[str, list[Mapping[str, Any]]] = {"sft": [], "pair": []}
            for split, row in self._database.execute(
                "SELECT split, row FROM rows WHERE parent = ? ORDER BY seq", (parent,)
            ):
                splits[split].append(orjson.loads(row))
            tree, issues = rebuild(parent, splits["pair"], splits["sft"], simulated=self.simulated)
            for issue in issues:
                self.issues[issue.rpartition(": ")[2]] += 1
            self.examples += issues[: EXAMPLES - len(self.examples)]
            yield tree

    def close(self) -> None:
        """Removes the scratch file."""
        self._database.close()
        self._folder.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _unusable(row: Mapping[str, Any], wanted: Iterable[str]) -> str | None:
    """Why a published row cannot become part of a tree without a change; None where it can."""
    for name in wanted:
        value = row.get(name)
        if value is None:
            return f"'{name}' is missing"
        if name == "trajectory":
            if (why := trajectory_fault(value)) is not None:
                return why
        elif not isinstance(value, str):
            return f"'{name}' holds {kind_name(value)} where text belongs"
    try:
        task_of(row["task"])
    except DataError as error:
        return str(error).removesuffix(".")
    return None


def is_sft(table: Table) -> bool:
    """Whether a table has the columns of the published SFT split."""
    return set(SFT_COLUMNS) <= set(table.columns)


def is_pair(table: Table) -> bool:
    """Whether a table has the columns of the published pair split."""
    return set(PAIR_COLUMNS) <= set(table.columns)
