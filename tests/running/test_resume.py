"""Killed at 25 random points and resumed: the same exports to the byte, nothing paid twice, a ledger that adds up."""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
import zlib
from pathlib import Path

import pytest

from ultrainteract.store import RunStore

ROOT = Path(__file__).parents[2]
OVERRIDES = [f"seeds.{number}.limit=8" for number in range(5)]
KILLS = 25


def start(folder: Path, *overrides: str, limits: bool = True) -> subprocess.Popen[str]:
    command = [
        sys.executable,
        "-m",
        "ultrainteract",
        "run",
        "configs/demo.yaml",
        "-o",
        str(folder),
        *(OVERRIDES if limits else ()),
        *overrides,
    ]
    environment = {**os.environ, "COLUMNS": "120"}
    return subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        start_new_session=True,
    )  # fmt: skip


def finish(process: subprocess.Popen[str]) -> None:
    _, talk = process.communicate(timeout=240)
    assert process.returncode == 0, talk


def recorded(folder: Path) -> int:
    try:
        with sqlite3.connect(f"file:{folder / 'store.sqlite'}?mode=ro", uri=True, timeout=5) as connection:
            return int(connection.execute("SELECT count(*) FROM calls").fetchone()[0])
    except sqlite3.Error:
        return 0


def digests(folder: Path) -> dict[str, str]:
    files = sorted(path for path in (folder / "exports").rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.mark.bubblewrap
@pytest.mark.slow
@pytest.mark.timeout(900)  # 27 runs
def test_killed_and_resumed_runs_end_as_if_nothing_had_happened(tmp_path: Path) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    finish(start(whole))
    total = recorded(whole)
    rng = random.Random(0)
    targets = sorted(rng.randrange(total) for _ in range(KILLS))
    for target in targets:
        process = start(killed)
        deadline = time.monotonic() + 60
        while recorded(killed) < target and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.005)
        time.sleep(rng.random() * 0.05)
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
    finish(start(killed))

    assert digests(killed) == digests(whole)
    assert len(digests(whole)) >= 3
    with RunStore.open(whole) as one, RunStore.open(killed) as other:
        assert one.spend() == other.spend(), "no recorded completion was paid for twice"
        assert list(one.outcomes()) == list(other.outcomes())
        assert sum(other.counts().values()) == other.inputs()
        paid = sum(spend.completions for spend in other.spend())
    with sqlite3.connect(killed / "store.sqlite") as connection:
        payloads = connection.execute("SELECT payload FROM calls").fetchall()
    assert paid == sum(len(json.loads(zlib.decompress(payload))["completions"]) for (payload,) in payloads)


@pytest.mark.bubblewrap
@pytest.mark.slow
def test_an_interrupt_drains_and_the_run_resumes(tmp_path: Path) -> None:
    slow = [
        f"models.{name}.options.latency_s=0.05"
        for name in ("actor", "stronger", "pool-a", "pool-b", "critic")
    ]
    process = start(tmp_path / "run", *slow, "max_inflight_trees=4")
    deadline = time.monotonic() + 60
    while recorded(tmp_path / "run") < 20 and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, talk = process.communicate(timeout=60)
    assert process.returncode == 75, talk
    assert "Resume with" in talk
    with RunStore.open(tmp_path / "run") as store:
        settled = sum(store.counts().values())
        assert store.inputs() is None
    assert settled > 0
    finish(start(tmp_path / "run", *slow, "max_inflight_trees=64"))
    with RunStore.open(tmp_path / "run") as store:
        assert sum(store.counts().values()) == store.inputs()
