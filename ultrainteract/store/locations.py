"""Several run directories read as one: the shards of a run, wherever they lie.

A location is a run directory, a folder of shards, a glob of either, or an fsspec URL of these (`s3://…`). Trees come in
the order of their ids, each once, so that shards export what one unsharded run would.
"""

from __future__ import annotations

import heapq
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from glob import glob, has_magic
from itertools import groupby
from pathlib import Path

from ultrainteract.config import RunConfig
from ultrainteract.errors import StoreError
from ultrainteract.schema import Tree, TreeState
from ultrainteract.store.directory import RunStore
from ultrainteract.store.merging import inputs_of
from ultrainteract.store.reading import STORE_FILE
from ultrainteract.store.records import Outcome, Spend, summed, unpack

_SHARDS = "shard-*-of-*"


def find_runs(location: str, stack: ExitStack) -> list[Path]:
    """The run directories at a location, sorted; empty where there is none.

    Args:
        location: A path, a glob, or an fsspec URL.
        stack: Keeps the copies of remote run directories until it is closed.

    Raises:
        StoreError: A glob matches nothing, or a URL cannot be read.
    """
    if "://" in location:
        return _remote(location, stack)
    found = sorted(glob(location)) if has_magic(location) else [location]
    runs = [run for path in found for run in _runs_of(Path(path))]
    if not runs and has_magic(location):
        raise StoreError(f"No run directory matches {location}.")
    return runs


def _runs_of(path: Path) -> list[Path]:
    if (path / STORE_FILE).is_file():
        return [path]
    return [shard for shard in sorted(path.glob(_SHARDS)) if (shard / STORE_FILE).is_file()]


def _remote(location: str, stack: ExitStack) -> list[Path]:
    """Copies the databases at a URL to this machine."""
    from fsspec.core import url_to_fs

    try:
        files, path = url_to_fs(location)
        found: list[str] = []
        for pattern in (f"{path.rstrip('/')}/{STORE_FILE}", f"{path.rstrip('/')}/{_SHARDS}/{STORE_FILE}"):
            found = found or sorted(files.glob(pattern))
        if found:
            scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ultrainteract-runs-")))
        runs = []
        for number, file in enumerate(found):
            run = scratch / f"{number:04d}-{file.split('/')[-2]}"
            run.mkdir()
            for suffix in ("", "-wal"):  # what a killed run had not yet moved into the database itself
                if not suffix or files.exists(file + suffix):
                    files.get_file(file + suffix, str(run / (STORE_FILE + suffix)))
            runs.append(run)
    except (OSError, ValueError, ImportError) as error:
        raise StoreError(f"Cannot read {location}: {error}.") from error
    if not runs:
        raise StoreError(f"There is no run directory at {location}.")
    return runs


SEED_DIGEST = "seed_digest"
"""Key in a shard's `meta`: a sum over the keys of all inputs of the seeds, as it last read them to their end."""


class Runs:
    """Open run directories of one run. What is asked of a `RunStore` for reading can be asked of them.

    Args:
        stores: The directories, of one configuration. Where several hold an input, a finished one counts.
    """

    def __init__(self, stores: Sequence[RunStore]) -> None:
        self.stores = tuple(stores)

    def config(self) -> RunConfig:
        """The configuration of the run."""
        return self.stores[0].config().model_copy(update={"shard": None})

    def stale(self) -> str:
        """Why these shards do not fit together: they read different seeds. Empty where nothing says so."""
        read: dict[str, list[str]] = defaultdict(list)
        for store in self.stores:
            if digest := store.meta(SEED_DIGEST):
                read[digest].append(store.folder.name)
        if len(read) < 2:
            return ""
        return (
            f"The seeds changed between shards: {' and '.join(', '.join(names) for names in read.values())} read "
            "different ones, so a corrected problem may still have its earlier tree. Run every shard again, or "
            "take them as they are with --mixed."
        )

    def trees(self) -> Iterator[Tree]:
        """Yields all finished trees, each once, in the order of their ids."""
        return (Tree.model_validate_json(unpack(blob)) for _, blob in self.packed_trees())

    def packed_trees(self) -> Iterator[tuple[str, bytes]]:
        """Yields (id, tree as stored) of all finished trees, each once, in the order of their ids."""
        last = ""
        for key, blob in heapq.merge(
            *(store.packed_trees() for store in self.stores), key=lambda row: row[0]
        ):
            if key != last:
                yield key, blob
            last = key

    def ledger(self) -> Iterator[tuple[Outcome, dict[str, float]]]:
        """Yields the ledger with what each input adds to the sums, each input once, in the order of keys."""
        rows = heapq.merge(*(store.ledger() for store in self.stores), key=lambda row: row[0].key)
        for _, same in groupby(rows, key=lambda row: row[0].key):
            yield min(same, key=lambda row: row[0].state is TreeState.FAILED)

    def counts(self) -> dict[TreeState, int]:
        """Number of inputs in each state."""
        if len(self.stores) == 1:
            return self.stores[0].counts()
        found = Counter(outcome.state for outcome, _ in self.ledger())
        return {state: found[state] for state in TreeState}

    def tallies(self) -> dict[str, float]:
        """Sums over all finished trees."""
        if len(self.stores) == 1:
            return self.stores[0].tallies()
        sums: Counter[str] = Counter()
        for _, tallies in self.ledger():
            sums.update(tallies)
        return dict(sums)

    def inputs(self) -> int | None:
        """Number of inputs of the seed set; None while it has not been read to its end."""
        return inputs_of(self.stores)

    def count_set_aside(self) -> int:
        """Number of inputs that are no longer in the seeds and count nowhere."""
        return sum(store.count_set_aside() for store in self.stores)

    def spend(self) -> list[Spend]:
        """What was spent, by role, step, model and task."""
        return summed(spend for store in self.stores for spend in store.spend())

    def size(self) -> int:
        """Bytes of the databases on disk."""
        return sum(store.size() for store in self.stores)


def open_runs(locations: Iterable[str], stack: ExitStack) -> Runs:
    """Opens all run directories at some locations for reading.

    Args:
        locations: See `find_runs`.
        stack: Closes them.

    Raises:
        StoreError: There is none, one cannot be read, or they are not of one run.
    """
    locations = list(locations)
    folders = [folder for location in locations for folder in find_runs(location, stack)]
    if not folders:
        raise StoreError(f"{', '.join(locations)} is not a run directory (no {STORE_FILE} in it).")
    stores = [stack.enter_context(RunStore.open(folder)) for folder in dict.fromkeys(folders)]
    for other in stores[1:]:
        if differences := list(stores[0].differences(other.frozen())):
            raise StoreError(
                f"{stores[0].folder} and {other.folder} are of different runs. What differs:\n"
                + "\n".join(f"  {line}" for line in differences)
            )
    return Runs(stores)
