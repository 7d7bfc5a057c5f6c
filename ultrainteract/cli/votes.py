"""`ultrainteract votes`: what crowd votes say of models and of their answers."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from ultrainteract.cli.arguments import Json

app = typer.Typer(help="Crowd votes.", no_args_is_help=True)

Files = Annotated[
    list[Path], typer.Argument(help="Files of votes: Arena releases, MT-Bench judgments, your own.")
]
Columns = Annotated[
    list[str] | None,
    typer.Option(
        "--map", help="FIELD=COLUMN for a layout of your own: model_a, model_b, winner, item, judge, …"
    ),
]


@app.callback()
def _group() -> None:
    """Crowd votes."""


@app.command()
def rate(
    files: Files,
    column: Columns = None,
    method: Annotated[
        Literal["bradley-terry", "newman"],
        typer.Option(help="Ties as half a win, or with a parameter of their own."),
    ] = "bradley-terry",
    style: Annotated[
        bool, typer.Option("--style", help="Rate at equal length and Markdown as well.")
    ] = False,
    confidence: Annotated[float, typer.Option(help="Level of the intervals.", min=0.5, max=0.999)] = 0.95,
    resamples: Annotated[int, typer.Option(help="Bootstrap samples; 0 for none.", min=0)] = 1000,
    seed: Annotated[int, typer.Option(help="Seed of the bootstrap.")] = 0,
    raw: Annotated[bool, typer.Option("--raw", help="Keep every readable vote.")] = False,
    json: Json = False,
) -> None:
    """Rate models with intervals, and say what the ranking rests on."""
    from ultrainteract import api
    from ultrainteract.cli.terminal import terminal
    from ultrainteract.cli.views.votes import show_votes

    report = api.rate_votes(
        *files, columns=columns_of(column), method=method, style=style, confidence=confidence, resamples=resamples,
        seed=seed, cleaning=not raw,
    )  # fmt: skip
    if json:
        import orjson

        print(orjson.dumps(report.to_json(), option=orjson.OPT_INDENT_2).decode())
        return
    show_votes(report, terminal())


@app.command()
def pairs(
    files: Files,
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder to write the trees to.")],
    column: Columns = None,
    dataset: Annotated[str, typer.Option(help="Name of the dataset on the trees.")] = "votes",
    license: Annotated[
        str | None, typer.Option(help="License of the texts, such as cc-by-4.0.", show_default=False)
    ] = None,
    min_reliability: Annotated[
        float, typer.Option(help="Minimum reliability of a pair.", min=0.5, max=1)
    ] = 0.5,
    no_style: Annotated[
        bool, typer.Option("--no-style", help="Keep wins that the style of the two answers explains.")
    ] = False,
    seed: Annotated[int, typer.Option(help="Seed of every random choice.")] = 0,
    raw: Annotated[bool, typer.Option("--raw", help="Keep every readable vote.")] = False,
    json: Json = False,
) -> None:
    """Make trees with pairs of votes that have texts; export, stats and push read the folder."""
    from ultrainteract import api
    from ultrainteract.cli.terminal import terminal
    from ultrainteract.cli.views.votes import show_vote_pairs

    report = api.vote_pairs(
        *files, output=output, columns=columns_of(column), dataset=dataset, license=license,
        min_reliability=min_reliability, seed=seed, cleaning=not raw, style=not no_style,
    )  # fmt: skip
    if json:
        import orjson

        print(orjson.dumps(report, option=orjson.OPT_INDENT_2).decode())
        return
    show_vote_pairs(report, output, terminal())


def columns_of(given: list[str] | None) -> dict[str, str] | None:
    """Columns by field, from FIELD=COLUMN."""
    from ultrainteract.errors import ConfigError

    columns = {}
    for item in given or ():
        name, separator, value = item.partition("=")
        if not separator:
            raise ConfigError(f"--map {item}: write FIELD=COLUMN.")
        columns[name] = value
    return columns or None
