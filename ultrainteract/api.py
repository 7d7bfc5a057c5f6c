"""The public Python API: load a configuration, run it, read its trees, render and export them.

Example:
    ```python
    from ultrainteract import export, load_config, open_run, run

    config = load_config("configs/demo.yaml", ["output=runs/mine"])
    report = run(config, base="configs")
    with open_run("runs/mine") as store:
        for tree in store.trees():
            print(tree.id, tree.state, [turn.pass_rate for turn in tree.turns])
        export(store, "runs/mine/exports")
    ```
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from ultrainteract.config import ExportConfig, RunConfig, load_config
from ultrainteract.models.base import ChatModel
from ultrainteract.sandbox.base import Sandbox
from ultrainteract.store import RunStore, resume_run

if TYPE_CHECKING:
    from rich.console import Console

    from ultrainteract.exporting import RunInfo
    from ultrainteract.running import RunReport

__all__ = ["export", "load_config", "open_run", "run", "run_async", "run_info"]


def run(
    config: RunConfig,
    *,
    base: str | Path = ".",
    accept_config: bool = False,
    unsafe: bool = False,
    console: Console | None = None,
) -> RunReport:
    """Runs `config` to its end, or goes on where an earlier run of it stopped.

    Args:
        config: What to do; the run directory is `config.output`.
        base: Folder that relative seed paths resolve against.
        accept_config: Go on with a directory that was made by another configuration (see `RunStore.resume`).
        unsafe: Allow running model-written code without isolation.
        console: Shows progress here; nothing is shown if None.

    Returns:
        The report of the run directory.

    Raises:
        UltraInteractError: What is wrong, and what to do next (see `ultrainteract.errors`).
    """
    with resume_run(config, accept_config=accept_config) as store:
        return asyncio.run(run_async(config, store, base=base, unsafe=unsafe, console=console))


async def run_async(
    config: RunConfig,
    store: RunStore,
    *,
    base: str | Path = ".",
    unsafe: bool = False,
    console: Console | None = None,
    models: Mapping[str, ChatModel] | None = None,
    sandbox: Sandbox | None = None,
    profile: bool = False,
) -> RunReport:
    """`run` for callers with an event loop and an open run directory.

    The first SIGINT or SIGTERM lets the trees under way finish, the second aborts; both leave a directory
    that resumes.

    Args:
        config: What to do.
        store: The run directory, open for writing.
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
                await stack.enter_async_context(shown(runner.progress, console))
            watch = await stack.enter_async_context(watched()) if profile else None
            is_whole = await runner.run()
    finally:
        for number in handled:
            loop.remove_signal_handler(number)
    report = RunReport.of(store, watch.lag() if watch else None)
    unsettled = report.inputs is None or report.settled < report.inputs
    return report.model_copy(update={"grown": runner.progress.grown, "stopped": not is_whole and unsettled})


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
    from ultrainteract.exporting import RunInfo

    return RunInfo.of_run(store.config())


def export(store: RunStore, folder: str | Path, config: ExportConfig | None = None) -> dict[str, int]:
    """Writes a run's finished trees as datasets.

    Args:
        store: The run directory.
        folder: Where to write; one folder a split.
        config: Formats and options; the run's own if None.

    Returns:
        Rows by split.

    Raises:
        ConfigError: A format is unknown.
        StoreError: The folder cannot be written.
    """
    from ultrainteract.dataset.source import Repeatable
    from ultrainteract.exporting import export_trees

    return export_trees(
        Repeatable.of_run(store), Path(folder), config or store.config().export, run_info(store)
    )
