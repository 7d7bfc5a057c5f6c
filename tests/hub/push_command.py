"""`ultrainteract push SOURCE REPO` in a process of its own, so that a test can kill it."""

from __future__ import annotations

import sys

import typer

from ultrainteract.cli.push import push

if __name__ == "__main__":
    app = typer.Typer(pretty_exceptions_enable=False)
    app.command()(push)
    app(sys.argv[1:])
