"""What is asked of an annotator and what is answered: one row per measure, the same file before and after.

A plan's rows have no answer yet; a person or a program fills `answer` in and nothing else. Crowd votes are measures,
too: their order is the order in which the two answers were shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Literal

from pydantic import ValidationError, field_validator

from ultrainteract.errors import DataError
from ultrainteract.judgments.annotators.answers import Choice, read_choice, read_ratings
from ultrainteract.judgments.votes.battle import Battle
from ultrainteract.readers.files import BadRecord
from ultrainteract.readers.rows import Row, Unusable, is_empty, number_text
from ultrainteract.schema import Record, content_hash

Known = dict[str, tuple["Item", str]]
"""Items by id, with the place where each was first found."""
Order = Literal["straight", "swapped"]
Scale = Literal["pairwise", "rating"]


class Item(Record):
    """Two answers to one prompt."""

    id: str
    """Name of the item."""
    prompt: str
    """What both answer."""
    response_a: str
    """The first answer."""
    response_b: str
    """The second answer."""
    model_a: str = "a"
    """Author of the first answer."""
    model_b: str = "b"
    """Author of the second answer."""
    label: Literal["a", "b"] | None = None
    """The better answer, where it is known: annotators are measured by it, and never see it."""


class Question(Record):
    """One measure, planned or taken."""

    item: Item
    """What is judged."""
    order: Order
    """`straight`: A stands first."""
    wording: str
    """Number of the wording."""
    scale: Scale
    """`pairwise`: which is better; `rating`: a number for each."""
    repeat: int
    """Number of the repetition under these conditions, from 0."""
    text: str = ""
    """What the annotator is shown, as one text."""
    annotator: str | None = None
    """Who answers; None where nobody is named."""
    answer: str | None = None
    """The answer: `1`, `2` or `equal`, of the answers as shown (`A` and `B` are `1` and `2`); on the rating scale two
    numbers, such as `7 4`. None, like an empty cell: not answered yet. `answers` says what is read of a longer text."""

    @field_validator("annotator", "answer", mode="before")
    @classmethod
    def _as_text(cls, value: Any) -> Any:
        """A cell as a person's program writes it: numbers in their shortest form, a list of numbers in one line."""
        if is_empty(value):
            return None
        values = value if isinstance(value, list | tuple) else [value]
        if not values or not all(type(one) in (int, float) for one in values):
            return value
        try:
            return " ".join(number_text(one, "answer") for one in values)
        except Unusable as problem:
            raise ValueError(str(problem)) from None

    @property
    def condition(self) -> tuple[str, str, str]:
        """Order, wording, scale."""
        return self.order, self.wording, self.scale

    @property
    def key(self) -> tuple[str | None, str, tuple[str, str, str], int]:
        """What makes it a measure of its own: annotator, item, condition, repetition."""
        return self.annotator, self.item.id, self.condition, self.repeat

    @property
    def verdict(self) -> Choice | None:
        """The preferred answer, with the order undone; None where there is no answer, or none that can be read."""
        if self.answer is None:
            return None
        shown = (read_choice if self.scale == "pairwise" else read_ratings)(self.answer)
        if shown is None or shown == "tie":
            return shown
        return shown if self.order == "straight" else "b" if shown == "a" else "a"


def check_item(item: Item, where: str, known: Known) -> None:
    """Refuses a second item of one id: answers to both would be taken for answers to the first.

    Args:
        item: The item.
        where: File and line.
        known: The items before it; it is added.

    Raises:
        DataError: One of them has its id and is not the same.
    """
    first, place = known.setdefault(item.id, (item, where))
    if first != item:
        differ = ", ".join(name for name in Item.model_fields if getattr(first, name) != getattr(item, name))
        raise DataError(
            f"{where}: an item with the id '{item.id}' and another {differ} is in {place}. Give each an id of its own."
        )


def read_questions(rows: Iterable[Row | BadRecord]) -> list[Question]:
    """The rows of plans.

    A measure (annotator, item, condition, repetition) counts once: rows that say the same are one, and one without an
    answer yields to one with an answer.

    Args:
        rows: The rows of all plans together.

    Raises:
        DataError: A row is not one of a plan, two items have one id, or two answers are to one measure; the message
            names the places.
    """
    known: Known = {}
    found: dict[tuple[object, ...], tuple[Question, str]] = {}
    for row in rows:
        if isinstance(row, BadRecord):
            raise DataError(f"{row.where}: {row.reason}.")
        try:
            question = Question.model_validate(row.data)
        except ValidationError as error:
            problem = error.errors()[0]
            place = ".".join(map(str, problem["loc"]))
            raise DataError(
                f"{row.where}: not a row of an annotation plan: {place}: {problem['msg']}."
            ) from error
        check_item(question.item, row.where, known)
        first, place = found.setdefault(question.key, (question, row.where))
        if first.answer is None:
            found[question.key] = (question, row.where)
        elif question.answer not in (None, first.answer):
            raise DataError(
                f"{row.where}: {question.annotator or 'an annotator without a name'} gave another answer to this "
                f"question in {place}. Name the annotator of each row, or keep one of the two."
            )
    return [question for question, _ in found.values()]


def why_no_measure(vote: Battle) -> str | None:
    """Why a vote is no measure of an annotator; None where it is one."""
    if vote.judge is None:
        return "vote without a judge"
    if vote.prompt is None or vote.response_a is None or vote.response_b is None:
        return "vote without texts"
    return None


def measures_of_votes(battles: Iterable[Battle]) -> Iterator[Question]:
    """Votes with texts and judges as measures; both ways round are one item."""
    counts: dict[tuple[str, str, str], int] = {}
    for vote in battles:
        if vote.judge is None or vote.prompt is None or vote.response_a is None or vote.response_b is None:
            continue
        sides = [(vote.model_a, vote.response_a), (vote.model_b, vote.response_b)]
        straight = sides == sorted(sides)
        (model_a, first), (model_b, second) = sorted(sides)
        item = Item(
            id=content_hash([vote.item, vote.prompt, sorted(sides)])[:16], prompt=vote.prompt, response_a=first,
            response_b=second, model_a=model_a, model_b=model_b,
        )  # fmt: skip
        order: Order = "straight" if straight else "swapped"
        key = (vote.judge, item.id, order)
        counts[key] = counts.get(key, -1) + 1
        shown = {"a": "1", "b": "2"}.get(vote.winner, "equal")
        yield Question(
            item=item, order=order, wording="1", scale="pairwise", repeat=counts[key], annotator=vote.judge,
            answer=shown,
        )  # fmt: skip
