"""Real solutions of real contest problems pass their tests; wrecked ones fail them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ultrainteract.config import SandboxConfig

HERE = Path(__file__).parent
SCRIPT = HERE.parent.parent / "scripts" / "check_solutions.py"


@pytest.mark.parametrize(
    "kind",
    [
        pytest.param("bubblewrap", marks=pytest.mark.bubblewrap),
        pytest.param("docker", marks=pytest.mark.docker),
    ],
)
def test_solutions_pass_and_wrecked_ones_fail(kind: str) -> None:
    data = HERE / "data"
    image = os.environ.get("ULTRAINTERACT_IMAGE", SandboxConfig().image)
    command = [
        sys.executable,
        SCRIPT,
        data / "codecontests.jsonl",
        data / "codecontests_check.json",
        "--image",
        image,
    ]
    ran = subprocess.run(
        [*map(str, command), "--backend", kind, "--wreck"],
        capture_output=True,
        text=True,
        timeout=240,
        env=os.environ,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "14 known pass: passed" in ran.stdout
    assert "14 shifted output: failed" in ran.stdout
    assert "2 never ends: failed" in ran.stdout
