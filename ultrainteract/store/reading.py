"""Reading of a run directory's database: configuration, trees, ledger, sums, and what is recorded of a tree."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import orjson

from ultrainteract.config import RunConfig, parse_config
from ultrainteract.config.credentials import without_credentials
from ultrainteract.errors import StoreError
from ultrainteract.schema import EvaluatedItem, Instruction, Tree, TreeState
from ultrainteract.store.records import (
    Outcome,
    OutcomeRow,
    Spend,
    read_tree,
    tree_number,
    unpack,
    unpack_beginning,
)

STORE_FILE = "store.sqlite"
"""Name of the database in a run directory."""
_LEDGER = ("key", "state", "reason", "dataset", "source")
_TASK = re.compile(rb'"task":\s*"([^"]+)"')  # the first field of an instruction, which is the first of a tree


class StoreReader:
    """What can be asked of an open run directory.

    Args:
        folder: The run directory.
        connection: A connection to its database.
    """

    def __init__(self, folder: Path, connection: sqlite3.Connection) -> None:
        self.folder = folder
        self._reader = connection
        self._outcomes: tuple[int, int] | None = None

    def frozen(self) -> Any:
        """The configuration's binding part, as recorded."""
        return orjson.loads(self.meta("frozen"))

    def differences(self, frozen: dict[str, Any]) -> Iterator[str]:
        """Yields a line for each field in which another configuration's binding part differs: recorded → other."""
        yield from _differences(self.frozen(), orjson.loads(orjson.dumps(frozen)))

    def config(self) -> RunConfig:
        """The configuration of the last run in this directory."""
        return parse_config(orjson.loads(self.meta("config")), str(self.folder), stored=True)

    def trees(self) -> Iterator[Tree]:
        """Yields all finished trees, streamed, in the order of their ids."""
        for _, blob in self.packed_trees():
            yield read_tree(blob)

    def items(self) -> Iterator[EvaluatedItem]:
        """Yields all items of an evaluation that have been finished, streamed, in the order of their ids.

        Raises:
            StoreError: The directory holds trees.
        """
        if not self.is_evaluation:
            raise StoreError(f"{self.folder} holds trees, not an evaluation.")
        for (blob,) in self._reader.execute("SELECT tree FROM outcomes WHERE tree IS NOT NULL ORDER BY key"):
            yield EvaluatedItem.model_validate_json(unpack(blob))

    @property
    def is_evaluation(self) -> bool:
        """Whether the directory holds rollouts in the place of trees."""
        return self.frozen().get("rollout") is not None

    def _check_trees(self) -> None:
        if self.is_evaluation:
            raise StoreError(
                f"{self.folder} is an evaluation and holds no trees: `ultrainteract eval report` reads it."
            )

    def packed_trees(self) -> Iterator[tuple[str, bytes]]:
        """Yields (id, tree as stored: packed JSON) of what `trees` yields, for other processes to read.

        Raises:
            StoreError: The directory is that of an evaluation.
        """
        self._check_trees()
        yield from self._reader.execute("SELECT key, tree FROM outcomes WHERE tree IS NOT NULL ORDER BY key")

    def outcome_rows(self, after: int, limit: int) -> list[OutcomeRow]:
        """The next outcomes in the order in which they were recorded, with their trees as stored.

        Args:
            after: Number of the last one that is known; 0 to begin.
            limit: Maximum number of outcomes.
        """
        sql = "SELECT id, key, state, reason, dataset, source, tree FROM outcomes WHERE id > ? ORDER BY id LIMIT ?"
        return [OutcomeRow(*row) for row in self._reader.execute(sql, (after, limit)).fetchall()]

    def packed_tree(self, key: str) -> bytes | None:
        """The finished tree of this id as stored; None where there is none."""
        row = self._reader.execute("SELECT tree FROM outcomes WHERE key = ?", (key,)).fetchone()
        return row[0] if row else None

    def tree(self, name: str) -> Tree:
        """The tree of one instruction.

        Args:
            name: Beginning of its id, at least 4 hex digits; or the source id of its record, or the end of one.

        Raises:
            StoreError: There is none, or more than one; the message says how to find those there are.
        """
        self._check_trees()
        rows = []
        if len(name) >= 4:
            sql = "SELECT key, state, reason, tree, source FROM outcomes WHERE key >= ? AND key < ? LIMIT 2"
            rows = self._reader.execute(sql, (name, name + "g")).fetchall()
        if not rows:
            sql = "SELECT key, state, reason, tree, source FROM outcomes WHERE source = ?1 OR source LIKE ?2 ESCAPE '!'"
            escaped = re.sub(r"([!%_])", r"!\1", name)
            rows = self._reader.execute(f"{sql} LIMIT 6", (name, f"%/{escaped}")).fetchall()
        if not rows:
            raise StoreError(
                f"No instruction of {self.folder} has an id that begins with '{name}', or that source. "
                f"`ultrainteract show {self.folder}` lists all."
            )
        if len(rows) > 1:
            found = ", ".join(f"{key[:12]} ({source})" for key, _, _, _, source in rows[:5])
            raise StoreError(
                f"More than one instruction of {self.folder} fits '{name}': {found}. Name one by its id."
            )
        key, state, reason, blob, _ = rows[0]
        if blob is None:
            raise StoreError(f"Instruction {key} has no tree: {state} ({reason}).")
        return read_tree(blob)

    def grown_from(self, key: str) -> Instruction | None:
        """The instruction as the finished tree of this id holds it; None where there is no such tree."""
        row = self._reader.execute("SELECT tree FROM outcomes WHERE key = ?", (key,)).fetchone()
        if row is None or not row[0]:
            return None
        read = EvaluatedItem.model_validate_json(unpack(row[0])) if self.is_evaluation else read_tree(row[0])
        return read.instruction

    def count_set_aside(self) -> int:
        """Number of inputs that are no longer in the seeds and count nowhere (see `store.upkeep`)."""
        sql = "SELECT count(*) FROM sqlite_master WHERE name = 'set_aside'"
        if not self._reader.execute(sql).fetchone()[0]:
            return 0
        return int(self._reader.execute("SELECT count(*) FROM set_aside").fetchone()[0])

    def deepest(self, *, shortest: bool = False) -> str:
        """Id of the tree with the most turns, or the fewest (of complete ones, if there are any).

        Raises:
            StoreError: The run has no tree yet.
        """
        order = "depth, length(tree)" if shortest else "depth DESC"
        sql = "SELECT key FROM outcomes WHERE tree IS NOT NULL ORDER BY state != 'complete', "
        row = self._reader.execute(f"{sql}{order}, key LIMIT 1").fetchone()
        if row is None:
            raise StoreError(f"{self.folder} has no tree yet.")
        return str(row[0])

    def is_unused(self) -> bool:
        """Whether nothing was asked of a model yet: such a directory is bound to no configuration."""
        used = "SELECT EXISTS (SELECT 1 FROM calls) OR EXISTS (SELECT 1 FROM outcomes WHERE tree IS NOT NULL)"
        return not self._reader.execute(used).fetchone()[0]

    def state(self, key: str) -> TreeState | None:
        """The recorded state of an input; None if it has none yet."""
        row = self._reader.execute("SELECT state FROM outcomes WHERE key = ?", (key,)).fetchone()
        return TreeState(row[0]) if row else None

    def admitted(self) -> list[Instruction]:
        """Instructions that were being grown when the last run ended: what a resumed run begins with."""
        return self._instructions("key NOT IN (SELECT key FROM outcomes)")

    def failed(self) -> list[Instruction]:
        """Instructions that failed, and will be grown again by the next run."""
        return self._instructions("key IN (SELECT key FROM outcomes WHERE state = 'failed')")

    def _instructions(self, which: str) -> list[Instruction]:
        rows = self._reader.execute(f"SELECT instruction FROM admitted WHERE {which} ORDER BY key").fetchall()
        return [Instruction.model_validate_json(unpack(blob)) for (blob,) in rows]

    def tasks(self, keys: Sequence[str]) -> dict[str, str]:
        """The task of each of some inputs that became an instruction, without reading whole trees."""
        marks = ", ".join("?" * len(keys))
        rows = self._reader.execute(
            f"SELECT key, tree FROM outcomes WHERE tree IS NOT NULL AND key IN ({marks}) "
            f"UNION ALL SELECT key, instruction FROM admitted WHERE key IN ({marks})", (*keys, *keys)
        )  # fmt: skip
        found = ((key, _TASK.search(unpack_beginning(blob))) for key, blob in rows)
        return {key: match[1].decode() for key, match in found if match}

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
        sql = f"SELECT {', '.join(_LEDGER)}, tallies FROM outcomes ORDER BY key"
        for *row, tallies in self._reader.execute(sql):
            yield Outcome(**dict(zip(_LEDGER, row, strict=True))), orjson.loads(tallies)

    def counts(self) -> dict[TreeState, int]:
        """Number of inputs in each state."""
        found = dict(self._reader.execute("SELECT state, count(*) FROM outcomes GROUP BY state").fetchall())
        return {state: found.get(state.value, 0) for state in TreeState}

    def count_outcomes(self) -> int:
        """Number of inputs in the ledger; counted over an index, and again only where somebody wrote since."""
        version = self._reader.execute("PRAGMA data_version").fetchone()[0]
        if self._outcomes is None or self._outcomes[0] != version:
            count = self._reader.execute("SELECT count(*) FROM outcomes").fetchone()[0]
            self._outcomes = version, int(count)
        return self._outcomes[1]

    def inputs(self) -> int | None:
        """Number of inputs of the seed set; None while it has not been read to its end."""
        text = self.meta("inputs")
        return int(text) if text else None

    def tallies(self) -> dict[str, float]:
        """Sums over all finished trees: `pairs`, `correct`, `turns`, `kept_tokens`, `kept_cost`, and `guard.<name>`."""
        return dict(self._reader.execute("SELECT name, value FROM tallies"))

    def spend(self) -> list[Spend]:
        """What was spent, by role, step, model and task."""
        # A run of an older format that is only read lacks later columns: they hold their defaults.
        rows = self._reader.execute("SELECT * FROM spend ORDER BY role, step, model, task")
        names = [column[0] for column in rows.description]
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
        return sum(path.stat().st_size for path in self.folder.glob(f"{STORE_FILE}*"))

    def meta(self, key: str) -> str:
        """A value of the directory itself; empty where it is not set."""
        row = self._reader.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return str(row[0]) if row else ""


def _differences(old: Any, new: Any, path: str = "") -> Iterator[str]:
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted(old.keys() | new.keys()):
            yield from _differences(old.get(key), new.get(key), f"{path}.{key}" if path else key)
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for number, (a, b) in enumerate(zip(old, new, strict=True)):
            yield from _differences(a, b, f"{path}.{number}")
    elif old != new:
        name = path.rpartition(".")[2]
        before, now = (orjson.dumps(without_credentials(value, name)).decode() for value in (old, new))
        yield f"{path}: {before} → {now}"
