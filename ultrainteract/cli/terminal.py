"""Where commands print: tables and trees on stdout, talk on stderr."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

_WIDTH = 120
"""Columns where there is no terminal to ask: rich would take 80 and cut the tables."""


def terminal(*, stderr: bool = False) -> Console:
    """A console that keeps tables whole when its output is piped.

    Args:
        stderr: Print to stderr instead of stdout.
    """
    import os

    from rich.console import Console

    console = Console(stderr=stderr, highlight=False)
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console = Console(stderr=stderr, highlight=False, width=_WIDTH)
    return console
