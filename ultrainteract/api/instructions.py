"""Seed datasets: which there are, what a configuration makes of them, whether their ground truth holds."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from ultrainteract.api.event_loop import complete
from ultrainteract.config import RunConfig, SeedConfig
from ultrainteract.errors import ConfigError
from ultrainteract.schema import Instruction

if TYPE_CHECKING:
    from ultrainteract.seeds.build import BuildReport
    from ultrainteract.seeds.check import DatasetCheck
    from ultrainteract.seeds.registry import Dataset


def seed_datasets() -> Mapping[str, Dataset]:
    """The datasets that a configuration can name: built-in ones and those of plugins."""
    from ultrainteract.seeds import known_datasets

    return known_datasets()


def selection_rules() -> Mapping[str, str]:
    """The rules of selection, in the order in which they are applied, and what each does."""
    from ultrainteract.seeds.selection.rules import rules

    return rules()


def build_seeds(config: RunConfig, *, base: str | Path = ".", out: str | Path | None = None) -> BuildReport:
    """Reads, selects and decontaminates the instructions of a configuration.

    Args:
        config: The configuration.
        base: Folder that relative seed paths resolve against.
        out: Folder for instructions.jsonl, issues.jsonl and report.json; nothing is written if None.

    Returns:
        What was kept, and why the rest was not.

    Raises:
        SeedError: A source cannot be read.
        ConfigError: A dataset or an option is unknown, or `out` cannot be written.
    """
    from ultrainteract.seeds.build import build

    return build(config, Path(base), None if out is None else Path(out))


def check_seeds(
    config: RunConfig,
    *,
    base: str | Path = ".",
    limit: int = 0,
    solutions: bool = True,
    expected: Mapping[str, str] | str | Path | None = None,
    unsafe: bool = False,
    progress: Callable[[str], object] = lambda line: None,
) -> list[DatasetCheck]:
    """Grades every gold answer against itself and against the next item, and runs every reference solution.

    Args:
        config: The configuration.
        base: Folder that relative seed paths resolve against.
        limit: Maximum instructions per source; 0 for all.
        solutions: Run reference solutions in the sandbox.
        expected: What is known of solutions, `pass` or `fail` by record name, or a JSON file of it.
        unsafe: Run solutions without isolation.
        progress: Called with a line when a source is begun.

    Raises:
        SeedError: A source cannot be read.
        SandboxError: No isolation is available here.
        ConfigError: `expected` cannot be read.
    """
    known = expected if isinstance(expected, Mapping) else _read_expected(expected)

    async def check() -> list[DatasetCheck]:
        from ultrainteract.grading import Graders
        from ultrainteract.sandbox import open_sandbox
        from ultrainteract.seeds.check import check_dataset

        checks = []
        async with AsyncExitStack() as stack:
            graders = await stack.enter_async_context(Graders())
            sandbox = None
            for seed in config.seeds:
                name, instructions = seed.name or seed.dataset, list(_instructions(seed, Path(base), limit))
                if solutions and sandbox is None and any(i.grader == "tests" for i in instructions):
                    sandbox = open_sandbox(config.sandbox, unsafe=unsafe)
                    stack.push_async_callback(sandbox.close)
                    await sandbox.start()
                progress(f"checking {name}: {len(instructions):,} instructions")
                checks.append(await check_dataset(name, instructions, graders, sandbox, known))
        return checks

    return complete(check)


def make_tests(
    config: RunConfig,
    out: str | Path,
    *,
    base: str | Path = ".",
    model: str | None = None,
    limit: int = 0,
    unsafe: bool = False,
    progress: Callable[[str], object] = lambda line: None,
) -> int:
    """Makes tests for coding problems without any: a model writes inputs, gold solutions give the outputs.

    Args:
        config: The configuration.
        out: File to add to; problems that are in it are not done again.
        base: Folder that relative seed paths resolve against.
        model: Name of the model that writes inputs; the critic's if None.
        limit: Maximum number of problems to make tests for; 0 for all.
        unsafe: Run solutions without isolation.
        progress: Called with a line per problem.

    Returns:
        Problems that tests were made for.

    Raises:
        ConfigError: There is no such model.
        SeedError: A source cannot be read.
        SandboxError: No isolation is available here.
        ProviderError: The model cannot be reached.
    """
    name = model or config.critic.model
    if name not in config.models:
        raise ConfigError(f"There is no model '{name}' in the config (models: {', '.join(config.models)}).")

    async def make() -> int:
        from ultrainteract.models import build_models
        from ultrainteract.prompts import Prompts
        from ultrainteract.sandbox import open_sandbox
        from ultrainteract.seeds.loading import load_untested
        from ultrainteract.seeds.testgen import (
            append_tests,
            generate_tests,
            model_ask,
            read_tests,
            statement_key,
        )

        known = read_tests(str(out)) if Path(out).exists() else {}
        made = 0
        prompts = Prompts(config.growth.prompts)
        async with AsyncExitStack() as stack:
            models = build_models(config)
            for built in {id(built): built for built in models.values()}.values():
                stack.push_async_callback(built.close)
            sandbox = open_sandbox(config.sandbox, unsafe=unsafe)
            stack.push_async_callback(sandbox.close)
            await sandbox.start()
            for seed in config.seeds:
                for problem, entry_point in load_untested(seed, Path(base)):
                    if limit and made >= limit:
                        return made
                    if statement_key(problem.question) in known:
                        continue
                    ask = model_ask(models[name], config.models[name].sampling, problem)
                    found = await generate_tests(
                        problem, ask, sandbox, entry_point=entry_point, prompts=prompts
                    )
                    append_tests(Path(out), found)
                    made += bool(found.inputs)
                    rate = "" if found.kill_rate is None else f", {found.kill_rate:.0%} of mutants noticed"
                    progress(f"{found.source}: {found.problem or f'{len(found.inputs)} tests{rate}'}")
        return made

    return complete(make)


def _instructions(seed: SeedConfig, base: Path, limit: int) -> Iterator[Instruction]:
    from ultrainteract.seeds import load_seed

    if limit:
        seed = seed.model_copy(update={"limit": min(limit, seed.limit or limit)})
    return (item for item in load_seed(seed, base) if isinstance(item, Instruction))


def _read_expected(path: str | Path | None) -> dict[str, str]:
    if path is None:
        return {}
    try:
        data = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"Cannot read {path}: {error}.") from error
    if not isinstance(data, dict):
        raise ConfigError(f"{path} must hold an object of record names.")
    return {str(name): str(value) for name, value in data.items()}


def make_word_problems(
    out: str | Path, count: int, largest: Mapping[str, int | str], *, split: str = "train", seed: int = 0
) -> None:
    """Writes arithmetic word problems of one step as JSONL, for a `generic` source.

    Args:
        out: The file; its folder is made.
        count: How many problems.
        largest: The operations wanted (`add`, `subtract`, `multiply`, `divide`), each with its largest operand.
        split: Which templates: `train` or `held-out`.
        seed: Seed of every random choice.

    Raises:
        ConfigError: An operation, a bound or the split is unknown, or there are not so many different problems.
    """
    from ultrainteract.seeds.word_problems import OPERATIONS, SPLITS, Operation, word_problems

    bounds: dict[Operation, int] = {}
    for operation, bound in largest.items():
        if operation not in OPERATIONS or not str(bound).isdecimal():
            raise ConfigError(f"'{operation}={bound}': write OPERATION=NUMBER, of {', '.join(OPERATIONS)}.")
        bounds[operation] = int(bound)
    if split not in SPLITS:
        raise ConfigError(f"There are no templates '{split}'; there are {' and '.join(SPLITS)}.")
    rows = [row.model_dump_json() for row in word_problems(count, bounds, split=split, seed=seed)]
    path = Path(out)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
