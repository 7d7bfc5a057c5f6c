"""`ultrainteract writing`: rewrites that read better and say the same, beside those that say something else."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ultrainteract.cli.arguments import Json

app = typer.Typer(help="Polish and distortion of rewrites.", no_args_is_help=True)


MIN_SPREAD = 0.1
"""Least spread that `pairs` takes, points."""


@app.callback()
def _group() -> None:
    """Polish and distortion of rewrites."""


@app.command()
def rate(
    file: Annotated[
        Path, typer.Argument(help="Paragraphs in the layout of the published study, rated or not.")
    ],
    config: Annotated[str, typer.Option(help="A configuration with the model.")],
    model: Annotated[str, typer.Option(help="The model's name in it.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for replies and rated.jsonl.")],
    repeats: Annotated[
        int, typer.Option(help="Samples per question; a scale has four questions.", min=1)
    ] = 2,
    setting: Annotated[
        list[str] | None,
        typer.Option("--set", help="A change to the configuration.", metavar="PATH=VALUE"),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite ratings that would be lost.")] = False,
    json: Json = False,
) -> None:
    """Have a model rate paragraphs, blind and in both directions of every scale, and compare it with people."""
    from ultrainteract import api

    found = api.rate_writing(
        file, api.load_config(config, setting or ()), model, output, repeats=repeats, force=force
    )
    if json:
        import orjson

        print(orjson.dumps(found, option=orjson.OPT_INDENT_2).decode())
        return
    print(f"{found['rated']:,} of {found['rows']:,} paragraphs rated; {found['answers']:,} replies, "
          f"{found['unread']:,} of them not readable")  # fmt: skip
    for where, why in list(found["unrated"].items())[:5]:
        print(f"    {where}: {why}")
    for scale, shift in found["direction"].items():
        known = found["agreement"].get(scale)
        told = "" if known is None else f"; correlation with the file's ratings {known:.2f}"
        print(f"    {scale}: {shift:+z.1f} points by the direction of the scale{told}")
    if not found["rated"]:
        return
    spread = f" --spread {found['spread']}"
    if found["spread"] < MIN_SPREAD:
        spread = ""
        print(
            "Replies to a question hardly differ: their spread says nothing of the error, and 20 points are assumed."
        )
    print(f"ultrainteract writing pairs {found['file']} --readers {found['readers']}{spread}")


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
        float, typer.Option(help="Standard deviation of single ratings, points.", min=MIN_SPREAD)
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
        f"{report['read']:,} paragraphs, {report['texts']:,} of them writers' own; "
        f"{report['duplicates']:,} duplicates, {report['unreadable']:,} unreadable"
    )
    for reason in report["reasons"]:
        print(f"    {reason}")
    for said, count in report["rewrites"].items():
        print(f"    rewrites: {said}: {count:,}")
    shifts = ", ".join(f"{name} {value:+z.1f}" for name, value in report["mean_shift"].items())
    print(f"Mean shift of a rewrite, points: {shifts or '-'}")
    print(f"{report['pairs']:,} pairs in {report['trees']:,} trees")
    for reason, count in report["without"].items():
        print(f"    without a pair: {reason}: {count:,}")
