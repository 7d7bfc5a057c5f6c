"""`ultrainteract votes`: what crowd votes say of models."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from ultrainteract.cli.arguments import Json

app = typer.Typer(help="Crowd votes.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Crowd votes."""


@app.command()
def rate(
    files: Annotated[
        list[Path], typer.Argument(help="Files of votes: Arena releases, MT-Bench judgments, your own.")
    ],
    column: Annotated[
        list[str] | None,
        typer.Option(
            "--map", help="FIELD=COLUMN for a layout of your own: model_a, model_b, winner, item, judge, …"
        ),
    ] = None,
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
    from ultrainteract.errors import ConfigError

    columns = {}
    for item in column or ():
        name, separator, value = item.partition("=")
        if not separator:
            raise ConfigError(f"--map {item}: write FIELD=COLUMN.")
        columns[name] = value
    report = api.rate_votes(
        *files, columns=columns or None, method=method, style=style, confidence=confidence, resamples=resamples,
        seed=seed, cleaning=not raw,
    )  # fmt: skip
    if json:
        import orjson

        print(orjson.dumps(report.to_json(), option=orjson.OPT_INDENT_2).decode())
        return
    show_votes(report, terminal())
