"""Publishing on the Hugging Face Hub: a run, or a folder of exports, once or as long as the run goes on."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ultrainteract.config import ExportConfig, PublishConfig, RunConfig
from ultrainteract.dataset.info import RunInfo
from ultrainteract.dataset.source import Source, spent
from ultrainteract.errors import HubError

if TYPE_CHECKING:
    from ultrainteract.hub import Published, Rights


def check_push(
    source: RunConfig | str | Path,
    repo: str | None = None,
    *,
    settings: Mapping[str, object] | None = None,
    allow_simulated: bool = False,
    replace: bool = False,
    mixed: bool = False,
) -> Rights:
    """Checks that a push can succeed, before any work: token, name, the right to write, and the kind of data.

    Args:
        source: What is to be published (see `push`), or the configuration of a run that has not begun.
        repo: Dataset id on the Hub; `publish.repo` of the run if None.
        settings: Other changes to the run's `publish` settings, by name.
        allow_simulated: Publish simulated data, marked as such.
        replace: Publish into a dataset that holds something else.
        mixed: Read runs of different settings as one (see `Source.open`).

    Raises:
        HubError: It would be refused; the message says why.
        StoreError: The run cannot be read.
        DataError: The folder holds nothing that trees could be made of.
    """
    from ultrainteract.hub import check_rights, check_simulated

    if isinstance(source, RunConfig):
        simulated = RunInfo.of_run(source).simulated
        base: PublishConfig | None = source.publish
    else:
        with Source.open(str(source), mixed=mixed) as opened:
            simulated, base = opened.info.simulated, opened.publish
    check_simulated(simulated, allow_simulated)
    return check_rights(_settings(base, repo, settings), replace=replace)


def push(
    source: str | Path,
    repo: str | None = None,
    *,
    settings: Mapping[str, object] | None = None,
    rights: Rights | None = None,
    export: ExportConfig | None = None,
    formats: Sequence[str] = (),
    message: str = "",
    allow_simulated: bool = False,
    replace: bool = False,
    dry_run: str | Path | None = None,
    jobs: int = 1,
    mixed: bool = False,
) -> Published | None:
    """Publishes in one commit: Parquet, card, configuration and figures; then reads it back and compares.

    Args:
        source: A run directory, a folder (or glob) of shards, or a folder of exports.
        repo: Dataset id on the Hub; `publish.repo` of the run if None.
        settings: Other changes to the run's `publish` settings, by name.
        rights: What `check_push` found; it is called if None.
        export: Export settings of a run; its own if None.
        formats: Exports to publish; those of the settings (or all in the folder) if empty.
        message: Commit message.
        allow_simulated: Publish simulated data, marked as such.
        replace: Publish into a dataset that holds something else.
        dry_run: Write everything into this folder instead.
        jobs: Processes to export with; 0 for one per core, at most 8 (see `export`).
        mixed: Read runs of different settings as one (see `Source.open`).

    Returns:
        What was published; None after a dry run.

    Raises:
        HubError: It was refused or failed; the run and its exports are untouched.
        StoreError: The run cannot be read, or the exports cannot be written.
        DataError: The folder holds nothing that trees could be made of.
    """
    from ultrainteract.exporting import export_trees
    from ultrainteract.hub import check_rights, check_simulated, prepare
    from ultrainteract.hub import push as commit
    from ultrainteract.hub.watch import FOLDER
    from ultrainteract.statistics.statistics import Statistics

    with (
        Source.open(str(source), mixed=mixed) as opened,
        tempfile.TemporaryDirectory(prefix="ultrainteract-") as scratch,
    ):
        config = _settings(opened.publish, repo, settings)
        check_simulated(opened.info.simulated, allow_simulated)
        if dry_run is None and rights is None:
            rights = check_rights(config, replace=replace)
        folder, figures, chosen = Path(source), Statistics(), tuple(formats)
        if opened.is_run:
            exports = export or opened.export
            chosen = chosen or exports.formats
            folder = folder / FOLDER if dry_run is None and folder.is_dir() else Path(scratch)
            export_trees(
                opened.trees, folder, exports.model_copy(update={"formats": chosen}), opened.info, figures,
                jobs or min(8, os.cpu_count() or 1),
            )  # fmt: skip
        else:
            for tree in opened.trees:
                figures.add(tree)
        found = figures.to_json()
        if opened.spend:
            found["spent"] = spent(opened.spend, figures.pairs)
        publication = prepare(folder, opened.info, found, formats=chosen, allow_simulated=allow_simulated)
        if rights is None:
            publication.write(Path(dry_run or folder), config.repo or "user/name", config)
            return None
        return commit(publication, rights, config, message=message)


def watch_push(
    run: str | Path,
    repo: str | None = None,
    *,
    minutes: float,
    settings: Mapping[str, object] | None = None,
    rights: Rights | None = None,
    formats: Sequence[str] = (),
    allow_simulated: bool = False,
    replace: bool = False,
) -> Iterator[Published | HubError]:
    """Publishes what a run has finished every `minutes`, until it has ended.

    A push that fails is yielded as its error and tried again at the next turn; the last one's error is raised.

    Args:
        run: A run directory; another process may be writing to it.
        repo: Dataset id on the Hub; `publish.repo` of the run if None.
        minutes: Time between two pushes.
        settings: Other changes to the run's `publish` settings, by name.
        rights: What `check_push` found; it is called if None.
        formats: Exports to publish; those of the run's settings if empty.
        allow_simulated: Publish simulated data, marked as such.
        replace: Publish into a dataset that holds something else.

    Raises:
        HubError: The last push failed, publishing this data is refused, or `run` is no run directory.
        StoreError: The run cannot be read.
    """
    from ultrainteract.hub.watch import watch

    with Source.open(str(run)) as opened:
        if not opened.is_run:
            raise HubError(f"Only a run directory can be watched; {run} is none.")
        config = _settings(opened.publish, repo, settings)
        export = opened.export.model_copy(update={"formats": tuple(formats)} if formats else {})
    if rights is None:
        rights = check_push(run, repo, settings=settings, allow_simulated=allow_simulated, replace=replace)
    yield from watch(run, rights, config, export, minutes=minutes, allow_simulated=allow_simulated)


def _settings(
    base: PublishConfig | None, repo: str | None, changes: Mapping[str, object] | None
) -> PublishConfig:
    named = {"repo": repo, **(changes or {})}
    update = {name: value for name, value in named.items() if value is not None}
    return PublishConfig.model_validate((base or PublishConfig()).model_dump() | update)
