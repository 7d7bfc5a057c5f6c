"""`merge`, `compact`: run directories as files on disk."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ultrainteract.cli.arguments import Runs


def merge(
    runs: Runs,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="The run directory to make.", show_default=False)
    ],
) -> None:
    """Make one run directory of several of the same run; `run` goes on in it where they stopped."""
    from ultrainteract import api
    from ultrainteract.cli.terminal import terminal
    from ultrainteract.cli.views.run import show_report

    show_report(api.merge(runs, output), terminal())


def compact(
    runs: Annotated[
        list[Path], typer.Argument(help="Run directories, or folders of shards.", show_default=False)
    ],
) -> None:
    """Drop the recorded calls of finished trees; the trees keep their provenance, unfinished ones their calls."""
    from ultrainteract import api

    for done in api.compact(*runs):
        print(f"{done.folder}\t{done.before / 2**20:.1f} MiB\t{done.after / 2**20:.1f} MiB")
