"""What a run directory sheds: trees of problems that are no longer in the seeds, states that are to be grown again.

Guarantees: a tree of a problem that the seeds no longer hold, or hold with another ground truth, is in no count, export
or publication. It is set aside with all that was paid for it, comes back when its problem does, and is deleted by
`prune` alone.
"""

from __future__ import annotations

import sqlite3
from array import array
from bisect import bisect_left
from collections.abc import Collection, Iterator
from contextlib import contextmanager

import orjson

from ultrainteract.errors import StoreError
from ultrainteract.schema import Record, TreeState
from ultrainteract.store.directory import RunStore
from ultrainteract.store.records import tree_number, unpack
from ultrainteract.store.sql import recount

_LEDGER = "key, state, reason, dataset, source, depth, tree, tallies"
_COUNT = "seed_inputs"
"""Key in `meta`: inputs of the seeds when they were last reconciled."""
_SET_ASIDE = f"CREATE TABLE IF NOT EXISTS set_aside ({_LEDGER}, returns INTEGER NOT NULL)"
"""Rows of the ledger that no longer count; `returns` is 0 where the same problem has another ground truth now."""


class SeedNumbers:
    """A set of 64-bit numbers in eight bytes each, for a million inputs and more."""

    def __init__(self) -> None:
        self._numbers = array("q")
        self._is_sorted = True

    def add(self, number: int) -> None:
        """Adds a number."""
        self._numbers.append(number)
        self._is_sorted = False

    def __len__(self) -> int:
        return len(self._numbers)

    def __contains__(self, number: int) -> bool:
        if not self._is_sorted:
            self._numbers = array("q", sorted(self._numbers))
            self._is_sorted = True
        place = bisect_left(self._numbers, number)
        return place < len(self._numbers) and self._numbers[place] == number


class SeedChanges(Record):
    """How the seeds differ from those that the run directory knows."""

    added: int = 0
    """Inputs that are new; 0 where the earlier run had not read the seeds to their end."""
    removed: int = 0
    """Inputs in the ledger that are gone."""
    changed: int = 0
    """Inputs in the ledger whose record has another problem or ground truth now."""
    restored: int = 0
    """Inputs that were set aside and are back."""

    def __bool__(self) -> bool:
        return any((self.added, self.removed, self.changed, self.restored))


def reconcile(
    store: RunStore, present: SeedNumbers, sources: SeedNumbers, revised: Collection[str] = ()
) -> SeedChanges:
    """Sets aside what the seeds no longer hold, and takes back what they hold again.

    Args:
        store: The run directory, open for writing.
        present: `tree_number` of the key of every input of the seeds.
        sources: `source_number` of every input of the seeds.
        revised: Keys of inputs whose tests, unit or choices differ from those their tree was grown with.

    Raises:
        StoreError: The directory cannot be written.
    """
    gone: list[tuple[str, int]] = []
    removed = changed = 0
    for outcome in store.outcomes():
        if outcome.key in revised:
            gone.append((outcome.key, 0))
            changed += 1
        elif tree_number(outcome.key) not in present:
            gone.append((outcome.key, 1))
            is_changed = source_number(outcome.dataset, outcome.source) in sources
            changed += is_changed
            removed += not is_changed
    earlier = store.meta(_COUNT)
    with _transaction(store) as connection:
        connection.execute(_SET_ASIDE)
        connection.create_function("is_present", 1, lambda key: tree_number(key) in present)
        back = "FROM set_aside WHERE returns AND is_present(key) AND key NOT IN (SELECT key FROM outcomes)"
        restored = connection.execute(f"INSERT INTO outcomes ({_LEDGER}) SELECT {_LEDGER} {back}").rowcount
        connection.execute("DELETE FROM set_aside WHERE returns AND is_present(key)")
        connection.executemany(
            f"INSERT INTO set_aside SELECT {_LEDGER}, ?2 FROM outcomes WHERE key = ?1", gone
        )
        connection.executemany("DELETE FROM outcomes WHERE key = ?", [(key,) for key, _ in gone])
        connection.execute("DELETE FROM admitted WHERE NOT is_present(key)")
        if gone or restored:
            recount(connection)
        connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (_COUNT, str(len(present))))
    added = max(0, len(present) - int(earlier) + removed - restored) if earlier else 0
    return SeedChanges(added=added, removed=removed, changed=changed, restored=restored)


def source_number(dataset: str, source: str) -> int:
    """64 bits that tell one record of the seeds from another, whatever it says."""
    return tree_number(f"{dataset}\n{source}")


def prune(store: RunStore) -> int:
    """Deletes what is set aside, with its recorded calls and observations.

    Returns:
        Inputs deleted.

    Raises:
        StoreError: The directory cannot be written.
    """
    with _transaction(store) as connection:
        connection.execute(_SET_ASIDE)
        connection.create_function("tree_number", 1, tree_number, deterministic=True)
        counted = "SELECT tree_number(key) FROM outcomes UNION SELECT tree_number(key) FROM admitted"
        dropped = f"SELECT tree_number(key) FROM set_aside EXCEPT {counted}"
        _forget_calls(connection, dropped)
        return connection.execute("DELETE FROM set_aside").rowcount


def retry(store: RunStore, state: TreeState) -> int:
    """Lets the inputs in a state be grown again, with fresh samples.

    Growing is a function of the record, so that the same record would end in the same state: the calls of these
    trees are forgotten. Those of failed ones are kept, since they stopped before they had come to an end.

    Returns:
        Inputs that will be grown again.

    Raises:
        StoreError: The directory cannot be written.
    """
    with _transaction(store) as connection:
        connection.create_function("tree_number", 1, tree_number, deterministic=True)
        if state is not TreeState.FAILED:
            _forget_calls(connection, "SELECT tree_number(key) FROM outcomes WHERE state = ?", state.value)
        count = connection.execute("DELETE FROM outcomes WHERE state = ?", (state.value,)).rowcount
        recount(connection)
        return count


def forget_refusals(store: RunStore) -> None:
    """Forgets what providers refused to failed trees, so that they are asked once more.

    Raises:
        StoreError: The directory cannot be written.
    """
    if not store.counts()[TreeState.FAILED]:
        return
    with _transaction(store) as connection:
        connection.create_function("tree_number", 1, tree_number, deterministic=True)
        connection.create_function("refused", 1, lambda payload: bool(_refusal(payload)))
        failed = "SELECT tree_number(key) FROM outcomes WHERE state = 'failed'"
        connection.execute(f"DELETE FROM calls WHERE tree IN ({failed}) AND refused(payload)")


def _refusal(payload: bytes) -> str:
    return str(orjson.loads(unpack(payload)).get("refused", ""))


def _forget_calls(connection: sqlite3.Connection, trees: str, *parameters: str) -> None:
    for table in ("calls", "observations"):
        connection.execute(f"DELETE FROM {table} WHERE tree IN ({trees})", parameters)


@contextmanager
def _transaction(store: RunStore) -> Iterator[sqlite3.Connection]:
    try:
        connection = store.connection()
        try:
            connection.execute("BEGIN IMMEDIATE")
            yield connection
            connection.execute("COMMIT")
        finally:
            if connection.in_transaction:
                connection.rollback()
            connection.close()
    except sqlite3.Error as error:
        raise StoreError(f"Cannot write to the run directory {store.folder}: {error}.") from error
