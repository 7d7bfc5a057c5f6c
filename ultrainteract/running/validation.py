"""Checks everything that can be checked before money is spent."""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from pathlib import Path

from ultrainteract.config import RunConfig
from ultrainteract.errors import ConfigError, ProviderError, SandboxError, SeedError
from ultrainteract.exporting.registry import chosen_exporters
from ultrainteract.grading import Graders
from ultrainteract.models import SharedLimits, build_models
from ultrainteract.prompts import Prompts
from ultrainteract.running.ping import Check, ping_model
from ultrainteract.sandbox import open_sandbox
from ultrainteract.sandbox.backends import explain
from ultrainteract.sandbox.base import Sandbox
from ultrainteract.schema import Instruction, Record, Task
from ultrainteract.seeds import SeedIssue, stream_instructions
from ultrainteract.seeds.check import TOLERATED, check_dataset
from ultrainteract.seeds.loading import CONFLICT
from ultrainteract.tree.call_state import CHECK, right_calls_fault

_SERVER_WAIT_S = 5.0
"""Longest wait for a server that does not answer, seconds."""
_SHOWN = 10
"""Items named under a failed check."""
_REASONS = 1_000
"""Different reasons kept."""


class ValidationReport(Record):
    """All checks of a configuration."""

    checks: tuple[Check, ...]
    """In the order they were made."""

    @property
    def passed(self) -> bool:
        """True where every check passed."""
        return all(check.passed for check in self.checks)


async def validate_run(
    config: RunConfig, base: Path, *, limit: int, unsafe: bool = False, ping: bool = False
) -> ValidationReport:
    """Checks a configuration: keys, servers, models, exports, prompts, seeds, sandbox, gold answers and solutions.

    Servers are asked for their models, which costs nothing.

    Args:
        config: The run.
        base: Folder that relative seed paths resolve against.
        limit: Instructions of each dataset whose gold answers and reference solutions are tried.
        unsafe: Allow reference solutions to run without isolation.
        ping: Also send one request per model, and show the answer as the run would read it.
    """
    checks = [_check_keys(config), _check_exports(config), _check_prompts(config)]
    try:
        samples, seeds = _read_seeds(config, base, limit)
    except SeedError as error:
        return ValidationReport(checks=(*checks, Check(name="seeds", passed=False, detail=str(error))))
    checks[1:1] = await _check_models(config, samples[0] if ping and samples else None)
    checks.append(seeds)
    sandbox = None
    try:
        if any(sample.tools or sample.backend or sample.task.runs_program for sample in samples):
            sandbox = open_sandbox(config.sandbox, unsafe=unsafe)
            await sandbox.start()
            execution = await sandbox.run(["x = 6 * 7", "x"])
            good = execution.value == "42"
            checks.append(
                Check(
                    name="sandbox",
                    passed=good,
                    detail=f"{sandbox.kind}: 6 * 7 gives {execution.text or execution.status}",
                    items=tuple(explain(config.sandbox, sandbox.kind)),
                )
            )
        checks += await _check_ground_truths(samples, sandbox, config)
        if sandbox is not None:
            checks += await _check_right_calls(samples, sandbox, config)
    except SandboxError as error:
        checks.append(Check(name="sandbox", passed=False, detail=str(error)))
    finally:
        if sandbox is not None:
            await sandbox.close()
    return ValidationReport(checks=tuple(checks))


def _check_keys(config: RunConfig) -> Check:
    missing = [
        f"model '{name}': environment variable {model.api_key_env} is not set"
        for name, model in config.models.items()
        if model.provider in ("openai", "openai-batch")
        and not _local(model.base_url)
        and not os.environ.get(model.api_key_env)
    ]
    detail = f"{len(missing)} missing" if missing else "every model that needs a key has one"
    return Check(name="keys", passed=not missing, detail=detail, items=tuple(missing))


def _local(url: str | tuple[str, ...] | None) -> bool:
    urls = (url,) if isinstance(url, str) else url or ()
    return bool(urls) and all("//localhost" in item or "//127." in item or "//[::1]" in item for item in urls)


async def _check_models(config: RunConfig, sample: Instruction | None) -> list[Check]:
    """Models that can be set up, servers that answer; with a sample, what each model makes of it."""
    quick = {
        name: model.model_copy(update={"startup_timeout_s": min(model.startup_timeout_s, _SERVER_WAIT_S)})
        for name, model in config.models.items()
    }
    shared = SharedLimits()
    try:
        models = build_models(config.model_copy(update={"models": quick}), shared=shared)
    except ConfigError as error:
        return [Check(name="models", passed=False, detail=str(error))]
    shared.checks.clear()  # each is made below, so that one failure does not hide another
    used = list(dict.fromkeys(name for _, name in config.model_uses()))
    failures: dict[str, str] = {}
    pings: list[Check] = []
    try:
        for name in used:
            check = getattr(models[name], "check", None)
            try:
                if check is not None:
                    await check()
            except ProviderError as error:
                failures[name] = str(error)
                continue
            if sample is not None:
                pings.append(await ping_model(config, name, models[name], sample))
    finally:
        for model in models.values():
            await model.close()
    simulated = [name for name, model in models.items() if model.simulated]
    detail = f"{len(models)} models" + (f"; simulated: {', '.join(simulated)}" if simulated else "")
    if failures:
        detail = f"{len(failures)} of {len(used)} cannot be used"
    return [Check(name="models", passed=not failures, detail=detail, items=tuple(failures.values())), *pings]


def _check_exports(config: RunConfig) -> Check:
    try:
        chosen = chosen_exporters(config.export) if config.export.formats else []
    except ConfigError as error:
        return Check(name="exports", passed=False, detail=str(error))
    return Check(
        name="exports", passed=True, detail=", ".join(exporter.name for exporter in chosen) or "none"
    )


def _check_prompts(config: RunConfig) -> Check:
    prompts = Prompts(config.growth.prompts)
    try:
        for task in Task:
            prompts.render(f"actor/{task.value.lower()}.cot", prompt="?", tools=("python",))
            prompts.render(
                f"critic/{task.value.lower()}",
                prompt="?",
                gold="?",
                reference="",
                history=[],
                action="?",
                output="",
            )
    except ConfigError as error:
        return Check(name="prompts", passed=False, detail=str(error))
    return Check(name="prompts", passed=True, detail=f"from {config.growth.prompts or 'the built-in set'}")


def _read_seeds(config: RunConfig, base: Path, limit: int) -> tuple[list[Instruction], Check]:
    counts: Counter[tuple[str, Task]] = Counter()
    # One line per reason, conflicts first: a column that is misspelt is missing in every row.
    first: dict[tuple[bool, str], str] = {}
    found: Counter[tuple[bool, str]] = Counter()
    unusable = 0
    samples: list[Instruction] = []
    for item in stream_instructions(config, base):
        if isinstance(item, SeedIssue):
            unusable += 1
            kind = item.rule != CONFLICT, item.reason
            if kind in first or len(first) < _REASONS:
                first.setdefault(kind, item.source)
                found[kind] += 1
            continue
        counts[item.dataset, item.task] += 1
        if counts[item.dataset, item.task] <= limit:
            samples.append(item)
    listed = ", ".join(f"{dataset}/{task} {count:,}" for (dataset, task), count in counts.items())
    detail = f"{sum(counts.values()):,} instructions{f' ({listed})' if listed else ''}; {unusable:,} left out"
    items = tuple(
        f"{source}{f' and {found[kind] - 1:,} more' if found[kind] > 1 else ''}: {kind[1]}"
        for kind, source in sorted(first.items(), key=lambda item: item[0][0])[:_SHOWN]
    )
    return samples, Check(name="seeds", passed=bool(samples), detail=detail, items=items)


async def _check_right_calls(samples: list[Instruction], sandbox: Sandbox, config: RunConfig) -> list[Check]:
    """Right calls that lead to a final state are carried out: where one raises, nothing can be judged."""
    faults: dict[str, list[str]] = defaultdict(list)
    counts: Counter[str] = Counter()
    for sample in samples:
        if sample.grader == CHECK and sample.backend is not None:
            counts[sample.dataset] += 1
            fault = await right_calls_fault(sandbox, sample, config.sandbox.limits)
            if fault:
                faults[sample.dataset].append(f"{sample.source}: {fault}")
    return [
        Check(
            name=f"right calls of {dataset}",
            passed=len(faults[dataset]) <= TOLERATED * count,
            detail=f"{count - len(faults[dataset]):,} of {count:,} can be carried out",
            items=tuple(faults[dataset][:_SHOWN]),
        )
        for dataset, count in counts.items()
    ]


async def _check_ground_truths(
    samples: list[Instruction], sandbox: Sandbox | None, config: RunConfig
) -> list[Check]:
    """Gold answers and reference solutions, by the rule of `seeds check` (`DatasetCheck.passed`)."""
    by_dataset: dict[str, list[Instruction]] = defaultdict(list)
    for sample in samples:
        by_dataset[sample.dataset].append(sample)
    checks = []
    async with Graders() as graders:
        for dataset, found in by_dataset.items():
            limits = config.sandbox.limits
            checked = await check_dataset(dataset, found, graders, sandbox, shift=False, limits=limits)
            for name, part in (("gold answers", checked.answers), ("reference solutions", checked.solutions)):
                if part is None:
                    continue
                wrong = [f"{source}: {why}" for source, why in part.exceptions]
                if name == "gold answers":
                    wrong += [
                        f"{source}: '{gold}' is words where the others are values"
                        for source, gold in checked.odd
                    ]
                detail = f"{part.accepted:,} of {part.checked:,} verify"
                passed = checked.passed or not wrong
                checks.append(
                    Check(
                        name=f"{name} of {dataset}", passed=passed, detail=detail, items=tuple(wrong[:_SHOWN])
                    )
                )
    return checks
