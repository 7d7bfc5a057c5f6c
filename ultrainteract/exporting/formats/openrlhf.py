"""Rows for OpenRLHF, as conversations: use its `--apply_chat_template`.

`openrlhf-preference`: `--prompt_key prompt --chosen_key chosen --rejected_key rejected`; `openrlhf-sft`: `--input_key
prompt --output_key completion`; `openrlhf-kto`: `--output_key messages --label_key label`, whose last turn is the one
that is labelled.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ultrainteract.dataset.samples import Preference
from ultrainteract.exporting.formats.trl import messages

Row = dict[str, Any]

KTO_COLUMNS = {"messages": "messages", "label": "bool"}


def kto(sample: Preference) -> Iterator[Row]:
    """A pair taken apart into two whole conversations, labelled.

    Example:
        >>> from ultrainteract.exporting import ExportConfig, preferences
        >>> from ultrainteract.exporting.example import example_tree
        >>> rows = [row for pair in preferences(example_tree(), ExportConfig()) for row in kto(pair)]
        >>> [(row["messages"][-1]["role"], row["label"]) for row in rows[:2]]
        [('assistant', True), ('assistant', False)]
    """
    for completion, label in ((sample.chosen, True), (sample.rejected, False)):
        yield {"messages": messages((*sample.prompt, *completion)), "label": label}
