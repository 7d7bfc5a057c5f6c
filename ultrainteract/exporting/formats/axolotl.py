"""Rows for axolotl.

`axolotl-dpo` is its `chat_template.default`, `axolotl-sft` its `chat_template` with `message_field_training: training`.
Its KTO strategies for conversations take the first user turn alone (`argilla_chat`) or put everything into one
(`ultra`), so `axolotl-kto` comes as ChatML text, turns and all, for its user-defined strategy: `type: {field_prompt:
prompt, field_completion: completion, field_label: label}`. Use it for models whose template is ChatML.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ultrainteract.dataset.samples import Demonstration, Preference
from ultrainteract.exporting.formats.trl import messages
from ultrainteract.exporting.registry import exporter

Row = dict[str, Any]

DPO_COLUMNS = {"messages": "messages", "chosen": "message", "rejected": "message"}
KTO_COLUMNS = {"prompt": "string", "completion": "string", "label": "bool"}
SFT_COLUMNS = {"messages": "training_messages"}


@exporter(
    "axolotl-dpo", kind="preference", columns=DPO_COLUMNS, levels=("turn",),
    summary="axolotl: dpo, chat_template.default",
)  # fmt: skip
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


@exporter(
    "axolotl-kto", kind="preference", columns=KTO_COLUMNS, levels=("turn",), spread=True,
    summary="axolotl: kto, user-defined, ChatML text",
)  # fmt: skip
def kto(sample: Preference) -> Iterator[Row]:
    r"""A pair taken apart into labelled completions, as ChatML text that keeps the turns.

    Example:
        >>> from ultrainteract.exporting import ExportConfig, preferences
        >>> from ultrainteract.exporting.example import example_tree
        >>> rows = [row for pair in preferences(example_tree(), ExportConfig()) for row in kto(pair)]
        >>> rows[2]["prompt"].count("<|im_start|>user"), rows[2]["prompt"][-33:], rows[2]["completion"][-14:]
        (2, '<|im_end|>\n<|im_start|>assistant\n', '2*3)<|im_end|>')
    """
    prompt = "".join(f"<|im_start|>{role}\n{text}<|im_end|>\n" for role, text in sample.prompt)
    for completion, label in ((sample.chosen, True), (sample.rejected, False)):
        yield {
            "prompt": f"{prompt}<|im_start|>assistant\n",
            "completion": f"{completion[0][1]}<|im_end|>",
            "label": label,
        }


@exporter("axolotl-sft", kind="demonstration", columns=SFT_COLUMNS, summary="axolotl: sft, chat_template")
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
