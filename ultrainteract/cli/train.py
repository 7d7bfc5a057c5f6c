"""`ultrainteract train`: models from what was built."""

from __future__ import annotations

from collections.abc import Callable
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
