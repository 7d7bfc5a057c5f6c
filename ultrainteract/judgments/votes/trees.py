"""`votes pairs`: pairs from votes as trees, with a report in which every vote and every couple of answers adds up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ultrainteract.errors import DataError
from ultrainteract.judgments.reading import Reading
from ultrainteract.judgments.trees import Answer, Couple, JudgedTrees, open_instruction
from ultrainteract.judgments.votes.battle import Battle
from ultrainteract.judgments.votes.cleaning import Cleaned, clean
from ultrainteract.judgments.votes.pairs import VotePair, voted_pairs
from ultrainteract.judgments.votes.ratings import Ratings, rate
from ultrainteract.judgments.votes.report import split
from ultrainteract.judgments.votes.style import StyleControlled, rate_at_equal_style
from ultrainteract.readers.files import BadRecord
from ultrainteract.schema import Evidence

UNRELIABLE = "reliability below the minimum"
"""Why a couple of answers makes no pair."""


@dataclass
class VotedTrees:
    """The trees of a set of votes, and what became of everything else."""

    trees: JudgedTrees
    reading: Reading
    """Records that were read; those that are no votes are unreadable."""
    cleaned: Cleaned
    couples: int
    """Couples of answers that kept votes are about."""
    refused: Counter[str]
    """Couples without a pair before labels within a prompt were compared, by reason."""
    against_ratings: int
    """Pairs whose rejected side's model is rated above the chosen one's, with disjoint intervals."""
    equal_style: bool
    """Whether wins that style explains were refused."""


def vote_trees(
    records: Iterable[Battle | BadRecord],
    *,
    dataset: str,
    licence: str | None = None,
    min_reliability: float = 0.5,
    seed: int = 0,
    cleaning: bool = True,
    style: bool = True,
) -> VotedTrees:
    """Makes trees of votes with texts.

    Args:
        records: What `read_battles` yields.
        dataset: Name of the dataset on the trees.
        licence: License of the texts.
        min_reliability: Minimum reliability of a pair.
        seed: Decides which votes of an over-frequent prompt stay.
        cleaning: Drop votes that do not count.
        style: Refuse wins that style explains, where the votes are enough to rate at equal style.

    Raises:
        DataError: No vote counts.
    """
    battles, bad = split(records)
    cleaned = clean(battles, seed=seed) if cleaning else Cleaned(kept=battles)
    reading = cleaned.reading(bad)
    if not cleaned.kept:
        raise reading.nothing_left("There is no vote that counts.")
    ratings, equal_style = _ratings(cleaned.kept, style)
    report = voted_pairs(cleaned.kept, equal_style, ratings)
    trees = JudgedTrees()
    refused = Counter(report.refused)
    against = 0
    for pair in report.pairs:
        if pair.reliability < min_reliability:
            refused[UNRELIABLE] += 1
            continue
        against += pair.against_ratings
        instruction = open_instruction(
            pair.prompt, grader="votes", dataset=dataset, licence=licence, source=f"{dataset}/{pair.item}",
            context=pair.history,
        )  # fmt: skip
        chosen, rejected = Answer(pair.chosen, pair.chosen_model), Answer(pair.rejected, pair.rejected_model)
        trees.add(instruction, Couple(chosen, rejected, _evidence(pair)))
    return VotedTrees(trees, reading, cleaned, report.items, refused, against, equal_style is not None)


def _ratings(battles: list[Battle], style: bool) -> tuple[Ratings | None, StyleControlled | None]:
    """Ratings, and ratings at equal style, where these votes allow them: neither makes a pair."""
    try:
        ratings = rate(battles)
    except DataError:  # no two models are comparable
        return None, None
    if not style:
        return ratings, None
    try:
        return ratings, rate_at_equal_style(battles)
    except DataError:
        return ratings, None


def _evidence(pair: VotePair) -> Evidence:
    parts = [
        f"{pair.agreeing} of {pair.votes} votes agree", f"{pair.ties} ties", f"voters' accuracy {pair.accuracy:.2f}",
    ]  # fmt: skip
    if pair.style_adjusted is not None:
        parts.append(f"expected at equal style {pair.style_adjusted:.2f}")
    if pair.against_ratings:
        parts.append("against the models' ratings")
    return Evidence(check="votes", detail="; ".join(parts), reliability=round(pair.reliability, 4))


def summary(voted: VotedTrees, trees: int, pairs: int) -> dict[str, Any]:
    """The report as plain JSON. Records read = votes kept + dropped + unreadable; couples = pairs + refused.

    Args:
        voted: The trees, already iterated.
        trees: Trees that were written.
        pairs: Pairs in them.
    """
    refused = Counter(voted.refused)
    refused.update(voted.trees.refused)
    return {
        "votes": voted.reading.to_json(),
        "reasons": voted.reading.reasons(),
        "flagged_voters": len(voted.cleaned.flagged),
        "couples": voted.couples,
        "pairs": pairs,
        "trees": trees,
        "refused": dict(sorted(refused.items())),
        "against_ratings": voted.against_ratings,
        "equal_style": voted.equal_style,
    }  # fmt: skip
