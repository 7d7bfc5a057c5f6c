"""Rows of unpaired formats: no row stands within a batch of another row of its problem."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.exporting.forest import copies, forest
from ultrainteract.config import ExportConfig
from ultrainteract.exporting import RunInfo, export_rows, export_trees, known_exporters
from ultrainteract.exporting.order import BLOCK_ROWS, WINDOW, spread, spread_order

KTO = ("trl-kto", "llama-factory-kto", "openrlhf-kto", "axolotl-kto")


def prompt_of(row: dict[str, Any]) -> str:
    """The instruction of a row, in any unpaired format."""
    talk = row.get("prompt") or row.get("messages") or row["conversations"]
    if isinstance(talk, str):
        return talk.split("<|im_end|>")[0].removeprefix("<|im_start|>user\n")
    return talk[0].get("content") or talk[0]["value"]


def own_prompt_share(rows: list[dict[str, Any]], batch: int) -> float:
    """Share of the rows whose mismatched completion, rotated by one within the batch as TRL does, is of their own problem."""
    hits = 0
    for start in range(0, len(rows), batch):
        prompts = [prompt_of(row) for row in rows[start : start + batch]]
        hits += sum(prompts[number] == prompts[number - 1] for number in range(len(prompts)))
    return hits / len(rows)


def test_every_unpaired_format_is_spread() -> None:
    labelled = {
        name
        for name, found in known_exporters().items()
        if "bool" in (found.columns.get("label"), found.columns.get("kto_tag"))
    }
    assert labelled == {*KTO, "implicit-prm", "trl-tools-kto"}
    assert all(known_exporters()[name].spread for name in KTO)


@pytest.mark.parametrize("name", KTO)
def test_no_row_is_compared_with_its_own_problem(name: str, tmp_path: Path) -> None:
    trees = copies(40)
    export_trees(trees, tmp_path, ExportConfig(formats=(name,)), RunInfo(name="forest", fingerprint="0" * 64))
    (path,) = (tmp_path / name).rglob("*.parquet")
    rows = pq.read_table(path).to_pylist()
    assert rows == list(export_rows(name, trees))
    assert len(rows) == 40 * 2 * len(list(export_rows("trl-preference", forest())))
    for batch in (2, 4, 8, 16, 32):
        # the last batch may be a single row, whose only completion is its own
        assert own_prompt_share(rows[: len(rows) // batch * batch], batch) == 0


def test_labels_are_mixed() -> None:
    labels = [row["label"] for row in export_rows("trl-kto", copies(40))]
    assert sum(labels) * 2 == len(labels)
    for start in range(0, len(labels) - 32, 32):
        assert 4 <= sum(labels[start : start + 32]) <= 28


@given(st.lists(st.sampled_from("abcdefgh"), max_size=60))
def test_an_order_is_a_permutation(problems: list[str]) -> None:
    assert sorted(spread_order(problems)) == list(range(len(problems)))


def test_few_problems_are_as_far_apart_as_there_is_room_for() -> None:
    problems = [name for name in "abcd" for _ in range(6)]
    found = [problems[place] for place in spread_order(problems)]
    assert all(len(set(found[start : start + 4])) == 4 for start in range(len(found) - 4))


def test_blocks_join_without_a_repetition() -> None:
    rows = [(f"problem {number // 7}", (number // 7, number)) for number in range(2 * BLOCK_ROWS + 100)]
    found = [problem for problem, _ in spread(iter(rows))]
    assert sorted(number for _, number in spread(iter(rows))) == list(range(len(rows)))
    last: dict[int, int] = {}
    for number, problem in enumerate(found[: 2 * BLOCK_ROWS]):
        assert number - last.get(problem, -WINDOW) >= WINDOW
        last[problem] = number
