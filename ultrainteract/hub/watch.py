"""A long run's finished trees, published every few minutes until the run has ended."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

from ultrainteract.config import ExportConfig, PublishConfig
from ultrainteract.dataset.source import Repeatable, spent
from ultrainteract.errors import HubError
from ultrainteract.exporting import RunInfo, export_trees
from ultrainteract.hub.commit import Published, push
from ultrainteract.hub.publication import Publication, prepare
from ultrainteract.hub.rights import Rights
from ultrainteract.schema import TreeState
from ultrainteract.statistics.statistics import Statistics
from ultrainteract.store import open_runs

FOLDER = "publish"
"""Folder of a run directory in which the exports to publish are made."""


def publish_run(
    run: str | Path,
    rights: Rights,
    config: PublishConfig,
    export: ExportConfig | None = None,
    *,
    allow_simulated: bool = False,
) -> Published:
    """Exports what a run has finished and publishes it.

    Args:
        run: The run directory; another process may be writing to it.
        rights: What `check_rights` found.
        config: Where to publish.
        export: What to publish; the run's own settings if None.
        allow_simulated: Publish simulated data, marked as such.

    Raises:
        HubError: It was refused or failed.
        StoreError: The run cannot be read, or the exports cannot be written.
    """
    return push(_prepared(run, export, allow_simulated), rights, config)


def watch(
    run: str | Path,
    rights: Rights,
    config: PublishConfig,
    export: ExportConfig | None = None,
    *,
    minutes: float,
    allow_simulated: bool = False,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[Published | HubError]:
    """Publishes a run every `minutes` as long as it goes on, and once more when it has ended.

    A push that fails is yielded as its error and tried again at the next turn; the last one's error is raised.

    Raises:
        HubError: The last push failed, or publishing this data is refused.
        StoreError: The run cannot be read.
    """
    published = -1
    while True:
        ended, finished = _progress(run)
        if finished != published and (finished or ended):
            publication = _prepared(run, export, allow_simulated)
            try:
                yield push(publication, rights, config)
                published = finished
            except HubError as error:
                if ended:
                    raise
                yield error
        if ended:
            return
        sleep(minutes * 60)


def _prepared(run: str | Path, export: ExportConfig | None, allow_simulated: bool) -> Publication:
    with ExitStack() as stack:
        store = open_runs([str(run)], stack)
        settings = store.config()
        figures = Statistics()
        folder = Path(run) / FOLDER
        chosen = export or settings.export
        info = RunInfo.of_run(settings)
        export_trees(Repeatable.of_run(store), folder, chosen, info, figures)
        found = figures.to_json() | {"spent": spent(store.spend(), figures.pairs)}
    return prepare(folder, info, found, formats=chosen.formats, allow_simulated=allow_simulated)


def _progress(run: str | Path) -> tuple[bool, int]:
    """Whether a run has settled all its inputs, and how many trees it has."""
    with ExitStack() as stack:
        store = open_runs([str(run)], stack)
        inputs, counts = store.inputs(), store.counts()
    grown = sum(counts[state] for state in (TreeState.COMPLETE, TreeState.SFT_ONLY, TreeState.UNSOLVED))
    return inputs is not None and sum(counts.values()) >= inputs, grown
