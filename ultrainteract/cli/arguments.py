"""Arguments that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Config = Annotated[Path, typer.Argument(help="The YAML configuration.", show_default=False)]
Overrides = Annotated[
    list[str] | None,
    typer.Argument(help="Overrides, `dotted.path=value` each.", show_default=False, metavar="[PATH=VALUE]…"),
]
Runs = Annotated[
    list[str], typer.Argument(help="Run directories, a folder of shards, globs or URLs.", show_default=False)
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
