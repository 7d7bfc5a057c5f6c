"""Publishing on the Hugging Face Hub: a run, or a folder of exports, once or as long as the run goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from ultrainteract.config import PublishConfig, RunConfig
from ultrainteract.dataset.info import RunInfo
from ultrainteract.dataset.source import Source
from ultrainteract.errors import ConfigError, HubError

if TYPE_CHECKING:
    from ultrainteract.hub import Published, Rights


def check_push(
    source: RunConfig | str | Path,
    repo: str | None = None,
    *,
    settings: Mapping[str, object] | None = None,
    formats: Sequence[str] = (),
    allow_simulated: bool = False,
    replace: bool = False,
    mixed: bool = False,
) -> Rights:
    """Checks that a push can succeed, before any work: token, name, the right to write, and the kind of data.

    Nothing is made or changed, on the Hub or here.

    Args:
        source: What is to be published (see `push`), or the configuration of a run that has not begun.
        repo: Dataset id on the Hub; `publish.repo` of the run if None.
        settings: Other changes to the run's `publish` settings, by name.
        formats: Exports to publish.
        allow_simulated: Publish simulated data, marked as such.
        replace: Publish into a dataset that holds something else.
        mixed: Read runs of different settings as one (see `Source.open`).

    Raises:
        HubError: It would be refused; the message says why.
        ConfigError: A setting or a format is wrong.
        StoreError: The run cannot be read.
        DataError: The folder holds nothing that trees could be made of.
    """
    from ultrainteract.exporting import chosen_exporters
    from ultrainteract.hub import check_formats, check_rights, check_simulated
    from ultrainteract.hub.publication import available

    check_formats(tuple(formats))
    if isinstance(source, RunConfig):
        simulated = RunInfo.of_run(source).simulated
        base: PublishConfig | None = source.publish
        chosen_exporters(source.export)
    else:
        with Source.open(str(source), mixed=mixed) as opened:
            opened.require_current()
            simulated, base = opened.info.simulated, opened.publish
            if not opened.is_run:
                available(Path(source), tuple(formats))
    check_simulated(simulated, allow_simulated)
    return check_rights(_settings(base, repo, settings), replace=replace)


def push(
    source: str | Path,
    repo: str | None = None,
    *,
    settings: Mapping[str, object] | None = None,
    rights: Rights | None = None,
    formats: Sequence[str] = (),
    message: str = "",
    allow_simulated: bool = False,
    replace: bool = False,
    dry_run: str | Path | None = None,
    mixed: bool = False,
    say: Callable[[str], None] = lambda line: None,
) -> Published | None:
    """Publishes in one commit: Parquet, card, configuration and figures; then reads it back and compares.

    Only what an earlier push listed as its own is replaced or deleted. What lies in `exports` of a run directory is
    published where it was made from all the run's trees; else exports are made.

    Args:
        source: A run directory, a folder (or glob) of shards, or a folder of exports.
        repo: Dataset id on the Hub; `publish.repo` of the run if None.
        settings: Other changes to the run's `publish` settings, by name.
        rights: What `check_push` found; it is called if None.
        formats: Exports to publish; those of the settings (or all in the folder) if empty.
        message: Commit message.
        allow_simulated: Publish simulated data, marked as such.
        replace: Publish into a dataset that holds something else.
        dry_run: Write everything into this folder instead.
        mixed: Read runs of different settings as one (see `Source.open`).
        say: Called with what is done and found, a line each.

    Returns:
        What was published; None after a dry run.

    Raises:
        HubError: It was refused or failed; the run and its exports are untouched.
        ConfigError: A setting or a format is wrong.
        StoreError: The run cannot be read, or the exports cannot be written.
        DataError: The folder holds nothing that trees could be made of.
    """
    from ultrainteract.hub import check_formats, check_simulated, prepare_source
    from ultrainteract.hub import push as commit
    from ultrainteract.running.seed_changes import warn_of_changed_files

    check_formats(tuple(formats))
    with Source.open(str(source), mixed=mixed) as opened:
        opened.require_current()
        config = _settings(opened.publish, repo, settings)
        check_simulated(opened.info.simulated, allow_simulated)
    warn_of_changed_files([source])
    if dry_run is None and rights is None:
        rights = check_push(
            source,
            repo,
            settings=settings,
            formats=formats,
            allow_simulated=allow_simulated,
            replace=replace,
            mixed=mixed,
        )
    with prepare_source(
        str(source),
        formats=tuple(formats),
        allow_simulated=allow_simulated,
        in_place=dry_run is None,
        mixed=mixed,
        say=say,
    ) as publication:
        if rights is None or dry_run is not None:
            publication.write(Path(dry_run or source), config.repo or "user/name", config)
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
    message: str = "",
    allow_simulated: bool = False,
    replace: bool = False,
    say: Callable[[str], None] = lambda line: None,
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
        message: Commit message.
        allow_simulated: Publish simulated data, marked as such.
        replace: Publish into a dataset that holds something else.
        say: Called with what is done and found, a line each.

    Raises:
        ConfigError: `minutes` is out of bounds, or a setting is wrong.
        HubError: The last push failed, publishing this data is refused, `run` is no run directory, or nothing is
            growing it any more though it has not ended.
        StoreError: The run cannot be read.
    """
    from ultrainteract.hub.watch import check_interval, watch

    check_interval(minutes)
    with Source.open(str(run)) as opened:
        if not opened.is_run:
            raise HubError(f"Only a run directory can be watched; {run} is none.")
        config = _settings(opened.publish, repo, settings)
    if rights is None:
        rights = check_push(
            run, repo, settings=settings, formats=formats, allow_simulated=allow_simulated, replace=replace
        )
    yield from watch(
        run, rights, config, minutes=minutes, formats=tuple(formats), message=message,
        allow_simulated=allow_simulated, say=say,
    )  # fmt: skip


def _settings(
    base: PublishConfig | None, repo: str | None, changes: Mapping[str, object] | None
) -> PublishConfig:
    named = {"repo": repo, **(changes or {})}
    update = {name: value for name, value in named.items() if value is not None}
    known = (base or PublishConfig()).model_dump(exclude_unset=True)
    try:
        return PublishConfig.model_validate(known | update)
    except ValidationError as error:
        problems = "; ".join(
            f"publish.{'.'.join(map(str, item['loc']))}: {item['msg'].removeprefix('Value error, ')}"
            for item in error.errors()
        )
        raise ConfigError(f"The settings to publish with do not fit: {problems}.") from error
