"""Files of votes as battles: the Arena's releases (55k, 100k, 140k), MT-Bench judgments, and a mapping of one's own.

The layout is told from a record's columns; a record that fits none, or that breaks its layout, is reported with its
place and passed over. A judge or an item that is not named (null, blank, absent) is nobody's and nothing's: such a vote
has no judge, and an item of its own, unless its prompt says what was judged.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator, Sequence
from collections.abc import Mapping as AnyMapping
from functools import partial
from typing import Any

from ultrainteract.errors import DataError
from ultrainteract.judgments.votes.battle import Battle, Style, Winner
from ultrainteract.readers.files import BadRecord
from ultrainteract.readers.rows import Row, Unusable, has_surrogate, is_empty, read_nested, shorten
from ultrainteract.schema import Record, content_hash

_WINNERS: dict[str, Winner] = {
    "modela": "a", "a": "a", "1": "a", "left": "a",
    "modelb": "b", "b": "b", "2": "b", "right": "b",
    "tie": "tie", "draw": "tie", "tieinconsistent": "tie",
    "bothbad": "both_bad", "tiebothbad": "both_bad",
}  # fmt: skip
"""Verdicts as `read_winner` spells them."""
_BETWEEN_WORDS = re.compile(r"[\s_()-]+")


class Mapping(Record):
    """Columns of a file in a layout of its own; a dotted name reaches into objects."""

    model_a: str = "model_a"
    """Column with the first model."""
    model_b: str = "model_b"
    """Column with the second model."""
    winner: str = "winner"
    """Column with the verdict: `a`, `b`, `tie`, `both_bad` (see `read_winner`)."""
    item: str | None = None
    """Column with what was judged; the prompt if None. A vote with neither has an item of its own."""
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
        DataError: No record has the columns of a known layout, or those of the mapping.
    """
    absent = {name: column for name, column in mapping or () if column is not None}
    problem, fitted = "", False
    for row in rows:
        if isinstance(row, BadRecord):
            yield row
            continue
        read = layout_of(row) if mapping is None else partial(_mapped, mapping=mapping)
        if read is None:
            reason = f"no known layout of votes has the columns {_columns(row)}. Name yours with --map"
            problem = problem or f"{row.where}: {reason}."
            yield BadRecord(row.where, reason)
            continue
        absent = {name: column for name, column in absent.items() if not _has_column(row, column)}
        for name, column in absent.items():
            problem = f"{row.where}: no record has a column '{column}' (--map {name}={column}), but {_columns(row)}."
        fitted = not absent
        try:
            yield read(row)
        except Unusable as fault:
            yield BadRecord(row.where, str(fault))
    if problem and not fitted:
        raise DataError(problem)


def _columns(row: Row) -> str:
    return shorten(", ".join(sorted(map(str, row.data))), 200) or "none"


def _has_column(row: Row, column: str) -> bool:
    """Whether a record has a column, be it null."""
    try:
        return column in row.data or row.get(column) is not None
    except Unusable:  # twice, with different values
        return True


def layout_of(row: Row) -> Callable[[Row], Battle] | None:
    """The reader for a record's layout; None where its columns are those of no known one."""
    columns = set(row.data)
    for needed, reader in (
        ({"winner_model_a", "winner_model_b", "response_a"}, _arena_55k),
        ({"model_a", "model_b", "winner", "conversation_a"}, _conversations),
        ({"model_a", "model_b", "winner", "conv_metadata"}, _metadata),
        ({"model_a", "model_b", "winner"}, _labels),
    ):
        if needed <= columns:
            return reader
    return None


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
    item = content_hash([row.identity("question_id"), row.identity("turn"), users[0]])
    return _battle(
        row, _winner(row), judge=_judge(row), item=item, prompt=users[0][-1] if same else None,
        history=tuple(first[:-2]) if same else (), answers=(first[-1][1], second[-1][1]) if same else None,
        whole=(_said(first), _said(second)),
        anonymous=str(row.get("anony")).strip().lower() not in ("false", "no", "0", "0.0"),
    )  # fmt: skip


def _said(messages: Sequence[tuple[str, str]]) -> str:
    return "\n".join(text for role, text in messages if role == "assistant")


def _metadata(row: Row) -> Battle:
    battle = _battle(
        row,
        _winner(row),
        judge=_judge(row),
        item=row.identity("question_id", "id") or _own_item(row),
    )
    metadata = row.nested("conv_metadata") if row.has("conv_metadata") else None
    return battle.model_copy(update={f"style_{side}": _counted(metadata, side) for side in "ab"})


def _labels(row: Row) -> Battle:
    question = row.identity("question_id")
    item = _own_item(row) if question is None else f"{question}/{row.identity('turn') or 1}"
    return _battle(row, _winner(row), judge=_judge(row), item=item)


def _own_item(row: Row) -> str:
    """The item of a vote that does not say what was judged: no other vote is on it."""
    return content_hash([str(row.file), row.where])


def _mapped(row: Row, mapping: Mapping) -> Battle:
    def text(column: str | None) -> str | None:
        return row.text(column) if column else None

    def identity(column: str | None) -> str | None:
        return row.identity(column) if column else None

    prompt = text(mapping.prompt) if mapping.prompt and not is_empty(row.get(mapping.prompt)) else None
    answers = (text(mapping.response_a), text(mapping.response_b))
    item = identity(mapping.item) or prompt or _own_item(row)
    both = (answers[0], answers[1]) if answers[0] is not None and answers[1] is not None else None
    return _battle(
        row, _winner(row, mapping.winner), judge=identity(mapping.judge), item=item, prompt=prompt,
        answers=both, whole=both, models=(mapping.model_a, mapping.model_b),
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
    models: tuple[str, str] = ("model_a", "model_b"),
    anonymous: bool = True,
) -> Battle:
    first, second = map(row.filled, models)
    if first == second:
        raise Unusable(f"both sides are '{first}'")
    return Battle(
        where=row.where, item=item, model_a=first, model_b=second, winner=winner, judge=judge, prompt=prompt,
        history=history,
        response_a=answers[0] if answers else None, response_b=answers[1] if answers else None,
        style_a=Style.of(whole[0]) if whole else None, style_b=Style.of(whole[1]) if whole else None,
        anonymous=anonymous,
    )  # fmt: skip


def read_winner(text: str) -> Winner | None:
    """The verdict that a text states, None where it states none.

    Case counts for nothing, and neither does what stands between words: `Tie (Both-Bad)` is `tiebothbad`. A text that
    begins with anything but a letter (`1`, `-1`) is taken as it is.
    """
    said = text.strip().lower()
    return _WINNERS.get(_BETWEEN_WORDS.sub("", said) if said[:1].isalpha() else said)


def _winner(row: Row, column: str = "winner") -> Winner:
    text = row.text(column)
    if (winner := read_winner(text)) is None:
        raise Unusable(f"'{shorten(text)}' in '{column}' is no verdict: a, b, tie and both_bad are")
    return winner


def _judge(row: Row) -> str | None:
    return row.identity(
        "judge", "judge_hash", "evaluation_session_id", "user_id"
    )  # MT-Bench: [judge, prompt]


def _flag(row: Row, name: str) -> bool:
    value = row.get(name)
    if value in (0, 1, "0", "1", "0.0", "1.0"):
        return float(value) == 1
    raise Unusable(f"field '{name}' is neither 0 nor 1")


def _texts(row: Row, name: str) -> list[str]:
    value: Any = row.get(name)
    if isinstance(value, str):
        try:
            listed = json.loads(value)
        except (ValueError, RecursionError):
            listed = None
        value = listed if isinstance(listed, list) else [value]
    if not isinstance(value, list) or not all(isinstance(text, str) and text.strip() for text in value):
        raise Unusable(f"field '{name}' holds an empty or missing text")
    if has_surrogate(value):
        raise Unusable(f"field '{name}' is not valid Unicode")
    return list(value)


def _messages(row: Row, name: str) -> list[tuple[str, str]]:
    value = read_nested(row.get(name), name)
    if not isinstance(value, Sequence) or len(value) < 2:
        raise Unusable(f"field '{name}' is no conversation")
    messages = []
    for message in value:
        role, content = (
            (message.get("role"), message.get("content")) if isinstance(message, dict) else (None, None)
        )
        if isinstance(content, list):  # typed parts
            texts = [part.get("text") for part in content if isinstance(part, dict)]
            content = "\n".join(text for text in texts if isinstance(text, str))
        if not isinstance(role, str) or not isinstance(content, str) or not content.strip():
            raise Unusable(f"field '{name}' holds a message without role or text")
        messages.append((role, content))
    return messages


def _counted(metadata: Any, side: str) -> Style | None:
    """The style that the Arena's counts state; None where one of the four is no number of things."""
    if not isinstance(metadata, AnyMapping):
        return None
    tokens = _count(metadata.get(f"sum_assistant_{side}_tokens"))
    headers, bold, lists = (
        _count(metadata.get(f"{name}_count_{side}")) for name in ("header", "bold", "list")
    )
    if tokens is None or headers is None or bold is None or lists is None:
        return None
    return Style(tokens=tokens, headers=headers, bold=bold, lists=lists)


def _count(value: Any) -> int | None:
    """A whole number of things, or the sum of an object of them.

    A null in an object is an absent key (a columnar file cannot tell them apart); whatever else is no finite number
    from 0 is not known.
    """
    if isinstance(value, AnyMapping):
        parts = [_count(part) for part in value.values() if part is not None]
        return None if None in parts else sum(part for part in parts if part is not None)
    number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return int(value) if number and value >= 0 else None
