"""From a run directory or a folder of exports to what is published: the one way of `push`, `--watch`, `run --publish`.

A run's own `RUN/exports` are published where they were made from all of its trees: with their formats, filters and
splits. Where they are missing, older than the run, or without a wanted format, exports are made in `RUN/publish`, with
the settings that `RUN/exports` record, else the run's.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from pydantic import ValidationError

from ultrainteract._version import __version__
from ultrainteract.config import ExportConfig, PublishConfig
from ultrainteract.dataset.info import INFO_FILE, RunInfo
from ultrainteract.dataset.source import Source
from ultrainteract.errors import StoreError
from ultrainteract.exporting import export_trees
from ultrainteract.exporting.export import exported_trees
from ultrainteract.hub.client import Sleep
from ultrainteract.hub.commit import Published, push
from ultrainteract.hub.publication import Publication, prepare
from ultrainteract.hub.rights import Rights
from ultrainteract.statistics.label_error import audited_error
from ultrainteract.statistics.statistics import Statistics

EXPORTS = "exports"
"""Folder of a run directory in which `export` writes."""
FOLDER = "publish"
"""Folder of a run directory in which exports to publish are made."""

Say = Callable[[str], None]


@contextmanager
def prepare_source(
    source: str,
    *,
    formats: tuple[str, ...] = (),
    allow_simulated: bool = False,
    in_place: bool = True,
    mixed: bool = False,
    say: Say = lambda line: None,
) -> Iterator[Publication]:
    """Puts together what is to be published of a run, or of a folder of exports; in a `with` block.

    Two of these for one run directory at once wait for each other.

    Args:
        source: A run directory, a folder or glob of shards, or a folder of exports.
        formats: Exports to publish; those of the settings, or all that are there, if empty.
        allow_simulated: Publish simulated data, marked as such.
        in_place: Keep exports that have to be made in the run directory, for the next push.
        mixed: Read runs of different settings as one (see `Source.open`).
        say: Tells what is done.

    Raises:
        HubError: Publishing this data is refused, or there is nothing to publish.
        ConfigError: A format is unknown or not there.
        StoreError: The run cannot be read, or exports cannot be written.
    """
    with ExitStack() as stack:
        opened = stack.enter_context(Source.open(source, mixed=mixed))
        opened.require_current()
        figures = Statistics()
        folder = Path(source)
        if not opened.is_run:
            for tree in opened.trees:
                figures.add(tree)
        elif folder.is_dir():
            stack.enter_context(_locked(folder, say))
            kept = _recorded(folder / EXPORTS)
            settings = _settings(kept, opened.export, formats)
            trees = sum(1 for _ in opened.trees.packed() or opened.trees)
            why_not = _why_not(folder / EXPORTS, kept, opened.info, settings, trees)
            if not why_not:
                say(f"Publishing what lies in {folder / EXPORTS} ({', '.join(settings.formats)}).")
                opened.info = opened.info.of_exports(settings, trees)
                folder = folder / EXPORTS
                for tree in exported_trees(opened.trees, settings):
                    figures.add(tree)
            else:
                where = folder / FOLDER if in_place else Path(stack.enter_context(_scratch()))
                say(f"Making exports to publish ({', '.join(settings.formats)}): {why_not}.")
                opened.info = _export(opened, where, settings, figures)
                folder = where
            formats = settings.formats
        else:
            settings = _settings(None, opened.export, formats)
            folder = Path(stack.enter_context(_scratch()))
            opened.info = _export(opened, folder, settings, figures)
            formats = settings.formats
        publication = prepare(
            folder,
            opened.info,
            figures.figures(opened.spend).model_copy(update={"label_error": audited_error([source])}),
            formats=formats,
            allow_simulated=allow_simulated,
        )
        for line in publication.findings.lines():
            say(line)
        yield publication


def publish_run(
    run: str | Path,
    rights: Rights,
    config: PublishConfig,
    *,
    formats: tuple[str, ...] = (),
    message: str = "",
    allow_simulated: bool = False,
    say: Say = lambda line: None,
    sleep: Sleep = time.sleep,
) -> Published:
    """Publishes what a run has finished; another process may be writing to it.

    Args:
        run: The run directory.
        rights: What `check_rights` found.
        config: Where to publish.
        formats: What to publish; the settings of `RUN/exports`, else the run's, if empty.
        message: Commit message; made from the run if empty.
        allow_simulated: Publish simulated data, marked as such.
        say: Tells what is done.
        sleep: Waits between attempts.

    Raises:
        HubError: It was refused or failed.
        StoreError: The run cannot be read, or the exports cannot be written.
    """
    with prepare_source(str(run), formats=formats, allow_simulated=allow_simulated, say=say) as publication:
        return push(publication, rights, config, message=message, sleep=sleep)


def _export(opened: Source, folder: Path, settings: ExportConfig, figures: Statistics) -> RunInfo:
    export_trees(opened.trees, folder, settings, opened.info, figures, min(8, os.cpu_count() or 1))
    return _recorded(folder) or opened.info


def _recorded(folder: Path) -> RunInfo | None:
    """What a folder of exports says of itself; None where it says nothing that can be read."""
    try:
        return RunInfo.model_validate_json((folder / INFO_FILE).read_bytes())
    except (OSError, ValidationError):
        return None


def _settings(kept: RunInfo | None, own: ExportConfig, formats: tuple[str, ...]) -> ExportConfig:
    """The settings to publish with: those of the exports that lie there, else the run's; wanted formats go first."""
    settings = own
    if kept is not None and kept.export is not None:
        settings = ExportConfig.model_validate(kept.export)
    return settings.model_copy(update={"formats": formats}) if formats else settings


def _why_not(folder: Path, kept: RunInfo | None, info: RunInfo, settings: ExportConfig, trees: int) -> str:
    """Why the exports in a folder are not what is to be published; empty where they are."""
    if kept is None or kept.export is None:
        return f"{folder} has none with a record of their settings"
    if kept.fingerprint != info.fingerprint or kept.version != __version__:
        return f"those in {folder} were made of another run, or by another version"
    if kept.trees != trees:
        return f"those in {folder} were made from {kept.trees:,} trees, and the run has {trees:,}"
    missing = [name for name in settings.formats if not (folder / name).is_dir()]
    return f"{folder} has no {missing[0]}" if missing else ""


@contextmanager
def _scratch() -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="ultrainteract-push-") as folder:
        yield folder


@contextmanager
def _locked(run: Path, say: Say) -> Iterator[None]:
    """Holds a run directory's exports; waits for another push of the same run.

    Raises:
        StoreError: The directory cannot be written.
    """
    try:
        descriptor = os.open(run / ".publish.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise StoreError(f"Cannot write {run}: {error.strerror}.") from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"Another push of {run} is in progress; waiting for it.")
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
