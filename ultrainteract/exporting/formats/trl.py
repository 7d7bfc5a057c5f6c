"""Rows for TRL, in its documented dataset types; conversational, so that the trainer applies the chat template.

`trl-preference` and `trl-implicit` feed `DPOTrainer` and `RewardTrainer`, `trl-kto` feeds `KTOTrainer`,
`trl-prompt-completion` and `trl-messages` feed `SFTTrainer`. No current release has a trainer for `trl-stepwise`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ultrainteract.config import ExportConfig
from ultrainteract.dataset.samples import Demonstration, Preference, Talk, node_passes, opening_text, spoken
from ultrainteract.exporting.registry import exporter
from ultrainteract.schema import Label, Tree

Row = dict[str, Any]

PREFERENCE_COLUMNS = {"prompt": "messages", "chosen": "messages", "rejected": "messages"}
IMPLICIT_COLUMNS = {"chosen": "messages", "rejected": "messages"}
KTO_COLUMNS = {"prompt": "messages", "completion": "messages", "label": "bool"}
PROMPT_COMPLETION_COLUMNS = {"prompt": "messages", "completion": "messages"}
MESSAGES_COLUMNS = {"messages": "messages"}
STEPWISE_COLUMNS = {"prompt": "string", "completions": "strings", "labels": "bools"}


def messages(talk: Talk) -> list[dict[str, str]]:
    """Chat turns as the `role`/`content` objects that chat templates take."""
    return [{"role": role, "content": content} for role, content in talk]


@exporter(
    "trl-preference", kind="preference", columns=PREFERENCE_COLUMNS, summary="TRL: prompt, chosen, rejected"
)
def preference(sample: Preference) -> Iterator[Row]:
    """A pair with an explicit conversational prompt.

    Example:
        >>> from ultrainteract.exporting import ExportConfig, preferences
        >>> from ultrainteract.exporting.example import example_tree
        >>> rows = [row for pair in preferences(example_tree(), ExportConfig()) for row in preference(pair)]
        >>> [turn["role"] for turn in rows[1]["prompt"]], rows[1]["chosen"][0]["role"]
        (['user', 'assistant', 'user'], 'assistant')
    """
    yield {
        "prompt": messages(sample.prompt),
        "chosen": messages(sample.chosen),
        "rejected": messages(sample.rejected),
    }


@exporter(
    "trl-implicit", kind="preference", columns=IMPLICIT_COLUMNS, levels=("turn",),
    summary="TRL: chosen, rejected (prompt inside)",
)  # fmt: skip
def implicit(sample: Preference) -> Iterator[Row]:
    """A pair whose two conversations both begin with the prompt.

    Example:
        >>> from ultrainteract.exporting import ExportConfig, preferences
        >>> from ultrainteract.exporting.example import example_tree
        >>> rows = [row for pair in preferences(example_tree(), ExportConfig()) for row in implicit(pair)]
        >>> rows[1]["chosen"][:3] == rows[1]["rejected"][:3], len(rows[1]["chosen"])
        (True, 4)
    """
    yield {
        "chosen": messages((*sample.prompt, *sample.chosen)),
        "rejected": messages((*sample.prompt, *sample.rejected)),
    }


@exporter(
    "trl-kto", kind="preference", columns=KTO_COLUMNS, spread=True,
    summary="TRL: unpaired completions with a label",
)  # fmt: skip
def kto(sample: Preference) -> Iterator[Row]:
    """A pair taken apart into a wanted and an unwanted completion.

    Example:
        >>> from ultrainteract.exporting import ExportConfig, preferences
        >>> from ultrainteract.exporting.example import example_tree
        >>> rows = [row for pair in preferences(example_tree(), ExportConfig()) for row in kto(pair)]
        >>> [row["label"] for row in rows]
        [True, False, True, False]
    """
    for completion, label in ((sample.chosen, True), (sample.rejected, False)):
        yield {"prompt": messages(sample.prompt), "completion": messages(completion), "label": label}


@exporter(
    "trl-prompt-completion", kind="demonstration", columns=PROMPT_COMPLETION_COLUMNS,
    summary="TRL SFT: prompt, completion",
)  # fmt: skip
def prompt_completion(sample: Demonstration) -> Iterator[Row]:
    """A correct action as a conversational prompt and its completion; the trainer learns the completion alone.

    Example:
        >>> from ultrainteract.exporting import ExportConfig, demonstrations
        >>> from ultrainteract.exporting.example import example_tree
        >>> config = ExportConfig(sft_history="turns")
        >>> rows = [row for action in demonstrations(example_tree(), config) for row in prompt_completion(action)]
        >>> [len(row["prompt"]) for row in rows]
        [1, 3]
    """
    yield {"prompt": messages(sample.prompt), "completion": messages((("assistant", sample.response),))}


@exporter(
    "trl-messages", kind="demonstration", columns=MESSAGES_COLUMNS, histories=("bare", "flat"),
    summary="TRL SFT: messages",
)  # fmt: skip
def chat(sample: Demonstration) -> Iterator[Row]:
    """A correct action as one conversation.

    Example:
        >>> from ultrainteract.exporting import ExportConfig, demonstrations
        >>> from ultrainteract.exporting.example import example_tree
        >>> rows = [row for action in demonstrations(example_tree(), ExportConfig()) for row in chat(action)]
        >>> [turn["role"] for turn in rows[1]["messages"]]
        ['user', 'assistant']
    """
    yield {"messages": messages((*sample.prompt, ("assistant", sample.response)))}


@exporter(
    "trl-stepwise", kind="tree", columns=STEPWISE_COLUMNS, summary="a trajectory's actions, each labelled",
    retired="TRL 1.16 has no trainer for stepwise supervision any more", reasoning=False,
)  # fmt: skip
def stepwise_rows(tree: Tree, config: ExportConfig) -> Iterator[Row]:
    """A tree as trajectories whose actions are labelled one by one (stepwise supervision).

    There is one row for the trajectory to every correct action, and one for the longest trajectory of wrong ones. An
    undetermined action ends what can be said of a trajectory, so rows stop before it.

    Example:
        >>> from ultrainteract.exporting import ExportConfig
        >>> from ultrainteract.exporting.example import example_tree
        >>> [row["labels"] for row in stepwise_rows(example_tree(), ExportConfig())]
        [[True], [False, True], [False, False]]
    """
    wrong: list[str] = []
    for number, turn in enumerate(tree.turns, 1):
        if turn.correct is not None and node_passes(turn.correct, turn, number, config.filter):
            yield _steps(tree, [*wrong, spoken(turn.correct.action)], solved=True)
        node = turn.incorrect
        if (
            node is None
            or node.verdict.label is not Label.WRONG
            or not node_passes(node, turn, number, config.filter)
        ):
            break
        wrong.append(spoken(node.action))
    if wrong:
        yield _steps(tree, wrong, solved=False)


def _steps(tree: Tree, actions: list[str], *, solved: bool) -> Row:
    labels = [False] * len(actions)
    labels[-1] = solved
    return {"prompt": opening_text(tree.instruction), "completions": actions, "labels": labels}
