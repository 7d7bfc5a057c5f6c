"""Rows of users' tables: what each rule takes and refuses, and that no row ends in anything else."""

from __future__ import annotations

import itertools
import json
import re
from pathlib import Path
from typing import Any, get_args

import pytest

from ultrainteract.config.training import Stage
from ultrainteract.exporting.registry import Exporter, known_exporters
from ultrainteract.readers.tables import open_tables
from ultrainteract.training.plain_rows import LeftOut, trainable
from ultrainteract.training.rows import FORMATS

ASKED = [{"role": "user", "content": "2 + 2?"}]
RIGHT = [{"role": "assistant", "content": "4"}]
WRONG = [{"role": "assistant", "content": "5"}]
ROW = {"prompt": ASKED, "completion": RIGHT, "label": True, "chosen": RIGHT, "rejected": WRONG, "direct": True,
       "augmented": False}  # fmt: skip
STAGES = get_args(Stage)


def exporter_of(stage: Stage) -> Exporter:
    return known_exporters()[FORMATS[stage]]


def read(stage: Stage, rows: list[Any], file: Path) -> tuple[list[dict[str, Any]], LeftOut]:
    """The rows that a stage takes from a file of `rows` (text as it stands, other values as JSON), and the others."""
    file.write_text(
        "".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows), encoding="utf-8"
    )
    left_out = LeftOut()
    found = trainable(stage, open_tables(str(file)), exporter_of(stage), left_out)
    return [row for _, row in found], left_out


@pytest.mark.parametrize("stage", STAGES)
def test_texts_are_messages_of_the_user_and_the_assistant(stage: Stage, tmp_path: Path) -> None:
    plain = ROW | {"prompt": "2 + 2?", "completion": "4", "chosen": "4", "rejected": "5"}
    found, left_out = read(stage, [plain, ROW], tmp_path / "rows.jsonl")
    assert not left_out.counts
    assert found[0] == found[1]
    assert found[0] == {name: ROW[name] for name in exporter_of(stage).columns}


@pytest.mark.parametrize("stage", STAGES)
def test_what_a_table_of_csv_holds_is_read_alike(stage: Stage, tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    file.write_text("prompt,completion,label,chosen,rejected,direct,augmented\n2 + 2?,4,True,4,5,1,false\n")
    left_out = LeftOut()
    found = list(trainable(stage, open_tables(str(file)), exporter_of(stage), left_out))
    assert [row for _, row in found] == [{name: ROW[name] for name in exporter_of(stage).columns}]


BAD_PROMPTS = {
    "missing": None, "empty": [], "blank": " \n", "neither a text nor": 5, "nothing is asked": [*ASKED, *RIGHT],
    "without the texts role and content": [{"role": "user"}],
}  # fmt: skip
BAD_ANSWERS = {
    "missing": None, "empty": [], "blank": [{"role": "assistant", "content": " "}], "neither a text nor": {"a": 1},
    "does not begin and end": [*RIGHT, *ASKED],
    "without the texts role and content": [{"role": "assistant", "content": [{"type": "text", "text": "4"}]}],
    "tool calls stand outside": [{"role": "assistant", "content": "4", "tool_calls": [{"id": "1"}]}],
}  # fmt: skip


@pytest.mark.parametrize("stage", STAGES)
def test_each_broken_rule_is_counted_and_named(stage: Stage, tmp_path: Path) -> None:
    sides = ("completion",) if stage in ("sft", "kto") else ("chosen", "rejected")
    cases = [(f"prompt .*{why}", {"prompt": value}) for why, value in BAD_PROMPTS.items()]
    cases += [(f"{side} .*{why}", {side: value}) for side in sides for why, value in BAD_ANSWERS.items()]
    if stage == "kto":
        cases += [("label", {"label": value}) for value in (None, 2, "yes", 0.5, [True])]
    if stage == "sft":
        cases += [("label is false", {"label": value}) for value in (False, 0, "false")]
    if stage == "reward":
        cases += [("direct", {"direct": "perhaps"}), ("augmented", {"augmented": 3})]
    if len(sides) == 2:
        cases += [("equal", {"rejected": RIGHT}), ("different forms", {"rejected": "5"})]
    for why, change in cases:
        found, left_out = read(stage, [ROW, ROW | change, '{"prompt": ', ROW], tmp_path / "rows.jsonl")
        assert len(found) == 2, (why, change)
        assert left_out.counts.total() == 2
        told = left_out.told()
        assert re.search(rf"1 × .*{why}.* \(rows\.jsonl:2\)", told), (why, told)
        assert "1 × unreadable (rows.jsonl:3: not valid JSON" in told


def test_a_boolean_is_true_or_false_or_1_or_0(tmp_path: Path) -> None:
    rows = [
        (True, True),
        (False, False),
        (1, True),
        (0, False),
        (1.0, True),
        (0.0, False),
        ("TRUE", True),
        (" 0", False),
    ]
    found, left_out = read("kto", [ROW | {"label": value} for value, _ in rows], tmp_path / "rows.jsonl")
    assert not left_out.counts
    assert [row["label"] for row in found] == [label for _, label in rows]


def test_only_what_says_so_is_direct(tmp_path: Path) -> None:
    silent = {name: ROW[name] for name in ("prompt", "chosen", "rejected")}
    found, _ = read("reward", [silent, ROW | {"direct": None}, ROW], tmp_path / "rows.jsonl")
    assert [row["direct"] for row in found] == [False, False, True]


def test_a_prompt_that_the_answers_repeat_is_taken_off(tmp_path: Path) -> None:
    """The layout of UltraFeedback, binarized: the prompt as text, and each side the whole conversation."""
    whole = {"prompt": "2 + 2?", "chosen": [*ASKED, *RIGHT], "rejected": [*ASKED, *WRONG]}
    other = whole | {"rejected": [{"role": "user", "content": "2 + 3?"}, *WRONG]}
    found, left_out = read("dpo", [whole, other], tmp_path / "rows.jsonl")
    assert found == [{"prompt": ASKED, "chosen": RIGHT, "rejected": WRONG}]
    assert left_out.counts.total() == 1


def test_rows_of_other_layouts_are_counted_too(tmp_path: Path) -> None:
    tool = {"role": "tool", "content": "4"}
    rows = [
        {"instruction": "2 + 2?", "output": "4"},
        {"instruction": "2 + 2?", "output": None},
        {"messages": [*ASKED, *RIGHT]},
        {"messages": [*ASKED, tool, *RIGHT]},
        {"messages": [{"role": "user", "content": [{"type": "text", "text": "2 + 2?"}]}, *RIGHT]},
        {"completions": 5},
        {"chosen": "a", "rejected": "b", "instruction": "c"},
        {"foo": 1},
    ]
    found, left_out = read("sft", rows, tmp_path / "rows.jsonl")
    assert found == [{"prompt": ASKED, "completion": RIGHT}] * 2
    assert left_out.counts.total() == len(rows) - 2
    assert "a preference: `sft` is trained on demonstrations (rows.jsonl:7)" in left_out.told()
    equal = {"instruction": "2 + 2?", "chosen": "4", "rejected": "4"}
    assert read("kto", [equal], tmp_path / "rows.jsonl")[1].counts == {"chosen and rejected are equal": 1}


def test_many_bad_rows_are_told_in_a_line(tmp_path: Path) -> None:
    _, left_out = read("sft", [ROW | {"prompt": ""}] * 1000, tmp_path / "rows.jsonl")
    assert left_out.told() == "1,000 × prompt is blank (rows.jsonl:1, rows.jsonl:2, rows.jsonl:3, …)"


ODD: tuple[Any, ...] = (
    None, True, 0, -1, 2.5, "", " ", "a", "true", [], {}, [None], ["a"], ["a", "b"], [5], [[]], [{}], ASKED, RIGHT,
    [*ASKED, *RIGHT], [{"role": "user"}], [{"role": None, "content": "a"}], [{"role": "user", "content": None}],
    [{"from": "human", "value": "a"}, {"from": "gpt", "value": 3}], [{"response": "a", "score": "x"}],
    [{"response": "a", "score": 1}, {"response": ["b"], "score": 2}], {"role": "user", "content": "a"},
)  # fmt: skip
NAMES = ("prompt", "completion", "label", "chosen", "rejected", "direct", "augmented", "instruction", "output",
         "completions", "messages", "input")  # fmt: skip


@pytest.mark.parametrize("stage", STAGES)
def test_every_row_is_taken_or_counted(stage: Stage, tmp_path: Path) -> None:
    """Each odd value in each column, in a row of the stage's own and in one with little else."""
    for name, value in itertools.product(NAMES, ODD):
        for row in (ROW | {name: value}, {name: value}, {name: value, "instruction": "a", "response": "b"}):
            found, left_out = read(stage, [row], tmp_path / "rows.jsonl")
            assert bool(found) != bool(left_out.counts.total()), row
            for taken in found:
                assert taken.keys() == exporter_of(stage).columns.keys()
                assert taken["prompt"][-1]["role"] != "assistant"
                assert all(
                    type(taken[flag]) is bool for flag in taken.keys() & {"label", "direct", "augmented"}
                )
                if "chosen" in taken:
                    assert taken["chosen"] != taken["rejected"]
                for part in (
                    taken[part] for part in ("prompt", "completion", "chosen", "rejected") if part in taken
                ):
                    assert all(isinstance(message["content"], str) for message in part)
