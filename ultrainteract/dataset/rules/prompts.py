"""Rows of prompts for reinforcement learning, by the rules that each trainer documents.

- verl, "Prepare Data for Post-Training": five fields; `prompt` in the chat-template format, a list of messages;
  `reward_model.ground_truth` is what the reward function gets; `extra_info` records more, `index` among it.
- TRL 1.16, "Dataset formats", prompt-only: `prompt` is a text or a list of messages that ends before the answer.
- OpenRLHF 0.11, README: a text, or with `--data.apply_chat_template` a list of messages under the input key; the label
  is a text under the label key, which is all that the reward function gets.
- NeMo RL, "GRPO": `ResponseDataset` makes a user and an assistant message of two texts.
- open-instruct, `dataset_transformation.py`: messages that do not end with the assistant, and for each verifier that
  `dataset` names a ground truth.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ultrainteract.dataset.verifiable import band_of, is_verifiable, unpacked
from ultrainteract.errors import DataError

Row = Mapping[str, Any]
Found = tuple[str, str]
"""(rule, what is there)"""

LAYOUTS: Mapping[str, frozenset[str]] = {
    "verl prompts": frozenset({"data_source", "prompt", "reward_model"}),
    "TRL prompts": frozenset({"prompt", "problem"}),
    "OpenRLHF prompts": frozenset({"prompt", "label", "datasource"}),
    "NeMo RL prompts": frozenset({"input", "output"}),
    "open-instruct prompts": frozenset({"messages", "ground_truth", "dataset"}),
}
"""Columns by which a layout is known."""
MEANINGS = {
    "prompt": "a prompt is a list of messages with a role and a text, or a text, and ends with the user's turn",
    "ground_truth": "the ground truth is a text, and the packed problem can be read and graded by a machine",
    "difficulty": "a pass rate lies between 0 and 1 and in the band that stands beside it",
}
"""The rules, in words."""
_STYLES = ("rule", "model")


def prompt_faults(layout: str, row: Row) -> Iterator[Found]:
    """Yields what is wrong with a row of prompts.

    Args:
        layout: A key of `LAYOUTS`.
        row: The row.
    """
    match layout:
        case "verl prompts":
            yield from _verl(row)
        case "TRL prompts":
            yield from _prompt(row["prompt"], texts=True)
            yield from _problem(row["problem"])
        case "OpenRLHF prompts":
            yield from _prompt(row["prompt"], texts=True)
            yield from _problem(row["label"])
            yield from _text("datasource", row["datasource"])
        case "NeMo RL prompts":
            yield from _text("input", row["input"], "prompt")
            yield from _text("output", row["output"])
        case _:
            yield from _prompt(row["messages"], texts=False)
            yield from _verifiers(row["dataset"], row["ground_truth"])
    yield from _measured(row if layout != "verl prompts" else row.get("extra_info") or {})


def _verl(row: Row) -> Iterator[Found]:
    yield from _prompt(row["prompt"], texts=False)
    for name in ("data_source", "ability"):
        yield from _text(name, row.get(name))
    model = row["reward_model"]
    if not isinstance(model, Mapping):
        yield "ground_truth", "'reward_model' is no object"
    else:
        if model.get("style") not in _STYLES:
            yield (
                "ground_truth",
                f"'reward_model.style' is {model.get('style')!r}, not {' or '.join(_STYLES)}",
            )
        yield from _text("reward_model.ground_truth", model.get("ground_truth"))
    more = row.get("extra_info")
    if not isinstance(more, Mapping) or not isinstance(more.get("index"), int):
        yield "ground_truth", "'extra_info.index' is no number"
    elif "problem" in more:
        yield from _problem(more["problem"])


def _prompt(value: Any, *, texts: bool) -> Iterator[Found]:
    if isinstance(value, str):
        if not texts:
            yield "prompt", "a text where a list of messages belongs"
        elif not value.strip():
            yield "empty", "the prompt is blank"
        return
    if not isinstance(value, list | tuple) or not value:
        yield "empty", "the prompt is missing"
        return
    roles = []
    for message in value:
        if not isinstance(message, Mapping) or not {"role", "content"} <= set(message):
            yield "prompt", "a message without role and content"
            return
        if not isinstance(message["content"], str) or not message["content"].strip():
            yield "empty", "a message of the prompt is blank"
        roles.append(message["role"])
    if not set(roles) <= {"system", "user", "assistant", "tool"}:
        yield "prompt", f"roles are {', '.join(map(str, roles))}"
    elif roles[-1] not in ("user", "tool"):
        yield "prompt", f"the last message is the {roles[-1]}'s"


def _problem(value: Any) -> Iterator[Found]:
    if not isinstance(value, str):
        yield "ground_truth", "the packed problem is no text"
        return
    try:
        instruction = unpacked(value)
    except DataError as error:
        yield "ground_truth", str(error)
        return
    if not is_verifiable(instruction):
        yield (
            "ground_truth",
            f"the ground truth of {instruction.source or instruction.id[:12]} verifies nothing",
        )


def _verifiers(names: Any, truths: Any) -> Iterator[Found]:
    if isinstance(names, list | tuple):
        if not isinstance(truths, list | tuple) or len(truths) != len(names) or not names:
            yield "ground_truth", "there is not one ground truth for each verifier of 'dataset'"
        return
    yield from _text("dataset", names)
    yield from _text("ground_truth", truths)


def _text(name: str, value: Any, rule: str = "ground_truth") -> Iterator[Found]:
    if not isinstance(value, str):
        yield rule, f"'{name}' is no text"
    elif not value.strip():
        yield "empty", f"'{name}' is blank"


def _measured(row: Row) -> Iterator[Found]:
    rate, band = row.get("pass_rate"), row.get("difficulty")
    if rate is not None and not (isinstance(rate, int | float) and 0 <= rate <= 1):
        yield "difficulty", f"pass rate {rate!r}"
    elif band is not None and band != band_of(rate):
        yield "difficulty", f"pass rate {rate!r} is not '{band}'"
