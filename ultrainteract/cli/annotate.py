"""`ultrainteract annotate`: which preferences of an annotator are there before anybody asks."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from ultrainteract.cli.arguments import Json

app = typer.Typer(help="Annotators under conditions.", no_args_is_help=True)

Columns = Annotated[
    list[str] | None,
    typer.Option("--map", help="FIELD=COLUMN for a layout of your own: prompt, response_a, …"),
]
Force = Annotated[bool, typer.Option("--force", help="Overwrite answers that would be lost.")]


@app.callback()
def _group() -> None:
    """Annotators under conditions."""


@app.command()
def plan(
    files: Annotated[
        list[Path], typer.Argument(help="Items: prompt, response_a, response_b, perhaps label.")
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="JSONL file of questions to write.")],
    column: Columns = None,
    repeats: Annotated[int, typer.Option(help="Repetitions per condition.", min=1)] = 4,
    wordings: Annotated[int, typer.Option(help="Wordings per scale.", min=1, max=3)] = 2,
    scale: Annotated[list[str] | None, typer.Option(help="pairwise or rating; may be repeated.")] = None,
    annotator: Annotated[str | None, typer.Option(help="Who answers.", show_default=False)] = None,
    seed: Annotated[int, typer.Option(help="Seed of the order of questions.")] = 0,
    force: Force = False,
    json: Json = False,
) -> None:
    """Write the questions for a person or a model, and say what such a plan can tell apart."""
    from ultrainteract import api
    from ultrainteract.cli.votes import columns_of

    report = api.plan_annotation(
        *files, output=output, columns=columns_of(column), repeats=repeats, wordings=wordings,
        scales=scale or ("pairwise",), annotator=annotator, seed=seed, force=force,
    )  # fmt: skip
    if not _printed(report, json):
        print(
            f"{report['items']:,} items ({report['duplicates']:,} duplicates), {report['per_item']} questions each: "
            f"{report['questions']:,}"
        )
        for name, counts in report["simulated"].items():
            said = ", ".join(f"{kind} {count}" for kind, count in counts.items())
            print(f"  200 simulated annotators, {name}: {said}")


@app.command()
def run(
    questions: Annotated[Path, typer.Argument(help="The plan.")],
    config: Annotated[str, typer.Option(help="A configuration with the model.")],
    model: Annotated[str, typer.Option(help="The model's name in it.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for replies and answers.")],
    setting: Annotated[
        list[str] | None,
        typer.Option("--set", help="A change to the configuration.", metavar="PATH=VALUE"),
    ] = None,
    force: Force = False,
    json: Json = False,
) -> None:
    """Have a model answer a plan; replies are recorded, and none is paid for twice."""
    from ultrainteract import api

    loaded = api.load_config(config, setting or ())
    report = api.run_annotation(questions, loaded, model, output, force=force)
    if not _printed(report, json):
        print(
            f"{report['questions']:,} questions: {report['answers']:,} answers, {report['read']:,} readable"
        )
        print(f"Written to {report['file']}")


@app.command()
def classify(
    files: Annotated[list[Path], typer.Argument(help="Answered plans, or votes with judges and texts.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Folder for trees and report.", show_default=False)
    ] = None,
    column: Columns = None,
    dataset: Annotated[str, typer.Option(help="Name of the dataset on the trees.")] = "annotations",
    license: Annotated[str | None, typer.Option(help="License of the texts.", show_default=False)] = None,
    json: Json = False,
) -> None:
    """Tell genuine preferences from constructed ones and non-attitudes; make pairs of the genuine ones."""
    from ultrainteract import api
    from ultrainteract.cli.votes import columns_of

    report = api.classify_annotations(
        *files, output=output, columns=columns_of(column), dataset=dataset, license=license
    )
    if _printed(report, json):
        return
    print(
        f"{report['measures']:,} measures ({report['unanswered']:,} not answered yet, "
        f"{report['unread']:,} not readable), {report['items']:,} items"
    )
    for why in ("duplicates", "unreadable", "passed_over"):
        if report[why]:
            print(f"    {why.replace('_', ' ')}: {report[why]:,}")
    for reason in report["reasons"]:
        print(f"    {reason}")
    for name, figures in report["annotators"].items():
        kinds = ", ".join(f"{kind} {count}" for kind, count in figures["kinds"].items())
        print(f"{name}: {kinds}; reliability {_share(figures['reliability'])}")
        for factor, rate in figures["flips"].items():
            if rate["total"]:
                print(f"    flips by {factor}: {_interval(rate)}")
        print(f"    first place preferred: {_interval(figures['first_place'])}")
        if figures["right"]["total"]:
            print(f"    genuine preferences right: {_interval(figures['right'])}")
        for reason, count in figures["undetermined"].items():
            print(f"    undetermined: {reason}: {count:,}")
    if report["alpha"]:
        print("Krippendorff's alpha {alpha:.2f} ({low:.2f} … {high:.2f})".format(**report["alpha"]))
    print(
        f"{report['items']:,} items = {report['pairs']:,} pairs + {sum(report['refused'].values()):,} without"
    )
    for reason, count in report["refused"].items():
        print(f"    without a pair: {reason}: {count:,}")


def _printed(report: dict[str, Any], json: bool) -> bool:
    if json:
        import orjson

        print(orjson.dumps(report, option=orjson.OPT_INDENT_2).decode())
    return json


def _share(value: float | None) -> str:
    return "not measured" if value is None else f"{value:.2f}"


def _interval(rate: dict[str, Any]) -> str:
    if not rate["total"]:
        return "-"
    return f"{rate['share']:.1%} of {rate['total']:,} ({rate['low']:.1%} … {rate['high']:.1%})"
