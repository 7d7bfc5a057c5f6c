"""The datasets that can be named in a config, and how others are added.

A dataset is a function from a row to problems, registered by the `dataset` decorator. Other packages bring
theirs through the entry-point group `ultrainteract.datasets`: each entry names a module (imported for its
decorators) or a decorated function.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from ultrainteract.config import SeedConfig
from ultrainteract.readers.files import DATA_FILES
from ultrainteract.readers.rows import Row
from ultrainteract.registry import Registry
from ultrainteract.schema import Task
from ultrainteract.seeds.problem import Problem

Loader = Callable[[Row, SeedConfig], Iterable[Problem]]


@dataclass(frozen=True, slots=True)
class Benchmark:
    """What makes a dataset a benchmark: models are evaluated on it, and no tree is grown from it."""

    metric: str
    """The check that decides, in a few words."""
    size: int
    """Items of the full set."""
    split: str = "test"
    """The split that is evaluated."""


@dataclass(frozen=True, slots=True)
class Dataset:
    """A registered dataset."""

    name: str
    """Name in configs and in published rows."""
    tasks: tuple[Task, ...]
    """Tasks its records make instructions of, in this order."""
    load: Loader
    """Makes problems of one row; raises `Unusable` for a row that is none."""
    licence: str | None
    """Licence of the data (SPDX id where there is one)."""
    files: tuple[str, ...]
    """File patterns read where the path is a folder."""
    options: tuple[str, ...]
    """Options its loader knows."""
    paths: tuple[str, ...]
    """Those of its options that are paths: the loader sees them resolved against the config's folder."""
    summary: str
    """First line of the loader's docstring."""
    further: tuple[Task, ...] = ()
    """Tasks that it makes instructions of where a config names them, and not otherwise."""
    benchmark: Benchmark | None = None
    """What is known of it as a benchmark; None for a seed dataset."""
    records: str = ""
    """Field of a file's one object that holds its records, so that a bad one costs itself alone; empty where each
    object is a record."""


DATASETS: Registry[Dataset] = Registry(
    "dataset",
    "ultrainteract.datasets",
    "ultrainteract.seeds.datasets",
    hint="Use `generic` with a `mapping`, or register one in the entry-point group ultrainteract.datasets.",
)
"""All datasets that a config can name."""


def dataset(
    name: str,
    *,
    tasks: Iterable[Task | str],
    licence: str | None = None,
    files: Iterable[str] = DATA_FILES,
    options: Iterable[str] = (),
    paths: Iterable[str] = (),
    further: Iterable[Task | str] = (),
    benchmark: Benchmark | None = None,
    records: str = "",
) -> Callable[[Loader], Loader]:
    """Registers a loader under `name`.

    Args:
        name: Name in configs; also the published dataset name.
        tasks: Tasks its records make instructions of.
        licence: Licence of the data; `licence` of the seed config goes before it.
        files: File patterns read where the path is a folder, the first that matches anything.
        options: Names the loader reads from `SeedConfig.options`; others are refused.
        paths: Those of `options` that are paths, relative to the config's folder.
        further: Tasks that are made only where a config names them.
        benchmark: What makes it a benchmark; a run that would grow trees from it is refused.
        records: Field that holds the records as a list, where a file is one object; the loader sees each by itself.

    Raises:
        ConfigError: Another loader has this name.
    """

    def register(load: Loader) -> Loader:
        summary = (load.__doc__ or "").strip().partition("\n")[0]
        entry = Dataset(
            name, tuple(map(Task, tasks)), load, licence, tuple(files), tuple(options), tuple(paths), summary,
            tuple(map(Task, further)),
            benchmark, records,
        )  # fmt: skip
        DATASETS.add(name, entry, load)
        return load

    return register


def known_datasets() -> dict[str, Dataset]:
    """All registered datasets by name, plugins included."""
    return DATASETS.all()


def find_dataset(name: str) -> Dataset:
    """The dataset registered as `name`.

    Raises:
        ConfigError: There is none.
    """
    return DATASETS.find(name)
