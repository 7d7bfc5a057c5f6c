"""Runs and their directories: growing trees, reading them, and joining or shrinking directories."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from ultrainteract.api.configuration import require_names
from ultrainteract.api.event_loop import complete
from ultrainteract.api.trees import tree_state
from ultrainteract.config import RunConfig
from ultrainteract.errors import ConfigError, StoreError
from ultrainteract.models.base import ChatModel
from ultrainteract.models.terms import restrictive_terms
from ultrainteract.sandbox.base import Sandbox
from ultrainteract.schema import Record
from ultrainteract.store import RunStore, find_runs, open_runs, resume_run
from ultrainteract.store import compact as compact_run
from ultrainteract.store import merge as merge_runs
from ultrainteract.store import prune as prune_run
from ultrainteract.store import retry as retry_state

if TYPE_CHECKING:
    from rich.console import Console

    from ultrainteract.dataset.info import RunInfo
    from ultrainteract.running import RunReport

log = logging.getLogger(__name__)

REPORT_FILE = "report.json"
"""The report of the latest session, in the run directory."""


class Compaction(Record):
    """What `compact` did to one run directory."""

    folder: Path
    """The run directory."""
    before: int
    """Bytes on disk before."""
    after: int
    """Bytes on disk after."""


def run(
    config: RunConfig,
    *,
    base: str | Path = ".",
    accept_config: bool = False,
    retry: str | None = None,
    prune: bool = False,
    unsafe: bool = False,
    console: Console | None = None,
    profile: bool = False,
) -> RunReport:
    """Runs `config` to its end, or goes on where an earlier run of it stopped; the report is kept as `report.json`.

    Args:
        config: What to do; the run directory is `config.output`, or a shard's folder below it.
        base: Folder that relative seed paths resolve against.
        accept_config: Go on with a directory that was made by another configuration (see `RunStore.resume`).
        retry: Grow the inputs in this state again, with fresh samples (see `store.retry`).
        prune: Delete the trees of problems that are no longer in the seeds, when all is done.
        unsafe: Allow running model-written code without isolation.
        console: Shows progress here; nothing is shown if None.
        profile: Measure how late the event loop gets (`RunReport.loop`).

    Returns:
        The report of the run directory.

    Raises:
        UltraInteractError: What is wrong, and what to do next (see `ultrainteract.errors`).
        asyncio.CancelledError: A second signal aborted the run; the directory resumes.
    """
    state = None if retry is None else tree_state(retry)
    if config.rollout is not None:
        raise ConfigError("rollout: a configuration with it is an evaluation; `ultrainteract eval` runs it.")
    require_names(config)  # before there is a run directory

    async def grow() -> RunReport:
        with resume_run(config, accept_config=accept_config) as store:
            if state is not None:
                retry_state(store, state)
            report = await run_async(
                config, store, base=base, unsafe=unsafe, console=console, profile=profile
            )
            if prune:
                prune_run(store)
                report = report.model_copy(update={"set_aside": 0})
            try:
                (store.folder / REPORT_FILE).write_text(report.model_dump_json(indent=2), encoding="utf-8")
            except OSError as error:
                raise StoreError(f"Cannot write {store.folder / REPORT_FILE}: {error.strerror}.") from error
            return report

    return complete(grow)


async def run_async(
    config: RunConfig,
    store: RunStore | None = None,
    *,
    base: str | Path = ".",
    unsafe: bool = False,
    console: Console | None = None,
    models: Mapping[str, ChatModel] | None = None,
    sandbox: Sandbox | None = None,
    profile: bool = False,
) -> RunReport:
    """`run` for callers with an event loop, and perhaps an open run directory.

    The first SIGINT or SIGTERM lets active trees finish, the second aborts; both leave a directory
    that resumes.

    Args:
        config: What to do.
        store: The run directory, open for writing; that of `config` is opened, or made, if None.
        base: Folder that relative seed paths resolve against.
        unsafe: Allow running model-written code without isolation.
        console: Shows progress here; nothing is shown if None.
        models: Models to use instead of those the configuration names.
        sandbox: Sandbox to use instead of the configured one.
        profile: Measure how late the event loop gets (`RunReport.loop`).

    Raises:
        UltraInteractError: What is wrong, and what to do next.
        asyncio.CancelledError: The second signal.
    """
    from contextlib import AsyncExitStack

    from ultrainteract.running import Runner, RunReport
    from ultrainteract.running.logs import logged
    from ultrainteract.running.profile import watched
    from ultrainteract.running.progress import shown

    require_names(config)
    if store is None:
        with resume_run(config) as opened:
            return await run_async(
                config, opened, base=base, unsafe=unsafe, console=console, models=models, sandbox=sandbox,
                profile=profile,
            )  # fmt: skip
    runner = Runner(config, store, base=Path(base), unsafe=unsafe, models=models, sandbox=sandbox)
    task = asyncio.current_task()

    def interrupted() -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)
            if task is not None:
                loop.add_signal_handler(number, task.cancel)
        what = runner.stop()
        if console is not None:
            console.print(f"{what} Interrupt again to abort.", highlight=False)

    loop = asyncio.get_running_loop()
    handled = _add_handlers(loop, interrupted)
    try:
        async with AsyncExitStack() as stack:
            stack.enter_context(logged(console, store.folder))
            if console is not None:
                for line in restrictive_terms(model.model for model in config.models.values()):
                    console.print(f"Terms of {line}.", markup=False, highlight=False)
                await stack.enter_async_context(shown(runner.progress, console))
            watch = await stack.enter_async_context(watched()) if profile else None
            is_whole = await runner.run()
    finally:
        for number in handled:
            loop.remove_signal_handler(number)
    report = RunReport.of(store, watch.lag() if watch else None)
    stopped = not is_whole and not report.finished
    return report.model_copy(update={"grown": runner.progress.grown, "stopped": stopped})


def _add_handlers(loop: asyncio.AbstractEventLoop, callback: object) -> list[signal.Signals]:
    handled = []
    for number in (signal.SIGINT, signal.SIGTERM):
        try:
            loop.add_signal_handler(number, callback)  # type: ignore[arg-type]
        except (RuntimeError, ValueError, NotImplementedError):  # not the main thread
            continue
        handled.append(number)
    return handled


def open_run(folder: str | Path) -> RunStore:
    """Opens a run directory for reading; also while a run is writing to it.

    Raises:
        StoreError: There is none, or its format is unknown.
    """
    return RunStore.open(folder, readonly=True)


def run_info(store: RunStore) -> RunInfo:
    """What exports, statistics and the dataset card say of a run."""
    from ultrainteract.dataset.info import RunInfo

    return RunInfo.of_run(store.config())


def status(*runs: str | Path) -> RunReport:
    """The ledger, the spending and the guards of a run, also while it works.

    Args:
        runs: Run directories, folders of shards, globs or URLs; all of one run.

    Raises:
        StoreError: There is no run directory, one cannot be read, or they are not of one run.
    """
    from ultrainteract.running import RunReport

    with ExitStack() as stack:
        found = open_runs(map(str, runs), stack)
        if stale := found.stale():
            log.warning("%s", stale)
        return RunReport.of(found)


def merge(runs: Sequence[str | Path], output: str | Path) -> RunReport:
    """Makes one run directory of several of the same run; `run` goes on in it where they stopped.

    Args:
        runs: Run directories, folders of shards, globs or URLs.
        output: The run directory to make.

    Returns:
        The report of the new run directory.

    Raises:
        StoreError: They belong to different configurations, or `output` holds a run already.
    """
    with ExitStack() as stack:
        merge_runs([folder for place in runs for folder in find_runs(str(place), stack)], Path(output))
    return status(output)


def compact(*runs: str | Path) -> tuple[Compaction, ...]:
    """Drops the recorded calls of finished trees; the trees keep their provenance, unfinished ones their calls.

    Args:
        runs: Run directories, or folders of shards.

    Raises:
        StoreError: There is no run directory, or one cannot be written.
    """
    with ExitStack() as stack:
        folders = [folder for place in runs for folder in find_runs(str(place), stack)]
    if not folders:
        raise StoreError(f"{', '.join(map(str, runs))} is not a run directory (no store.sqlite in it).")
    done = []
    for folder in folders:
        with RunStore.open(folder, readonly=False) as store:
            before, after = compact_run(store)
        done.append(Compaction(folder=folder, before=before, after=after))
    return tuple(done)


def delete_run(folder: str | Path) -> None:
    """Deletes the run in a directory for good; exports beside it stay.

    Raises:
        StoreError: Another process is writing to it.
    """
    RunStore.delete(Path(folder))
