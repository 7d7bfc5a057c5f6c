"""`run`, `status`, `show`: growing trees and looking at them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from ultrainteract.schema import TreeState

Config = Annotated[Path, typer.Argument(help="The YAML configuration.", show_default=False)]
Overrides = Annotated[
    list[str] | None,
    typer.Argument(help="Overrides, `dotted.path=value` each.", show_default=False, metavar="[PATH=VALUE]…"),
]
Run = Annotated[Path, typer.Argument(help="A run directory.", show_default=False)]
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

    from ultrainteract.api import export, run_async
    from ultrainteract.cli import STOPPED
    from ultrainteract.cli.terminal import terminal
    from ultrainteract.config import Shard, load_config
    from ultrainteract.errors import ConfigError
    from ultrainteract.exporting.registry import exporters
    from ultrainteract.store import RunStore, resume_run
    from ultrainteract.store import prune as prune_run
    from ultrainteract.store import retry as retry_state

    named = {"executor.kind": executor, "executor.address": address}
    named_overrides = [f"{path}={value}" for path, value in named.items() if value is not None]
    loaded = load_config(config, [*(overrides or ()), *named_overrides])
    if output is not None:
        loaded = loaded.model_copy(update={"output": output.expanduser()})
    if limit is not None:
        loaded = loaded.model_copy(update={"limit": limit})
    again = None if retry is None else _state(retry)
    if not no_export and loaded.export.formats:
        exporters(loaded.export)  # a misspelt format is found before anything is paid for
    folder = loaded.output
    if shard is not None:
        loaded = loaded.model_copy(update={"shard": Shard.parse(shard)})
        folder = loaded.output / Shard.parse(shard).folder
    rights = None
    if publish:
        from ultrainteract.exporting import RunInfo
        from ultrainteract.hub import check_rights, check_simulated

        check_simulated(RunInfo.of_run(loaded).simulated, allow_simulated)
        rights = check_rights(loaded.publish)
    if fresh:
        if not yes:
            raise ConfigError(f"--fresh deletes the run in {folder} for good. Add --yes if that is meant.")
        RunStore.delete(folder)
    talk = terminal(stderr=True)
    with resume_run(loaded, accept_config=accept_config) as store:
        if again is not None:
            talk.print(f"{retry_state(store, again):,} {again} inputs are grown again.", highlight=False)
        try:
            report = asyncio.run(
                run_async(loaded, store, base=config.parent, unsafe=unsafe, console=talk, profile=profile)
            )
        except asyncio.CancelledError:
            talk.print("Aborted. Whatever was recorded is kept: run the same command to resume.")
            raise typer.Exit(STOPPED) from None
        if prune:
            talk.print(f"{prune_run(store):,} outcomes that were set aside are deleted.", highlight=False)
            report = report.model_copy(update={"set_aside": 0})
        _write(folder / "report.json", report.model_dump_json(indent=2))
        if not report.stopped:
            if not report.grown:
                talk.print(
                    f"Nothing to grow: all {report.settled:,} inputs had been finished before.",
                    highlight=False,
                )
            if not no_export and loaded.export.formats:
                rows = export(store, folder / "exports", loaded.export)
                written = ", ".join(f"{split} {count:,} rows" for split, count in rows.items())
                talk.print(f"Exported to {folder / 'exports'}: {written}", highlight=False)
    if not report.stopped and rights is not None:
        from ultrainteract.hub.watch import publish_run

        done = publish_run(folder, rights, loaded.publish, loaded.export, allow_simulated=allow_simulated)
        talk.print(f"Published: {done.url}", highlight=False)
    if json:
        print(report.model_dump_json(indent=2))
        if report.loop is not None:
            report.loop.show(talk)
    else:
        report.show(talk)
    command = f"ultrainteract run {config} -o {loaded.output}" + (f" --shard {shard}" if shard else "")
    if report.stopped:
        talk.print(f"Stopped early. Resume with: {command}", highlight=False)
        raise typer.Exit(STOPPED)
    if limit is not None and report.inputs is None:
        talk.print(
            f"These are the first {limit:,} instructions. Go on to all of them with: {command}",
            highlight=False,
        )


def _state(name: str) -> TreeState:
    from ultrainteract.config.problems import did_you_mean
    from ultrainteract.errors import ConfigError
    from ultrainteract.schema import TreeState

    try:
        return TreeState(name)
    except ValueError:
        states = [state.value for state in TreeState]
        raise ConfigError(
            f"There is no state '{name}' (there are: {', '.join(states)}){did_you_mean(name, states)}"
        ) from None


def _write(path: Path, text: str) -> None:
    from ultrainteract.errors import StoreError

    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise StoreError(f"Cannot write {path}: {error.strerror}.") from error


def status(
    runs: Annotated[
        list[str],
        typer.Argument(help="Run directories, a folder of shards, globs or URLs.", show_default=False),
    ],
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Print the ledger, the spending and the guards of a run, also while it works."""
    from contextlib import ExitStack

    from ultrainteract.cli.terminal import terminal
    from ultrainteract.running import RunReport
    from ultrainteract.store import open_runs

    with ExitStack() as stack:
        report = RunReport.of(open_runs(runs, stack))
    if json:
        print(report.model_dump_json(indent=2))
    else:
        report.show(terminal())


def show(
    run: Shown,
    id: Annotated[
        str | None, typer.Argument(help="Beginning of an instruction id; lists the ledger if left out.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    deepest: Annotated[bool, typer.Option("--deepest", help="Print the tree with the most turns.")] = False,
    state: Annotated[str | None, typer.Option(help="List inputs in this state only.")] = None,
) -> None:
    """Print one tree, readable; or list what there is."""
    from contextlib import ExitStack

    from ultrainteract.cli.terminal import terminal
    from ultrainteract.cli.trees import find_tree, list_inputs, tree_view

    if id is not None or deepest:
        tree = find_tree(run, None if deepest else id)
        if json:
            print(tree.model_dump_json(indent=2))
        else:
            terminal().print(tree_view(tree))
        return
    with ExitStack() as stack:
        for outcome in list_inputs(run, stack):
            if state is None or outcome.state == state:
                if json:
                    print(outcome.model_dump_json())
                else:
                    head = f"{outcome.key[:12]}  {outcome.state:<10}  {outcome.dataset:<14}"
                    print(f"{head}  {outcome.source}  {outcome.reason}".rstrip())
