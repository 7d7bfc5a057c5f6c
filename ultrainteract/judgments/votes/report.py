"""`votes rate`: everything that a file of votes says of its models, as one report that adds up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

from ultrainteract.errors import DataError
from ultrainteract.judgments.reading import Reading
from ultrainteract.judgments.votes.battle import Battle
from ultrainteract.judgments.votes.cleaning import Cleaned, clean
from ultrainteract.judgments.votes.influence import FirstPlace, first_place
from ultrainteract.judgments.votes.items import ItemDiscrimination, discrimination
from ultrainteract.judgments.votes.ratings import ELO_PER_LOGIT, Ratings, rate
from ultrainteract.judgments.votes.style import StyleControlled, rate_at_equal_style
from ultrainteract.readers.files import BadRecord

ELO_BASE = 1000
"""Elo points of strength zero."""


@dataclass(frozen=True)
class Agreement:
    """How often two votes on the same two answers agree."""

    couples: int
    """Couples of votes by different judges on one item."""
    agree: int
    """Of these, couples with the same verdict; a tie agrees with a tie."""
    decided: int
    """Couples of two votes without ties."""
    decided_agree: int
    """Of these, couples with the same winner."""


@dataclass
class VoteReport:
    """What was read, what counts, and what it says."""

    reading: Reading
    """Records that were read; those that are no votes are unreadable."""
    cleaned: Cleaned
    ratings: Ratings
    equal_style: StyleControlled | None
    first: FirstPlace | None
    items: list[ItemDiscrimination]
    agreement: Agreement
    outcomes: Counter[str] = field(default_factory=Counter)
    """Kept votes by verdict."""

    def to_json(self) -> dict[str, Any]:
        """The report as plain JSON; strengths in logits, with Elo points beside them."""
        return {
            "votes": self.reading.to_json() | {"rated": self.ratings.votes, "by_outcome": dict(self.outcomes)},
            "reasons": self.reading.reasons(),
            "anomalous_voters": self.cleaned.flagged,
            "agreement": vars(self.agreement),
            "confidence": self.ratings.confidence,
            "separability": self.ratings.separability,
            "tie_parameter": self.ratings.tie_parameter,
            "not_comparable": list(self.ratings.apart),
            "bootstrap": {"resamples": self.ratings.resamples, "unconnected": self.ratings.unconnected},
            "ratings": _rows(self.ratings),
            "equal_style": None if self.equal_style is None else {
                "separability": self.equal_style.ratings.separability, "ratings": _rows(self.equal_style.ratings),
                "effects": [vars(effect) for effect in self.equal_style.effects], "left_out": self.equal_style.without,
            },
            "first_place": None if self.first is None else {
                "leader": self.first.leader, "follower": self.first.follower, "votes": len(self.first.votes),
                "share": self.first.share, "which": list(self.first.votes),
            },
            "prompts": [vars(item) for item in self.items],
        }  # fmt: skip


def _rows(ratings: Ratings) -> list[dict[str, Any]]:
    return [vars(rating) | {"elo": ELO_BASE + ELO_PER_LOGIT * rating.strength} for rating in ratings.models]


def rate_votes(
    records: Iterable[Battle | BadRecord],
    *,
    method: Literal["bradley-terry", "newman"] = "bradley-terry",
    style: bool = False,
    confidence: float = 0.95,
    resamples: int = 1000,
    seed: int = 0,
    cleaning: bool = True,
) -> VoteReport:
    """Cleans and rates votes.

    Args:
        records: What `read_battles` yields.
        method: How ties count (see `ratings.rate`).
        style: Rate at equal style as well, by the votes that have texts or counts.
        confidence: Level of all intervals.
        resamples: Bootstrap samples.
        seed: Seed of every random choice.
        cleaning: Drop votes that do not count; off, only unreadable records are left out.

    Raises:
        DataError: No vote counts, no two models can be compared, or style was asked for and no vote has any.
    """
    battles, bad = split(records)
    cleaned = clean(battles, seed=seed) if cleaning else Cleaned(kept=battles)
    reading = cleaned.reading(bad)
    if not cleaned.kept:
        raise reading.nothing_left("There is no vote that counts.")
    try:
        ratings = rate(cleaned.kept, method=method, confidence=confidence, resamples=resamples, seed=seed)
    except DataError as error:
        raise reading.nothing_left(str(error)) from error
    return VoteReport(
        reading=reading, cleaned=cleaned, ratings=ratings,
        equal_style=rate_at_equal_style(cleaned.kept, confidence=confidence) if style else None,
        first=first_place(cleaned.kept, ratings), items=discrimination(cleaned.kept, ratings),
        agreement=agreement(cleaned.kept), outcomes=Counter(battle.winner for battle in cleaned.kept),
    )  # fmt: skip


def split(records: Iterable[Battle | BadRecord]) -> tuple[list[Battle], list[BadRecord]]:
    """Votes and unreadable records apart, each in order."""
    battles: list[Battle] = []
    bad: list[BadRecord] = []
    for record in records:
        if isinstance(record, BadRecord):
            bad.append(record)
        else:
            battles.append(record)
    return battles, bad


def agreement(battles: Iterable[Battle]) -> Agreement:
    """Agreement of judges known to be different on the same item and models; unnamed judges may be one."""
    items: dict[tuple[str, str, str], list[tuple[str | None, float]]] = {}
    for battle in battles:
        straight = battle.model_a < battle.model_b
        low, high = sorted((battle.model_a, battle.model_b))
        items.setdefault((battle.item, low, high), []).append(
            (battle.judge, battle.score if straight else 1 - battle.score)
        )
    couples = agree = decided = decided_agree = 0
    for votes in items.values():
        for number, (judge, score) in enumerate(votes):
            for other, again in votes[number + 1 :]:
                if judge is None or other is None or judge == other:
                    continue
                couples, agree = couples + 1, agree + (score == again)
                if score != 0.5 and again != 0.5:
                    decided, decided_agree = decided + 1, decided_agree + (score == again)
    return Agreement(couples, agree, decided, decided_agree)
