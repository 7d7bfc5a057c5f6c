"""`ultrainteract train`: models from what was built."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from ultrainteract.cli.arguments import Config, Json, Overrides

app = typer.Typer(help="Training.", no_args_is_help=True)

_STAGES = {
    "sft": "Fine-tune on correct actions.",
    "dpo": "Learn preferences by DPO.",
    "kto": "Learn preferences by KTO.",
    "nca": "Learn preferences by NCA.",
    "reward": "Train a reward model with L_BT + L_DR.",
}


@app.callback()
def _group() -> None:
    """Training."""


def _stage(name: str, text: str) -> Callable[..., None]:
    def command(
        config: Config,
        overrides: Overrides = None,
        dry_run: Annotated[
            bool, typer.Option("--dry-run", help="Show rows, lengths and an example; train nothing.")
        ] = False,
        again: Annotated[
            bool, typer.Option("--again", help="Begin anew, whatever the output folder holds.")
        ] = False,
        json: Json = False,
    ) -> None:
        from ultrainteract import api
        from ultrainteract.cli.terminal import terminal
        from ultrainteract.cli.views.train import show_plan, show_report

        console = terminal(stderr=True)

        def say(line: str) -> None:
            console.print(line, markup=False, highlight=False)

        if dry_run:
            plan = api.plan_training(config, name, overrides=overrides or ())  # type: ignore[arg-type]
            if json:
                print(plan.model_dump_json(indent=2))
            else:
                show_plan(plan, terminal())
            return
        report = api.train(config, name, overrides=overrides or (), again=again, say=say)  # type: ignore[arg-type]
        if json:
            print(report.model_dump_json(indent=2))
        else:
            show_report(report, terminal())

    command.__doc__ = text
    return command


for _name, _text in _STAGES.items():
    app.command(_name, short_help=_text)(_stage(_name, _text))


@app.command(short_help="Trees, training, trees by the new model …")
def rounds(
    config: Config,
    overrides: Overrides = None,
    unsafe: Annotated[
        bool, typer.Option("--unsafe", help="Run model-written code without isolation.")
    ] = False,
    json: Json = False,
) -> None:
    """Iterate on-policy: trees by the current model, training on them, trees by the model that came of it."""
    from ultrainteract import api
    from ultrainteract.cli.terminal import terminal
    from ultrainteract.cli.views.train import show_report

    console = terminal(stderr=True)

    def say(line: str) -> None:
        console.print(line, markup=False, highlight=False)

    for found in api.train_rounds(config, overrides=overrides or (), unsafe=unsafe, say=say):
        if json:
            print(found.model_dump_json(), flush=True)
        else:
            print(
                f"round {found.number}: "
                + ", ".join(f"{number} {state}" for state, number in found.states.items())
            )
            for report in found.stages:
                show_report(report, terminal())


@app.command(short_help="Publish a trained model.")
def push(
    folder: Annotated[Path, typer.Argument(help="Folder of a finished stage, such as runs/train/dpo.")],
    repo: Annotated[str, typer.Argument(help="Model id on the Hub.")],
    private: Annotated[bool, typer.Option("--private", help="Make a new repository private.")] = False,
    allow_simulated: Annotated[
        bool,
        typer.Option("--allow-simulated", help="Publish what was trained on simulated data, marked as such."),
    ] = False,
    replace: Annotated[
        bool, typer.Option("--replace", help="Publish into a repository that holds something else.")
    ] = False,
) -> None:
    """Publish a model in one commit, with a card that says what it was trained on, to the data's revision."""
    from ultrainteract import api

    print(api.push_model(folder, repo, private=private, allow_simulated=allow_simulated, replace=replace).url)


@app.command(short_help="Score rows by a reward model.")
def score(
    model: Annotated[str, typer.Argument(help="Folder of a reward model, or a Hub id.")],
    source: Annotated[str, typer.Argument(help="Rows with prompt and chosen, rejected or completion.")],
) -> None:
    """Score answers by a reward model: JSON, a line per row; under `left_out` why a row has no score."""
    import sys

    import orjson

    from ultrainteract import api

    rows = left_out = 0
    for scores in api.score(model, source):
        rows += 1
        left_out += "left_out" in scores
        print(orjson.dumps(scores).decode())
    if left_out:
        print(f"{left_out:,} of {rows:,} rows have no score.", file=sys.stderr)
