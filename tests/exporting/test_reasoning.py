"""What becomes of a reasoning model's reasoning in exports."""

from __future__ import annotations

from typing import Any

import pytest

from ultrainteract.config import ExportConfig
from ultrainteract.exporting import export_rows
from ultrainteract.exporting.example import example_tree
from ultrainteract.exporting.registry import chosen_exporters, known_exporters
from ultrainteract.schema import Tree


def reasoned() -> Tree:
    """The example tree, whose actions have reasoning that says which they are."""
    tree = example_tree()
    turns = []
    for number, turn in enumerate(tree.turns, 1):
        sides: dict[str, Any] = {}
        for side in ("correct", "incorrect"):
            if (node := getattr(turn, side)) is not None:
                action = node.action.model_copy(update={"reasoning": f"{side} {number}"})
                sides[side] = node.model_copy(update={"action": action})
        turns.append(turn.model_copy(update=sides))
    return tree.model_copy(update={"turns": tuple(turns)})


@pytest.mark.parametrize("name", sorted(set(known_exporters()) - {"trees"}))
def test_reasoning_is_dropped_unless_it_is_wanted(name: str) -> None:
    assert list(export_rows(name, [reasoned()])) == list(export_rows(name, [example_tree()]))


@pytest.mark.parametrize("name", sorted(known_exporters()))
def test_columns_are_those_that_are_announced(name: str) -> None:
    config = ExportConfig(formats=(name,), reasoning="column")
    (exporter,) = chosen_exporters(config)
    for row in exporter.rows(reasoned(), config):
        assert set(row) == set(exporter.columns)


def test_reasoning_in_columns() -> None:
    config = ExportConfig(reasoning="column")
    assert [row["reasoning"] for row in export_rows("sft", [reasoned()], config)] == [
        "correct 1",
        "correct 2",
    ]
    pairs = list(export_rows("trl-preference", [reasoned()], config))
    assert [(row["chosen_reasoning"], row["rejected_reasoning"]) for row in pairs] == [
        ("correct 1", "incorrect 1"),
        ("correct 2", "incorrect 2"),
    ]
    apart = list(export_rows("trl-kto", [reasoned()], config))
    assert all(row["reasoning"].startswith("correct") == row["label"] for row in apart)


def test_reasoning_in_tags_stands_before_the_exported_actions_alone() -> None:
    rows = list(export_rows("pair", [reasoned()], ExportConfig(reasoning="tagged")))
    assert [row["chosen"].partition("\n\n")[0] for row in rows] == [
        f"<think>\ncorrect {number}\n</think>" for number in (1, 2)
    ]
    assert all("<think>" not in turn["value"] for row in rows for turn in row["trajectory"])
