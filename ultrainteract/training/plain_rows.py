"""Rows of users' tables, each checked once, where it is read: what passes can be templated and trained on.

A row with the stage's columns (`COLUMNS`) is read by these rules, any other as one of the usual layouts of
`exporting.mix.samples`:

- Prompts, completions and sides are a text, or a list of messages with the texts `role` and `content`. A text is one
  message: the user's for a prompt, the assistant's for an answer. Both sides of a pair have the same form.
- A prompt does not end with the assistant's message, an answer begins and ends with one. Where every answer repeats
  the prompt before it, that is taken off.
- Answers and a prompt's last message are not blank. The sides of a pair differ.
- `label`, `direct` and `augmented` are booleans: true or false, 1 or 0, also as text (tables in CSV). `label` has to
  be there; the others are false where they are not, because only what is proved is `direct`.
- A completion with the label false is no demonstration: SFT does not learn it.

A row that breaks a rule is no reason to stop: it is left out, counted by rule, and named with its file and line.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ultrainteract.config.training import Stage
from ultrainteract.dataset.samples import Demonstration
from ultrainteract.errors import DataError
from ultrainteract.exporting.mix import samples
from ultrainteract.exporting.registry import Exporter
from ultrainteract.readers.files import BadRecord
from ultrainteract.readers.rows import Unusable
from ultrainteract.readers.tables import Table
from ultrainteract.schema import content_hash

Row = Mapping[str, Any]
Message = dict[str, str]

SIDES = ("chosen", "rejected")
COLUMNS: dict[Stage, tuple[str, ...]] = {
    "sft": ("prompt", "completion"),
    "kto": ("prompt", "completion", "label"),
    "dpo": ("prompt", *SIDES),
    "nca": ("prompt", *SIDES),
    "reward": ("prompt", *SIDES),
}
"""Columns by which a row is known as one of a stage's own."""
SHOWN = 3
"""Rows left out that are named, for each reason."""
_BOOLEANS = {"true": True, "1": True, "1.0": True, "false": False, "0": False, "0.0": False}


@dataclass
class LeftOut:
    """Rows that are left out, counted by the rule that they break."""

    counts: Counter[str] = field(default_factory=Counter)
    """Rows by reason."""
    places: dict[str, list[str]] = field(default_factory=dict)
    """File and line of the first ones of each reason."""

    def add(self, where: str, reason: str) -> None:
        """Counts a row.

        Args:
            where: File and line.
            reason: The rule that it breaks.
        """
        self.counts[reason] += 1
        places = self.places.setdefault(reason, [])
        if len(places) < SHOWN:
            places.append(where)

    def told(self) -> str:
        """Every reason, with its number of rows and the places of the first ones."""
        return "; ".join(
            f"{number:,} × {reason} ({', '.join(self.places[reason])}{', …' if number > SHOWN else ''})"
            for reason, number in self.counts.items()
        )


def trainable(
    stage: Stage, tables: Iterable[Table], exporter: Exporter, left_out: LeftOut
) -> Iterator[tuple[str, dict[str, Any]]]:
    """The rows of tables that a stage can be trained on.

    Args:
        stage: The stage.
        tables: The tables.
        exporter: The stage's format, which other layouts are turned into.
        left_out: Gets the rows that cannot.

    Yields:
        (problem, row), with the exporter's columns.
    """
    for table in tables:
        own = set(COLUMNS[stage]) <= set(table.columns)
        for record in table.records(None):
            if isinstance(record, BadRecord):
                left_out.add(f"{record.where}: {record.reason}", "unreadable")
                continue
            where, row = record
            try:
                if own or set(COLUMNS[stage]) <= row.keys():
                    found = [_own(stage, row)]
                else:
                    found = _of_another_layout(stage, row, exporter)
            except Unusable as problem:
                left_out.add(where, str(problem))
                continue
            for each in found:
                yield content_hash(each["prompt"][0]), each


def conversation(row: Row, sides: tuple[str, ...]) -> tuple[list[Message], list[list[Message]]]:
    """The prompt and the answers of a row, as messages.

    Args:
        row: The row.
        sides: Columns of the answers.

    Raises:
        Unusable: A rule of the module is broken.
    """
    _of_one_form(row, sides)
    prompt = _messages("prompt", row.get("prompt"), "user")
    answers = [_messages(side, row.get(side), "assistant") for side in sides]
    if all(len(answer) > len(prompt) and answer[: len(prompt)] == prompt for answer in answers):
        answers = [answer[len(prompt) :] for answer in answers]
    if prompt[-1]["role"] == "assistant":
        raise Unusable("prompt ends with the assistant's message: nothing is asked")
    if not prompt[-1]["content"].strip():
        raise Unusable("prompt is blank")
    for side, answer in zip(sides, answers, strict=True):
        if answer[0]["role"] != "assistant" or answer[-1]["role"] != "assistant":
            raise Unusable(f"{side} does not begin and end with the assistant's message")
        if any(message["role"] == "assistant" and not message["content"].strip() for message in answer):
            raise Unusable(f"{side} is blank")
    return prompt, answers


def _own(stage: Stage, row: Row) -> dict[str, Any]:
    """A row with the stage's own columns, as its export would have it."""
    sides = tuple(name for name in COLUMNS[stage] if name in ("completion", *SIDES))
    prompt, answers = conversation(row, sides)
    found: dict[str, Any] = {"prompt": prompt, **dict(zip(sides, answers, strict=True))}
    if len(answers) == 2 and answers[0] == answers[1]:
        raise Unusable("chosen and rejected are equal")
    if stage == "sft" and _as_boolean(row.get("label")) is False:
        raise Unusable("label is false: no demonstration")
    if stage == "kto":
        found["label"] = _boolean("label", row.get("label"))
    if stage == "reward":
        found |= {
            name: row.get(name) is not None and _boolean(name, row[name]) for name in ("direct", "augmented")
        }
    return found


def _of_another_layout(stage: Stage, row: Row, exporter: Exporter) -> list[dict[str, Any]]:
    """A row of a usual layout of other datasets, in the stage's format."""
    _of_one_form(row, SIDES)
    if row.get("chosen") is not None and row.get("chosen") == row.get("rejected"):
        raise Unusable("chosen and rejected are equal")
    try:
        found = list(samples("", [row]))
    except DataError:
        raise Unusable(
            f"columns are neither {', '.join(COLUMNS[stage])} nor of another known layout"
        ) from None
    if not found:
        raise Unusable("no usable prompt with an answer, or no two answers of different ratings")
    kind = "demonstration" if isinstance(found[0], Demonstration) else "preference"
    if kind != exporter.kind:
        raise Unusable(f"a {kind}: `{stage}` is trained on {exporter.kind}s")
    return [rendered for sample in found for rendered in exporter.render(sample)]


def _of_one_form(row: Row, sides: tuple[str, ...]) -> None:
    if len({isinstance(row[side], str) for side in sides if row.get(side) is not None}) > 1:
        raise Unusable(f"{' and '.join(sides)} are of different forms: a text, and messages")


def _messages(name: str, value: Any, role: str) -> list[Message]:
    """A text or messages as messages with nothing but role and content."""
    if value is None:
        raise Unusable(f"{name} is missing")
    if isinstance(value, str):
        value = [{"role": role, "content": value}]
    if not isinstance(value, list | tuple):
        raise Unusable(f"{name} is neither a text nor a list of messages")
    if not value:
        raise Unusable(f"{name} is empty")
    found = []
    for message in value:
        parts = [message.get(key) for key in ("role", "content")] if isinstance(message, Mapping) else []
        if len(parts) != 2 or not all(isinstance(part, str) for part in parts) or not parts[0]:
            raise Unusable(f"{name} has a message without the texts role and content")
        if message.get("tool_calls"):
            raise Unusable(f"{name} has a message whose tool calls stand outside its text")
        found.append({"role": parts[0], "content": parts[1]})
    return found


def _boolean(name: str, value: Any) -> bool:
    if value is None:
        raise Unusable(f"{name} is missing")
    found = _as_boolean(value)
    if found is None:
        raise Unusable(f"{name} is neither true nor false (1 nor 0)")
    return found


def _as_boolean(value: Any) -> bool | None:
    """True or false, 1 or 0, also as text; None for anything else."""
    return _BOOLEANS.get(str(value).strip().lower()) if isinstance(value, bool | int | float | str) else None
