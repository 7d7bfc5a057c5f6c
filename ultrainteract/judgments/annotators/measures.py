"""What is asked of an annotator and what is answered: one row per measure, the same file before and after.

A plan's rows have no answer yet; a person or a program fills `answer` in and nothing else. Crowd votes are measures,
too: their order is the order in which the two answers were shown.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Literal

from pydantic import ValidationError

from ultrainteract.errors import DataError
from ultrainteract.judgments.votes.battle import Battle
from ultrainteract.readers.files import BadRecord
from ultrainteract.readers.rows import Row
from ultrainteract.schema import Record, content_hash

Order = Literal["straight", "swapped"]
Scale = Literal["pairwise", "rating"]
Choice = Literal["a", "b", "tie"]


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
    """Who answers."""
    answer: str | None = None
    """The answer: `1`, `2` or `equal`, of the answers as shown; on the rating scale two numbers, such as `7 4`.
    Whatever else a model writes around its choice is passed over."""

    @property
    def condition(self) -> tuple[str, str, str]:
        """Order, wording, scale."""
        return self.order, self.wording, self.scale

    @property
    def verdict(self) -> Choice | None:
        """The preferred answer, with the order undone; None where there is no answer, or none that can be read."""
        if self.answer is None:
            return None
        shown = (read_choice if self.scale == "pairwise" else read_ratings)(self.answer)
        if shown is None or shown == "tie":
            return shown
        return shown if self.order == "straight" else "b" if shown == "a" else "a"


_CHOICE = re.compile(r"\bcho(?:ice|ose)\W{0,4}(1|2|equal|tie)\b(\W*(?:vs|versus|or|and)\b)?", re.IGNORECASE)
_ALONE = re.compile(r"\W*(?:answer|response|choice|choose)?\W*(1|2|equal|tie)\W*", re.IGNORECASE)
_NUMBER = re.compile(r"(?<![\d.])(10|[0-9](?:\.\d+)?)(?![\d])")
_SHOWN: dict[str, Choice] = {"1": "a", "2": "b", "equal": "tie", "tie": "tie"}


def read_choice(answer: str) -> Choice | None:
    """The answer preferred as shown (`a` the first): the first line if it is a choice alone, else `Choice: 1` anywhere.

    None where there is neither, or different choices are stated (`Choice 1 vs. Choice 2`).
    """
    if alone := _ALONE.fullmatch(answer.strip().partition("\n")[0]):
        return _SHOWN[alone[1].lower()]
    stated = list(_CHOICE.finditer(answer))
    found = {match[1].lower() for match in stated}
    return _SHOWN[found.pop()] if len(found) == 1 and not any(match[2] for match in stated) else None


def read_ratings(answer: str) -> Choice | None:
    """The answer with the higher rating, from the first two numbers of 0 to 10 in the text."""
    lines = [line for line in answer.splitlines() if _NUMBER.search(line)] or [""]
    numbers = [
        float(number) for number in _NUMBER.findall(re.sub(r"(?i)(answer|response)\s*[12]\b", "", lines[0]))
    ]
    if len(numbers) < 2:
        numbers = [float(n) for n in _NUMBER.findall(re.sub(r"(?i)(answer|response)\s*[12]\b", "", answer))]
    if len(numbers) < 2:
        return None
    return "tie" if numbers[0] == numbers[1] else "a" if numbers[0] > numbers[1] else "b"


def read_questions(rows: Iterable[Row | BadRecord]) -> Iterator[Question]:
    """The rows of a plan.

    Raises:
        DataError: A row is not one of a plan; the message names its place.
    """
    for row in rows:
        if isinstance(row, BadRecord):
            raise DataError(f"{row.where}: {row.reason}.")
        try:
            yield Question.model_validate(row.data)
        except ValidationError as error:
            problem = error.errors()[0]
            place = ".".join(map(str, problem["loc"]))
            raise DataError(
                f"{row.where}: not a row of an annotation plan: {place}: {problem['msg']}."
            ) from error


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
