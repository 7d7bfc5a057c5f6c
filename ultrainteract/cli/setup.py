"""`init`, `validate`, `plan`: everything before money is spent."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ultrainteract.cli.run import Config, Overrides

_CLUSTER = "With --cluster"


def init(
    path: Annotated[Path, typer.Argument(help="Where to write the configuration.")] = Path(
        "ultrainteract.yaml"
    ),
    force: Annotated[bool, typer.Option("--force", help="Overwrite an existing file.")] = False,
) -> None:
    """Write a commented configuration to start from."""
    from importlib.resources import files

    from ultrainteract.errors import ConfigError

    text = (files("ultrainteract") / "cli" / "starter.yaml").read_text(encoding="utf-8")
    try:
        with path.open("w" if force else "x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise ConfigError(f"{path} is there already; choose another name or add --force.") from None
    except OSError as error:
        raise ConfigError(f"Cannot write {path}: {error.strerror}.") from error
    typer.echo(f"Wrote {path}. Next: ultrainteract validate {path}", err=True)


def validate(
    config: Config,
    overrides: Overrides = None,
    limit: Annotated[int, typer.Option(help="Instructions of each dataset to check.")] = 200,
    unsafe: Annotated[
        bool, typer.Option("--unsafe", help="Run reference solutions without isolation.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Check configuration, keys, seeds, graders and sandbox before money is spent; exit code 1 if a check fails."""
    import asyncio

    from ultrainteract.config import load_config
    from ultrainteract.running.validation import validate_run

    report = asyncio.run(
        validate_run(load_config(config, overrides or ()), config.parent, limit=limit, unsafe=unsafe)
    )
    if json:
        print(report.model_dump_json(indent=2))
    else:
        for check in report.checks:
            mark = "ok  " if check.passed else "FAIL"
            print(f"{mark}  {check.name}: {check.detail}")
            for item in check.items:
                print(f"        {item}")
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
            rich_help_panel=_CLUSTER,
        ),
    ] = None,
    measured: Annotated[
        list[str] | None,
        typer.Option(
            help="Run directory (or shards) to read what a tree takes from.", rich_help_panel=_CLUSTER
        ),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Estimate requests, tokens and cost of a run by rehearsing the growth policy on its own instructions."""
    from ultrainteract.cli.terminal import terminal
    from ultrainteract.config import load_config

    loaded, base = load_config(config, overrides or ()), config.parent
    if cluster:
        from ultrainteract.planning.capacity import Cluster, ModelSetting
        from ultrainteract.planning.cluster import plan_cluster, show

        capacity = plan_cluster(
            loaded, base, Cluster(nodes=nodes, cpus=cpus, gpus=gpus), instructions=instructions,
            settings=dict(map(ModelSetting.parse, model or ())), measured=measured or (),
            pass_rate=pass_rate, prompt_tokens=prompt_tokens, completion_tokens=completion_tokens,
        )  # fmt: skip
        if json:
            print(capacity.model_dump_json(indent=2))
        else:
            show(capacity, terminal())
        return
    from ultrainteract.planning.estimate import plan_run

    found = plan_run(
        loaded, base, pass_rate=pass_rate, prompt_tokens=prompt_tokens, completion_tokens=completion_tokens
    )
    if json:
        print(found.model_dump_json(indent=2))
    else:
        found.show(terminal())
