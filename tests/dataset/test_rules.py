"""Rules on a dataset as a whole: order, lengths, nothing to learn, the same row in two places."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ultrainteract.dataset.validate import RULES, validate
from ultrainteract.readers.tables import open_tables

Row = dict[str, Any]


def pair(number: int, **fields: Any) -> Row:
    return {"prompt": f"Question {number}?", "chosen": "Yes.", "rejected": f"No {number}."} | fields


def unpaired(number: int, label: bool) -> Row:
    return {"prompt": f"Question {number}?", "completion": f"{label} {number}", "label": label}


def write(path: Path, rows: list[Row]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def broken(path: Path) -> set[str]:
    return {rule for _, rule in validate(open_tables(str(path))).broken}


def test_unpaired_rows_in_pairs_break_the_order_and_spread_ones_do_not(tmp_path: Path) -> None:
    paired = [unpaired(number, label) for number in range(100) for label in (True, False)]
    apart = [
        *(unpaired(number, True) for number in range(100)),
        *(unpaired(number, False) for number in range(100)),
    ]
    assert broken(write(tmp_path / "paired.jsonl", paired)) == {"order"}
    assert broken(write(tmp_path / "apart.jsonl", apart)) == set()
    few = paired[:20]  # ten prompts cannot be kept apart in a batch of 16
    assert broken(write(tmp_path / "few.jsonl", few)) == set()


def test_the_order_says_at_which_batch(tmp_path: Path) -> None:
    rows = [unpaired(number, label) for number in range(100) for label in (True, False)]
    report = validate(open_tables(str(write(tmp_path / "kto.jsonl", rows))))
    ((_, examples),) = report.examples.items()
    assert "100% at batch 2, 50% at batch 4, 50% at batch 8, 50% at batch 16" in examples[0]


def test_long_rows_are_a_warning_with_counts(tmp_path: Path) -> None:
    rows = [pair(0), pair(1, chosen="y" * 4200), pair(2, prompt="q" * 4096)]
    report = validate(open_tables(str(write(tmp_path / "dpo.jsonl", rows))))
    assert report.ok
    assert report.warnings == {
        ("dpo.jsonl", "length"): [
            "2 of 3 rows are longer than 1,024 tokens and would be cut, 1 of them in the prompt already, so that nothing is "
            "left to learn"
        ]
    }
    assert report.to_json()["warnings"][0]["rule"] == "length"


@pytest.mark.parametrize(
    "row",
    [
        {
            "messages": [
                {"role": "user", "content": "Hi"},
                {"role": "assistant", "content": "Hey", "training": False},
            ]
        },
        {"conversations": [{"from": "human", "value": "Hi"}]},
    ],
)
def test_rows_with_nothing_to_learn(row: Row, tmp_path: Path) -> None:
    assert "nothing_to_train" in broken(write(tmp_path / "rows.jsonl", [row]))


def test_a_row_that_is_masked_in_part_is_learned(tmp_path: Path) -> None:
    turns = [
        {"role": "user", "content": "Hi", "training": False},
        {"role": "assistant", "content": "Hey", "training": True},
    ]
    assert broken(write(tmp_path / "rows.jsonl", [{"messages": turns}])) == set()


def test_the_same_row_in_train_and_validation(tmp_path: Path) -> None:
    write(tmp_path / "data" / "train.jsonl", [pair(1), pair(2)])
    write(tmp_path / "data" / "validation.jsonl", [pair(3), pair(2)])
    report = validate(open_tables(str(tmp_path)))
    assert dict(report.broken) == {("data/validation", "split_leak"): 1}
    assert report.examples["data/validation", "split_leak"] == [
        "validation.jsonl row 2: the row stands in data/train, too"
    ]


def test_the_same_row_in_two_shards(tmp_path: Path) -> None:
    write(tmp_path / "train" / "00000.jsonl", [pair(1), pair(2)])
    write(tmp_path / "train" / "00001.jsonl", [pair(2), pair(4)])
    assert dict(validate(open_tables(str(tmp_path))).broken) == {("train/00001", "duplicate"): 1}


def test_two_configurations_may_hold_the_same_rows(tmp_path: Path) -> None:
    write(tmp_path / "a" / "train.jsonl", [pair(1)])
    write(tmp_path / "b" / "train.jsonl", [pair(1)])
    assert broken(tmp_path) == set()


def test_the_command_lists_the_rules_without_a_source() -> None:
    listed = subprocess.run(
        [sys.executable, "-m", "ultrainteract", "validate-data", "--rules"], capture_output=True, text=True
    )
    assert listed.returncode == 0, listed.stderr
    assert [line.split("\t")[0] for line in listed.stdout.splitlines()] == list(RULES)
