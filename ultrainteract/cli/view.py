"""`view`: trees on a local page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def view(
    source: Annotated[
        list[str],
        typer.Argument(
            help="Run directories, folders of shards, exports, Parquet files, or Hub dataset ids.",
            show_default=False,
        ),
    ],
    port: Annotated[
        int | None, typer.Option(help="Port; 0 for any.", show_default="7878, or any other if it is taken")
    ] = None,
    host: Annotated[str, typer.Option(help="Address to listen at; another one needs --token.")] = "127.0.0.1",
    token: Annotated[
        str | None, typer.Option(envvar="ULTRAINTERACT_VIEW_TOKEN", help="What a user has to know.")
    ] = None,
    browser: Annotated[
        bool, typer.Option("--browser/--no-browser", help="Open the page in a browser.")
    ] = True,
    bundle: Annotated[
        Path | None,
        typer.Option(
            help="Write the page with its data into this folder instead of serving it.", metavar="FOLDER"
        ),
    ] = None,
    once: Annotated[
        str | None,
        typer.Option(help="Write one tree as one HTML file instead, and print its path.", metavar="TREE"),
    ] = None,
    audit: Annotated[
        int | None,
        typer.Option(
            help="Draw so many actions to be judged blind; the estimate goes into stats and card.", min=1
        ),
    ] = None,
    revision: Annotated[str | None, typer.Option(help="Revision of Hub datasets.")] = None,
) -> None:
    """Read trees on a local page: chosen beside rejected, with search, filters, and a run under way."""
    from contextlib import suppress

    from ultrainteract import api
    from ultrainteract.cli.terminal import terminal

    console = terminal(stderr=True)
    if bundle is not None:
        print(
            api.write_bundle(
                *source, output=bundle, revision=revision, say=lambda line: console.print(line, markup=False)
            )
        )
        return
    if once is not None:
        print(api.write_tree_page(*source, tree=once, revision=revision))
        return

    def ready(address: str) -> None:
        print(address, flush=True)
        console.print("Ctrl-C ends it.", style="dim")
        if browser and console.is_terminal:
            import webbrowser

            webbrowser.open(address)

    with suppress(KeyboardInterrupt):
        api.view(*source, host=host, port=port, token=token, revision=revision, audit=audit, ready=ready)
