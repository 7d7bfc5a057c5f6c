"""The layouts that trainers read: preferences, completions, conversations, prompts, labels of steps and turns."""

from __future__ import annotations

from collections.abc import Iterator

from ultrainteract.dataset.layouts.checker import (
    Found,
    Row,
    RowChecker,
    pair_faults,
    role_faults,
    turns_of,
)
from ultrainteract.dataset.rules import prompts as rl
from ultrainteract.dataset.rules import tools
from ultrainteract.readers.rows import Ambiguous


class Preferences(RowChecker):
    """Chosen and rejected, with their prompt or beginning with it."""

    def check(self, row: Row) -> Iterator[Found]:
        """As of `RowChecker`."""
        chosen, rejected = turns_of(row["chosen"], "assistant"), turns_of(row["rejected"], "assistant")
        prompt = next(
            (turns_of(row[name]) for name in ("prompt", "messages", "conversations") if name in row), None
        )
        if not chosen or not rejected or prompt == []:
            yield "empty", "prompt, chosen or rejected is empty"
            return
        if prompt is None:
            if chosen[:-1] != rejected[:-1] or len(chosen) < 2:
                yield "prefix", "chosen and rejected do not share their prompt"
            prompt = chosen[:-1]
            chosen, rejected = chosen[-1:], rejected[-1:]
        if any(not text.strip() for _, text in (*prompt, *chosen, *rejected)):
            yield "empty", "a turn is empty"
        for side in (chosen, rejected):
            yield from role_faults([role for role, _ in (*prompt, *side)], ends_with_user=False)
        yield from pair_faults(chosen[-1][1], rejected[-1][1], [text for _, text in prompt])
        if not self.is_new([prompt, chosen, rejected]):
            yield "duplicate", "the pair occurred before"


class Completions(RowChecker):
    """A prompt and its completion, labelled or not."""

    def check(self, row: Row) -> Iterator[Found]:
        """As of `RowChecker`."""
        prompt, completion = turns_of(row["prompt"]), turns_of(row["completion"], "assistant")
        if not prompt or not completion or any(not text.strip() for _, text in (*prompt, *completion)):
            yield "empty", "prompt or completion is empty"
        yield from role_faults([role for role, _ in (*prompt, *completion)], ends_with_user=False)
        if "label" in row and not isinstance(row["label"], bool):
            yield "label", f"label {row['label']!r}"
        if not self.is_new([prompt, completion, row.get("label")]):
            yield "duplicate", "the row occurred before"


class Chats(RowChecker):
    """Conversations."""

    def check(self, row: Row) -> Iterator[Found]:
        """As of `RowChecker`."""
        talk = turns_of(row["messages"] if "messages" in row else row["conversations"])
        if not talk or any(not text.strip() for _, text in talk):
            yield "empty", "the conversation, or a turn of it, is empty"
        yield from role_faults([role for role, _ in talk], ends_with_user=False)
        for name in ("label", "kto_tag"):
            if name in row and not isinstance(row[name], bool):
                yield "label", f"{name} {row[name]!r}"
        if not self.is_new([talk, row.get("label"), row.get("kto_tag")]):
            yield "duplicate", "the conversation occurred before"


class Prompts(RowChecker):
    """Prompts for reinforcement learning: see `dataset.rules.prompts`."""

    def __init__(self, layout: str) -> None:
        super().__init__()
        self._layout = layout

    def types(self, row: Row) -> Iterator[Found]:
        """As of `RowChecker`."""
        return (
            found for found in super().types(row) if isinstance(row.get(found[1].split("'")[1]), Ambiguous)
        )

    def check(self, row: Row) -> Iterator[Found]:
        """As of `RowChecker`."""
        yield from rl.prompt_faults(self._layout, row)
        if not self.is_new(row):
            yield "duplicate", "the row occurred before"


class ToolRows(RowChecker):
    """Rows whose conversations hold calls: see `dataset.rules.tools`."""

    def check(self, row: Row) -> Iterator[Found]:
        """As of `RowChecker`."""
        yield from tools.tool_faults(row)
        if not self.is_new(row):
            yield "duplicate", "the row occurred before"


class Stepwise(RowChecker):
    """Steps, each with its label."""

    def check(self, row: Row) -> Iterator[Found]:
        """As of `RowChecker`."""
        steps, labels = row["completions"] or [], row["labels"] or []
        if not row["prompt"] or not steps or any(not step.strip() for step in steps):
            yield "empty", "prompt or a step is empty"
        if len(labels) != len(steps) or any(not isinstance(label, bool) for label in labels):
            yield "label", f"{len(labels)} labels for {len(steps)} steps"
        if not self.is_new([row["prompt"], steps]):
            yield "duplicate", "the trajectory occurred before"


class TurnLabels(RowChecker):
    """The actions of a trajectory, each with its label, and where it was solved."""

    def check(self, row: Row) -> Iterator[Found]:
        """As of `RowChecker`."""
        actions, labels, said = row["actions"] or [], row["labels"] or [], row.get("feedback") or []
        if not row["prompt"] or not actions or any(not action.strip() for action in actions):
            yield "empty", "prompt or an action is empty"
        right = [number for number, label in enumerate(labels, 1) if label]
        solved_at = row["solved_at"]
        if len(labels) != len(actions) or len(said) != len(actions) - 1:
            yield "label", f"{len(labels)} labels and {len(said)} feedbacks for {len(actions)} actions"
        elif right != ([solved_at] if solved_at else []) or (right and right != [len(labels)]):
            yield "label", f"labels {labels} of a trajectory solved at turn {solved_at}"
        if not self.is_new([row["prompt"], actions]):
            yield "duplicate", "the trajectory occurred before"


class Principles(RowChecker):
    """Responses to a prompt under constitutions, and their log-probabilities."""

    def check(self, row: Row) -> Iterator[Found]:
        """As of `RowChecker`."""
        sides = [row["constitutions"] or [], row["prompts"] or [], row["responses"] or []]
        matrix = row.get("logprobs") or []
        count = len(sides[0])
        if count < 2 or any(len(side) != count for side in sides):
            yield "label", f"{count} constitutions, {len(sides[1])} prompts and {len(sides[2])} responses"
        elif any(not text.strip() for side in sides for text in side):
            yield "empty", "a constitution, prompt or response is empty"
        if matrix and [len(line) for line in matrix] != [count] * count:
            yield "label", f"log-probabilities that are no {count} x {count} matrix"
        if not self.is_new([row["prompts"], sides[2]]):
            yield "duplicate", "the responses occurred before"
