"""`run`, `status`, `show`: growing trees and looking at them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ultrainteract.cli.arguments import Config, Json, Overrides, Runs

Shown = Annotated[Path, typer.Argument(help="A run directory, or a folder of exports.", show_default=False)]


def run(
    config: Config,
    overrides: Overrides = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Run directory.", envvar="ULTRAINTERACT_OUTPUT")
    ] = None,
    shard: Annotated[
        str | None,
        typer.Option(
            help="Grow one slice of the instructions, such as 3/64, in a folder below the run directory.",
            envvar="ULTRAINTERACT_SHARD",
        ),
    ] = None,
    executor: Annotated[
        str | None, typer.Option(help="Where trees grow: local or ray.", envvar="ULTRAINTERACT_EXECUTOR")
    ] = None,
    address: Annotated[
        str | None, typer.Option(help="Ray cluster to join: auto, or HOST:PORT of its head.")
    ] = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Delete the run directory's run first; needs --yes.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Confirm --fresh.")] = False,
    accept_config: Annotated[
        bool,
        typer.Option(
            "--accept-config",
            help="Go on with a changed configuration: trees are grown again, recorded calls reused.",
        ),
    ] = False,
    limit: Annotated[
        int | None,
        typer.Option(
            help="Grow the first N instructions only; a later run without it goes on to the rest.",
            min=1,
            metavar="N",
        ),
    ] = None,
    retry: Annotated[
        str | None,
        typer.Option(help="Grow inputs in this state again, with fresh samples.", metavar="STATE"),
    ] = None,
    prune: Annotated[
        bool, typer.Option("--prune", help="Delete trees of problems that left the seeds.")
    ] = False,
    publish: Annotated[
        bool,
        typer.Option("--publish", help="Push to publish.repo when done; rights are checked before the run."),
    ] = False,
    allow_simulated: Annotated[
        bool, typer.Option("--allow-simulated", help="Publish simulated data, marked as such.")
    ] = False,
    no_export: Annotated[bool, typer.Option("--no-export", help="Do not write exports when done.")] = False,
    unsafe: Annotated[
        bool, typer.Option("--unsafe", help="Run model-written code without isolation.")
    ] = False,
    profile: Annotated[
        bool, typer.Option("--profile", help="Measure how late the event loop gets, and where.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the report as JSON on stdout.")] = False,
) -> None:
    """Grow the trees of a seed set; resumes by itself where an earlier run of the same configuration stopped."""
    import asyncio
    from shlex import join

    from ultrainteract import api
    from ultrainteract.cli import STOPPED
    from ultrainteract.cli.terminal import terminal
    from ultrainteract.cli.views.run import show_loop, show_report
    from ultrainteract.config import Shard
    from ultrainteract.errors import ConfigError

    named = {"executor.kind": executor, "executor.address": address}
    named_overrides = [f"{path}={value}" for path, value in named.items() if value is not None]
    loaded = api.load_config(config, [*(overrides or ()), *named_overrides])
    if output is not None:
        loaded = loaded.model_copy(update={"output": output.expanduser()})
    if limit is not None:
        loaded = loaded.model_copy(update={"limit": limit})
    folder = loaded.output
    if shard is not None:
        loaded = loaded.model_copy(update={"shard": Shard.parse(shard)})
        folder = loaded.output / Shard.parse(shard).folder
    rights = api.check_push(loaded, allow_simulated=allow_simulated) if publish else None
    if fresh:
        if not yes:
            raise ConfigError(f"--fresh deletes the run in {folder} for good. Add --yes if that is meant.")
        api.delete_run(folder)
    console = terminal(stderr=True)
    try:
        report = api.run(
            loaded,
            base=config.parent,
            accept_config=accept_config,
            retry=retry,
            prune=prune,
            unsafe=unsafe,
            console=console,
            profile=profile,
        )
    except asyncio.CancelledError:
        console.print("Aborted. Whatever was recorded is kept: run the same command to resume.")
        raise typer.Exit(STOPPED) from None
    if not (report.stopped or report.grown):
        console.print(
            f"Nothing to grow: all {report.settled:,} inputs had been finished before.", highlight=False
        )
    if not report.stopped and not no_export and loaded.export.formats:
        exported = api.export(folder, folder / "exports", loaded.export)
        written = ", ".join(f"{split} {count:,} rows" for split, count in exported.rows.items())
        console.print(f"Exported to {exported.folder}: {written}", highlight=False)
    if not report.stopped and rights is not None:
        published = api.push(
            folder, rights=rights, formats=loaded.export.formats, allow_simulated=allow_simulated
        )
        console.print(f"Published: {published.url if published else ''}", highlight=False)
    if json:
        print(report.model_dump_json(indent=2))
        if report.loop is not None:
            show_loop(report.loop, console)
    else:
        show_report(report, console)
    words = ["ultrainteract", "run", str(config), *(overrides or ()), "-o", str(loaded.output)]
    words += ["--shard", shard] if shard else []
    words += ["--executor", executor] if executor else []
    command = join(words)
    if report.stopped:
        console.print(f"Stopped early. Resume with: {command}", highlight=False)
        raise typer.Exit(STOPPED)
    if not report.finished:
        console.print(f"Go on to the other instructions with: {command}", highlight=False)


def status(runs: Runs, json: Json = False) -> None:
    """Print the ledger, the spending and the guards of a run, also while it works."""
    from ultrainteract import api
    from ultrainteract.cli.terminal import terminal
    from ultrainteract.cli.views.run import show_report

    report = api.status(*runs)
    if json:
        print(report.model_dump_json(indent=2))
    else:
        show_report(report, terminal())


def show(
    run: Shown,
    id: Annotated[
        str | None,
        typer.Argument(help="Beginning of an id, or a record's source id; lists the inputs if left out."),
    ] = None,
    json: Json = False,
    deepest: Annotated[bool, typer.Option("--deepest", help="Print the tree with the most turns.")] = False,
    shortest: Annotated[
        bool, typer.Option("--shortest", help="Print the tree with the fewest turns, of those with pairs.")
    ] = False,
    state: Annotated[str | None, typer.Option(help="List inputs in this state only.")] = None,
    raw: Annotated[
        bool,
        typer.Option("--raw", help="Print what the models wrote, and what they were asked, as it was sent."),
    ] = False,
) -> None:
    """Print one tree, readable; or list what there is."""
    from ultrainteract import api
    from ultrainteract.cli.terminal import terminal
    from ultrainteract.cli.views.tree import show_calls, tree_view
    from ultrainteract.errors import ConfigError

    if deepest and shortest:
        raise ConfigError("--deepest and --shortest exclude each other.")
    if id is not None or deepest or shortest:
        if raw:  # of an input that failed there are samples, but no tree
            asked = api.find_tree(run, shortest=shortest).id if id is None else id
            show_calls(api.recorded_calls(run, asked), terminal())
            return
        tree = api.find_tree(run, id, shortest=shortest)
        if json:
            print(tree.model_dump_json(indent=2))
        else:
            terminal().print(tree_view(tree))
        return
    for number, outcome in enumerate(api.list_inputs(run, state)):
        if not (json or number):
            print(f"{'id':<12}  {'state':<10}  {'task':<8}  {'dataset':<14}  source · why")
        if json:
            print(outcome.model_dump_json())
        else:
            head = f"{outcome.key[:12]}  {outcome.state:<10}  {outcome.task or '-':<8}  {outcome.dataset:<14}"
            print(f"{head}  {outcome.source}  {outcome.reason}".rstrip())


def calls(
    run: Shown,
    id: Annotated[
        str | None, typer.Argument(help="Beginning of an id, or a record's source id; all trees if left out.")
    ] = None,
    jsonl: Annotated[bool, typer.Option("--jsonl", help="Print one JSON object per sample.")] = False,
) -> None:
    """Print every recorded sample with its prompt: kept, dropped, unreadable and refused ones."""
    from ultrainteract import api
    from ultrainteract.cli.terminal import terminal
    from ultrainteract.cli.views.tree import show_calls

    found = api.recorded_calls(run, id)
    if jsonl:
        for call in found:
            print(call.model_dump_json())
    else:
        show_calls(found, terminal())
