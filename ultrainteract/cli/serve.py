"""`serve`: grading as an HTTP service for trainers."""

from __future__ import annotations

from typing import Annotated

import typer


def serve(
    config: Annotated[
        str | None,
        typer.Argument(help="A run's configuration, whose sandbox is used.", show_default=False),
    ] = None,
    host: Annotated[
        str, typer.Option(help="Address to bind to; any but a loopback address needs a token.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port; any free one if 0.")] = 8123,
    workers: Annotated[int | None, typer.Option(help="Grading processes; one per core if left out.")] = None,
    max_pending: Annotated[
        int, typer.Option(help="Pending completions from which on requests are told to wait (503).")
    ] = 4096,
    deadline: Annotated[float, typer.Option(help="Maximum time of a batch, seconds.")] = 300.0,
    unsafe: Annotated[
        bool, typer.Option("--unsafe", help="Allow running programs without isolation.")
    ] = False,
) -> None:
    """Grade completions over HTTP, for trainers on many nodes; ULTRAINTERACT_TOKEN is the token that they show."""
    from ultrainteract import api

    api.serve(
        None if config is None else api.load_config(config),
        host=host,
        port=port,
        workers=workers,
        max_pending=max_pending,
        deadline_s=deadline,
        unsafe=unsafe,
        started=lambda address: print(address, flush=True),
    )
