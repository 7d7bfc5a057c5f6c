"""Exports with tools: each trainer's own rules on a tree with parallel calls, results, a retry and a mutation."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.exporting.call_tree import call_tree
from tests.exporting.forest import forest
from ultrainteract.config import ExportConfig
from ultrainteract.exporting import RunInfo, export_rows, export_trees
from ultrainteract.statistics.statistics import Statistics


def rows(name: str, **settings: Any) -> list[dict[str, Any]]:
    found = list(export_rows(name, [call_tree(), *forest()], ExportConfig.model_validate(settings)))
    if "tools" not in name:
        return found
    parsed = ("prompt", "completion", "chosen", "rejected", "tools", "messages", "input", "preferred_output",
              "non_preferred_output")  # fmt: skip
    return [
        {k: json.loads(v) if k in parsed and isinstance(v, str) else v for k, v in row.items()}
        for row in found
    ]


def test_trl_rows_hold_tools_calls_and_results_and_nothing_else() -> None:
    first, second = rows("trl-tools-preference")
    assert first["tools"][0]["function"]["name"] == "weather.now"
    assert [turn["role"] for turn in first["prompt"]] == ["system", "user"]
    assert [c["function"]["arguments"] for c in first["chosen"][0]["tool_calls"]] == [
        {"city": "Bonn"},
        {"city": "Kiel"},
    ]
    assert first["chosen"][0]["content"] == "Both."
    assert [turn["role"] for turn in second["prompt"]] == [
        "system", "user", "assistant", "tool", "user", "assistant", "tool",
    ]  # fmt: skip
    assert second["prompt"][3] == {"role": "tool", "content": "Error: no such city", "name": "weather.now"}
    assert second["prompt"][4]["content"] == "Your answer is wrong.\nOne is missing."
    assert [len(second[side]) for side in ("chosen", "rejected")] == [1, 1], "what both begin with is no news"
    assert sorted(row["label"] for row in rows("trl-tools-kto")) == [False, False, True, True]


def test_every_message_of_a_chain_is_learned_once_by_itself() -> None:
    found = rows("trl-tools-sft")
    assert [len(row["completion"]) for row in found] == [1, 1, 1]
    assert [row["prompt"][-1]["role"] for row in found] == ["user", "user", "tool"]


def test_mutated_pairs_can_be_left_out() -> None:
    assert len(rows("trl-tools-preference", filter={"mutated": False})) == 1
    assert len(rows("pair", filter={"mutated": False})) == len(rows("pair")) - 1


def test_openai_rows() -> None:
    both, *_, last = rows("openai-tools")
    message = both["messages"][-1]
    assert both["parallel_tool_calls"] is True
    assert message["tool_calls"][0]["function"] == {"name": "weather_now", "arguments": '{"city": "Bonn"}'}
    assert last["messages"][2]["weight"] == 0
    ids = [call["id"] for turn in last["messages"] for call in turn.get("tool_calls", ())]
    assert [turn["tool_call_id"] for turn in last["messages"] if turn["role"] == "tool"] == ids[:1]
    pairs = rows("openai-tools-preference")
    assert len(pairs) == 2
    assert pairs[0]["input"]["tools"][0]["function"]["name"] == "weather_now"


def test_llama_factory_rows_alternate() -> None:
    first, second = rows("llama-factory-tools-ranking")
    assert first["system"] == "Be brief."
    assert first["tools"][0]["name"] == "weather.now"
    assert json.loads(first["chosen"]["value"])[1]["arguments"] == {"city": "Kiel"}
    assert [turn["from"] for turn in second["conversations"]] == [
        "human", "function_call", "observation", "function_call", "observation",
    ]  # fmt: skip
    for row in rows("llama-factory-tools-sft"):
        for number, turn in enumerate(row["conversations"]):
            assert turn["from"] in (("human", "observation"), ("gpt", "function_call"))[number % 2]


def test_text_exports_are_hermes_text() -> None:
    pair = rows("pair")[0]
    assert pair["chosen"].endswith('{"name": "weather.now", "arguments": {"city": "Kiel"}}\n</tool_call>')


def test_wrong_calls_are_counted_by_error_and_origin(tmp_path: Path) -> None:
    statistics = Statistics()
    export_trees([call_tree()], tmp_path, ExportConfig(formats=("trl-tools-kto", "llama-factory-tools-sft")),
                 RunInfo(name="calls", fingerprint="0" * 64), statistics)  # fmt: skip
    counted = {(row.error, row.origin): row.actions for row in statistics.figures().call_errors}
    assert counted == {("value_error:string", "sampled"): 1, ("value_error:string", "mutated"): 1}
    entry = json.loads((tmp_path / "dataset_info.json").read_text())
    assert entry["ultrainteract_tools_sft"]["columns"]["tools"] == "tools"


@pytest.mark.parametrize("name", ["trl-tools-preference", "trl-tools-sft"])
def test_datasets_reads_objects(name: str, tmp_path: Path) -> None:
    import datasets

    export_trees(
        [call_tree()], tmp_path, ExportConfig(formats=(name,)), RunInfo(name="calls", fingerprint="0" * 64)
    )
    data = datasets.load_dataset(str(tmp_path / name), split="train", cache_dir=str(tmp_path / "cache"))
    assert data[0]["tools"][0]["function"]["parameters"]["required"] == ["city"]


def test_reasoning_in_columns_and_tags() -> None:
    tree = call_tree()
    turns = []
    for turn in tree.turns:
        sides = {}
        for side in ("correct", "incorrect"):
            node = getattr(turn, side)
            action = node.action.model_copy(update={"reasoning": f"as {side}"})
            sides[side] = node.model_copy(update={"action": action})
        turns.append(turn.model_copy(update=sides))
    tree = tree.model_copy(update={"turns": tuple(turns)})
    columns = list(export_rows("trl-tools-preference", [tree], ExportConfig(reasoning="column")))
    assert (columns[0]["chosen_reasoning"], columns[0]["rejected_reasoning"]) == (
        "as correct",
        "as incorrect",
    )
    assert (
        next(iter(export_rows("trl-tools-sft", [tree], ExportConfig(reasoning="column"))))["reasoning"]
        == "as correct"
    )
    tagged = list(export_rows("trl-tools-preference", [tree], ExportConfig(reasoning="tagged")))
    assert json.loads(tagged[0]["chosen"])[0]["content"].startswith("<think>\nas correct\n</think>")
