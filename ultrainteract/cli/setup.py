"""`init`, `validate`, `plan`: everything before money is spent."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ultrainteract.cli.arguments import Config, Json, Overrides

_CLUSTER = "With --cluster"


def init(
    path: Annotated[Path, typer.Argument(help="Where to write the configuration.")] = Path(
        "ultrainteract.yaml"
    ),
    force: Annotated[bool, typer.Option("--force", help="Overwrite an existing file.")] = False,
) -> None:
    """Write a commented configuration to start from."""
    from ultrainteract import api

    api.init(path, force=force)
    typer.echo(f"Wrote {path}. Next: ultrainteract validate {path}", err=True)


def validate(
    config: Config,
    overrides: Overrides = None,
    limit: Annotated[int, typer.Option(help="Instructions of each dataset to check.")] = 200,
    unsafe: Annotated[
        bool, typer.Option("--unsafe", help="Run reference solutions without isolation.")
    ] = False,
    ping: Annotated[
        bool, typer.Option("--ping", help="Send one request per model, and show its answer as it is read.")
    ] = False,
    json: Json = False,
) -> None:
    """Check configuration, keys, servers, seeds, graders, sandbox before money is spent; exit code 1 if one fails."""
    from ultrainteract import api
    from ultrainteract.cli.views.checks import show_validation

    loaded = api.load_config(config, overrides or ())
    report = api.validate(loaded, base=config.parent, limit=limit, unsafe=unsafe, ping=ping)
    if json:
        print(report.model_dump_json(indent=2))
    else:
        show_validation(report)
    if not report.passed:
        raise typer.Exit(1)


def plan(
    config: Config,
    overrides: Overrides = None,
    pass_rate: Annotated[
        float, typer.Option(help="Expected pass rate of the actor's first step.", min=0, max=1)
    ] = 0.4,
    prompt_tokens: Annotated[int, typer.Option(help="Expected prompt tokens of a first-turn request.")] = 700,
    completion_tokens: Annotated[int, typer.Option(help="Expected tokens of a completion.")] = 350,
    cluster: Annotated[
        bool,
        typer.Option("--cluster", help="Measure unit costs here and say what a cluster saturates first."),
    ] = False,
    nodes: Annotated[
        int, typer.Option(help="Machines of the cluster.", min=1, rich_help_panel=_CLUSTER)
    ] = 64,
    cpus: Annotated[int, typer.Option(help="Cores of a machine.", min=1, rich_help_panel=_CLUSTER)] = 64,
    gpus: Annotated[int, typer.Option(help="GPUs of a machine.", min=0, rich_help_panel=_CLUSTER)] = 8,
    instructions: Annotated[
        int | None,
        typer.Option(
            help="Instructions to grow, instead of those of the seeds.", min=1, rich_help_panel=_CLUSTER
        ),
    ] = None,
    model: Annotated[
        list[str] | None,
        typer.Option(
            help="What is known of a model: NAME=replicas:48,tokens_per_s:6000,latency_s:8.",
        ),
    ] = None,
    measured: Annotated[
        list[str] | None,
        typer.Option(
            help="Run directory (or shards) to read what a tree takes from.", rich_help_panel=_CLUSTER
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Estimate requests, tokens, cost and time of a run by rehearsing the growth policy on its own instructions."""
    from ultrainteract import api
    from ultrainteract.cli.terminal import terminal
    from ultrainteract.cli.views.plan import show_capacity, show_plan
    from ultrainteract.planning.capacity import Cluster
    from ultrainteract.planning.model_settings import ModelSetting

    loaded, base = api.load_config(config, overrides or ()), config.parent
    settings = dict(map(ModelSetting.parse, model or ()))
    if cluster:
        capacity = api.plan_cluster(
            loaded, Cluster(nodes=nodes, cpus=cpus, gpus=gpus), base=base, instructions=instructions,
            settings=settings, measured=measured or (),
            pass_rate=pass_rate, prompt_tokens=prompt_tokens, completion_tokens=completion_tokens,
        )  # fmt: skip
        if json:
            print(capacity.model_dump_json(indent=2))
        else:
            show_capacity(capacity, terminal())
        return
    found = api.plan(
        loaded, base=base, pass_rate=pass_rate, prompt_tokens=prompt_tokens, completion_tokens=completion_tokens,
        settings=settings,
    )  # fmt: skip
    if json:
        print(found.model_dump_json(indent=2))
    else:
        show_plan(found, terminal())
