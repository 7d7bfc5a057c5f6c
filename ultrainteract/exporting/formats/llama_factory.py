"""Rows for LLaMA-Factory, ShareGPT style, and the `dataset_info.json` that tells it how to read them.

Users speak at odd positions and the assistant at even ones, as its reader demands. Its tags are its defaults,
`human` and `gpt`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from ultrainteract.dataset.samples import Demonstration, Preference, Talk
from ultrainteract.exporting.registry import exporter

Row = dict[str, Any]

RANKING_COLUMNS = {"conversations": "from_value_turns", "chosen": "from_value", "rejected": "from_value"}
KTO_COLUMNS = {"conversations": "from_value_turns", "kto_tag": "bool"}
SFT_COLUMNS = {"conversations": "from_value_turns"}

_NAMES = {"user": "human", "assistant": "gpt"}


def index(
    name: str, splits: Sequence[str], columns: Mapping[str, str], **settings: Any
) -> dict[str, dict[str, Any]]:
    """Entries of `dataset_info.json`, which lies in the folder given to `dataset_dir`.

    Args:
        name: The export.
        splits: Splits written.
        columns: Columns by the role that the reader gives them.
        settings: Further fields of each entry.

    Example:
        >>> entry = index("llama-factory-kto", ["train"], {"messages": "conversations", "kto_tag": "kto_tag"})
        >>> entry["ultrainteract_kto"]["file_name"]
        'llama-factory-kto/train'
    """
    known_as = f"ultrainteract_{name.removeprefix('llama-factory-').replace('-', '_')}"
    return {
        f"{known_as}{'' if split == 'train' else f'_{split}'}": {
            "file_name": f"{name}/{split}", "formatting": "sharegpt", **settings, "columns": dict(columns),
        }
        for split in splits
    }  # fmt: skip


def _indexed(name: str, columns: Mapping[str, str], **settings: Any) -> Callable[..., Mapping[str, Any]]:
    return partial(index, name, columns=columns, **settings)


def _turn(role: str, text: str) -> Row:
    return {"from": _NAMES[role], "value": text}


def _turns(talk: Talk) -> list[Row]:
    return [_turn(role, text) for role, text in talk]


@exporter(
    "llama-factory-ranking", kind="preference", columns=RANKING_COLUMNS, summary="LLaMA-Factory: dpo and rm",
    levels=("turn",), folders=True,
    index=_indexed("llama-factory-ranking", {"messages": "conversations", "chosen": "chosen", "rejected": "rejected"},
                   ranking=True),
)  # fmt: skip
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


@exporter(
    "llama-factory-kto", kind="preference", columns=KTO_COLUMNS, summary="LLaMA-Factory: kto",
    levels=("turn",), folders=True, spread=True,
    index=_indexed("llama-factory-kto", {"messages": "conversations", "kto_tag": "kto_tag"}),
)  # fmt: skip
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


@exporter(
    "llama-factory-sft", kind="demonstration", columns=SFT_COLUMNS, summary="LLaMA-Factory: sft",
    folders=True,
    index=_indexed("llama-factory-sft", {"messages": "conversations"}),
)  # fmt: skip
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
