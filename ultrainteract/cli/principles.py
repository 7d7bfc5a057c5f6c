"""`ultrainteract principles`: queries answered under several constitutions, and what a model tells apart of them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ultrainteract.cli.arguments import Json

app = typer.Typer(help="Principles instead of preferences.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Principles instead of preferences."""


Setting = Annotated[
    list[str] | None,
    typer.Option("--set", help="A change to the configuration.", metavar="PATH=VALUE"),
]


@app.command()
def write(
    topic: Annotated[str, typer.Argument(help="What responses they are for: 'summaries of news'.")],
    config: Annotated[str, typer.Option(help="A configuration with the model.")],
    model: Annotated[str, typer.Option(help="The model's name in it.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="YAML file to write.")],
    count: Annotated[int, typer.Option(help="Principles, at most six.", min=1)] = 4,
    force: Annotated[bool, typer.Option("--force", help="Overwrite an existing file.")] = False,
    setting: Setting = None,
) -> None:
    """Have a model write principles with their contrasts; read them before you use them."""
    from ultrainteract import api

    written = api.write_principles(
        topic, api.load_config(config, setting or ()), model, output, count=count, force=force
    )
    print(f"{written} principles: {output}")


@app.command()
def score(
    run: Annotated[Path, typer.Argument(help="A run directory of `principles run`.")],
    config: Annotated[str, typer.Option(help="A configuration with the model.")],
    model: Annotated[str, typer.Option(help="The model's name in it: one of provider vllm.")],
    setting: Setting = None,
    json: Json = False,
) -> None:
    """Ask a model how likely each response is under each constitution, and name the contrasts it cannot tell apart."""
    from dataclasses import asdict

    import orjson

    from ultrainteract import api
    from ultrainteract.cli.terminal import terminal
    from ultrainteract.cli.views.principles import show_scores

    found = api.score_principles(run, api.load_config(config, setting or ()), model)
    if json:
        print(orjson.dumps({name: asdict(score) for name, score in found.items()}).decode())
    else:
        show_scores(found, terminal())


@app.command()
def run(
    queries: Annotated[Path, typer.Argument(help="File with a column of queries.")],
    principles: Annotated[Path, typer.Option(help="YAML or JSON list of name, positive, negative.")],
    config: Annotated[str, typer.Option(help="A configuration with the model.")],
    model: Annotated[str, typer.Option(help="The model's name in it.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Run directory.")],
    count: Annotated[int, typer.Option(help="Constitutions per query.", min=2)] = 2,
    column: Annotated[str, typer.Option(help="Column of the queries.")] = "prompt",
    dataset: Annotated[str, typer.Option(help="Name of the dataset on the trees.")] = "principles",
    license: Annotated[str | None, typer.Option(help="License of the queries.", show_default=False)] = None,
    accept_config: Annotated[
        bool,
        typer.Option(
            "--accept-config",
            help="Go on with other principles or another configuration; recorded replies are reused.",
        ),
    ] = False,
    setting: Setting = None,
) -> None:
    """Answer each query under a constitution and its contrasts; the trees are unlabelled by design."""
    from ultrainteract import api

    counts = api.answer_under_principles(
        queries, principles, api.load_config(config, setting or ()), model, output, count=count, column=column,
        dataset=dataset, license=license, accept_config=accept_config,
    )  # fmt: skip
    for state, number in counts.items():
        print(f"{state}\t{number}")
