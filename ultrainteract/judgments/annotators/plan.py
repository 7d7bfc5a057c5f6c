"""Which questions to ask: every item under every combination of order, wording and scale, several times."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence

from ultrainteract.errors import ConfigError, DataError
from ultrainteract.judgments.annotators.measures import (
    Item,
    Known,
    Order,
    Question,
    Scale,
    check_item,
)
from ultrainteract.prompts import Prompts
from ultrainteract.readers.files import BadRecord
from ultrainteract.readers.rows import Row, Unusable, is_empty
from ultrainteract.schema import Message, content_hash

WORDINGS = 3
"""Wordings of each scale that come with the package: templates `annotator/SCALE.NUMBER`."""
REPEATS = 4
"""Default number of repetitions per condition: with two orders and two wordings, 16 measures (docs/annotate.md)."""
_ORDERS: tuple[Order, ...] = ("straight", "swapped")
_LABELS = {"1": "a", "a": "a", "model_a": "a", "2": "b", "b": "b", "model_b": "b"}


def read_items(rows: Iterable[Row | BadRecord], columns: Mapping[str, str] | None = None) -> Iterator[Item]:
    """Items from records.

    Records that hold the same item are duplicates: each is yielded. An id, given or made of the texts, stands for one
    item.

    Args:
        rows: Records with `prompt`, `response_a`, `response_b`, and perhaps `id`, `model_a`, `model_b`, `label`.
        columns: Columns by these names, for a layout of one's own.

    Raises:
        DataError: A record lacks a text, its label is neither answer, or its id is that of another item.
        ConfigError: `columns` names an unknown field.
    """
    names = {name: name for name in Item.model_fields} | dict(columns or {})
    if unknown := set(names) - set(Item.model_fields):
        raise ConfigError(f"--map: items have the fields {', '.join(Item.model_fields)}, not {min(unknown)}.")
    known: Known = {}
    for row in rows:
        if isinstance(row, BadRecord):
            raise DataError(f"{row.where}: {row.reason}.")
        try:
            item = _item(row, names)
        except Unusable as problem:
            raise DataError(f"{row.where}: {problem}.") from problem
        check_item(item, row.where, known)
        yield item


def _item(row: Row, names: Mapping[str, str]) -> Item:
    texts = {}
    for name in ("prompt", "response_a", "response_b"):
        value = row.get(names[name])
        if not isinstance(value, str) or not row.text(names[name]):
            raise Unusable(f"column '{names[name]}' holds no text. Name yours with --map {name}=COLUMN")
        texts[name] = value
    rest = ("id", "model_a", "model_b", "label")
    more = {name: row.text(names[name]) for name in rest if not is_empty(row.get(names[name]))}
    if label := more.get("label"):
        more["label"] = _LABELS.get(label.lower().removesuffix(".0"), "")
        if not more["label"]:
            raise Unusable(f"the label '{label}' is neither 1 nor 2 (or a, b)")
    return Item.model_validate({"id": content_hash(texts)[:16]} | more | texts)


def planned(
    items: Sequence[Item],
    *,
    repeats: int = REPEATS,
    wordings: int = 2,
    scales: Sequence[str] = ("pairwise",),
    annotator: str | None = None,
    seed: int = 0,
    prompts: Prompts | None = None,
) -> list[Question]:
    """The questions of a plan, shuffled, so that a person meets an item again only after others.

    Args:
        items: What is judged.
        repeats: Repetitions per condition.
        wordings: Wordings per scale.
        scales: Scales.
        annotator: Who answers; left open if None.
        seed: Seed of the order.
        prompts: Templates; the built-in ones if None.
    """
    if not 1 <= wordings <= WORDINGS:
        raise ConfigError(f"There are {WORDINGS} wordings per scale: ask for 1 to {WORDINGS}.")
    known: list[Scale] = ["pairwise", "rating"]
    if unknown := set(scales) - set(known):
        raise ConfigError(f"There is no scale '{min(unknown)}'; there are pairwise and rating.")
    templates = prompts or Prompts()
    found = [
        Question(
            item=item, order=order, wording=str(wording), scale=scale, repeat=repeat, annotator=annotator,
            text=shown_text(messages(templates, item, order, str(wording), scale)),
        )
        for item in items for scale in known if scale in scales
        for wording in range(1, wordings + 1) for order in _ORDERS for repeat in range(repeats)
    ]  # fmt: skip
    random.Random(seed).shuffle(found)
    return found


def messages(prompts: Prompts, item: Item, order: Order, wording: str, scale: Scale) -> tuple[Message, ...]:
    """The question as a conversation."""
    first, second = item.response_a, item.response_b
    if order == "swapped":
        first, second = second, first
    return prompts.render(f"annotator/{scale}.{wording}", task=item.prompt, first=first, second=second)


def shown_text(talk: Iterable[Message]) -> str:
    """A conversation as one text."""
    return "\n\n".join(message.content for message in talk)
