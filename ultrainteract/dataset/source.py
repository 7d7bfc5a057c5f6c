"""Trees from wherever they lie: run directories, exported folders, published rows, Hub datasets."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import Self

from pydantic import ValidationError

from ultrainteract.config import ExportConfig, PublishConfig
from ultrainteract.dataset.importing import ImportedTrees
from ultrainteract.dataset.info import INFO_FILE, RunInfo
from ultrainteract.dataset.tree_table import packed_trees, tree_tables, trees_of
from ultrainteract.errors import ConfigError, DataError, StoreError
from ultrainteract.readers.sources import is_hub_id
from ultrainteract.readers.tables import Table, open_tables
from ultrainteract.schema import Tree, content_hash
from ultrainteract.store import STORE_FILE, Runs, RunStore, Spend, find_runs, read_tree


class Repeatable:
    """Trees that can be iterated again and again.

    Args:
        make: Starts one iteration.
        packed: Starts one over the trees as they are stored (see `store.read_tree`), which costs little and can be
            handed to other processes.
    """

    def __init__(
        self, make: Callable[[], Iterator[Tree]], packed: Callable[[], Iterator[bytes]] | None = None
    ) -> None:
        self._make = make
        self._packed = packed

    def __iter__(self) -> Iterator[Tree]:
        return self._make()

    def packed(self) -> Iterator[bytes] | None:
        """The trees as they are stored; None where they are not at hand in that form."""
        return None if self._packed is None else self._packed()

    @classmethod
    def of_run(cls, store: RunStore | Runs) -> Self:
        """The finished trees of a run."""

        def packed() -> Iterator[bytes]:
            return (blob for _, blob in store.packed_trees())

        return cls(lambda: map(read_tree, packed()), packed)


@dataclass
class Source:
    """Trees of one or several places, read as one. Use it in a `with` block."""

    info: RunInfo
    """What is known of their origin."""
    export: ExportConfig
    """Export settings of the run; the defaults where there is no run."""
    publish: PublishConfig | None
    """Publication settings of the run; None where there is no run."""
    is_run: bool
    """Whether these are run directories."""
    spend: tuple[Spend, ...]
    """What the runs have spent in all, kept or not."""
    imported: tuple[ImportedTrees, ...]
    """Sources that were rebuilt from published rows, with what did not fit."""
    stale: str
    """Why shards of a run do not fit together (see `Runs.stale`); empty where they do, or may be mixed."""
    _parts: tuple[Repeatable, ...]
    _stack: ExitStack

    @classmethod
    def open(
        cls,
        *paths: str,
        revision: str | None = None,
        mixed: bool = False,
        keep: Callable[[Table], bool] = lambda table: True,
    ) -> Self:
        """Opens run directories, folders of exports, files, or Hub datasets.

        Args:
            paths: The places (see `store.find_runs` for runs); shards of one run are read as one, other
                trees follow one another.
            revision: Revision of Hub datasets.
            mixed: Allow runs of different settings. An instruction that several of them grew keeps the tree of the
                one named first: rows of two would have the same ids.
            keep: Which tables are read, of places that are no runs: those of one split, say.

        Raises:
            ConfigError: The runs have different settings, and `mixed` is not set.
            StoreError: A run directory cannot be read.
            DataError: A place holds nothing that trees could be made of.
        """
        infos: list[RunInfo] = []
        runs: dict[str, list[RunStore]] = {}
        imported: list[ImportedTrees] = []
        parts: list[Repeatable] = []
        with ExitStack() as stack:
            for path in paths:
                if folders := find_runs(path, stack):
                    for folder in folders:
                        store = stack.enter_context(RunStore.open(folder))
                        runs.setdefault(store.config().fingerprint(), []).append(store)
                    continue
                if (beside := _runs_beside(path)) and is_hub_id(path):
                    raise StoreError(
                        f"There is no {path}. In {Path(path).parent} there are: {', '.join(beside)}."
                    )
                tables = [table for table in open_tables(path, revision) if keep(table)]
                if not tables:
                    continue
                info = _recorded_info(Path(path)) or RunInfo.of_import(Path(path).name, [path])
                simulated = info.simulated or any(table.simulated for table in tables)
                infos.append(info.model_copy(update={"simulated": simulated}))
                if whole := tree_tables(tables):
                    parts.append(Repeatable(partial(trees_of, whole), partial(packed_trees, whole)))
                else:
                    rows = stack.enter_context(ImportedTrees.of_tables(tables, path))
                    imported.append(rows)
                    parts.append(Repeatable(rows.__iter__))
            if not runs and not parts:
                raise DataError(f"{', '.join(paths)}: none of the tables is of the split that is wanted.")
            together = [Runs(stores) for stores in runs.values()]
            configs = [run.config() for run in together]
            recorded = [info for info in infos if info.config]
            infos = [*map(RunInfo.of_run, configs), *infos]
            if not mixed:
                _check_one_run([*map(RunInfo.of_run, configs), *recorded], together)
            spend = [item for run in together for item in run.spend()]
            info = infos[0] if len(infos) == 1 else _joined(infos)
            first = configs[0] if configs else None
            return cls(
                stale="" if mixed else next(filter(None, (run.stale() for run in together)), ""),
                info=info,
                export=first.export if first else ExportConfig(),
                publish=first.publish if first else None,
                is_run=not parts,
                spend=tuple(spend),
                imported=tuple(imported),
                _parts=(*map(Repeatable.of_run, together), *parts),
                _stack=stack.pop_all(),
            )

    @property
    def trees(self) -> Repeatable:
        """All trees, in order."""

        def packed() -> Iterator[bytes]:
            for part in self._parts:
                yield from part.packed() or ()

        if len(self._parts) > 1:  # of different runs: an id stands once
            return Repeatable(lambda: _first_of_each(chain.from_iterable(self._parts)))
        whole = all(part.packed() is not None for part in self._parts)
        return Repeatable(lambda: chain.from_iterable(self._parts), packed if whole else None)

    def tree(self, prefix: str) -> Tree:
        """The tree whose id begins with `prefix`.

        Raises:
            DataError: None does, or more than one.
        """
        found = list(islice((tree for tree in self.trees if tree.id.startswith(prefix)), 2))
        if len(found) != 1:
            raise DataError(
                f"{'No' if not found else 'More than one'} tree has an id that begins with '{prefix}'."
            )
        return found[0]

    def require_current(self) -> None:
        """Refuses shards that read different seeds: what leaves them would hold labels that were corrected since.

        Raises:
            ConfigError: They did, and `mixed` was not set.
        """
        if self.stale:
            raise ConfigError(self.stale)

    def close(self) -> None:
        """Closes what was opened."""
        self._stack.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _first_of_each(trees: Iterator[Tree]) -> Iterator[Tree]:
    """Trees of ids that were not met before, with 16 bytes of memory per id."""
    seen: set[bytes] = set()
    for tree in trees:
        key = tree.id.encode()[:32]
        if key not in seen:
            seen.add(key)
            yield tree


def _check_one_run(infos: Sequence[RunInfo], runs: Sequence[Runs]) -> None:
    if len({info.fingerprint for info in infos}) < 2:
        return
    lines = ""
    if len(runs) > 1:
        one, other = runs[0].stores[0], runs[1].stores[0]
        differences = list(one.differences(other.frozen()))
        lines = f" {one.folder} and {other.folder} differ in:\n" + "\n".join(
            f"  {line}" for line in differences[:8]
        )
    raise ConfigError(
        "These are runs of different settings, and an instruction that both grew would give rows with the same ids."
        f"{lines}\nName them one at a time; or --mixed to read them as one, each instruction from the run named first."
    )


def _runs_beside(path: str) -> list[str]:
    """Run directories in the folder of a path that is not there: nobody means a dataset of the Hub then."""
    parent = Path(path).parent
    if Path(path).exists() or parent == Path() or not parent.is_dir():
        return []
    return sorted({folder.parent.name for folder in parent.glob(f"*/{STORE_FILE}")})[:10]


def _recorded_info(path: Path) -> RunInfo | None:
    """The `RunInfo` beside exports, or beside the split's own folder."""
    for folder in (path, path.parent):
        file = folder / INFO_FILE
        if file.is_file():
            try:
                return RunInfo.model_validate_json(file.read_bytes())
            except ValidationError as error:
                raise ConfigError(f"{file} is not of this version: {error.errors()[0]['msg']}.") from error
    return None


def _joined(infos: list[RunInfo]) -> RunInfo:
    """One description of several runs."""
    return RunInfo(
        name="+".join(dict.fromkeys(info.name for info in infos)),
        fingerprint=content_hash([info.fingerprint for info in infos]),
        config={f"{number} {info.name}": info.config for number, info in enumerate(infos, 1)},
        models={role: model for info in infos for role, model in info.models.items()},
        licenses={name: license for info in infos for name, license in info.licenses.items()},
        simulated=any(info.simulated for info in infos),
    )
