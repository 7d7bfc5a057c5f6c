"""Files of votes as battles: the Arena's releases (55k, 100k, 140k), MT-Bench judgments, and a mapping of one's own.

The layout is told from a record's columns; a record that fits none, or that breaks its layout, is reported with its
place and passed over.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from ultrainteract.errors import DataError
from ultrainteract.judgments.votes.battle import Battle, Style, Winner
from ultrainteract.readers.files import BadRecord
from ultrainteract.readers.rows import Row, Unusable
from ultrainteract.schema import Record, content_hash

_WINNERS: dict[str, Winner] = {
    "model_a": "a", "a": "a", "1": "a", "left": "a",
    "model_b": "b", "b": "b", "2": "b", "right": "b",
    "tie": "tie", "draw": "tie", "tie (inconsistent)": "tie",
    "both_bad": "both_bad", "tie (bothbad)": "both_bad", "bothbad": "both_bad",
}  # fmt: skip


class Mapping(Record):
    """Columns of a file in a layout of its own; a dotted name reaches into objects."""

    model_a: str = "model_a"
    """Column with the first model."""
    model_b: str = "model_b"
    """Column with the second model."""
    winner: str = "winner"
    """Column with the verdict: `a`, `b`, `tie`, `both_bad` (and the Arena's spellings)."""
    item: str | None = None
    """Column with what was judged; the prompt if None."""
    judge: str | None = None
    """Column with who voted."""
    prompt: str | None = None
    """Column with the prompt."""
    response_a: str | None = None
    """Column with the first answer."""
    response_b: str | None = None
    """Column with the second answer."""


def read_battles(
    rows: Iterator[Row | BadRecord], mapping: Mapping | None = None
) -> Iterator[Battle | BadRecord]:
    """Turns records into battles.

    Args:
        rows: Records of one file or dataset.
        mapping: Columns of a layout of one's own; the layout is told from each record if None.

    Yields:
        Each vote, or what is wrong with the record.

    Raises:
        DataError: The first record has the columns of no known layout.
    """
    read: Callable[[Row], Battle] | None = (lambda row: _mapped(row, mapping)) if mapping else None
    for row in rows:
        if isinstance(row, BadRecord):
            yield row
            continue
        if read is None:
            read = layout_of(row)
        try:
            yield read(row)
        except Unusable as problem:
            yield BadRecord(row.where, str(problem))


def layout_of(row: Row) -> Callable[[Row], Battle]:
    """The reader for a record's layout.

    Raises:
        DataError: Its columns are those of no known layout.
    """
    columns = set(row.data)
    for needed, reader in (
        ({"winner_model_a", "winner_model_b", "response_a"}, _arena_55k),
        ({"model_a", "model_b", "winner", "conversation_a"}, _conversations),
        ({"model_a", "model_b", "winner", "conv_metadata"}, _metadata),
        ({"model_a", "model_b", "winner", "question_id"}, _labels),
    ):
        if needed <= columns:
            return reader
    raise DataError(
        f"{row.where}: no known layout of votes has the columns {', '.join(sorted(columns))}. Name yours with --map."
    )


def _arena_55k(row: Row) -> Battle:
    prompts, first, second = (_texts(row, name) for name in ("prompt", "response_a", "response_b"))
    if not len(prompts) == len(first) == len(second) or not prompts:
        raise Unusable("prompt, response_a and response_b have different numbers of turns")
    marks = [_flag(row, f"winner_{name}") for name in ("model_a", "model_b", "tie")]
    if sum(marks) != 1:
        raise Unusable("exactly one of winner_model_a, winner_model_b and winner_tie must be 1")
    winners: tuple[Winner, ...] = ("a", "b", "tie")
    same = first[:-1] == second[:-1]
    history = tuple(
        message
        for prompt, answer in zip(prompts[:-1], first[:-1], strict=True)
        for message in (("user", prompt), ("assistant", answer))
    )
    return _battle(
        row, winners[marks.index(True)], judge=None, item=content_hash(prompts), prompt=prompts[-1] if same else None,
        history=history if same else (),
        answers=(first[-1], second[-1]) if same else None, whole=("\n".join(first), "\n".join(second)),
    )  # fmt: skip


def _conversations(row: Row) -> Battle:
    first, second = (_messages(row, f"conversation_{side}") for side in "ab")
    users = [[text for role, text in side if role == "user"] for side in (first, second)]
    if users[0] != users[1] or not users[0]:
        raise Unusable("conversation_a and conversation_b do not answer the same prompts")
    same = first[:-1] == second[:-1] and first[-1][0] == second[-1][0] == "assistant"
    item = content_hash([row.get("question_id"), row.get("turn"), users[0]])
    return _battle(
        row, _winner(row), judge=_judge(row), item=item, prompt=users[0][-1] if same else None,
        history=tuple(first[:-2]) if same else (), answers=(first[-1][1], second[-1][1]) if same else None,
        whole=(_said(first), _said(second)),
        anonymous=row.get("anony") is not False,
    )  # fmt: skip


def _said(messages: Sequence[tuple[str, str]]) -> str:
    return "\n".join(text for role, text in messages if role == "assistant")


def _metadata(row: Row) -> Battle:
    battle = _battle(
        row,
        _winner(row),
        judge=_judge(row),
        item=content_hash(row.get("question_id") or row.get("id") or row.key),
    )
    styles = {f"style_{side}": _counted(row.get("conv_metadata"), side) for side in "ab"}
    return battle.model_copy(update=styles)


def _labels(row: Row) -> Battle:
    return _battle(
        row, _winner(row), judge=_judge(row), item=f"{row.get('question_id')}/{row.get('turn') or 1}"
    )


def _mapped(row: Row, mapping: Mapping) -> Battle:
    def text(column: str | None) -> str | None:
        return row.text(column) if column else None

    prompt, answers = text(mapping.prompt), (text(mapping.response_a), text(mapping.response_b))
    item = text(mapping.item) or prompt
    if item is None:
        raise Unusable("the mapping names neither a prompt nor an item")
    both = (answers[0], answers[1]) if answers[0] is not None and answers[1] is not None else None
    return _battle(
        row, _winner(row, mapping.winner), judge=text(mapping.judge), item=item, prompt=prompt,
        answers=both, whole=both, models=(row.text(mapping.model_a), row.text(mapping.model_b)),
    )  # fmt: skip


def _battle(
    row: Row,
    winner: Winner,
    *,
    judge: str | None,
    item: str,
    prompt: str | None = None,
    history: tuple[tuple[str, str], ...] = (),
    answers: tuple[str, str] | None = None,
    whole: tuple[str, str] | None = None,
    models: tuple[str, str] | None = None,
    anonymous: bool = True,
) -> Battle:
    first, second = models or (row.text("model_a"), row.text("model_b"))
    if first == second:
        raise Unusable(f"both sides are '{first}'")
    return Battle(
        where=row.where, item=item, model_a=first, model_b=second, winner=winner, judge=judge, prompt=prompt,
        history=history,
        response_a=answers[0] if answers else None, response_b=answers[1] if answers else None,
        style_a=Style.of(whole[0]) if whole else None, style_b=Style.of(whole[1]) if whole else None,
        anonymous=anonymous,
    )  # fmt: skip


def _winner(row: Row, column: str = "winner") -> Winner:
    text = row.text(column).strip().lower()
    if text not in _WINNERS:
        raise Unusable(f"'{text}' in '{column}' is no verdict: a, b, tie and both_bad are")
    return _WINNERS[text]


def _judge(row: Row) -> str | None:
    for name in ("judge", "judge_hash", "evaluation_session_id", "user_id"):
        value = row.get(name)
        if isinstance(value, list):  # MT-Bench: [judge, prompt]
            value = ":".join(str(part) for part in value)
        if value not in (None, ""):
            return str(value)
    return None


def _flag(row: Row, name: str) -> bool:
    value = row.get(name)
    if value in (0, 1, "0", "1", "0.0", "1.0"):
        return float(value) == 1
    raise Unusable(f"field '{name}' is neither 0 nor 1")


def _texts(row: Row, name: str) -> list[str]:
    value: Any = row.get(name)
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            value = [value]
    if not isinstance(value, list) or not all(isinstance(text, str) and text.strip() for text in value):
        raise Unusable(f"field '{name}' holds an empty or missing text")
    return list(value)


def _messages(row: Row, name: str) -> list[tuple[str, str]]:
    value: Any = row.get(name)
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            value = None
    if not isinstance(value, Sequence) or len(value) < 2:
        raise Unusable(f"field '{name}' is no conversation")
    messages = []
    for message in value:
        role, content = (
            (message.get("role"), message.get("content")) if isinstance(message, dict) else (None, None)
        )
        if isinstance(content, list):  # typed parts
            content = "\n".join(part.get("text") or "" for part in content if isinstance(part, dict))
        if not isinstance(role, str) or not isinstance(content, str) or not content.strip():
            raise Unusable(f"field '{name}' holds a message without role or text")
        messages.append((role, content))
    return messages


def _counted(metadata: Any, side: str) -> Style | None:
    if not isinstance(metadata, dict) or not isinstance(
        metadata.get(f"sum_assistant_{side}_tokens"), int | float
    ):
        return None

    def total(name: str) -> int:
        value = metadata.get(f"{name}_{side}")
        value = sum(value.values()) if isinstance(value, dict) else value
        return int(value) if isinstance(value, int | float) else 0

    return Style(
        tokens=int(metadata[f"sum_assistant_{side}_tokens"]),
        headers=total("header_count"), bold=total("bold_count"), lists=total("list_count"),
    )  # fmt: skip
