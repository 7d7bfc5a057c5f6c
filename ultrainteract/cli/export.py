"""`export`: a run's trees, or an exported or published dataset, as splits for a trainer."""

from __future__ import annotations

from typing import Annotated

import typer


def export(
    source: Annotated[
        list[str] | None,
        typer.Argument(help="Run directories, folders of exports, or Hub dataset ids.", show_default=False),
    ] = None,
    formats: Annotated[
        list[str] | None, typer.Option("--format", "-f", help="An export; may be repeated. See --list.")
    ] = None,
    output: Annotated[
        str | None,
        typer.Option("--output", "-o", help="Folder or URL to write to; RUN/exports if left out."),
    ] = None,
    sft: Annotated[
        str | None, typer.Option(help="Correct actions: all, or leaf (the last of a tree).")
    ] = None,
    sft_history: Annotated[
        str | None, typer.Option(help="Prompt of later turns' correct actions: bare, flat or turns.")
    ] = None,
    pairs: Annotated[
        str | None, typer.Option(help="Pairs: all, or one per tree: random, longest or deepest.")
    ] = None,
    pair_history: Annotated[str | None, typer.Option(help="Turns before a pair: full or none.")] = None,
    level: Annotated[str | None, typer.Option(help="What a pair compares: turn or trajectory.")] = None,
    task: Annotated[list[str] | None, typer.Option(help="Keep this task; may be repeated.")] = None,
    dataset: Annotated[list[str] | None, typer.Option(help="Keep this dataset; may be repeated.")] = None,
    validation: Annotated[
        float | None, typer.Option(help="Share of the problems that go to a validation split.")
    ] = None,
    balance: Annotated[
        str | None, typer.Option(help="Same number of trees from each: off, task or dataset.")
    ] = None,
    mix: Annotated[
        list[str] | None,
        typer.Option(
            help="Mix in another dataset: NAME=PATH:RATIO; may be repeated.", metavar="NAME=PATH:RATIO"
        ),
    ] = None,
    setting: Annotated[
        list[str] | None,
        typer.Option(
            "--set", help="Any other export setting, such as filter.min_pass_rate=0.1.", metavar="PATH=VALUE"
        ),
    ] = None,
    jobs: Annotated[int | None, typer.Option(help="Processes to use; one per core if left out.")] = None,
    tokenizer: Annotated[
        str | None,
        typer.Option(help="Measure lengths with this tokenizer.json or Hub model; estimated if left out."),
    ] = None,
    mixed: Annotated[bool, typer.Option("--mixed", help="Allow runs of different settings.")] = False,
    show_list: Annotated[bool, typer.Option("--list", help="List the exports and stop.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the row counts as JSON.")] = False,
) -> None:
    """Write a run's trees as datasets that trainers read: Parquet, one folder an export."""
    from ultrainteract import api
    from ultrainteract.cli.terminal import terminal
    from ultrainteract.cli.views.exports import show_exporters
    from ultrainteract.errors import ConfigError

    if show_list:
        show_exporters(terminal())
        return
    if not source:
        raise ConfigError("Name a run directory to export, or use --list.")
    flags: dict[str, object] = {
        "formats": formats, "sft": sft, "sft_history": sft_history, "pairs": pairs, "level": level,
        "pair_history": pair_history, "validation": validation, "balance": balance, "filter.tasks": task,
        "filter.datasets": dataset,
    }  # fmt: skip
    changes = {name: value for name, value in flags.items() if value is not None and value != []}
    changes |= {f"mix.{name}": value for name, value in map(_mix, mix or ())}
    report = api.export(
        source,
        output,
        changes=changes,
        overrides=setting or (),
        jobs=jobs or 0,
        tokenizer=tokenizer,
        mixed=mixed,
    )
    if json:
        print(report.model_dump_json(exclude={"issues"}))
        return
    console = terminal(stderr=True)
    for issue in report.issues:
        console.print(f"import: {issue}", highlight=False, markup=False)
    for note in report.notes:
        console.print(f"note: {note}", highlight=False, markup=False)
    for name, count in report.rows.items():
        print(f"{name}\t{count}")
    console.print(f"Written to {report.folder}", highlight=False)


def _mix(text: str) -> tuple[str, dict[str, object]]:
    from ultrainteract.errors import ConfigError

    name, named, rest = text.partition("=")
    path, ratioed, ratio = rest.rpartition(":")
    if not (name and named and path and ratioed):
        raise ConfigError(
            f"--mix '{text}': write NAME=PATH:RATIO, such as ultrafeedback=data/uf.parquet:0.5."
        )
    return name, {"path": path, "ratio": ratio}
