"""The supervisor while its system calls fail at random, its children are killed, and its workers are: by the soak script.

The script's full runs are for the bench; here is as much of one as shows that all of it works.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from ultrainteract.config import SandboxConfig

IMAGE = os.environ.get("ULTRAINTERACT_IMAGE", SandboxConfig().image)
root = pytest.mark.skipif(os.geteuid() != 0, reason="kills and watches processes of other users")


def soak(*options: str) -> dict[str, float]:
    command = [sys.executable, "scripts/bench/sandbox_soak.py", *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=500)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout.splitlines()[-1])  # type: ignore[no-any-return]


@root
@pytest.mark.bubblewrap
@pytest.mark.timeout(600)
def test_failing_system_calls_cost_no_more_than_their_execution() -> None:
    found = soak("--inject", "0.002", "--executions", "250", "--concurrency", "6")
    assert (found["wrong"], found["faults"], found["deaths"], found["quarantined"]) == (0, 0, 0, 0)


@root
@pytest.mark.parametrize(
    "kind",
    [
        pytest.param("bubblewrap", marks=pytest.mark.bubblewrap),
        pytest.param("docker", marks=pytest.mark.docker),
    ],
)
@pytest.mark.timeout(600)
def test_killed_children_and_workers_are_replaced(kind: str) -> None:
    options = ("--executions", "250", "--concurrency", "6", "--kill", "0.05", "--image", IMAGE)
    found = soak("--backend", kind, *options)
    assert (found["wrong"], found["deaths"], found["quarantined"]) == (0, 0, 0)
