"""Published rows that are not what they should be: refused with file, line and reason by `import` and by `validate-data`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ultrainteract.dataset.importing import ImportedTrees
from ultrainteract.dataset.validate import validate
from ultrainteract.errors import DataError
from ultrainteract.exporting import pair_rows, sft_rows
from ultrainteract.readers.tables import open_tables

RIGHT = "Step 1: 2 + 3 = 5.\n\nAnswer:\n\\boxed{5}"
PAIR = {
    "task": "Math_CoT", "dataset": "own", "trajectory": [{"from": "user", "value": "What is 2 plus 3?"}],
    "chosen": RIGHT, "rejected": "Step 1: 2 + 3 = 6.\n\nAnswer:\n\\boxed{6}", "id": "ab" * 32 + "_1_1",
    "parent_id": "ab" * 32,
}  # fmt: skip
SFT = {
    "task": "Math_CoT", "dataset": "own", "instruction": "What is 2 plus 3?", "response": RIGHT,
    "id": "cd" * 32 + "_1_1", "parent_id": "ab" * 32,
}  # fmt: skip


def turns(*roles: str) -> list[dict[str, str]]:
    return [{"from": role, "value": f"Text of {role}."} for role in roles]


DAMAGE: list[tuple[dict[str, Any], str, Any, str, str]] = [
    (PAIR, "chosen", 5, "type", "holds a number where text belongs"),
    (PAIR, "rejected", True, "type", "holds a truth value where text belongs"),
    (PAIR, "rejected", ["a"], "type", "holds a list where text belongs"),
    (PAIR, "parent_id", [], "type", "holds a list where text belongs"),
    (PAIR, "id", 7, "type", "holds a number where text belongs"),
    (PAIR, "task", 1, "type", "holds a number where text belongs"),
    (PAIR, "dataset", None, "empty", "is missing"),
    (PAIR, "trajectory", "What is 2 plus 3?", "type", "holds a text where a list of turns belongs"),
    (PAIR, "trajectory", [], "empty", "is empty"),
    (PAIR, "trajectory", ["x"], "type", "is a text, not an object"),
    (PAIR, "trajectory", [{"from": "user", "value": 3}], "type", "holds a number where text belongs"),
    (PAIR, "trajectory", [{"from": 3, "value": "x"}], "type", "holds a number where text belongs"),
    (PAIR, "trajectory", turns("system", "user"), "roles", "must alternate"),
    (PAIR, "trajectory", turns("user", "user"), "roles", "must alternate"),
    (PAIR, "trajectory", turns("assistant", "user"), "roles", "must alternate"),
    (PAIR, "trajectory", turns("user", "assistant"), "roles", "must alternate"),
    (SFT, "response", 5, "type", "holds a number where text belongs"),
    (SFT, "instruction", {"a": 1}, "type", "holds an object where text belongs"),
    (SFT, "id", None, "empty", "is missing"),
    (SFT, "parent_id", None, "empty", "is missing"),
]


@pytest.mark.parametrize(("row", "name", "value", "rule", "reason"), DAMAGE)
def test_what_is_no_published_row_is_refused(
    row: dict[str, Any], name: str, value: Any, rule: str, reason: str, tmp_path: Path
) -> None:
    other = {**row, "id": "ef" * 32 + "_1_1", "parent_id": "ef" * 32}
    (tmp_path / "a.jsonl").write_text(json.dumps(other) + "\n" + json.dumps({**row, name: value}) + "\n")
    place = rf"a\.jsonl:2: .*{name}.*{reason}"
    with pytest.raises(DataError, match=place), ImportedTrees.of(str(tmp_path)) as trees:
        list(trees)
    report = validate(open_tables(str(tmp_path))).to_json()
    found = {violation["rule"]: violation["examples"] for violation in report["violations"]}
    assert rule in found
    assert found[rule][0].startswith("a.jsonl:2: ")


@pytest.mark.parametrize(
    "row", [PAIR, SFT, {**PAIR, "id": "own"}, {**SFT, "id": "own"}, {**SFT, "id": "ab" * 32 + "_1_1"}]
)
def test_ids_are_kept_as_they_are(row: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(json.dumps(row) + "\n")
    with ImportedTrees.of(str(tmp_path)) as trees:
        (tree,) = trees
    assert row in [dict(found) for found in (pair_rows(tree) if "chosen" in row else sft_rows(tree))]
