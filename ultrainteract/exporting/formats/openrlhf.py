"""Rows for OpenRLHF, as conversations: use its `--data.apply_chat_template`.

`openrlhf-preference`: `--data.prompt_key prompt --data.chosen_key chosen --data.rejected_key rejected`; `openrlhf-sft`:
`--data.input_key prompt --data.output_key completion` (flags of 0.11). `openrlhf-kto` was read by its
`train_kto`, which 0.11 no longer has: `--output_key messages --label_key label`; the last turn is the labelled one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ultrainteract.dataset.samples import Preference
from ultrainteract.exporting.formats import trl
from ultrainteract.exporting.formats.trl import messages
from ultrainteract.exporting.registry import exporter

Row = dict[str, Any]

KTO_COLUMNS = {"messages": "messages", "label": "bool"}

exporter(
    "openrlhf-preference", kind="preference", columns=trl.PREFERENCE_COLUMNS, levels=("turn",),
    summary="OpenRLHF: dpo and rm",
)(trl.preference)  # fmt: skip


@exporter(
    "openrlhf-kto", kind="preference", columns=KTO_COLUMNS, summary="OpenRLHF: kto", levels=("turn",), spread=True,
    retired="OpenRLHF 0.11 has no KTO trainer any more",
)  # fmt: skip
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


exporter(
    "openrlhf-sft", kind="demonstration", columns=trl.PROMPT_COMPLETION_COLUMNS, summary="OpenRLHF: sft"
)(trl.prompt_completion)
