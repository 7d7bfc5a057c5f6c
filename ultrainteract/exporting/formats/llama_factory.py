"""Rows for LLaMA-Factory, ShareGPT style, and the `dataset_info.json` that tells it how to read them.

Users speak at odd positions and the assistant at even ones, as its reader demands. Its tags are its defaults,
`human` and `gpt`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ultrainteract.dataset.samples import Demonstration, Preference, Talk

Row = dict[str, Any]

RANKING_COLUMNS = {"conversations": "from_value_turns", "chosen": "from_value", "rejected": "from_value"}
KTO_COLUMNS = {"conversations": "from_value_turns", "kto_tag": "bool"}
SFT_COLUMNS = {"conversations": "from_value_turns"}

_NAMES = {"user": "human", "assistant": "gpt"}


def _turn(role: str, text: str) -> Row:
    return {"from": _NAMES[role], "value": text}


def _turns(talk: Talk) -> list[Row]:
    return [_turn(role, text) for role, text in talk]


def ranking(sample: Preference) -> Iterator[Row]:
    """A pair for the stages `dpo` and `rm`.

    Example:
        >>> from ultrainteract.exporting import ExportConfig, preferences
        >>> from ultrainteract.exporting.example import example_tree
        >>> rows = [row for pair in preferences(example_tree(), ExportConfig()) for row in ranking(pair)]
        >>> [turn["from"] for turn in rows[1]["conversations"]], rows[1]["chosen"]["from"]
        (['human', 'gpt', 'human'], 'gpt')
    """
    yield {
        "conversations": _turns(sample.prompt),
        "chosen": _turn(*sample.chosen[0]),
        "rejected": _turn(*sample.rejected[0]),
    }


def kto(sample: Preference) -> Iterator[Row]:
    """A pair taken apart for the stage `kto`.

    Example:
        >>> from ultrainteract.exporting import ExportConfig, preferences
        >>> from ultrainteract.exporting.example import example_tree
        >>> rows = [row for pair in preferences(example_tree(), ExportConfig()) for row in kto(pair)]
        >>> [(len(row["conversations"]), row["kto_tag"]) for row in rows]
        [(2, True), (2, False), (4, True), (4, False)]
    """
    for completion, label in ((sample.chosen, True), (sample.rejected, False)):
        yield {"conversations": _turns((*sample.prompt, *completion)), "kto_tag": label}


def sft(sample: Demonstration) -> Iterator[Row]:
    """A correct action for the stage `sft`; with history as turns, train with `mask_history: true`.

    Example:
        >>> from ultrainteract.exporting import ExportConfig, demonstrations
        >>> from ultrainteract.exporting.example import example_tree
        >>> rows = [row for action in demonstrations(example_tree(), ExportConfig()) for row in sft(action)]
        >>> [turn["from"] for turn in rows[0]["conversations"]]
        ['human', 'gpt']
    """
    yield {"conversations": _turns((*sample.prompt, ("assistant", sample.response)))}


def dataset_info(splits: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """The contents of `dataset_info.json`, which lies in the folder given to `dataset_dir`.

    Args:
        splits: Splits written, by exporter name.

    Example:
        >>> info = dataset_info({"llama-factory-kto": ("train",)})
        >>> info["ultrainteract_kto"]["file_name"], info["ultrainteract_kto"]["columns"]
        ('llama-factory-kto/train', {'messages': 'conversations', 'kto_tag': 'kto_tag'})
    """
    columns = {
        "llama-factory-ranking": {"messages": "conversations", "chosen": "chosen", "rejected": "rejected"},
        "llama-factory-kto": {"messages": "conversations", "kto_tag": "kto_tag"},
        "llama-factory-sft": {"messages": "conversations"},
    }
    return {
        f"ultrainteract_{name.rsplit('-', 1)[-1]}{'' if split == 'train' else f'_{split}'}": {
            "file_name": f"{name}/{split}",
            "formatting": "sharegpt",
            **({"ranking": True} if name == "llama-factory-ranking" else {}),
            "columns": columns[name],
        }
        for name, written in splits.items()
        for split in written
    }
