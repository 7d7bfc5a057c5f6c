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
    from ultrainteract.cli.terminal import terminal
    from ultrainteract.config import ExportConfig
    from ultrainteract.dataset.importing import ImportedTrees
    from ultrainteract.exporting import RunInfo, export_trees

    with ImportedTrees.of(*source, revision=revision) as trees:
        info = RunInfo.of_import(name or Path(source[0]).name, source)
        info = info.model_copy(update={"simulated": trees.simulated})
        rows = export_trees(trees, output, ExportConfig(formats=("trees",)), info)
        counts = {"read": dict(trees.rows), "trees": rows["trees"], "issues": dict(trees.issues)}
        examples = trees.examples
    if json:
        import orjson

        print(orjson.dumps(counts).decode())
        return
    talk = terminal(stderr=True)
    for example in examples:
        talk.print(f"import: {example}", markup=False, highlight=False)
    print(f"{rows['trees']}\ttrees")
    talk.print(f"Written to {output}", highlight=False)
