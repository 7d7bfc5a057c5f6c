"""Reports of other commands beside the trees."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from ultrainteract.viewing.collection import Collection
from ultrainteract.viewing.reports import reports_of


def test_reports_beside_a_run_are_shown_and_other_files_passed_over(run: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    shutil.copytree(run, folder, ignore=shutil.ignore_patterns("viewer*"))
    assert (folder / "report.json").exists()  # the run's own, which is no evaluation
    for name, text in {
        "eval": {"setup": {"model": {"model": "mine"}}, "benchmarks": [{"benchmark": "gsm8k", "task": "Math_CoT", "items": 9, "unfinished": 0, "accuracy": {"value": 0.5, "low": 0.25, "high": 0.75}}]},
        "broken": {"benchmarks": [{"nothing": 1}]},
    }.items():  # fmt: skip
        (folder / name).mkdir()
        (folder / name / "report.json").write_text(json.dumps(text))
    patterns = {
        "stage": "dpo",
        "steps": [1, 2],
        "chosen": [0.1, -0.2],
        "rejected": [0.0, -0.9],
        "margins": [0.1, 0.7],
        "warnings": ["chosen fell"],
    }
    (folder / "rewards.json").write_text(json.dumps(patterns))
    (folder / "votes.json").write_text("{ no JSON")
    with Collection(str(folder)) as collection:
        evaluation, training = reports_of(collection)
    assert evaluation["title"] == "Evaluation of mine"
    assert evaluation["rows"] == [["gsm8k", "Math_CoT", "50.0% (25.0% to 75.0%)", "", 9, 0, 0]]
    assert training["title"] == "Reward patterns of dpo: chosen fell"
    assert training["rows"][1] == [2, "-0.2000", "-0.9000", "0.7000"]


def test_the_real_reports_are_of_this_shape() -> None:
    from ultrainteract.evaluation.estimates import Estimate
    from ultrainteract.evaluation.figures import BenchmarkFigures, EvaluationReport
    from ultrainteract.training.patterns import FILE, RewardPatterns

    assert FILE == "rewards.json"
    assert {"stage", "steps", "chosen", "rejected", "margins", "warnings"} <= set(RewardPatterns.model_fields)
    assert {"benchmark", "task", "items", "failed", "unfinished", "accuracy", "majority", "by_turn"} <= set(
        BenchmarkFigures.model_fields
    )
    assert {"setup", "benchmarks"} <= set(EvaluationReport.model_fields)
    assert {"low", "high"} <= set(Estimate.model_fields)
    assert set(Estimate.model_fields) & {"value", "mean", "share"}
