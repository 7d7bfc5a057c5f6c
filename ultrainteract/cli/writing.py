"""`ultrainteract writing`: rewrites that read better and say the same, beside those that say something else."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ultrainteract.cli.arguments import Json

app = typer.Typer(help="Polish and distortion of rewrites.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Polish and distortion of rewrites."""


@app.command()
def pairs(
    files: Annotated[
        list[Path], typer.Argument(help="Rated paragraphs in the layout of the published study.")
    ],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Folder to write the trees to.", show_default=False)
    ] = None,
    tolerance: Annotated[
        float, typer.Option(help="Largest shift that is no distortion, points of 100.", min=0.1)
    ] = 20.0,
    readers: Annotated[int, typer.Option(help="Readers per paragraph.", min=1)] = 10,
    spread: Annotated[
        float, typer.Option(help="Standard deviation of single ratings, points.", min=0.1)
    ] = 20.0,
    min_reliability: Annotated[
        float, typer.Option(help="Minimum reliability of a label.", min=0.5, max=1)
    ] = 0.5,
    dataset: Annotated[str, typer.Option(help="Name of the dataset on the trees.")] = "writing",
    license: Annotated[str | None, typer.Option(help="License of the texts.", show_default=False)] = None,
    json: Json = False,
) -> None:
    """Score rewrites against the writers' own texts; a rewrite that distorts is never chosen."""
    from ultrainteract import api
    from ultrainteract.judgments.writing.scores import WritingRule

    rule = WritingRule(tolerance=tolerance, readers=readers, spread=spread, min_reliability=min_reliability)
    report = api.writing_pairs(*files, output=output, rule=rule, dataset=dataset, license=license)
    if json:
        import orjson

        print(orjson.dumps(report, option=orjson.OPT_INDENT_2).decode())
        return
    print(
        f"{report['read']:,} paragraphs, {report['texts']:,} of them writers' own; {report['unreadable']:,} unreadable"
    )
    for said, count in report["rewrites"].items():
        print(f"    rewrites: {said}: {count:,}")
    shifts = ", ".join(f"{name} {value:+.1f}" for name, value in report["mean_shift"].items())
    print(f"Mean shift of a rewrite, points: {shifts or '-'}")
    print(f"{report['pairs']:,} pairs in {report['trees']:,} trees")
    for reason, count in report["without"].items():
        print(f"    without a pair: {reason}: {count:,}")
