"""`ultrainteract wiki`: makes and asks the local source of `wikipedia_search`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="The local source of wikipedia_search.", no_args_is_help=True)


@app.command()
def build(
    dump: Annotated[
        Path, typer.Argument(help="MediaWiki XML dump or JSON lines of title and text; .bz2 and .gz too.")
    ],
    index: Annotated[Path, typer.Argument(help="The index to write.")],
) -> None:
    """Builds the index in bounded memory. An existing index is replaced once the new one is whole."""
    from ultrainteract import api

    count = api.build_wikipedia(dump, index, lambda done: typer.echo(f"{done:,} articles", err=True))
    typer.echo(f"{index}: {count:,} articles. Use it with: sandbox.wikipedia={index}", err=True)


@app.command()
def search(
    source: Annotated[str, typer.Argument(help="An index, `live`, or the address of an api.php.")],
    query: Annotated[str, typer.Argument(help="What a program would pass to wikipedia_search.")],
) -> None:
    """Prints the answer that a program would get."""
    from ultrainteract import api

    typer.echo(api.search_wikipedia(source, query))
