"""`validate-data` finds each kind of damage where it is, and nothing in sound data."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.exporting.forest import forest
from tests.exporting.principled_tree import principled_tree
from ultrainteract.config import ExportConfig
from ultrainteract.dataset.validate import Report, validate
from ultrainteract.errors import DataError
from ultrainteract.exporting import RunInfo, export_rows, export_trees, known_exporters
from ultrainteract.readers.tables import open_tables

DATA = Path(__file__).parent / "data"
INFO = RunInfo(name="forest", fingerprint="0" * 64)
Row = dict[str, Any]


def check(tmp_path: Path, rows: list[Row]) -> Report:
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return validate(open_tables(str(path)))


def published(name: str) -> list[Row]:
    return [json.loads(line) for line in (DATA / f"published_{name}.jsonl").read_text().splitlines()]


def test_sound_data_passes(tmp_path: Path) -> None:
    export_trees(forest(), tmp_path, ExportConfig(formats=tuple(known_exporters())), INFO)
    for report in (validate(open_tables(str(tmp_path))), validate(open_tables(str(DATA)))):
        assert report.ok, report.to_json()["violations"]
    assert set(report.layouts.values()) == {"UltraInteract pair", "UltraInteract sft"}


DAMAGE: dict[str, tuple[str, Callable[[list[Row]], None]]] = {
    "roles": ("pair", lambda rows: rows[1]["trajectory"].pop()),
    "empty": ("pair", lambda rows: rows[0].update(chosen=" ")),
    "id": ("pair", lambda rows: rows[0].update(id="17")),
    "id_turn": ("pair", lambda rows: rows[3].update(id="b" * 64 + "_1_2")),
    "duplicate_id": ("sft", lambda rows: rows[1].update(id=rows[0]["id"])),
    "equal_pair": ("pair", lambda rows: rows[3].update(rejected=rows[3]["chosen"].upper())),
    "duplicate": ("pair", lambda rows: rows.append(rows[0] | {"id": "f" * 64 + "_3_1"})),
    "tree": ("pair", lambda rows: rows[2]["trajectory"][2].update(value="Your answer is wrong.\nOther words.")),
    "leak": ("pair", lambda rows: rows[5]["trajectory"][2].update(value="Your answer is wrong.\nThe correct answer is A.")),
    "syntax": ("pair", lambda rows: rows[0].update(chosen="```python\nprint(\n```")),
    "task": ("sft", lambda rows: rows[0].update(task="Chess")),
    "columns": ("sft", lambda rows: [row.update(note="") for row in rows]),
}  # fmt: skip


@pytest.mark.parametrize("rule", DAMAGE)
def test_damage_is_found(rule: str, tmp_path: Path) -> None:
    split, damage = DAMAGE[rule]
    rows = copy.deepcopy(published(split))
    damage(rows)
    report = check(tmp_path, rows)
    found = {name for _, name in report.broken}
    assert rule in found
    assert found <= {rule, "tree", "id_turn", "columns"} | ({"roles"} if rule == "roles" else set())
    where = report.examples["rows.jsonl", rule][0]
    assert where.startswith("rows.jsonl")


TRAINER_DAMAGE: dict[str, tuple[str, Callable[[Row], Any]]] = {
    "prefix": ("trl-implicit", lambda row: row["chosen"][0].update(content="another prompt")),
    "roles": ("trl-preference", lambda row: row["prompt"].append({"role": "assistant", "content": "x"})),
    "label": ("trl-stepwise", lambda row: row["labels"].append(True)),
    "equal_pair": ("axolotl-dpo", lambda row: row.update(rejected=row["chosen"])),
    "empty": ("trl-prompt-completion", lambda row: row["completion"][0].update(content="")),
}  # fmt: skip


@pytest.mark.parametrize("rule", TRAINER_DAMAGE)
def test_damage_to_trainer_formats_is_found(rule: str, tmp_path: Path) -> None:
    name, damage = TRAINER_DAMAGE[rule]
    rows = list(export_rows(name, forest()))
    assert check(tmp_path, rows).ok
    damage(rows[0])
    assert rule in {found for _, found in check(tmp_path, rows).broken}


def test_a_missing_column_or_field_is_named(tmp_path: Path) -> None:
    rows = published("pair")
    without = [{name: value for name, value in row.items() if name != "parent_id"} for row in rows]
    report = check(tmp_path, without)
    assert report.examples == {("rows.jsonl", "columns"): ["rows.jsonl: without parent_id"]}
    del rows[1]["chosen"]
    rows[2]["trajectory"][0]["value"] = None
    examples = check(tmp_path, rows).examples["rows.jsonl", "empty"]
    assert [example.partition(": ")[::2] for example in examples] == [
        ("rows.jsonl:2", "'chosen' is empty"),
        ("rows.jsonl:3", "a turn of the trajectory is empty"),
    ]


@pytest.mark.parametrize("name", known_exporters())
def test_what_an_action_taken_twice_becomes_is_sound(name: str, tmp_path: Path) -> None:
    tree = next(
        tree for tree in forest() if tree.depth > 1 and tree.turns[0].correct and tree.turns[1].correct
    )
    again = tree.turns[1].model_copy(update={"correct": tree.turns[0].correct})
    twice = tree.model_copy(update={"turns": (tree.turns[0], again, *tree.turns[2:])})
    rows = list(export_rows(name, [twice]))
    if not rows:  # of other trees alone
        assert name in ("nemo-rl", "open-instruct-rl", "sami", "principle-pair") or "tools" in name
        return
    report = check(tmp_path, rows)
    assert report.ok, report.to_json()["violations"]


def test_a_tree_that_was_tampered_with_is_found(tmp_path: Path) -> None:
    rows = list(export_rows("trees", forest()))
    rows[0]["depth"] = 7
    rows[1]["tree"] = rows[1]["tree"].replace('"turns":', '"curls":')
    report = check(tmp_path, rows)
    assert report.broken == {("rows.jsonl", "tree"): 2}


def test_what_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no file, folder or Hub dataset"):
        open_tables(str(tmp_path / "nothing"))
    (tmp_path / "x.parquet").write_bytes(b"PAR1 no")
    with pytest.raises(DataError, match="not readable Parquet"):
        open_tables(str(tmp_path))
    (tmp_path / "x.parquet").unlink()
    (tmp_path / "x.jsonl").write_text("{]\n")
    (problem,) = validate(open_tables(str(tmp_path))).examples["x", "readable"]
    assert problem.startswith("x.jsonl:1: not valid JSON")
    (tmp_path / "x.jsonl").write_text('{"question": 1}\n')
    assert not validate(open_tables(str(tmp_path))).ok


DAMAGED_PRINCIPLES: dict[str, tuple[str, Callable[[dict[str, Any]], object]]] = {
    "a response too few": ("label", lambda row: row["responses"].pop()),
    "a blank response": ("empty", lambda row: row["responses"].__setitem__(0, " ")),
    "a matrix that is not square": ("label", lambda row: row["logprobs"][0].pop()),
}


@pytest.mark.parametrize("damage", DAMAGED_PRINCIPLES)
def test_responses_under_constitutions_keep_together(damage: str, tmp_path: Path) -> None:
    rows = list(export_rows("sami", [principled_tree()]))
    assert check(tmp_path, rows).ok
    rule, change = DAMAGED_PRINCIPLES[damage]
    change(rows[0])
    assert rule in {found for _, found in check(tmp_path, rows).broken}
