"""`stats`: the figures of a run, of an export, or of a published dataset."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def stats(
    source: Annotated[
        list[str],
        typer.Argument(
            help="Run directories (globs, URLs), folders of exports, or Hub dataset ids.", show_default=False
        ),
    ],
    tokenizer: Annotated[
        str | None,
        typer.Option(help="Count tokens with this tokenizer.json or Hub model; estimated if left out."),
    ] = None,
    figures: Annotated[
        Path | None, typer.Option(help="Also draw figures into this folder (extra: plots).")
    ] = None,
    revision: Annotated[str | None, typer.Option(help="Revision of a Hub dataset.")] = None,
    mixed: Annotated[bool, typer.Option("--mixed", help="Allow runs of different settings.")] = False,
    paper: Annotated[
        bool, typer.Option("--paper/--no-paper", help="Show the paper's figures beside these.")
    ] = True,
    json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
) -> None:
    """Print the paper's Table 1 and Table 7, turns, lengths, pass rates, cost, leaks, duplicates and evidence."""
    from ultrainteract import api
    from ultrainteract.cli.terminal import terminal
    from ultrainteract.statistics.tables import show

    found = api.stats(*source, tokenizer=tokenizer, revision=revision, mixed=mixed)
    if figures is not None:
        from ultrainteract.statistics.plots import draw

        for path in draw(found, figures):
            print(path)
    if json:
        print(found.model_dump_json(indent=2))
        return
    console = terminal()
    show(found, console, paper=paper)
    for issue, number in (found.import_issues or {}).items():
        console.print(f"rows that did not fit: {number:,} x {issue}", highlight=False, markup=False)
