"""`seeds list`, `seeds build`, `seeds check`, `seeds tests`: from published datasets to instructions."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ultrainteract.cli.run import Config, Overrides

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ultrainteract.config import RunConfig, SeedConfig
    from ultrainteract.schema import Instruction
    from ultrainteract.seeds.build import BuildReport
    from ultrainteract.seeds.check import DatasetCheck

app = typer.Typer()

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command("list")
def list_datasets(json: Json = False) -> None:
    """List the datasets that a config can name, and the selection rules."""
    from ultrainteract.seeds import known_datasets
    from ultrainteract.seeds.selection.rules import rules

    if json:
        import orjson

        known = {
            name: {"tasks": found.tasks, "licence": found.licence, "options": found.options}
            for name, found in known_datasets().items()
        }
        print(orjson.dumps({"datasets": known, "rules": rules()}, option=orjson.OPT_INDENT_2).decode())
        return
    for found in known_datasets().values():
        licence = found.licence or "licence not known"
        print(f"{found.name}  ({', '.join(found.tasks)}; {licence})\n    {found.summary}")
    print("\nSelection rules")
    for name, summary in rules().items():
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
    from ultrainteract.config import load_config
    from ultrainteract.seeds.build import build as build_instructions

    changes = [*(overrides or ())]
    changes += [f"selection.ngram={n}"] if n is not None else []
    changes += [f"selection.decontaminate_near={near}"] if near is not None else []
    report = build_instructions(load_config(config, changes), config.parent, out)
    if json:
        print(report.model_dump_json(indent=2))
    else:
        _show_build(report)
    if out is not None:
        typer.echo(f"Wrote {out}: instructions.jsonl, issues.jsonl, report.json.", err=True)


def _show_build(report: BuildReport) -> None:
    for dataset in report.datasets:
        print(
            f"{dataset.dataset}: {dataset.records:,} records, {dataset.unusable:,} unusable, "
            f"{dataset.instructions:,} instructions"
        )
        for what, counts in (("kept", dataset.kept), ("dropped", dataset.dropped)):
            parts = ", ".join(f"{name} {count:,}" for name, count in counts.items())
            print(f"    {what:<8}{sum(counts.values()):>9,}  {parts}")
    print(f"\n{'selection':<20}{'in':>9}{'dropped':>9}{'out':>9}")
    for rule in report.rules:
        print(f"{rule.rule:<20}{rule.came:>9,}{rule.dropped:>9,}{rule.came - rule.dropped:>9,}")
    for reason, count in report.reasons.items():
        print(f"unusable  {count:,}  {reason}")
    for path, revision in report.revisions.items():
        print(f"read      {path} at {revision}")
    print(f"\n{report.kept:,} instructions kept; the counts {'' if report.adds_up else 'DO NOT '}add up.")


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

    Exit code 1 if a shifted answer is accepted, or a solution that --expected says passes is not accepted.
    """
    import asyncio

    from ultrainteract.config import load_config

    loaded = load_config(config, overrides or ())
    checks = asyncio.run(_check(loaded, config.parent, limit, solutions, expected, unsafe))
    if json:
        import orjson

        rows = [found.model_dump(mode="json") for found in checks]
        print(orjson.dumps(rows, option=orjson.OPT_INDENT_2).decode())
    else:
        for found in checks:
            _show_check(found)
    if any(_failed(found) for found in checks):
        raise typer.Exit(1)


async def _check(
    config: RunConfig, base: Path, limit: int, solutions: bool, expected: Path | None, unsafe: bool
) -> list[DatasetCheck]:
    from contextlib import AsyncExitStack

    from ultrainteract.grading import Graders
    from ultrainteract.sandbox import open_sandbox
    from ultrainteract.seeds.check import check_dataset

    known = _read_expected(expected)
    checks = []
    async with AsyncExitStack() as stack:
        graders = await stack.enter_async_context(Graders())
        sandbox = None
        for seed in config.seeds:
            name, instructions = seed.name or seed.dataset, list(_instructions(seed, base, limit))
            if solutions and sandbox is None and any(i.grader == "tests" for i in instructions):
                sandbox = open_sandbox(config.sandbox, unsafe=unsafe)
                stack.push_async_callback(sandbox.close)
                await sandbox.start()
            typer.echo(f"checking {name}: {len(instructions):,} instructions", err=True)
            checks.append(await check_dataset(name, instructions, graders, sandbox, known))
    return checks


def _instructions(seed: SeedConfig, base: Path, limit: int) -> Iterator[Instruction]:
    from ultrainteract.schema import Instruction
    from ultrainteract.seeds import load_seed

    if limit:
        seed = seed.model_copy(update={"limit": min(limit, seed.limit or limit)})
    return (item for item in load_seed(seed, base) if isinstance(item, Instruction))


def _read_expected(path: Path | None) -> dict[str, str]:
    import json

    from ultrainteract.errors import ConfigError

    if path is None:
        return {}
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"Cannot read {path}: {error}.") from error
    if not isinstance(data, dict):
        raise ConfigError(f"{path} must hold an object of record names.")
    return {str(name): str(value) for name, value in data.items()}


def _failed(found: DatasetCheck) -> bool:
    """Solutions that pass another problem's tests are shown, not failed: easy and hard versions share solutions."""
    return bool(
        (found.answers and found.answers.false_accepts) or (found.solutions and found.solutions.disagreements)
    )


def _show_check(found: DatasetCheck) -> None:
    print(f"{found.dataset}")
    if found.answers is not None:
        answers = found.answers
        print(f"    gold answers      accepted {answers.accepted:,} of {answers.checked:,}")
        _show_items(answers.exceptions)
        print(f"    shifted answers   accepted {len(answers.false_accepts):,} of {answers.shifted:,}")
        _show_items(answers.false_accepts)
    if found.solutions is not None:
        checked = found.solutions
        print(
            f"    gold solutions    accepted {checked.accepted:,} of {checked.checked:,}, "
            f"undetermined {checked.undetermined:,}"
        )
        _show_items(checked.exceptions)
        print(f"    shifted solutions accepted {len(checked.false_accepts):,} of {checked.shifted:,}")
        _show_items(checked.false_accepts)
        for expectation, count in checked.expectations.items():
            print(f"    expected          {expectation}: {count:,}")
        _show_items(checked.disagreements)
    if found.unchecked:
        print(f"    not checked       {found.unchecked:,} (judged, or tests without a reference solution)")


def _show_items(items: tuple[tuple[str, str], ...]) -> None:
    for source, detail in items:
        print(f"        {source}: {' '.join(detail.split())[:160]}")


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
    import asyncio

    from ultrainteract.config import load_config

    loaded = load_config(config, overrides or ())
    made = asyncio.run(_make_tests(loaded, config.parent, out, model, limit, unsafe))
    typer.echo(f"Made tests for {made:,} problems: {out}", err=True)


async def _make_tests(
    config: RunConfig, base: Path, out: Path, model: str | None, limit: int, unsafe: bool
) -> int:
    from contextlib import AsyncExitStack

    from ultrainteract.errors import ConfigError
    from ultrainteract.models import build_models
    from ultrainteract.sandbox import open_sandbox
    from ultrainteract.seeds.loading import load_untested
    from ultrainteract.seeds.testgen import (
        append_tests,
        generate_tests,
        model_ask,
        read_tests,
        statement_key,
    )

    name = model or config.critic.model
    if name not in config.models:
        raise ConfigError(f"There is no model '{name}' in the config (models: {', '.join(config.models)}).")
    known = read_tests(str(out)) if out.exists() else {}
    made = 0
    async with AsyncExitStack() as stack:
        models = build_models(config)
        for built in {id(built): built for built in models.values()}.values():
            stack.push_async_callback(built.close)
        sandbox = open_sandbox(config.sandbox, unsafe=unsafe)
        stack.push_async_callback(sandbox.close)
        await sandbox.start()
        for seed in config.seeds:
            for problem, entry_point in load_untested(seed, base):
                if limit and made >= limit:
                    return made
                if statement_key(problem.question) in known:
                    continue
                ask = model_ask(models[name], config.models[name].sampling, problem)
                found = await generate_tests(problem, ask, sandbox, entry_point=entry_point)
                append_tests(out, found)
                made += bool(found.inputs)
                rate = "" if found.kill_rate is None else f", {found.kill_rate:.0%} of mutants noticed"
                typer.echo(f"{found.source}: {found.problem or f'{len(found.inputs)} tests{rate}'}")
    return made
