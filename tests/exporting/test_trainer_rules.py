"""LLaMA-Factory, axolotl and OpenRLHF: their documented rules, as a reader of each would apply them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from tests.exporting.forest import forest
from ultrainteract.config import ExportConfig
from ultrainteract.exporting import RunInfo, export_rows, export_trees
from ultrainteract.exporting.registry import known_exporters
from ultrainteract.schema import Tree

Row = dict[str, Any]
INFO = RunInfo(name="forest", fingerprint="0" * 64)
LLAMA = ("llama-factory-ranking", "llama-factory-kto", "llama-factory-sft")


def many() -> list[Tree]:
    """The forest ten times over, each copy about another problem."""
    trees = []
    for number in range(10):
        for tree in forest():
            question = f"{tree.instruction.question} ({number})"
            prompt = f"{tree.instruction.prompt} ({number})"
            instruction = tree.instruction.model_copy(update={"question": question, "prompt": prompt})
            trees.append(
                tree.model_copy(
                    update={"instruction": type(instruction).model_validate(instruction.model_dump())}
                )
            )
    return trees


# ------------------------------------------------------------------------------------------ LLaMA-Factory


def llama_factory_samples(dataset_dir: Path, name: str, *, stage: str) -> list[Row]:
    """Reads a registered dataset by the rules of LLaMA-Factory's data documentation; raises where it would complain."""
    entry = json.loads((dataset_dir / "dataset_info.json").read_text())[name]
    assert entry["formatting"] == "sharegpt"
    assert set(entry) <= {"file_name", "formatting", "ranking", "columns", "tags"}
    assert entry.get("ranking", False) is (stage in ("dpo", "rm")), "not applicable in this training stage"
    path = dataset_dir / entry["file_name"]
    files = sorted(path.iterdir()) if path.is_dir() else [path]
    assert {file.suffix for file in files} == {".parquet"}, "file types must be identical"
    columns = entry["columns"]
    assert set(columns) <= {"messages", "chosen", "rejected", "kto_tag", "system", "tools"}
    tags = {
        "role_tag": "from",
        "content_tag": "value",
        "user_tag": "human",
        "assistant_tag": "gpt",
    } | entry.get("tags", {})
    samples = []
    for row in (row for file in files for row in pq.read_table(file).to_pylist()):
        turns = row[columns["messages"]]
        for number, turn in enumerate(turns):  # human at odd positions, gpt at even ones
            assert turn[tags["role_tag"]] == (tags["user_tag"], tags["assistant_tag"])[number % 2]
            assert isinstance(turn[tags["content_tag"]], str)
        if stage in ("dpo", "rm"):
            assert len(turns) % 2 == 1
            for side in ("chosen", "rejected"):
                assert row[columns[side]][tags["role_tag"]] == tags["assistant_tag"]
        else:
            assert len(turns) % 2 == 0
        if stage == "kto":
            assert isinstance(row[columns["kto_tag"]], bool)
        samples.append(row)
    return samples


@pytest.mark.parametrize(("name", "stage", "rows"), [
    ("ultrainteract_ranking", "dpo", 50), ("ultrainteract_ranking", "rm", 50), ("ultrainteract_kto", "kto", 100),
    ("ultrainteract_sft", "sft", 70),
])  # fmt: skip
def test_llama_factory_reads_its_exports(name: str, stage: str, rows: int, tmp_path: Path) -> None:
    export_trees(many(), tmp_path, ExportConfig(formats=LLAMA, validation=0.3), INFO)
    train = llama_factory_samples(tmp_path, name, stage=stage)
    validation = llama_factory_samples(tmp_path, f"{name}_validation", stage=stage)
    assert len(train) + len(validation) == rows
    assert train
    assert validation


# ------------------------------------------------------------------------------------------------ axolotl


def test_axolotl_reads_its_dpo_export() -> None:
    """`chat_template.default`: `messages`, then one message each in `chosen` and `rejected`; known roles only."""
    for row in export_rows("axolotl-dpo", forest()):
        assert set(row) == {"messages", "chosen", "rejected"}
        assert {turn["role"] for turn in row["messages"]} <= {"user", "assistant", "system"}
        assert row["messages"][-1]["role"] == "user"
        for side in ("chosen", "rejected"):
            assert row[side]["role"] == "assistant"
            assert row[side]["content"]  # the reader cuts the rendered text at this content


def test_axolotl_reads_its_kto_export() -> None:
    """Its user-defined strategy fills `{prompt}` and `{completion}` in as they are: every turn stands in its own role."""
    wanted = {
        (
            chatml(row["prompt"], add_generation_prompt=True),
            chatml(row["completion"]).split("\n", 1)[1][:-1],
            row["label"],
        )
        for row in export_rows("trl-kto", forest())
    }
    rows = list(export_rows("axolotl-kto", forest()))
    found = {
        (
            "{prompt}".format(prompt=row["prompt"]),
            "{completion}".format(completion=row["completion"]),
            row["label"],
        )
        for row in rows
    }
    assert found == wanted
    assert any(row["prompt"].count("<|im_start|>user") == 2 for row in rows)


@pytest.mark.parametrize("history", ["bare", "flat", "turns"])
def test_axolotl_reads_its_sft_export(history: str) -> None:
    """`chat_template` with `message_field_training`: turns that are trained on are the assistant's, and the right ones."""
    right = {row["response"] for row in export_rows("sft", forest())}
    for row in export_rows("axolotl-sft", forest(), ExportConfig(sft_history=history)):  # type: ignore[arg-type]
        learned = [turn for turn in row["messages"] if turn["training"]]
        assert [turn["role"] for turn in learned] == ["assistant"]
        assert learned[0]["content"] in right
        assert row["messages"][0]["role"] == "user"


# ----------------------------------------------------------------------------------------------- OpenRLHF


def chatml(messages: Iterable[Row], *, add_generation_prompt: bool = False) -> str:
    text = "".join(f"<|im_start|>{turn['role']}\n{turn['content']}<|im_end|>\n" for turn in messages)
    return text + ("<|im_start|>assistant\n" if add_generation_prompt else "")


def test_openrlhf_reads_its_preference_export() -> None:
    """`--prompt_key prompt`: what follows the rendered prompt in prompt + chosen is the answer."""
    for row in export_rows("openrlhf-preference", forest()):
        prompt = chatml(row["prompt"], add_generation_prompt=True)
        for side in ("chosen", "rejected"):
            whole = chatml(row["prompt"] + row[side])
            assert whole.startswith(prompt)
            assert whole[len(prompt) :] == f"{row[side][0]['content']}<|im_end|>\n"


def test_openrlhf_reads_its_other_exports() -> None:
    for row in export_rows("openrlhf-sft", forest()):
        prompt = chatml(row["prompt"], add_generation_prompt=True)
        assert chatml(row["prompt"] + row["completion"]).startswith(prompt)
    for row in export_rows("openrlhf-kto", forest()):
        prompt = chatml(row["messages"][:-1], add_generation_prompt=True)
        assert chatml(row["messages"])[len(prompt) :]
        assert isinstance(row["label"], bool)


def test_formats_say_when_their_trainer_is_gone_and_what_a_trajectory_teaches() -> None:
    known = known_exporters()
    turns, whole = ExportConfig(), ExportConfig(level="trajectory")
    silent = {name for name, found in known.items() if not found.notes(turns)}
    assert set(known) - silent == {"trl-stepwise", "openrlhf-kto"}
    for name, found in known.items():
        learned = [note for note in found.notes(whole) if "wrong actions and critiques" in note]
        assert len(learned) == (found.kind == "preference"), name
