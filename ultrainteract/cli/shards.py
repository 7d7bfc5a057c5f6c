"""`merge`, `compact`: run directories as files on disk."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Places = Annotated[
    list[str], typer.Argument(help="Run directories, a folder of shards, globs or URLs.", show_default=False)
]


def merge(
    runs: Places,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="The run directory to make.", show_default=False)
    ],
) -> None:
    """Make one run directory of several of the same run; `run` goes on in it where they stopped."""
    from contextlib import ExitStack

    from ultrainteract.cli.terminal import terminal
    from ultrainteract.running import RunReport
    from ultrainteract.store import find_runs, open_runs
    from ultrainteract.store import merge as merge_runs

    with ExitStack() as stack:
        merge_runs([folder for place in runs for folder in find_runs(place, stack)], output)
        RunReport.of(open_runs([str(output)], stack)).show(terminal())


def compact(
    runs: Annotated[
        list[Path], typer.Argument(help="Run directories, or folders of shards.", show_default=False)
    ],
) -> None:
    """Drop the recorded calls of finished trees; the trees keep their provenance, unfinished ones their calls."""
    from contextlib import ExitStack

    from ultrainteract.errors import StoreError
    from ultrainteract.store import RunStore, find_runs
    from ultrainteract.store import compact as compact_run

    with ExitStack() as stack:
        folders = [folder for place in runs for folder in find_runs(str(place), stack)]
    if not folders:
        raise StoreError(f"{', '.join(map(str, runs))} is not a run directory (no store.sqlite in it).")
    for folder in folders:
        with RunStore.open(folder, readonly=False) as store:
            before, after = compact_run(store)
        print(f"{folder}\t{before / 2**20:.1f} MiB\t{after / 2**20:.1f} MiB")
