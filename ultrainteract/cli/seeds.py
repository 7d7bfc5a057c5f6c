"""`seeds list`, `seeds build`, `seeds check`, `seeds tests`: from published datasets to instructions."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ultrainteract.cli.arguments import Config, Json, Overrides

if TYPE_CHECKING:
    pass

app = typer.Typer()


@app.command("list")
def list_datasets(json: Json = False) -> None:
    """List the datasets that a config can name, and the selection rules."""
    from ultrainteract import api

    if json:
        import orjson

        known = {
            name: {"tasks": found.tasks, "licence": found.licence, "options": found.options}
            for name, found in api.seed_datasets().items()
        }
        print(
            orjson.dumps(
                {"datasets": known, "rules": api.selection_rules()}, option=orjson.OPT_INDENT_2
            ).decode()
        )
        return
    for found in api.seed_datasets().values():
        licence = found.licence or "licence not known"
        print(f"{found.name}  ({', '.join(found.tasks)}; {licence})\n    {found.summary}")
    print("\nSelection rules")
    for name, summary in api.selection_rules().items():
        print(f"{name}\n    {summary}")


@app.command()
def build(
    config: Config,
    overrides: Overrides = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder for instructions.jsonl, issues.jsonl and report.json.")
    ] = None,
    n: Annotated[
        int | None, typer.Option("--n", help="Words of an n-gram in decontamination; as selection.ngram.")
    ] = None,
    near: Annotated[
        float | None,
        typer.Option(help="Also drop what is this similar to a test item; as selection.decontaminate_near."),
    ] = None,
    json: Json = False,
) -> None:
    """Read, select and decontaminate the instructions of a config, and report what was kept and why."""
    from ultrainteract import api
    from ultrainteract.cli.views.checks import show_build

    changes = [*(overrides or ())]
    changes += [f"selection.ngram={n}"] if n is not None else []
    changes += [f"selection.decontaminate_near={near}"] if near is not None else []
    report = api.build_seeds(api.load_config(config, changes), base=config.parent, out=out)
    if json:
        print(report.model_dump_json(indent=2))
    else:
        show_build(report)
    if out is not None:
        typer.echo(f"Wrote {out}: instructions.jsonl, issues.jsonl, report.json.", err=True)


@app.command()
def check(
    config: Config,
    overrides: Overrides = None,
    limit: Annotated[int, typer.Option(help="Instructions of each source to check; 0 for all.")] = 0,
    solutions: Annotated[
        bool, typer.Option("--solutions/--no-solutions", help="Run reference solutions in the sandbox.")
    ] = True,
    expected: Annotated[
        Path | None, typer.Option(help='JSON of what is known of solutions: {"name": "pass" or "fail"}.')
    ] = None,
    unsafe: Annotated[bool, typer.Option("--unsafe", help="Run them without isolation.")] = False,
    json: Json = False,
) -> None:
    """Grade every gold answer against itself and against the next item, and run every reference solution.

    Exit code 1 if a shifted answer is accepted, a solution that --expected says passes is not, more than 5% of gold
    answers or solutions fail their own check, or a gold answer is words among values; as for `validate`.
    """
    from functools import partial

    from ultrainteract import api
    from ultrainteract.cli.views.checks import show_check

    checks = api.check_seeds(
        api.load_config(config, overrides or ()),
        base=config.parent,
        limit=limit,
        solutions=solutions,
        expected=expected,
        unsafe=unsafe,
        progress=partial(typer.echo, err=True),
    )
    if json:
        import orjson

        rows = [found.model_dump(mode="json") for found in checks]
        print(orjson.dumps(rows, option=orjson.OPT_INDENT_2).decode())
    else:
        for found in checks:
            show_check(found)
    if not all(found.passed for found in checks):
        raise typer.Exit(1)


@app.command("tests")
def make_tests(
    config: Config,
    out: Annotated[Path, typer.Option(help="File to add to; name it in options.generated_tests.")],
    overrides: Overrides = None,
    model: Annotated[
        str | None, typer.Option(help="Model that writes inputs; the critic's if not given.")
    ] = None,
    limit: Annotated[int, typer.Option(help="Most problems to make tests for; 0 for all.")] = 0,
    unsafe: Annotated[bool, typer.Option("--unsafe", help="Run solutions without isolation.")] = False,
) -> None:
    """Make tests for coding problems without any: a model writes inputs, gold solutions give the outputs."""
    from ultrainteract import api

    made = api.make_tests(
        api.load_config(config, overrides or ()),
        out,
        base=config.parent,
        model=model,
        limit=limit,
        unsafe=unsafe,
        progress=typer.echo,
    )
    typer.echo(f"Made tests for {made:,} problems: {out}", err=True)


@app.command("word-problems")
def make_word_problems(
    out: Annotated[Path, typer.Argument(help="JSONL file to write.")],
    count: Annotated[int, typer.Option(min=1, help="How many.")] = 100,
    largest: Annotated[
        str, typer.Option(help="Operations wanted, each with its largest operand.")
    ] = "add=9,subtract=9,multiply=9",
    split: Annotated[str, typer.Option(help="Templates: train or held-out.")] = "train",
    seed: Annotated[int, typer.Option(help="Seed of every random choice.")] = 0,
) -> None:
    """Make arithmetic word problems of one step, as hard as their operands are large."""
    from ultrainteract import api

    parts = (item.strip().partition("=") for item in largest.split(","))
    bounds = {operation: bound for operation, _, bound in parts}
    api.make_word_problems(out, count, bounds, split=split, seed=seed)
    typer.echo(f"Wrote {count:,} problems: {out}", err=True)
