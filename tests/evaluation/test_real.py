"""A real language model through a real engine, on a slice: what is recorded adds up, and resuming asks for nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.evaluation.helpers import DATA
from ultrainteract import api
from ultrainteract.evaluation.writing import read_judged

CONFIG = Path(__file__).parents[2] / "configs/evaluation/real.yaml"


@pytest.mark.llamacpp
@pytest.mark.slow
@pytest.mark.parametrize("protocol", ["rollout", "mint"])
def test_smollm2_on_a_slice_of_svamp(protocol: str, tmp_path: Path) -> None:
    changes = {
        "output": str(tmp_path), "benchmarks.0.path": str(DATA / "svamp.json"), "limit": 2, "rollout.max_turns": 2,
        "rollout.protocol": protocol, "model.sampling.max_tokens": 32, "model.options": {"n_threads": 1},
        "sandbox": {"kind": "bubblewrap"},
    }  # fmt: skip
    config = api.load_evaluation(CONFIG, (), changes)
    report = api.evaluate(config)
    (row,) = report.benchmarks
    assert row.items == 2
    assert [turn.turn for turn in row.by_turn] == [1, 2]
    attempts = [attempt for item in read_judged(tmp_path) for attempt in item.attempts]
    assert len(attempts) == sum(row.outcomes.values()) == (2 if protocol == "rollout" else 4)
    assert all(0 < len(attempt.steps) <= attempt.budget <= 2 for attempt in attempts)
    assert row.tokens > 0  # of MINT's runs for each k, those that begin alike share their samples
    assert not report.simulated
    assert len(report.setup.model["weights_sha256"]) == 64
    before = (tmp_path / "report.json").read_bytes()
    assert api.evaluate(config).requests == report.requests
    assert (tmp_path / "report.json").read_bytes() == before
