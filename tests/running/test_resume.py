"""Killed at 25 random points and resumed: the same exports to the byte, nothing paid twice, a ledger that adds up."""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import time
import zlib
from pathlib import Path

import pytest

from tests.running.processes import digests, finish, recorded, start, until
from ultrainteract.store import RunStore

KILLS = 25


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
        until(lambda target=target: recorded(killed) >= target, process)
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
    until(lambda: recorded(tmp_path / "run") >= 20, process)
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
