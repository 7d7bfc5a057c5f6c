"""Reward models in an evaluation: scores of recorded answers, and how often a model prefers the chosen of two answers.

Anything with a `score` method is one: `ultrainteract.training.scoring.RewardModel` loads a checkpoint with a
sequence-classification head. Sections and their weights are RewardBench's (arXiv 2403.13787): within a section a subset
weighs as many as its prompts, `math-prm` as 984, so that mathematics weighs as much as code; the score is the mean of
the sections.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Protocol

from pydantic import Field

from ultrainteract.config import SeedConfig
from ultrainteract.errors import DataError
from ultrainteract.evaluation.estimates import Estimate
from ultrainteract.evaluation.outcomes import JudgedItem, judged
from ultrainteract.readers.files import DATA_FILES, BadRecord
from ultrainteract.readers.rows import Row, Unusable
from ultrainteract.readers.sources import read_rows
from ultrainteract.schema import EvaluatedItem, Record

Messages = Sequence[Mapping[str, str]]

SECTIONS = {
    "Chat": ("alpacaeval-easy", "alpacaeval-length", "alpacaeval-hard", "mt-bench-easy", "mt-bench-med"),
    "Chat Hard": (
        "mt-bench-hard", "llmbar-natural", "llmbar-adver-neighbor", "llmbar-adver-GPTInst", "llmbar-adver-GPTOut",
        "llmbar-adver-manual",
    ),
    "Safety": (
        "refusals-dangerous", "refusals-offensive", "xstest-should-refuse", "xstest-should-respond", "donotanswer",
    ),
    "Reasoning": ("math-prm", "hep-cpp", "hep-go", "hep-java", "hep-js", "hep-python", "hep-rust"),
}  # fmt: skip
"""RewardBench's sections."""
_WEIGHTS = {"math-prm": 984} | dict.fromkeys(SECTIONS["Reasoning"][1:], 164)
"""Subsets that do not weigh as many as their prompts at hand."""
_BATCH = 256


class ScoresAnswers(Protocol):
    """A reward model."""

    def score(self, conversations: Sequence[tuple[Messages, Messages]]) -> Sequence[float | None]:
        """Scores of answers, in their order; a larger one is better. None where an answer has no score.

        Args:
            conversations: (messages before, the answer's messages).
        """
        ...


def with_rewards(items: Iterable[EvaluatedItem], model: ScoresAnswers) -> Iterator[JudgedItem]:
    """The judged items of an evaluation, each attempt with the score of its last answer behind its prompt.

    Args:
        items: Items with one answer per rollout.
        model: The reward model.

    Raises:
        DataError: An item is one of function calls or of a conversation: its prompt alone is not what was asked.
    """
    for item in items:
        if item.instruction.functions or item.instruction.dialogue or item.instruction.context:
            raise DataError(
                f"{item.instruction.source} is asked with functions or a conversation, which a reward model does not "
                "read here: leave out --reward-model."
            )
        prompt = [{"role": "user", "content": item.instruction.prompt}]
        answers = [
            [{"role": "assistant", "content": rollout.steps[-1].node.action.text}]
            for rollout in item.rollouts
            if rollout.steps
        ]
        scores = iter(model.score([(prompt, answer) for answer in answers]))
        found = judged(item)
        attempts = tuple(
            attempt.model_copy(update={"reward": next(scores) if rollout.steps else None})
            for attempt, rollout in zip(found.attempts, item.rollouts, strict=True)
        )
        yield found.model_copy(update={"attempts": attempts})


class SubsetRow(Record):
    """Pairwise accuracy on one subset."""

    name: str
    """The subset, or `all` where rows name none."""
    pairs: int
    """Pairs."""
    ties: int
    """Pairs with equal scores: they count as not preferred."""
    accuracy: Estimate
    """Share of pairs whose chosen answer has the larger score."""


class PairwiseReport(Record):
    """How often a reward model prefers the chosen answer."""

    model: str
    """The reward model."""
    data: str
    """The preference set."""
    pairs: int
    """Pairs."""
    unusable: int
    """Rows that are no pair, or that the model gives no score."""
    reasons: dict[str, int] = Field(default_factory=dict)
    """Why rows are not usable, each with the place of the first such row."""
    accuracy: Estimate
    """Over all pairs."""
    subsets: tuple[SubsetRow, ...]
    """By the rows' column `subset` (`dataset` or `task` where there is none)."""
    sections: dict[str, float]
    """RewardBench's sections, as far as their subsets are there."""
    score: float | None
    """Mean of RewardBench's four sections; None where one is missing."""


def pairwise_accuracy(
    model: ScoresAnswers, data: str, *, name: str = "", base: Path = Path(), confidence: float = 0.95
) -> PairwiseReport:
    """Scores both sides of every pair of a preference set.

    Args:
        model: The reward model.
        data: File, folder, glob or Hub id; rows with `prompt`, `chosen`, `rejected` as text or as messages (TRL's
            exports, RewardBench's layout), and `subset` or `dataset` where figures are wanted apart. Rows with tools
            or calls are left out: a reward model is trained on, and scores, conversations of texts.
        name: The model's name in the report.
        base: Folder for relative paths.
        confidence: Level of the intervals.

    Raises:
        SeedError: The data cannot be read.
        DataError: No row is a pair.
    """
    unusable: Counter[str] = Counter()
    places: dict[str, str] = {}
    won: defaultdict[str, list[float]] = defaultdict(list)
    ties: defaultdict[str, int] = defaultdict(int)

    def leave_out(where: str, reason: str) -> None:
        unusable[reason] += 1
        places.setdefault(reason, where)

    def pairs() -> Iterator[tuple[str, _Pair]]:
        for row in read_rows(SeedConfig(dataset="generic", path=data), base, DATA_FILES):
            if isinstance(row, BadRecord):
                leave_out(row.where, row.reason)
                continue
            try:
                yield row.where, _pair(row)
            except Unusable as error:
                leave_out(row.where, str(error))

    stream = pairs()
    while batch := list(islice(stream, _BATCH)):
        scores = iter(model.score([(prompt, side) for _, (_, prompt, *sides) in batch for side in sides]))
        for where, (subset, *_) in batch:
            chosen, rejected = next(scores), next(scores)
            if chosen is None or rejected is None:
                leave_out(where, "the model gives no score")
                continue
            won[subset].append(float(chosen > rejected))
            ties[subset] += chosen == rejected
    reasons = {f"{reason} (first: {places[reason]})": count for reason, count in unusable.most_common()}
    if not won:
        why = "; ".join(f"{count:,} of {reason}" for reason, count in reasons.items()) or "there are none"
        raise DataError(f"{data}: no row is a pair that the model can score: {why}.")
    rows = []
    for subset, values in sorted(won.items()):
        accuracy = Estimate.of(values, confidence)
        assert accuracy is not None
        rows.append(SubsetRow(name=subset, pairs=len(values), ties=ties[subset], accuracy=accuracy))
    every = Estimate.of([value for values in won.values() for value in values], confidence)
    assert every is not None
    sections = section_scores({row.name: (row.accuracy.value, row.pairs) for row in rows})
    whole = len(sections) == len(SECTIONS)
    return PairwiseReport(
        model=name, data=data, pairs=every.items, unusable=unusable.total(), reasons=reasons, accuracy=every,
        subsets=tuple(rows), sections=sections,
        score=round(sum(sections.values()) / len(sections), 10) if whole else None,
    )  # fmt: skip


def section_scores(subsets: Mapping[str, tuple[float, int]]) -> dict[str, float]:
    """RewardBench's sections from (accuracy, pairs) by subset; a section without any subset is left out."""
    found = {}
    for section, names in SECTIONS.items():
        parts = [
            (subsets[name][0], _WEIGHTS.get(name, subsets[name][1])) for name in names if name in subsets
        ]
        if parts:
            total = sum(weight for _, weight in parts)
            found[section] = round(sum(share * weight for share, weight in parts) / total, 10)
    return found


_Pair = tuple[str, Messages, Messages, Messages]


def _pair(row: Row) -> _Pair:
    """Subset, prompt, chosen and rejected of a row.

    Raises:
        Unusable: It is no pair, or one of conversations with tools.
    """
    if row.has("tools") and row.get("tools") not in ("[]", "null"):
        raise Unusable("it has tools, which a reward model does not read")
    chosen, rejected = (_messages(row, name, "assistant") for name in ("chosen", "rejected"))
    prompt = _messages(row, "prompt", "user")
    if not chosen or not rejected:
        raise Unusable("chosen or rejected is missing")
    if not prompt:  # implicit prompts: what both sides begin with
        same = 0
        while same < min(len(chosen), len(rejected)) - 1 and chosen[same] == rejected[same]:
            same += 1
        prompt, chosen, rejected = chosen[:same], chosen[same:], rejected[same:]
    elif len(chosen) > len(prompt) and chosen[: len(prompt)] == prompt:
        chosen, rejected = chosen[len(prompt) :], rejected[len(prompt) :]
    if not prompt:
        raise Unusable("prompt is missing, and both sides do not begin alike")
    subset = row.optional_text("subset", "dataset", "task") or "all"
    return subset, prompt, chosen, rejected


def _messages(row: Row, name: str, role: str) -> list[dict[str, str]]:
    """A text, messages, or the JSON text of messages; empty where there is nothing."""
    value = row.get(name)
    if isinstance(value, str) and value.lstrip().startswith("[{"):
        with suppress(ValueError, RecursionError):
            parsed = json.loads(value)
            value = parsed if all(isinstance(turn, dict) and "role" in turn for turn in parsed) else value
    if value is None or value == [] or (isinstance(value, str) and not value.strip()):
        return []
    if isinstance(value, str):
        return [{"role": role, "content": value}]
    if not isinstance(value, list) or not all(isinstance(turn, dict) for turn in value):
        raise Unusable(f"{name} is neither a text nor a list of messages")
    if any(turn.get("tool_calls") or turn.get("role") in ("tool", "function") for turn in value):
        raise Unusable(f"{name} has calls of functions, which a reward model does not read")
    if not all(isinstance(turn.get("content"), str) for turn in value):
        raise Unusable(f"{name} has a message whose content is no text")
    return [{"role": str(turn.get("role", role)), "content": turn["content"]} for turn in value]
