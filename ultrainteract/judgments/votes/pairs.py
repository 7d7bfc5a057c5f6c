"""Pairs from votes: an answer that voters preferred, beside the one they did not, with how far that can be relied on.

A pair rests on the votes of its own two answers, never on ratings. Its reliability is the posterior mean of
the share of voters who agree, (k + 1) / (n + 2), drawn towards ½ by how often these voters agree with others
on the same items (Dawid and Skene's model with one parameter per voter):

    reliability = ½ + (posterior − ½) · (2 · accuracy − 1)

Refused, each with its reason: ties, items without a majority, votes without texts, and wins that style explains: with
the style of these two answers the win was expected (its probability is at least ½), at equal style it was not. So the
answers' own difference in style must turn the probability; models' ratings alone refuse no pair.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ultrainteract.judgments.votes.battle import Battle
from ultrainteract.judgments.votes.ratings import Ratings, logistic
from ultrainteract.judgments.votes.style import StyleControlled
from ultrainteract.schema import content_hash

_PRIOR_ACCURACY, _PRIOR_WEIGHT = 0.75, 4.0
"""What is assumed of a voter of whom nothing is known: agreement among people on such votes is 72 to 83 %
(docs/votes.md)."""


@dataclass(frozen=True)
class VotePair:
    """Two answers to one prompt, of which voters preferred the first."""

    item: str
    prompt: str
    history: tuple[tuple[str, str], ...]
    chosen: str
    rejected: str
    chosen_model: str
    rejected_model: str
    votes: int
    """Votes for either side."""
    agreeing: int
    """Votes for the chosen side."""
    ties: int
    """Votes for neither."""
    accuracy: float
    """Mean estimated accuracy of the voters."""
    style_adjusted: float | None
    """Probability that the chosen model wins at equal style; None where no ratings at equal style were given."""
    against_ratings: bool
    """True where the intervals of the two models' ratings are disjoint, the rejected one's above."""
    reliability: float
    """Posterior probability-like reliability of the label, see the module."""


@dataclass
class PairReport:
    """The pairs, and why the other items made none."""

    pairs: list[VotePair] = field(default_factory=list)
    items: int = 0
    """Couples of answers that were voted on."""
    refused: Counter[str] = field(default_factory=Counter)
    """Items without a pair, by reason; pairs and these add up to `items`."""


def voted_pairs(
    battles: Sequence[Battle],
    equal_style: StyleControlled | None = None,
    ratings: Ratings | None = None,
) -> PairReport:
    """Makes pairs of cleaned votes.

    Args:
        battles: Votes that count (see `cleaning`).
        equal_style: Ratings at equal style and what style does, to refuse wins that style explains.
        ratings: Ratings of the models, to mark pairs that contradict them; they make and refuse none.
    """
    intervals = {} if ratings is None else {one.model: (one.low, one.high) for one in ratings.models}
    groups: dict[str, list[Battle]] = defaultdict(list)
    for battle in battles:
        groups[_couple(battle)].append(battle)
    accuracy = voter_accuracy(list(groups.values()))
    report = PairReport(items=len(groups))
    for votes in groups.values():
        made = _pair(votes, accuracy, equal_style, intervals)
        if isinstance(made, str):
            report.refused[made] += 1
        else:
            report.pairs.append(made)
    return report


def _couple(battle: Battle) -> str:
    sides = sorted([(battle.model_a, battle.response_a or ""), (battle.model_b, battle.response_b or "")])
    return content_hash([battle.item, battle.prompt, sides])


def _pair(
    votes: Sequence[Battle],
    accuracy: Mapping[str, float],
    equal_style: StyleControlled | None,
    intervals: Mapping[str, tuple[float, float]],
) -> VotePair | str:
    first = votes[0]
    if any(role not in ("user", "assistant") for role, _ in first.history):
        return "conversation with a system or tool message"
    if first.prompt is None or first.response_a is None or first.response_b is None:
        return "no texts"
    for_first = sum(_for_first(first, battle) == 1 for battle in votes)
    ties = sum(_for_first(first, battle) == 0.5 for battle in votes)
    decided = len(votes) - ties
    if not decided:
        return "tie"
    if 2 * for_first == decided or 2 * max(for_first, decided - for_first) <= len(votes):
        return "no majority"
    sides = [(first.model_a, first.response_a), (first.model_b, first.response_b)]
    styles = [first.style_a, first.style_b]
    if 2 * for_first < decided:
        sides.reverse()
        styles.reverse()
    if sides[0][1].strip() == sides[1][1].strip():
        return "equal answers"
    adjusted = None
    strengths = equal_style.ratings.strengths() if equal_style is not None else {}
    if equal_style is not None and sides[0][0] in strengths and sides[1][0] in strengths:
        gap = strengths[sides[0][0]] - strengths[sides[1][0]]
        if gap < 0 <= gap + equal_style.shift(*styles):
            return "win explained by style"
        adjusted = logistic(gap)
    agreeing = max(for_first, decided - for_first)
    skill = sum(accuracy.get(b.judge or "", _PRIOR_ACCURACY) for b in votes) / len(votes)
    posterior = (agreeing + 1) / (decided + 2)
    unknown = (-math.inf, math.inf)
    winner, loser = (intervals.get(model, unknown) for model, _ in sides)
    return VotePair(
        item=first.item, prompt=first.prompt, history=first.history, chosen=sides[0][1], rejected=sides[1][1],
        chosen_model=sides[0][0], rejected_model=sides[1][0], votes=decided, agreeing=agreeing, ties=ties,
        accuracy=skill,
        style_adjusted=adjusted, against_ratings=loser[0] > winner[1],
        reliability=0.5 + (posterior - 0.5) * (2 * skill - 1),
    )  # fmt: skip


def _for_first(first: Battle, battle: Battle) -> float:
    """The vote's score for `first`'s left answer, whichever way round the vote was shown."""
    same = (battle.model_a, battle.response_a) == (first.model_a, first.response_a)
    return battle.score if same else 1 - battle.score


def voter_accuracy(groups: Sequence[Sequence[Battle]]) -> dict[str, float]:
    """How often each voter is right about items that others voted on too; ties say nothing (see `one_coin`)."""
    items = []
    for votes in groups:
        marks = [(battle.judge, _for_first(votes[0], battle)) for battle in votes if battle.judge is not None]
        marks = [(judge, mark) for judge, mark in marks if mark != 0.5]
        if len({judge for judge, _ in marks}) > 1:
            items.append(marks)
    return one_coin(items)


def one_coin(items: Sequence[Sequence[tuple[str, float]]], *, rounds: int = 50) -> dict[str, float]:
    """How often each judge is right: Dawid and Skene's model with one parameter per judge, by expectation maximisation.

    Accuracies are drawn towards the mean of the literature by a prior worth four votes, and are never taken as below
    one half: a judge against everybody is a matter for `cleaning.anomalous_voters`, and must not turn labels round.

    Args:
        items: For each item that several judges decided: (judge, 1 or 0).
        rounds: Maximum number of rounds.
    """
    accuracy: dict[str, float] = {judge: _PRIOR_ACCURACY for marks in items for judge, _ in marks}
    for _ in range(rounds):
        right: dict[str, float] = defaultdict(lambda: _PRIOR_ACCURACY * _PRIOR_WEIGHT)
        seen: dict[str, float] = defaultdict(lambda: _PRIOR_WEIGHT)
        for marks in items:
            odds = {judge: math.log(accuracy[judge] / (1 - accuracy[judge])) for judge, _ in marks}
            truth = logistic(sum(odds[judge] if mark == 1 else -odds[judge] for judge, mark in marks))
            for judge, mark in marks:
                right[judge] += truth if mark == 1 else 1 - truth
                seen[judge] += 1
        latest = {judge: min(0.99, max(0.5, right[judge] / seen[judge])) for judge in accuracy}
        if all(abs(latest[judge] - accuracy[judge]) < 1e-6 for judge in accuracy):
            return latest
        accuracy = latest
    return accuracy
