"""`ultrainteract eval`: evaluate a model, compare evaluations, and hand samples on."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from typer.core import TyperGroup

from ultrainteract.cli.arguments import Json


class _RunByDefault(TyperGroup):
    """`eval CONFIG` and `eval --model …` mean `eval run …`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and args[0] not in (*self.commands, "-h", "--help"):
            args = ["run", *args]
        return super().parse_args(ctx, args)


app = typer.Typer(cls=_RunByDefault)
Folder = Annotated[Path, typer.Argument(help="Directory of an evaluation.", show_default=False)]


@app.command()
def run(
    config: Annotated[
        Path | None, typer.Argument(help="The YAML configuration of an evaluation.", show_default=False)
    ] = None,
    overrides: Annotated[
        list[str] | None,
        typer.Argument(
            help="Overrides, `dotted.path=value` each.", show_default=False, metavar="[PATH=VALUE]…"
        ),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(help="The model, in the place of a configuration.", metavar="[PROVIDER:]NAME"),
    ] = None,
    base_url: Annotated[
        str | None, typer.Option(help="Its address, for an OpenAI-compatible server.")
    ] = None,
    benchmark: Annotated[
        list[str] | None,
        typer.Option(help="NAME=PATH, or NAME/TASK=PATH; may be repeated.", metavar="NAME=PATH"),
    ] = None,
    protocol: Annotated[
        Literal["single", "rollout", "mint"] | None,
        typer.Option(help="One answer, a rollout, or MINT's protocol."),
    ] = None,
    feedback: Annotated[
        Literal["none", "binary", "critique"] | None,
        typer.Option(help="What a rollout is told of wrong answers."),
    ] = None,
    samples: Annotated[int | None, typer.Option(help="Samples per item.", min=1)] = None,
    temperature: Annotated[float | None, typer.Option(help="Softmax temperature; 0 is greedy.")] = None,
    max_tokens: Annotated[int | None, typer.Option(help="Maximum tokens of an answer.")] = None,
    limit: Annotated[
        int | None, typer.Option(help="Evaluate the first N items only.", min=1, metavar="N")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Directory of the evaluation.")
    ] = None,
    executor: Annotated[str | None, typer.Option(help="local or ray.")] = None,
    training_data: Annotated[
        list[str] | None, typer.Option(help="Export or file that the model was trained on; may be repeated.")
    ] = None,
    accept_config: Annotated[
        bool,
        typer.Option(
            "--accept-config", help="Go on with a changed configuration; recorded calls are reused."
        ),
    ] = False,
    unsafe: Annotated[
        bool, typer.Option("--unsafe", help="Run model-written code without isolation.")
    ] = False,
    json: Json = False,
) -> None:
    """Evaluate a model on benchmarks; resumes by itself where an earlier evaluation stopped. `run` may be left out."""
    import asyncio

    from ultrainteract import api
    from ultrainteract.cli import STOPPED
    from ultrainteract.cli.terminal import terminal
    from ultrainteract.cli.views.evaluation import show_evaluation
    from ultrainteract.errors import ConfigError

    changes: dict[str, Any] = {
        "rollout.protocol": protocol, "rollout.feedback": feedback, "rollout.samples": samples,
        "model.sampling.temperature": temperature, "model.sampling.max_tokens": max_tokens, "limit": limit,
        "output": str(output) if output else None, "executor.kind": executor, "model.base_url": base_url,
        "training_data": training_data or None,
    }  # fmt: skip
    given = {path: value for path, value in changes.items() if value is not None}
    if config is not None:
        if model or benchmark:
            raise ConfigError("Give a configuration, or --model and --benchmark, not both.")
        loaded = api.load_evaluation(config, overrides or (), given)
    elif model and benchmark:
        loaded = api.quick_evaluation(model, benchmark, given)
    else:
        raise ConfigError("Name a configuration; or --model and at least one --benchmark.")
    console = terminal(stderr=True)
    base = config.parent if config else Path()
    try:
        report = api.evaluate(loaded, base=base, accept_config=accept_config, unsafe=unsafe, console=console)
    except asyncio.CancelledError:
        console.print("Aborted. Whatever was recorded is kept: run the same command to resume.")
        raise typer.Exit(STOPPED) from None
    if json:
        print(report.model_dump_json(indent=2))
    else:
        show_evaluation(report, terminal())
    console.print(f"Report and items: {loaded.output}", highlight=False)
    if not report.complete and loaded.limit is None:
        rest = f" ({report.not_asked:,} items were not asked for yet)" if report.not_asked else ""
        console.print(f"Not complete{rest}: run the same command to go on.", highlight=False)
        raise typer.Exit(STOPPED)


@app.command()
def report(
    folders: Annotated[list[Path], typer.Argument(help="Directories of evaluations.", show_default=False)],
    format: Annotated[
        Literal["terminal", "json", "markdown", "html"],
        typer.Option(help="How to write it; html has figures inside."),
    ] = "terminal",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="File to write; stdout if left out.")
    ] = None,
    confidence: Annotated[float, typer.Option(help="Level of the intervals.", min=0.5, max=0.999)] = 0.95,
) -> None:
    """Put evaluations side by side, each tested against the first on the same items."""
    from ultrainteract import api
    from ultrainteract.cli.terminal import terminal
    from ultrainteract.cli.views.evaluation import rendered, show_comparison, show_evaluation

    if format == "terminal":
        if len(folders) == 1:
            show_evaluation(api.evaluation_report(folders[0]), terminal())
        else:
            show_comparison(api.compare_evaluations(*folders, confidence=confidence), terminal())
        return
    text = rendered(api.compare_evaluations(*folders, confidence=confidence), format)
    if output is None:
        print(text, end="")
    else:
        output.write_text(text, encoding="utf-8")


@app.command("best-of-n")
def best_of_n(
    folder: Folder,
    reward_model: Annotated[
        str | None, typer.Option(help="Folder or Hub id of a sequence-classification checkpoint.")
    ] = None,
    json: Json = False,
) -> None:
    """Say what picking one of n recorded answers gives, by rule."""
    from ultrainteract import api
    from ultrainteract.cli.terminal import terminal
    from ultrainteract.cli.views.evaluation import show_selection

    rows = api.best_of_n(folder, reward_model)
    if json:
        import orjson

        print(
            orjson.dumps([row.model_dump(mode="json") for row in rows], option=orjson.OPT_INDENT_2).decode()
        )
    else:
        show_selection(rows, terminal())


@app.command()
def pairs(
    reward_model: Annotated[
        str, typer.Argument(help="Folder or Hub id of a sequence-classification checkpoint.")
    ],
    data: Annotated[str, typer.Argument(help="Preference set: rows with prompt, chosen, rejected.")],
    json: Json = False,
) -> None:
    """Measure how often a reward model prefers the chosen of two answers."""
    from ultrainteract import api
    from ultrainteract.cli.terminal import terminal
    from ultrainteract.cli.views.evaluation import show_pairwise

    found = api.pairwise_accuracy(reward_model, data)
    if json:
        print(found.model_dump_json(indent=2))
    else:
        show_pairwise(found, terminal())


_WANTED = {
    "evalplus": "a program for HumanEval or MBPP",
    "lm-eval": "samples",
    "rewardbench": "both a right and a wrong answer: draw several samples per item (`rollout.samples`)",
    "failures": "attempts of which none is right",
}


@app.command()
def samples(
    folder: Folder,
    layout: Annotated[
        Literal["evalplus", "lm-eval", "rewardbench", "failures"],
        typer.Option("--for", help="Which tool; failures are seeds of the next build."),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="JSON Lines file to write.")],
) -> None:
    """Write the samples of an evaluation as another tool reads them."""
    from ultrainteract import api

    written = api.export_samples(folder, layout, output)
    print(f"{written:,} lines: {output}")
    if not written:
        print(f"No item has {_WANTED[layout]}.", file=sys.stderr)


@app.command("mint-outputs")
def mint_outputs(
    folder: Annotated[Path, typer.Argument(help="Folder with F=<feedback>/max<k>_p<p>…/…/results.jsonl.")],
    json: Json = False,
) -> None:
    """Compute success by turn from outputs in the layout of MINT's published ones."""
    from ultrainteract import api
    from ultrainteract.cli.views.evaluation import percent

    rows = api.mint_outputs(folder)
    if json:
        import orjson

        print(
            orjson.dumps([row.model_dump(mode="json") for row in rows], option=orjson.OPT_INDENT_2).decode()
        )
        return
    for row in rows:
        shown = "  ".join(f"{turn.turn}: {percent(turn.success)}" for turn in row.by_turn)
        print(f"{row.model} F={row.feedback} {row.group}, a run for each k: {shown}")
