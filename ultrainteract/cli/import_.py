"""`import`: published splits back into trees."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def import_(
    source: Annotated[
        list[str],
        typer.Argument(
            help="Files, folders or Hub ids with an sft split, a pair split, or both.", show_default=False
        ),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Where to write the trees.", show_default=False)
    ],
    name: Annotated[str | None, typer.Option(help="Name of the set; the first source's if left out.")] = None,
    revision: Annotated[str | None, typer.Option(help="Revision of Hub datasets.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the counts as JSON.")] = False,
) -> None:
    """Rebuild trees from published rows, so that stats, show and every export work on them."""
    from ultrainteract import api
    from ultrainteract.cli.terminal import terminal

    report = api.import_(*source, output=output, name=name, revision=revision)
    if json:
        print(report.model_dump_json(exclude={"examples"}))
        return
    console = terminal(stderr=True)
    for example in report.examples:
        console.print(f"import: {example}", markup=False, highlight=False)
    for issue, number in report.issues.items():
        console.print(f"rows that did not fit: {number:,} x {issue}", markup=False, highlight=False)
    print(f"{report.trees}\ttrees")
    console.print(f"Written to {output}", highlight=False)
