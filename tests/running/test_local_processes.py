"""Several processes, one run directory: the exports of one process to the byte, whatever dies; one budget, one ledger."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.builders import config
from tests.running.processes import assert_equal, finish, recorded, start, tokens, until
from ultrainteract.config import ModelConfig, parse_config
from ultrainteract.registry import PROGRAM_MODULES, Registry
from ultrainteract.running.processes import crew
from ultrainteract.running.processes.crew import process_count, usable_cores
from ultrainteract.store import RunStore

SEEDS = 40
MODELS = ("actor", "stronger", "pool-a", "pool-b", "critic")


def many(folder: Path, **fields: Any) -> list[str]:
    """Overrides: additions of numbers, so that no sandbox is needed, over two processes."""
    seeds = folder / "seeds.jsonl"
    if not seeds.exists():
        rows = (
            {"question": f"What is {n} + {n * 7}? Number {n}.", "answer": str(8 * n)} for n in range(SEEDS)
        )
        seeds.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    seed = {"dataset": "generic", "name": "sums", "path": str(seeds), "tasks": ["Math_CoT"], "grader": "math",
            "mapping": {"question": "question", "gold": "answer"}}  # fmt: skip
    latency = {f"models.{name}.options.latency_s": 0.2 for name in MODELS}  # a part of the samples' identity
    given = {"executor.processes": 2, "max_inflight_trees": 8, **latency, **fields}
    return [f"seeds={json.dumps([seed])}", *(f"{path}={value}" for path, value in given.items())]


def begin(folder: Path, *overrides: str) -> Any:
    """As `start`, on sums alone: the demo's limits of five sources do not apply."""
    return start(folder, *overrides, limits=False)


def workers(process: Any) -> list[psutil.Process]:
    found = []
    with contextlib.suppress(psutil.NoSuchProcess):
        for child in psutil.Process(process.pid).children():
            with contextlib.suppress(psutil.NoSuchProcess):  # or a zombie, which is one
                if "ultrainteract.running.processes.worker" in child.cmdline():
                    found.append(child)
    return found


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("alone")
    finish(begin(folder / "run", *many(folder, **{"executor.processes": 1, "max_inflight_trees": 64})))
    return folder / "run"


@pytest.mark.timeout(300)
def test_a_worker_killed_in_the_middle_changes_nothing(alone: Path, tmp_path: Path) -> None:
    process = begin(tmp_path / "run", *many(alone.parent))
    killed: set[int] = set()

    def two_were_killed() -> bool:
        for worker in workers(process):
            # It has open trees: its calls are in the record beside those of the first process.
            if worker.pid not in killed and recorded(tmp_path / "run") > 30 * (len(killed) + 1):
                worker.send_signal(signal.SIGKILL)
                killed.add(worker.pid)
        return len(killed) == 2

    until(two_were_killed, process)
    finish(process)
    assert killed
    assert_equal(alone, tmp_path / "run")


@pytest.mark.timeout(300)
def test_the_first_process_killed_takes_its_workers_along_and_the_run_resumes(
    alone: Path, tmp_path: Path
) -> None:
    process = begin(tmp_path / "run", *many(alone.parent))
    until(lambda: workers(process) and recorded(tmp_path / "run") > 40, process)
    left = workers(process)
    assert left
    process.send_signal(signal.SIGKILL)
    process.communicate()
    _, alive = psutil.wait_procs(left, timeout=20)
    assert not alive, "a worker ends when its connection does"
    finish(begin(tmp_path / "run", *many(alone.parent)))
    assert_equal(alone, tmp_path / "run")


@pytest.mark.timeout(300)
def test_an_interrupt_at_the_terminal_drains_all_processes(alone: Path, tmp_path: Path) -> None:
    process = begin(tmp_path / "run", *many(alone.parent))
    until(lambda: workers(process) and recorded(tmp_path / "run") > 20, process)
    os.killpg(process.pid, signal.SIGINT)  # what a terminal sends: to every process of the group
    _, text = process.communicate(timeout=60)
    assert process.returncode == 75, text
    with RunStore.open(tmp_path / "run") as store:
        assert 0 < sum(store.counts().values()) < SEEDS
        assert len(store.admitted()) + sum(store.counts().values()) <= SEEDS
    finish(begin(tmp_path / "run", *many(alone.parent)))
    assert_equal(alone, tmp_path / "run")


@pytest.mark.timeout(300)
def test_a_budget_holds_over_all_processes(alone: Path, tmp_path: Path) -> None:
    with RunStore.open(alone) as store:
        spends = store.spend()
    total = tokens(spends)
    request = total / sum(item.requests for item in spends)
    process = begin(tmp_path / "run", *many(alone.parent, **{"budget.max_tokens": total // 2}))
    _, text = process.communicate(timeout=120)
    assert process.returncode == 8, text
    with RunStore.open(tmp_path / "run") as store:
        paid = tokens(store.spend())
    assert 0.35 * total <= paid <= total // 2 + 3 * 8 * request
    finish(begin(tmp_path / "run", *many(alone.parent)))
    assert_equal(alone, tmp_path / "run")


def test_models_that_one_process_alone_can_use_keep_the_run_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crew, "usable_cores", lambda: 8)
    monkeypatch.setattr(crew, "PROGRAM_MODULES", set())  # whatever other tests registered
    base = config()
    assert process_count(base, own_models=False) == 8
    assert process_count(base, own_models=True) == 1
    for provider in ("vllm", "vllm-server", "openai-batch"):
        models = {**base.models, "actor": ModelConfig(model="m", provider=provider)}
        assert process_count(base.model_copy(update={"models": models}), own_models=False) == 1
    narrow = {**base.models, "actor": ModelConfig(model="m", provider="simulated", max_concurrency=3)}
    assert process_count(base.model_copy(update={"models": narrow}), own_models=False) == 3
    assert process_count(base.model_copy(update={"max_inflight_trees": 2}), own_models=False) == 2
    fixed = parse_config({**base.model_dump(mode="json"), "executor": {"processes": 5}})
    assert process_count(fixed, own_models=False) == 5
    added = Registry[int]("number", "ultrainteract.no_such_group")
    added.add("seven", 7, source=SEEDS.__class__)
    monkeypatch.setattr(crew, "PROGRAM_MODULES", PROGRAM_MODULES)
    assert "builtins" in PROGRAM_MODULES, "registered by this program, so no other process knows it"
    assert process_count(fixed, own_models=False) == 1
    PROGRAM_MODULES.discard("builtins")


def test_usable_cores_are_those_of_affinity_and_quota(tmp_path: Path) -> None:
    everything = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(everything)})
        assert usable_cores() == 1
    finally:
        os.sched_setaffinity(0, everything)
    membership = tmp_path / "cgroup"
    membership.write_text("0::/a/b\n")
    (tmp_path / "fs" / "a" / "b").mkdir(parents=True)
    assert crew._cgroup_quota(membership, tmp_path / "fs") is None
    (tmp_path / "fs" / "a" / "b" / "cpu.max").write_text("max 100000\n")
    (tmp_path / "fs" / "a" / "cpu.max").write_text("250000 100000\n")
    assert crew._cgroup_quota(membership, tmp_path / "fs") == 2.5
    membership.write_text("4:cpu,cpuacct:/c\n1:name=systemd:/\n")
    (tmp_path / "fs" / "cpu" / "c").mkdir(parents=True)
    (tmp_path / "fs" / "cpu" / "c" / "cpu.cfs_quota_us").write_text("150000\n")
    (tmp_path / "fs" / "cpu" / "c" / "cpu.cfs_period_us").write_text("100000\n")
    assert crew._cgroup_quota(membership, tmp_path / "fs") == 1.5


def test_auto_starts_nobody_while_one_core_is_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that waits for its models, or has nothing in reserve, stays alone; a busy one with a backlog does not."""
    clock = {"wall": 0.0, "cpu": 0.0}
    share = {"value": 0.3}

    async def sleep(seconds: float) -> None:
        clock["wall"] += seconds
        clock["cpu"] += share["value"] * seconds
        if clock["wall"] > 60:
            raise asyncio.CancelledError

    class Fake:
        backlog = True

        def __init__(self) -> None:
            self.added = 0

        def add(self, make: object) -> None:
            self.added += 1

        def may_add(self, location: str) -> bool:
            return True

        def locations(self) -> dict[str, int]:
            return {crew.LOCATION: self.added}

    monkeypatch.setattr(crew.asyncio, "sleep", sleep)
    monkeypatch.setattr(crew.time, "process_time", lambda: clock["cpu"])
    monkeypatch.setattr(crew.time, "monotonic", lambda: clock["wall"])

    def started(busy: float, backlog: bool) -> int:
        clock.update(wall=0.0, cpu=0.0)
        share["value"] = busy
        driver = Fake()
        driver.backlog = backlog
        made = crew.ProcessCrew(config(), 3, unsafe=False)
        with pytest.raises(asyncio.CancelledError):
            asyncio.run(made.recruit(driver))  # type: ignore[arg-type]
        return driver.added

    assert started(0.3, True) == 0
    assert started(1.0, False) == 0
    assert started(1.0, True) == 2
