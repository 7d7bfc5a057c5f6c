"""The command line: thin typer commands over the Python API.

stdout is data; diagnostics go to stderr. Exit codes: 0 done; 1 a check failed; 2 configuration or usage; 3 seeds; 4 run
directory; 5 sandbox; 6 grader; 7 model provider; 8 budget used up; 9 Hub; 10 dataset; 11 nothing that the models write
can be read; 75 stopped by the user, resumable.
"""

from __future__ import annotations

import os
import re
import signal
import sys
from importlib import import_module

import typer

STOPPED = 75
"""Exit code of a run that was interrupted and can be resumed."""

app = typer.Typer(
    name="ultrainteract",
    help="Build preference-tree alignment data for reasoning models.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # importing rich would double the time that --help takes
    context_settings={"help_option_names": ["-h", "--help"]},
)

_COMMANDS = {
    "init": ("setup", "Write a commented configuration."),
    "validate": ("setup", "Check everything before money is spent."),
    "plan": ("setup", "Estimate requests, tokens and cost."),
    "run": ("run", "Grow trees, or go on where it stopped."),
    "status": ("run", "Print ledger, spending and guards."),
    "show": ("run", "Print one tree, or list what there is."),
    "view": ("view", "Read trees on a local page."),
    "calls": ("run", "Print every sample with its prompt."),
    "merge": ("shards", "Make one run directory of several shards."),
    "compact": ("shards", "Drop the calls of finished trees."),
    "stats": ("stats", "Print the paper's tables and more."),
    "curate": ("curate", "Choose a small, diverse set."),
    "export": ("export", "Write datasets that trainers read."),
    "import": ("import_", "Rebuild trees from published rows."),
    "validate-data": ("validate_data", "Check a dataset's invariants."),
    "push": ("push", "Publish to the Hugging Face Hub."),
    "serve": ("serve", "Grade completions over HTTP, for trainers."),
}
"""Commands in the order of a user's work: the module of this package that holds each, and a line for `--help`."""

_GROUPS = {
    "eval": "Evaluate models and compare evaluations.",
    "annotate": "Tell genuine preferences from made-up ones.",
    "config": "Document the configuration.",
    "seeds": "Prepare and check seed instructions.",
    "train": "Train models on what was built.",
    "principles": "Answer queries under several constitutions.",
    "sandbox": "Build, check and clean up the sandbox.",
    "votes": "Ratings and pairs from crowd votes.",
    "writing": "Polish and distortion of rewrites.",
    "wiki": "Build the index that answers wikipedia_search.",
}


def _assemble() -> None:
    for command, (module, text) in _COMMANDS.items():
        home = import_module(f"ultrainteract.cli.{module}")
        function = getattr(home, "import_" if command == "import" else command.replace("-", "_"))
        app.command(command, short_help=text)(function)
    for name, text in _GROUPS.items():
        home = import_module(f"ultrainteract.cli.{name}")
        app.add_typer(home.app, name=name, help=text, no_args_is_help=True)


@app.callback(invoke_without_command=True)
def _options(version: bool = typer.Option(False, "--version", help="Print the version and exit.")) -> None:
    if version:
        from ultrainteract import __version__

        print(__version__)
        raise typer.Exit


def _expanded(word: re.Match[str]) -> str:
    return (word[1] or "") + os.path.expanduser(word[2])


def main() -> None:
    """Entry point: runs a command; an expected error becomes one message and its exit code."""
    from ultrainteract.errors import UltraInteractError

    _assemble()
    # Whoever ends a command politely finds its temporary folders gone; what drains has a handler of its own.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    # What a shell leaves alone: a quoted path, and `--output=~/run`.
    sys.argv[1:] = [re.sub(r"^(--[a-z-]+=)?(~.*)", _expanded, word) for word in sys.argv[1:]]
    try:
        app()
    except UltraInteractError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        print("Aborted. Whatever was recorded is kept: run the same command to resume.", file=sys.stderr)
        sys.exit(STOPPED)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(0)
