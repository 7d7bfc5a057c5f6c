"""Benchmarks: the gold answer passes its own evaluation, another item's does not, and a run refuses to grow from them."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from tests.builders import Scripted, config
from tests.evaluation.helpers import DATA, FILES, configured, evaluated, items_of, knowing
from ultrainteract.cli.views.evaluation import show_evaluation
from ultrainteract.config import SeedConfig
from ultrainteract.errors import ConfigError, ProviderError
from ultrainteract.evaluation.figures import EvaluationReport
from ultrainteract.evaluation.outcomes import Outcome
from ultrainteract.models.base import ChatRequest
from ultrainteract.schema import Instruction
from ultrainteract.seeds.loading import SeedIssue, load_seed, stream_instructions
from ultrainteract.seeds.registry import known_datasets

ANSWERED = ["asdiv", "bbh", "gsm_plus", "mint_math", "svamp", "theoremqa"]
CODE = ["humaneval", "mbpp", "mint_code"]


@pytest.mark.parametrize("name", ANSWERED)
def test_gold_answers_pass(name: str, tmp_path: Path) -> None:
    settings = configured(tmp_path, name, tasks=("Logic",) if name == "bbh" else ("Math_CoT",))
    report = evaluated(settings, knowing(items_of(settings)))
    (row,) = report.benchmarks
    assert row.outcomes == {Outcome.RIGHT: row.items}
    assert row.accuracy is not None
    assert row.accuracy.value == 1.0
    assert row.accuracy.method == "wilson"
    assert row.accuracy.low < 1.0
    assert report.complete


@pytest.mark.parametrize("name", ["svamp", "theoremqa"])
def test_answers_of_other_items_do_not(name: str, tmp_path: Path) -> None:
    settings = configured(tmp_path, name, tasks=("Math_CoT",))
    items = items_of(settings)
    report = evaluated(settings, knowing(items, shift=1))
    equal = sum(item.gold == items[(n + 1) % len(items)].gold for n, item in enumerate(items))
    assert report.benchmarks[0].outcomes.get(Outcome.RIGHT, 0) == equal < len(items) / 4


@pytest.mark.bubblewrap
@pytest.mark.parametrize("name", CODE)
def test_canonical_programs_pass_and_those_of_other_items_do_not(name: str, tmp_path: Path) -> None:
    settings = configured(tmp_path / "right", name)
    items = items_of(settings)
    (row,) = evaluated(settings, knowing(items)).benchmarks
    assert row.outcomes == {Outcome.RIGHT: len(items)}
    shifted = configured(tmp_path / "wrong", name)
    (row,) = evaluated(shifted, knowing(items, shift=1)).benchmarks
    assert row.outcomes == {Outcome.WRONG: len(items)}


@pytest.mark.bubblewrap
def test_programs_that_print_the_gold_answer_pass(tmp_path: Path) -> None:
    settings = configured(tmp_path, "svamp", tasks=("Math_PoT",), limit=4)
    (row,) = evaluated(settings, knowing(items_of(settings))).benchmarks
    assert row.outcomes == {Outcome.RIGHT: 4}


LEETCODE = """class Solution:
    def minimumPushes(self, word: str) -> int:
        return sum(place // 8 + 1 for place in range(len(word)))
"""


@pytest.mark.bubblewrap
@pytest.mark.parametrize(
    ("program", "outcome"),
    [
        (LEETCODE, Outcome.RIGHT),
        (LEETCODE.replace("// 8", "// 7"), Outcome.WRONG),
        ("import sys\nsys.exit(0)\n" + LEETCODE, Outcome.WRONG),
        ("print('passed')\n" + LEETCODE + "\nif __name__ == '__main__':\n    input()\n", Outcome.RIGHT),
        ("class Solution:\n    def minimumPushes(self, word):\n        while True: pass\n", Outcome.WRONG),
    ],
    ids=["right", "wrong", "leaves early", "prints and has a main part", "never ends"],
)
def test_a_program_beside_assertions(program: str, outcome: Outcome, tmp_path: Path) -> None:
    settings = configured(tmp_path, "leetcode")
    report = evaluated(settings, Scripted("actor", lambda request, ordinal: f"```python\n{program}\n```"))
    assert report.benchmarks[0].outcomes == {outcome: 1}
    assert report.benchmarks[0].groups[0].name == "Easy"


@pytest.mark.bubblewrap
def test_no_expected_value_is_shown_to_the_model(tmp_path: Path) -> None:
    """A failed assertion says that it failed, and nothing of what it compares."""
    settings = configured(tmp_path, "leetcode", rollout={"protocol": "rollout", "max_turns": 2})
    actor = Scripted(
        "actor", lambda request, ordinal: "```python\n" + LEETCODE.replace("// 8", "// 7") + "```"
    )
    evaluated(settings, actor)
    said = actor.requests[-1].messages[-1].content
    assert "AssertionError: an assertion of the tests failed" in said
    assert "==" not in said


def test_counts_of_items_add_up(tmp_path: Path) -> None:
    """Items that count, failed and unfinished ones are all that were asked for, of a task of which none counts too."""
    settings = configured(tmp_path, "svamp", tasks=("Math_CoT", "Math_PoT"))
    items = items_of(settings)
    golds = {item.prompt: f"Answer: {item.gold}" for item in items}
    faulty = {item.prompt for n, item in enumerate(items) if item.task == "Math_PoT" or n == 0}

    def answer(request: ChatRequest, ordinal: int) -> str:
        prompt = request.messages[-1].content
        if prompt in faulty:
            raise ProviderError("the server is down")
        return golds[prompt]

    report = evaluated(settings, Scripted("actor", answer))
    counts = {(row.task, row.items, row.failed, row.unfinished) for row in report.benchmarks}
    asked = len({item.id for item in items if item.task == "Math_CoT"})
    assert counts == {("Math_CoT", asked - 1, 1, 0), ("Math_PoT", 0, len(items) - asked, 0)}
    assert not report.complete
    assert report.not_asked == 0
    assert "failed" in text_of(report)
    faulty.clear()
    assert {row.failed for row in evaluated(settings, Scripted("actor", answer)).benchmarks} == {0}


def text_of(report: EvaluationReport) -> str:
    console = Console(record=True, width=200, file=io.StringIO())
    show_evaluation(report, console)
    return console.export_text()


def test_a_run_refuses_to_grow_from_a_benchmark(tmp_path: Path) -> None:
    seeds = [{"dataset": "svamp", "path": str(DATA / "svamp.json")}]
    with pytest.raises(ConfigError, match=r"svamp .* is a benchmark: no tree is grown from it"):
        next(stream_instructions(config(seeds=seeds), tmp_path))


def test_every_benchmark_states_its_metric_and_size() -> None:
    known = {name: found.benchmark for name, found in known_datasets().items() if found.benchmark is not None}
    assert set(FILES) == set(known)
    sizes = {name: found.size for name, found in known.items()}
    assert sizes == {
        "asdiv": 618, "bbh": 6_511, "gsm_plus": 10_552, "humaneval": 164, "ifeval": 541, "leetcode": 180,
        "mbpp": 399, "mint_code": 136, "mint_math": 225, "svamp": 1_000, "theoremqa": 800,
    }  # fmt: skip
    assert all(found.metric for found in known.values())


def test_theoremqa_reads_answers_by_type(tmp_path: Path) -> None:
    """Within 4 % for decimals, rounded for whole numbers, any order for lists; another type is not gradable."""
    said = {
        "integer": ["11760.3", "11760.7"], "float": ["1.03", "1.05"], "bool": ["no", "yes"],
        "list of integer": ["5, 0", "[0, 5, 6]"],
    }  # fmt: skip
    rows = {row["Answer_type"]: row for row in reversed(json.loads((DATA / "theoremqa.json").read_text()))}
    for kind, (right, wrong) in said.items():
        (tmp_path / kind).mkdir()
        file = tmp_path / kind / "theoremqa.json"
        file.write_text(json.dumps([rows[kind]]))
        for answer, outcome in (
            (right, Outcome.RIGHT),
            (wrong, Outcome.WRONG),
            ("a lot", Outcome.UNGRADABLE),
        ):
            settings = configured(tmp_path / kind / outcome, "theoremqa", tasks=("Math_CoT",), path=file)
            report = evaluated(settings, Scripted("actor", lambda r, o, answer=answer: f"Answer: {answer}"))
            assert report.benchmarks[0].outcomes == {outcome: 1}, (kind, answer)


@pytest.mark.parametrize(
    ("name", "field", "good", "bad"),
    [
        (
            "bbh",
            "examples",
            {"input": "not True is", "target": "False"},
            {"input": "Which?\n(A) One", "target": "(A)"},
        ),
        ("asdiv", "Instances", {"Input": "2 + 3?", "Output Answer": ["5"]}, {"Input": "No answer?"}),
    ],
)
def test_a_bad_record_in_a_file_of_one_object_costs_itself_alone(
    name: str, field: str, good: dict[str, Any], bad: dict[str, Any], tmp_path: Path
) -> None:
    (tmp_path / "one.json").write_text(
        json.dumps({"canary": "…", field: [good, bad, good, "no object", good]})
    )
    found = list(load_seed(SeedConfig(dataset=name, path="one.json", tasks=()), tmp_path))
    issues = {item.source: item.reason for item in found if isinstance(item, SeedIssue)}
    assert list(issues) == [f"one.json:1, {field} 2", f"one.json:1, {field} 4"]
    assert "an object was expected" in issues[f"one.json:1, {field} 4"]
    sources = {item.source for item in found if isinstance(item, Instruction)}
    assert len(sources) == 3
