"""Prompts for reinforcement learning: which problems, with what ground truth, by the rules that each trainer documents."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.exporting.forest import forest, steps
from ultrainteract.config import ExportConfig
from ultrainteract.dataset.validate import Report, validate
from ultrainteract.dataset.verifiable import ground_truth, packed, unpacked
from ultrainteract.errors import DataError
from ultrainteract.exporting import RunInfo, export_rows, export_trees
from ultrainteract.readers.tables import open_tables
from ultrainteract.schema import Instruction, Task, TestCase, TestSuite, Tree

FORMATS = ("trl-rl", "verl-rl", "openrlhf-rl", "nemo-rl", "open-instruct-rl")
ALL = ("unmeasured", "never", "hard", "medium", "easy", "always")
Row = dict[str, Any]


def with_rate(correct: int, drawn: int = 4) -> Tree:
    """A tree whose first turn's first step judged `drawn` samples, `correct` of them right."""
    tree = forest()[0]
    turn = tree.turns[0].model_copy(update={"steps": steps(drawn, correct)})
    return tree.model_copy(update={"turns": (turn, *tree.turns[1:])})


def check(tmp_path: Path, rows: list[Row]) -> Report:
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return validate(open_tables(str(path)))


@pytest.mark.parametrize(
    ("correct", "band"), [(0, "never"), (1, "hard"), (2, "medium"), (3, "easy"), (4, "always")]
)
def test_problems_that_teach_a_group_nothing_are_left_out_unless_wanted(correct: int, band: str) -> None:
    tree = with_rate(correct)
    (row,) = export_rows("trl-rl", [tree], ExportConfig(difficulty=ALL))
    assert (row["pass_rate"], row["samples"], row["difficulty"]) == (correct / 4, 4, band)
    assert len(list(export_rows("trl-rl", [tree]))) == (0 < correct < 4)


def test_a_problem_without_a_judged_sample_is_unmeasured() -> None:
    (row,) = export_rows("trl-rl", [with_rate(0, drawn=0)], ExportConfig(difficulty=("unmeasured",)))
    assert row["pass_rate"] is None


def test_pass_rates_narrow_the_curriculum_further() -> None:
    config = ExportConfig.model_validate({"filter": {"min_pass_rate": 0.3, "max_pass_rate": 0.6}})
    rows = [row for n in range(5) for row in export_rows("verl-rl", [with_rate(n)], config)]
    assert [row["extra_info"]["pass_rate"] for row in rows] == [0.5]


def test_what_only_a_judge_can_check_and_tests_that_are_missing_are_no_prompts() -> None:
    ids = {row["id"] for row in export_rows("trl-rl", forest(), ExportConfig(difficulty=ALL))}
    two_turns, hard, tool_calls, judged, unsolved = forest()
    assert ids == {two_turns.id, tool_calls.id, unsolved.id}
    assert hard.instruction.tests is None
    assert judged.instruction.grader == "judge"


def test_a_packed_problem_is_the_instruction_without_its_solutions() -> None:
    instruction = forest()[0].instruction.model_copy(
        update={"solutions": ("print(2)",), "rationales": ("x",)}
    )
    read = unpacked(packed(instruction))
    assert read == instruction.model_copy(update={"solutions": (), "rationales": ()})
    assert read.id == instruction.id
    with pytest.raises(DataError, match="no problem of an rl export"):
        unpacked('{"gold": "2"}')


def coding(suite: TestSuite) -> Instruction:
    return Instruction(
        task=Task.CODING, dataset="TACO", prompt="Add.", question="Add.", grader="tests", tests=suite
    )


def test_tests_are_written_in_the_form_of_apps() -> None:
    called = TestSuite(kind="call", entry_point="add", cases=(TestCase(input="[1, [2]]", expected="3"),))
    printed = TestSuite(cases=(TestCase(input="1 2\n", expected="3\n"),))
    assert json.loads(ground_truth(coding(called))) == {
        "inputs": ["1\n[2]"],
        "outputs": ["3"],
        "fn_name": "add",
    }
    assert json.loads(ground_truth(coding(printed))) == {"inputs": ["1 2\n"], "outputs": ["3\n"]}


@pytest.mark.parametrize("name", FORMATS)
def test_exports_keep_their_trainers_rules(name: str, tmp_path: Path) -> None:
    config = ExportConfig(formats=(name,), difficulty=ALL)
    export_trees(forest(), tmp_path, config, RunInfo(name="forest", fingerprint="0" * 64))
    report = validate(open_tables(str(tmp_path)))
    assert report.ok, report.to_json()["violations"]
    assert [layout for layout in report.layouts.values() if layout.endswith("prompts")]
    assert sum(report.rows.values())


DAMAGE: dict[str, tuple[str, str, Callable[[Row], Any]]] = {
    "TRL: the prompt ends with an answer": (
        "trl-rl", "prompt", lambda row: row["prompt"].append({"role": "assistant", "content": "2"})),
    "TRL: the problem is another text": ("trl-rl", "ground_truth", lambda row: row.update(problem="2")),
    "TRL: the problem cannot be graded": (
        "trl-rl", "ground_truth", lambda row: row.update(problem=json.dumps(json.loads(row["problem"]) | {"gold": ""}))),
    "TRL: a blank prompt": ("trl-rl", "empty", lambda row: row.update(prompt=" ")),
    "verl: the prompt is a text": ("verl-rl", "prompt", lambda row: row.update(prompt="Solve.")),
    "verl: no ground truth": ("verl-rl", "ground_truth", lambda row: row["reward_model"].pop("ground_truth")),
    "verl: no style": ("verl-rl", "ground_truth", lambda row: row["reward_model"].update(style="other")),
    "verl: no index": ("verl-rl", "ground_truth", lambda row: row["extra_info"].pop("index")),
    "verl: no ability": ("verl-rl", "ground_truth", lambda row: row.update(ability=None)),
    "OpenRLHF: the label is a flag": ("openrlhf-rl", "ground_truth", lambda row: row.update(label=True)),
    "OpenRLHF: an unknown role": ("openrlhf-rl", "prompt", lambda row: row["prompt"][0].update(role="human")),
    "NeMo RL: a blank gold answer": ("nemo-rl", "empty", lambda row: row.update(output="")),
    "open-instruct: two verifiers, one truth": (
        "open-instruct-rl", "ground_truth", lambda row: row.update(dataset=["math", "gsm8k"], ground_truth=["5"])),
    "turn labels: another turn": ("turn-labels", "label", lambda row: row.update(solved_at=3)),
    "turn labels: a label too many": ("turn-labels", "label", lambda row: row["labels"].append(True)),
    "a band that is another": ("trl-rl", "difficulty", lambda row: row.update(difficulty="easy")),
    "a rate beyond 1": ("nemo-rl", "difficulty", lambda row: row.update(pass_rate=1.5)),
}  # fmt: skip


@pytest.mark.parametrize("case", DAMAGE)
def test_rows_that_break_a_rule_are_found(case: str, tmp_path: Path) -> None:
    name, rule, damage = DAMAGE[case]
    rows = [*export_rows(name, forest(), ExportConfig(difficulty=ALL))]
    assert check(tmp_path, rows).ok
    damage(rows[0])
    found = check(tmp_path, rows)
    assert {broken for _, broken in found.broken} == {rule}, found.to_json()["violations"]


def test_response_labels_are_proofs_with_the_turns_before_them() -> None:
    rows = list(export_rows("implicit-prm", forest()))
    nodes = [(number, node) for tree in forest() for number, node in tree.nodes()]
    proved = [node for _, node in nodes if node.verdict.evidence and node.verdict.evidence.check != "judge"]
    assert len(rows) == len(proved) < len(nodes)
    assert sum(row["label"] for row in rows) == sum(node.verdict.label == "correct" for node in proved)
    assert {len(row["prompt"]) for row in rows if row["turn"] == 2} == {3}


def test_turn_labels_say_which_turn_turned_right() -> None:
    rows = list(export_rows("turn-labels", forest()))
    solved = {(tuple(row["labels"]), row["solved_at"]) for row in rows}
    assert solved == {
        ((True,), 1),
        ((False, True), 2),
        ((False, False, True), 3),
        ((False,), 0),
        ((False, False), 0),
    }
    for row in rows:
        assert len(row["feedback"]) == len(row["actions"]) - 1
        assert all("Your answer is wrong." in said for said in row["feedback"])
