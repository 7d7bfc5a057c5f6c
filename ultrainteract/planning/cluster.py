"""`plan --cluster`: measures, rehearses or reads what a tree takes; says what a cluster saturates first."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from ultrainteract.config import RunConfig
from ultrainteract.planning.calibration import calibrate
from ultrainteract.planning.capacity import Capacity, Cluster, saturation
from ultrainteract.planning.demand import Figure, TreeNeeds, asks_of_plan, asks_of_run, grown
from ultrainteract.planning.estimate import plan_lines, sample_seeds
from ultrainteract.planning.model_settings import ModelSetting
from ultrainteract.planning.rehearsal import PassRates, rehearse
from ultrainteract.schema import Task
from ultrainteract.store import open_runs


def plan_cluster(
    config: RunConfig,
    base: Path,
    cluster: Cluster,
    *,
    instructions: int | None,
    settings: Mapping[str, ModelSetting],
    measured: Sequence[str],
    pass_rate: float,
    prompt_tokens: int,
    completion_tokens: int,
) -> Capacity:
    """Works out what a cluster saturates first, from unit costs that are measured on this machine.

    Args:
        config: The run.
        base: Folder that relative seed paths resolve against.
        cluster: What there is.
        instructions: Trees to grow; as many as the seeds have usable instructions if None.
        settings: What is known of models, by name.
        measured: Run directories from which to read what a tree takes; it is rehearsed if empty.
        pass_rate: Mean pass rate expected of the actor's first step.
        prompt_tokens: Tokens of a first-turn prompt.
        completion_tokens: Tokens of a completion.

    Raises:
        SeedError: A source cannot be read, or holds no usable instruction.
        StoreError: A run directory cannot be read, or has no tree yet.
        ConfigError: A setting, or a run directory, does not go with the configuration.
    """
    seeds = sample_seeds(config, base)
    found = rehearse(config, seeds.instructions, PassRates.with_mean(pass_rate))
    count = len(seeds.instructions)
    asks = asks_of_plan(plan_lines(config, found, 1, prompt_tokens, completion_tokens), count)
    executions = {task: number / count for task, number in found.executions.items() if number}
    drawn = sum(ask.completions for ask in asks.values())
    asked = sum(ask.requests for ask in asks.values())
    costs = asyncio.run(
        calibrate(
            config, seeds.instructions, pass_rate=pass_rate, samples=max(1, round(drawn / asked)),
            completion_tokens=completion_tokens, scratch=_disk_of(config.output),
        )
    )  # fmt: skip
    if measured:
        needs = _measured(config, measured, executions)
    else:
        tokens = sum(ask.completion_tokens for ask in asks.values())
        rows, size = costs.rows_per_request, costs.bytes_per_token
        needs = TreeNeeds(
            models=asks,
            executions=executions,
            rows=Figure(value=asked * rows.value, basis=f"{rows.basis}, scaled by requests"),
            bytes=Figure(value=tokens * size.value, basis=f"{size.basis}, scaled by tokens"),
        )
    return saturation(config, needs, costs, cluster, instructions or seeds.usable, settings)


def _measured(config: RunConfig, places: Sequence[str], rehearsed: Mapping[Task, float]) -> TreeNeeds:
    """What a tree took in a run.

    Its observations are taken to be executions, which is an upper bound: answers that took algebra are among them.
    """
    with ExitStack() as stack:
        runs = open_runs(places, stack)
        trees = grown(runs)
        spend = runs.spend()
        observations = sum(store.observations() for store in runs.stores) / trees
        basis = f"measured: {trees:,} trees of the run"
        all_rehearsed = sum(rehearsed.values())
        return TreeNeeds(
            models=asks_of_run(config, spend, trees),
            executions={task: observations * share / all_rehearsed for task, share in rehearsed.items()},
            rows=Figure(value=sum(item.requests for item in spend) / trees + observations + 1, basis=basis),
            bytes=Figure(value=runs.size() / trees, basis=basis),
        )


def _disk_of(output: Path) -> Path:
    """A folder that can be written, on the disk of the run directory if there is one."""
    for folder in (output, *output.absolute().parents):
        if folder.is_dir():
            return folder if os.access(folder, os.W_OK) else Path(tempfile.gettempdir())
    return Path(tempfile.gettempdir())
