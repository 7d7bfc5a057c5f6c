"""Processes behind models, and admission to an engine: what needs no vLLM to be tested."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ultrainteract.config import ModelConfig
from ultrainteract.errors import ConfigError
from ultrainteract.models import build_model
from ultrainteract.models.processes import Lazy, Lifeline, LogFolder, ending, last_words
from ultrainteract.models.vllm.sequence_gate import SequenceGate

KILLED = """
import os, subprocess, time
from ultrainteract.models.processes import Lifeline
alone = subprocess.Popen(["sleep", "60"])
group = subprocess.Popen(["sh", "-c", "sleep 60 & sleep 60"], start_new_session=True)
lifeline = Lifeline()
lifeline.hold(alone.pid)
lifeline.hold(-group.pid)
print(alone.pid, group.pid, flush=True)
os.kill(os.getpid(), 9)
"""


def running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_what_a_lifeline_holds_dies_with_a_killed_process() -> None:
    run = subprocess.run([sys.executable, "-c", KILLED], capture_output=True, text=True, timeout=30)
    assert run.returncode == -9
    pids = [int(pid) for pid in run.stdout.split()]
    deadline = time.monotonic() + 5
    while any(map(running, pids)):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_released_lifeline_kills_nothing() -> None:
    child = subprocess.Popen(["sleep", "60"])
    lifeline = Lifeline()
    lifeline.hold(child.pid)
    lifeline.release()
    lifeline.release()
    assert running(child.pid)
    child.kill()
    child.wait()


async def test_something_lazy_is_made_once_even_where_one_who_waits_is_cancelled() -> None:
    made = []

    async def make() -> str:
        await asyncio.sleep(0.01)
        made.append(1)
        return "made"

    lazy = Lazy(make)
    first = asyncio.create_task(lazy.get())
    await asyncio.sleep(0)
    first.cancel()
    assert await asyncio.gather(lazy.get(), lazy.get()) == ["made", "made"]
    assert await lazy.stop() == "made"
    assert made == [1]


def test_the_cause_of_a_death_is_found_behind_its_echoes(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text(
        "INFO 11:00 engine: loading\n"
        "ERROR 11:01 Worker(3): failed\nTraceback (most recent call last):\n  File ...\n"
        "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB\n"
        "RuntimeError: Worker failed with error 'CUDA', please check the stack trace above for the root cause\n"
        "vllm.v1.engine.exceptions.EngineDeadError: See stack trace (above) for the root cause.\n",
        encoding="utf-8",
    )
    assert last_words(log) == "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB"
    assert last_words(tmp_path / "none") == ""
    assert "signal 15" in ending(-15)
    assert "memory" in ending(-9)


async def test_the_gate_weighs_by_samples_and_shares_between_roles() -> None:
    gate = SequenceGate(10)
    order: list[str] = []
    release = asyncio.Event()

    async def ask(label: str, n: int, role: str, turn: int) -> None:
        async with gate.hold(n, role, turn):
            order.append(label)
            assert gate.in_flight <= 10
            await release.wait()

    async with asyncio.TaskGroup() as group:
        for label, n, role, turn in (
            ("first", 8, "actor", 1),
            ("shallow", 8, "actor", 1),
            ("deep", 8, "actor", 3),
            ("critic", 1, "critic", 1),
            ("late critic", 1, "critic", 2),
            ("too late", 1, "critic", 1),
        ):
            group.create_task(ask(label, n, role, turn))
            await asyncio.sleep(0)
        assert order == ["first", "critic", "late critic"]
        release.set()
    assert order[3:] == ["deep", "too late", "shallow"]
    assert gate.in_flight == 0


async def test_a_request_larger_than_the_gate_goes_alone_and_a_cancelled_one_leaves_no_trace() -> None:
    gate = SequenceGate(4)
    async with gate.hold(9, "actor", 1):
        waiting = asyncio.create_task(gate.hold(1, "actor", 1).__aenter__())
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait({waiting})
        assert gate.in_flight == 9
    async with asyncio.timeout(1), gate.hold(4, "actor", 1):
        assert gate.in_flight == 4
    assert gate.in_flight == 0


@pytest.mark.parametrize("provider", ["vllm", "vllm-server"])
def test_without_vllm_it_is_said_what_to_install(provider: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    monkeypatch.setitem(os.environ, "PATH", "")
    with pytest.raises(ConfigError, match=r"pip install 'ultrainteract\[vllm\]'"):
        build_model("actor", ModelConfig(provider=provider, model="m"))


MODEL_NEVER_CLOSED = """
import sys
from ultrainteract.config import ModelConfig
from ultrainteract.models import build_model
model = build_model("m", ModelConfig(provider="vllm-server", model="m", options={"executable": "/bin/false"}))
assert model.log.parent.is_dir()
if "fail" in sys.argv:
    raise ValueError
"""


@pytest.mark.parametrize("end", ["ordinary", "fail"])
def test_a_model_that_is_never_closed_leaves_no_folder(tmp_path: Path, end: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", MODEL_NEVER_CLOSED, end],
        env={**os.environ, "TMPDIR": str(tmp_path)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ended.stderr.strip().endswith("ValueError" if end == "fail" else ""), ended.stderr
    assert ended.returncode == (end == "fail")
    assert not list(tmp_path.iterdir())


def test_only_a_temporary_log_of_no_failure_is_removed(tmp_path: Path) -> None:
    LogFolder(str(tmp_path)).close(keep=False)
    assert tmp_path.is_dir()
    gone, failed = LogFolder(None), LogFolder(None)
    gone.close(keep=False)
    failed.close(keep=True)
    path = failed.path
    del failed
    assert not gone.path.exists()
    assert path.is_dir()
    path.rmdir()
