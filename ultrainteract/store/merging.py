"""Run directories that belong together: merging shards, taking over what other shards recorded, dropping old calls.

Rows are copied by SQL, one transaction for each source, and a copy that was cut off is taken up again. A tree's
record is taken from one place only, so that its samples stay in one order.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from ultrainteract.config import RunConfig, Shard
from ultrainteract.errors import StoreError
from ultrainteract.schema import TreeState
from ultrainteract.store.directory import RunStore
from ultrainteract.store.reading import STORE_FILE
from ultrainteract.store.records import tree_number
from ultrainteract.store.sql import put_spend, recount, rekeyed
from ultrainteract.store.upkeep import forget_refusals

_ADOPTED = "adopted"
"""Key in `meta`: this shard has taken over what shards of another count had recorded."""


def resume_run(config: RunConfig, *, accept_config: bool = False) -> RunStore:
    """Opens the run directory of `config`, or makes it; a shard's is a folder below `config.output`.

    A new shard takes over what shards of another count beside it have recorded of its slice: a run can be cut
    into more (or fewer) shards at any time.

    Raises:
        StoreError: See `RunStore.resume`; the folder holds shards and the whole is asked for, or the other way
            round; or a shard to take over from is still being written.
    """
    output = config.output
    shards = sorted(path.parent.name for path in output.glob(f"shard-*-of-*/{STORE_FILE}"))
    if config.shard is None and shards:
        count = shards[-1].rpartition("-of-")[2].lstrip("0")
        raise StoreError(
            f"{output} holds shards ({', '.join(shards[:3])}{' …' if len(shards) > 3 else ''}). Go on with one of them "
            f"by --shard INDEX/{count}; or make them one run by `ultrainteract merge {output} -o OTHER`, then run "
            "with -o OTHER."
        )
    if config.shard is not None and (output / STORE_FILE).exists():
        raise StoreError(
            f"{output} holds a whole run, so no shard can be grown in it: the same instructions would be grown twice. "
            "Go on without --shard; or name another output directory by -o."
        )
    folder = output if config.shard is None else output / config.shard.folder
    store = RunStore.resume(folder, config, accept_config=accept_config)
    try:
        forget_refusals(store)
        if config.shard is not None:
            adopt(store, config.shard)
    except BaseException:
        store.close()
        raise
    return store


def adopt(store: RunStore, shard: Shard) -> None:
    """Copies into a shard what shards of another count beside it recorded of its slice, once.

    Raises:
        StoreError: One of them is still being written, or belongs to another configuration.
    """
    if store.meta(_ADOPTED):
        return
    others = [
        folder
        for folder in sorted(store.folder.parent.glob("shard-*-of-*"))
        if folder.name.rpartition("-of-")[2] != shard.folder.rpartition("-of-")[2]
        and (folder / STORE_FILE).is_file()
    ]
    for folder in others:
        with RunStore.open(folder, readonly=False) as other:  # locked: what is recorded there is complete
            _same_run(store, other)
            _bury(other)
            _copy(store, folder, shard)
    with _writing(store) as connection:
        recount(connection)
        connection.execute(
            "INSERT INTO meta VALUES (?, ?)", (_ADOPTED, " ".join(f.name for f in others) or "-")
        )


def _bury(store: RunStore) -> None:
    """Makes sure that what a reader sees of a run directory now is all that it will ever hold.

    A writer that is killed after its last commit reached the disk, and before it told other connections, leaves rows
    that nobody sees as long as one of those is open, and everybody later: a shard that was cut anew in between
    would pay for them again. What is written now takes their place in the log (www.sqlite.org/walformat.html).
    """
    with _writing(store) as connection:
        connection.execute("INSERT OR REPLACE INTO meta VALUES ('taken_over', '1')")


def merge(folders: Sequence[Path], output: Path) -> None:
    """Makes one run directory of several of the same run, such as its shards.

    Args:
        folders: The run directories. Where two hold the same tree, the one of the finer shard counts.
        output: The new run directory; `ultrainteract run` with it as output goes on where the parts stopped.

    Raises:
        StoreError: They belong to different configurations, or `output` holds a run already.
    """
    stores = [RunStore.open(folder) for folder in folders]
    try:
        if not stores:
            raise StoreError("Nothing to merge: name at least one run directory.")
        for other in stores[1:]:
            _same_run(stores[0], other)
        if (output / STORE_FILE).exists():
            raise StoreError(f"{output} holds a run already.")
        stores.sort(key=lambda store: -_count(store))
        config = stores[0].config().model_copy(update={"output": output, "shard": None})
        unfinished = output.with_name(f"{output.name}.merging")
        RunStore.delete(unfinished)
        with RunStore.create(unfinished, config) as merged:
            for store in stores:
                _copy(merged, store.folder, None)
            with _writing(merged) as connection:
                put_spend(connection, [spend for store in stores for spend in store.spend()])
                recount(connection)
                if (inputs := inputs_of(stores)) is not None:
                    connection.execute("INSERT OR REPLACE INTO meta VALUES ('inputs', ?)", (str(inputs),))
        try:
            output.mkdir(parents=True, exist_ok=True)
            os.replace(unfinished / STORE_FILE, output / STORE_FILE)
            shutil.rmtree(unfinished)
        except OSError as error:
            raise StoreError(f"Cannot write the run directory {output}: {error}.") from error
    finally:
        for store in stores:
            store.close()


def inputs_of(stores: Sequence[RunStore]) -> int | None:
    """Inputs of the whole run, from a complete set of its shards (or the whole run itself); None if there is none."""
    by_count: dict[int, dict[int, int | None]] = {}
    for store in stores:
        shard = store.config().shard or Shard(index=1, count=1)
        by_count.setdefault(shard.count, {})[shard.index] = store.inputs()
    for count, parts in sorted(by_count.items()):
        known = [inputs for inputs in parts.values() if inputs is not None]
        if len(known) == count:
            return sum(known)
    return None


def compact(store: RunStore) -> tuple[int, int]:
    """Drops the recorded calls and observations of trees that are finished, and gives the room back to the disk.

    The trees keep their provenance. What is dropped can no longer be replayed: a changed configuration cannot
    be applied to the directory any more.

    Returns:
        Bytes on disk before and after.

    Raises:
        StoreError: The directory cannot be written.
    """
    before = store.size()
    with _writing(store) as connection:
        connection.create_function("tree_number", 1, tree_number, deterministic=True)
        connection.execute("CREATE TEMP TABLE finished (tree INTEGER PRIMARY KEY)")
        connection.execute(
            "INSERT OR IGNORE INTO temp.finished SELECT tree_number(key) FROM outcomes WHERE state != ?",
            (TreeState.FAILED.value,),
        )
        for table in ("calls", "observations"):
            connection.execute(f"DELETE FROM main.{table} WHERE tree IN (SELECT tree FROM temp.finished)")
        connection.execute("INSERT OR REPLACE INTO meta VALUES ('compacted', '1')")
    store.vacuum()
    return before, store.size()


def _copy(store: RunStore, folder: Path, shard: Shard | None) -> None:
    """Copies from another run directory the rows of trees in `shard` that are not there yet."""
    with _writing(store, folder) as connection:
        connection.create_function("held", 1, lambda number: shard is None or shard.holds(number))
        connection.create_function("tree_number", 1, tree_number)
        connection.execute("CREATE TEMP TABLE known AS SELECT DISTINCT tree FROM main.calls")
        fresh = "held(tree) AND tree NOT IN (SELECT tree FROM temp.known) ORDER BY id"
        for table, columns in (
            ("calls", "key, first, tree, payload"),
            ("observations", "key, tree, payload"),
        ):
            connection.execute(
                f"INSERT OR IGNORE INTO main.{table} ({columns}) SELECT {columns} FROM other.{table} WHERE {fresh}"
            )
        connection.execute("CREATE TEMP TABLE rekeyed (old TEXT PRIMARY KEY, key TEXT, source TEXT)")
        connection.executemany("INSERT INTO temp.rekeyed VALUES (?, ?, ?)", rekeyed(connection, "other"))
        ledger = ("key", "source", "state", "reason", "dataset", "depth", "tree", "tallies")
        names, taken = ", ".join(ledger), ", ".join(f"{name} = excluded.{name}" for name in ledger)
        key = "coalesce(r.key, o.key)"
        connection.execute(
            f"INSERT INTO main.outcomes ({names}) SELECT {key}, coalesce(r.source, o.source), "
            f"{', '.join(f'o.{name}' for name in ledger[2:])} FROM other.outcomes o LEFT JOIN temp.rekeyed r "
            f"ON r.old = o.key WHERE held(tree_number({key})) ORDER BY o.id "
            f"ON CONFLICT (key) DO UPDATE SET {taken} WHERE state = 'failed' AND excluded.state != 'failed'"
        )
        connection.execute(
            "INSERT OR IGNORE INTO main.admitted SELECT key, instruction FROM other.admitted "
            "WHERE held(tree_number(key)) AND key IN (SELECT key FROM main.outcomes WHERE state = 'failed')"
        )


def _same_run(one: RunStore, other: RunStore) -> None:
    differences = list(one.differences(other.frozen()))
    if differences:
        raise StoreError(
            f"{one.folder} and {other.folder} are of different configurations. What differs:\n"
            + "\n".join(f"  {line}" for line in differences)
        )


def _count(store: RunStore) -> int:
    shard = store.config().shard
    return shard.count if shard else 1


@contextmanager
def _writing(store: RunStore, other: Path | None = None) -> Iterator[sqlite3.Connection]:
    """A transaction on a connection of its own to the store's database; the tables of `other` are read as `other.…`."""
    try:
        connection = store.connection()
        try:
            if other is not None:
                place = f"{(other / STORE_FILE).absolute().as_uri()}?mode=ro"
                connection.execute("ATTACH ? AS other", (place,))
            connection.execute("BEGIN IMMEDIATE")
            yield connection
            connection.execute("COMMIT")
        finally:
            if connection.in_transaction:
                connection.rollback()
            connection.close()
    except sqlite3.Error as error:
        raise StoreError(f"Cannot write to the run directory {store.folder}: {error}.") from error
