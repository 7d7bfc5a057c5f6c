"""Rows for axolotl.

`axolotl-dpo` is its `chat_template.default`, `axolotl-kto` its `chatml.ultra` or `llama3.ultra` (plain texts),
`axolotl-sft` its `chat_template` with `message_field_training: training`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ultrainteract.dataset.samples import Demonstration, Preference
from ultrainteract.exporting.formats.trl import messages

Row = dict[str, Any]

DPO_COLUMNS = {"messages": "messages", "chosen": "message", "rejected": "message"}
KTO_COLUMNS = {"prompt": "string", "completion": "string", "label": "bool"}
SFT_COLUMNS = {"messages": "training_messages"}


def dpo(sample: Preference) -> Iterator[Row]:
    """A pair: the conversation so far, and two last messages.

    Example:
        >>> from ultrainteract.exporting import ExportConfig, preferences
        >>> from ultrainteract.exporting.example import example_tree
        >>> rows = [row for pair in preferences(example_tree(), ExportConfig()) for row in dpo(pair)]
        >>> len(rows[1]["messages"]), rows[1]["chosen"]["role"]
        (3, 'assistant')
    """
    yield {
        "messages": messages(sample.prompt),
        "chosen": messages(sample.chosen)[0],
        "rejected": messages(sample.rejected)[0],
    }


def kto(sample: Preference) -> Iterator[Row]:
    """A pair taken apart into plain texts; earlier turns are written out in the prompt, one after the other.

    Example:
        >>> from ultrainteract.exporting import ExportConfig, preferences
        >>> from ultrainteract.exporting.example import example_tree
        >>> rows = [row for pair in preferences(example_tree(), ExportConfig()) for row in kto(pair)]
        >>> rows[0]["completion"], rows[0]["label"]
        ('Step 1: Compute with print(3*2)', True)
    """
    prompt = "\n".join(text for _, text in sample.prompt)
    for completion, label in ((sample.chosen, True), (sample.rejected, False)):
        yield {"prompt": prompt, "completion": completion[0][1], "label": label}


def sft(sample: Demonstration) -> Iterator[Row]:
    """A correct action as a conversation of which only the last turn is to be learned.

    Example:
        >>> from ultrainteract.exporting import ExportConfig, demonstrations
        >>> from ultrainteract.exporting.example import example_tree
        >>> config = ExportConfig(sft_history="turns")
        >>> rows = [row for action in demonstrations(example_tree(), config) for row in sft(action)]
        >>> [turn["training"] for turn in rows[1]["messages"]]
        [False, False, False, True]
    """
    talk = messages((*sample.prompt, ("assistant", sample.response)))
    yield {"messages": [{**turn, "training": turn is talk[-1]} for turn in talk]}
