"""`config docs | show`: what can be configured, and what a file means."""

from __future__ import annotations

from typing import Annotated

import typer

from ultrainteract.cli.arguments import Config, Overrides

app = typer.Typer()


@app.command()
def docs() -> None:
    """Print the reference of every field as Markdown."""
    from ultrainteract import api

    print(api.config_docs(), end="")


@app.command()
def show(
    config: Config,
    overrides: Overrides = None,
    frozen: Annotated[bool, typer.Option(help="Only what a run is bound to.")] = False,
) -> None:
    """Print a configuration with all defaults and overrides filled in, as YAML."""
    import yaml

    from ultrainteract import api

    loaded = api.load_config(config, overrides or ())
    print(
        yaml.safe_dump(loaded.frozen() if frozen else loaded.model_dump(mode="json"), sort_keys=False), end=""
    )
