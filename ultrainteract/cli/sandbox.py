"""`sandbox build`, `check`, `shell`, `prune`: the place where model-written code runs."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from ultrainteract.config import SandboxConfig

app = typer.Typer()

Image = Annotated[
    str | None,
    typer.Option(
        help="Tag of the Docker image; the configuration's if left out.", envvar="ULTRAINTERACT_IMAGE"
    ),
]
Kind = Annotated[
    Literal["auto", "docker", "bubblewrap", "unsafe"] | None,
    typer.Option(help="Backend; the configuration's if left out."),
]
Unsafe = Annotated[bool, typer.Option("--unsafe", help="Allow running without isolation.")]


def _config(config: Path | None, kind: str | None, image: str | None) -> SandboxConfig:
    from ultrainteract.config import SandboxConfig, load_config

    found = SandboxConfig() if config is None else load_config(config).sandbox
    changes = {"kind": kind, "image": image}
    return found.model_copy(update={name: value for name, value in changes.items() if value is not None})


@app.command()
def build(
    image: Image = None,
    base: Annotated[
        str | None, typer.Option(help="Base image with Python 3.11 or newer; python:3.12-slim if left out.")
    ] = None,
    build_arg: Annotated[
        list[str] | None, typer.Option(help="NAME=VALUE, an argument of the Dockerfile.")
    ] = None,
    network: Annotated[str, typer.Option(help="Network mode of the build.")] = "host",
    if_needed: Annotated[
        bool, typer.Option("--if-needed", help="Do nothing if the image is up to date.")
    ] = False,
    no_cache: Annotated[bool, typer.Option("--no-cache", help="Build every layer again.")] = False,
) -> None:
    """Build the Docker image of the sandbox."""
    from ultrainteract import api
    from ultrainteract.errors import ConfigError

    arguments: dict[str, str] = {}
    for item in build_arg or ():
        name, separator, value = item.partition("=")
        if not separator:
            raise ConfigError(f"--build-arg {item}: write NAME=VALUE.")
        arguments[name] = value
    built = api.build_sandbox(
        image,
        base=base,
        arguments=arguments,
        network=network,
        if_needed=if_needed,
        cache=not no_cache,
        output=functools.partial(typer.echo, nl=False, err=True),
    )
    if not built:
        typer.echo(f"{image or 'The image'} is up to date.", err=True)


@app.command()
def check(
    config: Annotated[Path | None, typer.Argument(help="A run's config; its sandbox is checked.")] = None,
    kind: Kind = None,
    image: Image = None,
    unsafe: Unsafe = False,
) -> None:
    """Start the sandbox, run a few programs in it, and say whether it holds."""
    from ultrainteract import api

    if api.check_sandbox(_config(config, kind, image), unsafe=unsafe, output=typer.echo):
        raise typer.Exit(1)


@app.command()
def shell(
    kind: Kind = None,
    image: Image = None,
    unsafe: Unsafe = False,
) -> None:
    """Type cells into the sandbox, as a model's program would see it; an empty line runs a cell."""
    from ultrainteract import api

    api.sandbox_shell(_config(None, kind, image), unsafe=unsafe)


@app.command()
def prune(
    run: Annotated[str | None, typer.Option(help="Only containers of this run id.")] = None,
) -> None:
    """Remove containers that crashed runs left behind."""
    from ultrainteract import api

    typer.echo(f"{api.prune_sandbox(run)} container(s) removed.")
