"""A model as reader: ratings of paragraphs, blind, in both directions of a scale and in several wordings.

A request shows one text and its proposition, never whose text it is or another version of it. Every scale is asked for
from low to high and from high to low, so that a liking for large numbers cancels out; what is left of it is reported.
Where the file holds people's ratings, the model's are compared with them. The ratings of one model are not those of so
many independent readers: their spread says nothing of an error that it always makes.
"""

from __future__ import annotations

import asyncio
import math
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean, pstdev
from typing import Any

from ultrainteract.config import RunConfig
from ultrainteract.judgments.annotators.asking import annotator_name
from ultrainteract.judgments.trees import open_instruction
from ultrainteract.judgments.writing.paragraphs import CONFIDENCE, POLARITY, POLISH, STANCE
from ultrainteract.models import price_of
from ultrainteract.models.base import ChatModel, Purpose
from ultrainteract.prompts import Prompts
from ultrainteract.readers.rows import Row
from ultrainteract.replay.sessions import RecordedSampler
from ultrainteract.store import RunStore

SCALES = {
    POLISH[0]: ("How clearly is the text written?", "not clearly at all", "perfectly clearly"),
    POLISH[1]: ("How informative is the text?", "not informative at all", "very informative"),
    POLISH[2]: ("How relevant is the text to the statement?", "not relevant at all", "entirely relevant"),
    STANCE: ("What does the writer think of the statement?", "entirely against it", "entirely for it"),
    CONFIDENCE: ("How confident is the writer?", "not confident at all", "entirely confident"),
}
"""Question, low end and high end by column."""
WORDINGS = 2
"""Templates `writing/rate.N`."""
_NUMBER = re.compile(r"[-+−]?\d+(?:[.,]\d+)*%?")
_SCALE = re.compile(r"\b0 to 100\b|/\s*100\b")


@dataclass
class Rated:
    """The rows with a model's ratings, and what they are worth."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    unrated: dict[str, str] = field(default_factory=dict)
    """Why a row has no ratings, by its place."""
    answers: int = 0
    unread: int = 0
    """Replies without one number from 0 to 100."""
    readers: int = 0
    """Ratings per text and scale, at most: `writing pairs --readers`."""
    spread: float = 0.0
    """Root mean square of the standard deviation of single ratings, points: `writing pairs --spread`."""
    direction: dict[str, float] = field(default_factory=dict)
    """Mean of what is answered from low to high minus the same from high to low, points, by scale."""
    agreement: dict[str, float] = field(default_factory=dict)
    """Correlation with the ratings that the file holds, by scale, over rows that have both."""


async def rate_paragraphs(
    rows: Sequence[Row], config: RunConfig, name: str, models: Mapping[str, ChatModel], folder: Path, repeats: int
) -> Rated:  # fmt: skip
    """Has a model rate paragraphs.

    Args:
        rows: Rows with `proposition` and `paragraph`, and what else `read_paragraphs` takes.
        config: The configuration that names the model.
        name: The model's name in it.
        models: The models by name.
        folder: Where replies are recorded, before they are used; an interrupted rating goes on.
        repeats: Samples per question; a scale has 4 questions.

    Raises:
        ProviderError, BudgetExceeded: No further request can be sent; what was answered is recorded.
        StoreError: A reply could not be recorded.
    """
    prompts, room = Prompts(config.growth.prompts), asyncio.Semaphore(config.max_inflight_trees)
    found, given = Rated(), defaultdict[tuple[int, str], list[tuple[bool, float]]](list)
    with RunStore.resume(folder, config) as store:
        sampler = RecordedSampler(store, models, config, price_of)

        async def ask(place: int, row: Row, scale: str, wording: int, upwards: bool) -> None:
            question, *ends = SCALES[scale]
            low, high = ends if upwards else reversed(ends)
            messages = prompts.render(
                f"writing/rate.{wording}", statement=row.text("proposition"), text=row.text("paragraph"),
                question=question, low=low, high=high,
            )  # fmt: skip
            root = open_instruction(row.text("paragraph"), grader="writing", dataset="rate", source=row.where)
            async with room:
                samples = await sampler.session(root).sample(
                    name, messages, repeats, Purpose(role="judge", step="rate")
                )
            for sample in samples:
                found.answers += 1
                value = read_rating(sample.completion.text)
                found.unread += value is None
                if value is not None:
                    given[place, scale].append((upwards, value if upwards else 100 - value))

        try:
            async with asyncio.TaskGroup() as group:
                for place, row in enumerate(rows):
                    for scale in SCALES:
                        for wording in range(1, WORDINGS + 1):
                            for upwards in (True, False):
                                group.create_task(ask(place, row, scale, wording, upwards))
        except ExceptionGroup as failures:
            raise failures.exceptions[0] from None
    _sum_up(found, rows, given, annotator_name(config, name))
    return found


def read_rating(text: str) -> float | None:
    """The one number from 0 to 100 that a reply states, whatever says the scale (`/100`) aside.

    None where there is none, there are several that differ, or one is not on the scale or not written plainly (`-5`,
    `70%`, `1,000`).
    """
    stated = {match[0] for match in _NUMBER.finditer(_SCALE.sub("", text))}
    values = {float(one) if re.fullmatch(r"\d+(?:\.\d+)?", one) else math.nan for one in stated}
    return values.pop() if len(values) == 1 and 0 <= min(values) <= 100 else None


def _sum_up(
    found: Rated, rows: Sequence[Row], given: Mapping[tuple[int, str], list[tuple[bool, float]]], model: str
) -> None:
    people: dict[str, list[tuple[float, float]]] = defaultdict(list)
    shifts: dict[str, list[float]] = defaultdict(list)
    variances: list[float] = []
    for place, row in enumerate(rows):
        answers = {scale: given.get((place, scale), []) for scale in SCALES}
        sides = {
            scale: [[v for up, v in a if up is side] for side in (True, False)]
            for scale, a in answers.items()
        }
        lacking = [scale for scale, (up, down) in sides.items() if not up or not down]
        if lacking:
            found.unrated[row.where] = f"no readable rating in one direction: {', '.join(lacking)}"
            continue
        # Each direction has the same weight, however many of its replies could be read.
        ratings = {scale: (fmean(up) + fmean(down)) / 2 for scale, (up, down) in sides.items()}
        for scale, (up, down) in sides.items():
            shifts[scale].append(fmean(up) - fmean(down))
            variances.append(pstdev(up + down) ** 2)
            if (
                isinstance(row.data.get(scale), int | float | str)
                and (known := _number(row.data[scale])) is not None
            ):
                people[scale].append((known, ratings[scale]))
        polarity = fmean(2 * abs(value - 50) for _, value in answers[STANCE])
        rounded = {scale: round(value, 2) for scale, value in ratings.items()} | {
            POLARITY: round(polarity, 2)
        }
        found.rows.append(dict(row.data) | rounded | {"rated_by": model})
        found.readers = max(found.readers, *(len(answer) for answer in answers.values()))
    found.spread = round(fmean(variances) ** 0.5, 2) if variances else 0.0
    found.direction = {scale: round(fmean(values), 2) for scale, values in shifts.items()}
    found.agreement = dict(_correlations(people))


def _number(value: object) -> float | None:
    try:
        return float(str(value))
    except ValueError:
        return None


def _correlations(people: Mapping[str, list[tuple[float, float]]]) -> Iterator[tuple[str, float]]:
    import numpy as np

    for scale, values in people.items():
        one, other = np.array(values).T
        if len(values) > 2 and one.std() > 0 and other.std() > 0:
            yield scale, round(float(np.corrcoef(one, other)[0, 1]), 3)
