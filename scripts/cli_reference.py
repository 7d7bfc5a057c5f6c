"""Prints the reference of the command line as Markdown: every command with its arguments and options."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import typer

from ultrainteract.cli import _assemble, app

HEAD = """# Command line

<!-- Written by scripts/make-docs; do not edit. -->

stdout is data; diagnostics go to stderr. Exit codes: 0 done; 1 a check failed; 2 configuration or usage; 3 seeds; 4 run
directory; 5 sandbox; 6 grader; 7 model provider; 8 budget used up; 9 Hub; 10 dataset; 75 stopped by the user,
resumable. The same functions from Python: [Python API](api.md).
"""


def commands() -> Iterator[tuple[str, Any]]:
    """Every command with its words, in the order of `--help`; groups after plain commands."""
    _assemble()
    root: Any = typer.main.get_command(app)
    groups: list[tuple[str, Any]] = [("", root)]
    for prefix, group in groups:
        for name, command in group.commands.items():
            if hasattr(command, "commands"):
                groups.append((f"{prefix}{name} ", command))
            else:
                yield f"{prefix}{name}", command


def cell(text: str) -> str:
    """Text that stays within its cell of a table."""
    return " ".join(text.split()).replace("|", "\\|")


def rows(command: Any) -> Iterator[str]:
    """A row for each argument and option."""
    for parameter in command.params:
        if parameter.param_type_name == "argument":
            name = parameter.metavar or parameter.name.upper()
        else:
            name = ", ".join([*parameter.opts, *parameter.secondary_opts])
            name += f" {parameter.metavar}" if parameter.metavar else ""
        default = parameter.default
        shown = (
            "" if default in (None, False, True, (), []) or callable(default) else f" Default: `{default}`."
        )
        variable = f" Environment: `{parameter.envvar}`." if parameter.envvar else ""
        yield f"| `{cell(name)}` | {cell((parameter.help or '') + shown + variable)} |"


def main() -> None:
    """Prints the page."""
    print(HEAD)
    for name, command in commands():
        print(f"## {name}\n\n{' '.join((command.help or '').split())}\n")
        found = list(rows(command))
        if found:
            print("| | |\n| --- | --- |\n" + "\n".join(found) + "\n")


if __name__ == "__main__":
    main()
