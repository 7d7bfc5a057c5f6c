"""Ratings of models as tables."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ultrainteract.judgments.votes.ratings import ELO_PER_LOGIT, Ratings
from ultrainteract.judgments.votes.report import ELO_BASE, VoteReport

if TYPE_CHECKING:
    from rich.console import Console


def show_votes(report: VoteReport, console: Console) -> None:
    """Prints what was read, the ratings, and what they rest on."""
    from rich.table import Table

    def say(text: str) -> None:
        console.print(text, markup=False, highlight=False)

    for line in _reading(report.reading.to_json(), report.reading.reasons()):
        say(line)
    for voter, factor in report.cleaned.flagged.items():
        say(
            f"    anomalous voter: {voter}, {factor:,.0f} times likelier to vote by something else than the answers"
        )
    console.print(_table(report.ratings, "strength"))
    if report.equal_style is not None:
        console.print(_table(report.equal_style.ratings, "strength at equal style"))
        effects = Table("style", "effect on a vote, logits per standard deviation")
        for effect in report.equal_style.effects:
            effects.add_row(
                effect.feature, f"{effect.coefficient:+z.2f} ± {1.96 * effect.standard_error:.2f}"
            )
        console.print(effects)
        if report.equal_style.without:
            say(f"Left out of equal style: {report.equal_style.without:,} votes without texts or counts.")
    if report.ratings.apart:
        say(f"Not comparable with the rated models in both directions: {', '.join(report.ratings.apart)}")
        say(f"So the ratings rest on {report.ratings.votes:,} of the votes kept.")
    if lost := report.ratings.unconnected:
        drawn, rests = report.ratings.resamples, report.ratings.models[0].bootstrap_low is not None
        say(
            f"Bootstrap: {lost:,} of {drawn:,} resamples do not compare all models in both directions and "
            f"have no strengths; {'the intervals leave room for them' if rests else 'they are too many for intervals'}."
        )
    say(f"Separability: {report.ratings.separability:.0%} of the pairs of models have disjoint intervals.")
    if report.agreement.couples:
        share = report.agreement.agree / report.agreement.couples
        say(
            f"Agreement of two judges on the same answers: {share:.0%} of {report.agreement.couples:,} couples."
        )
    if report.first is None:
        say("First place: no set of up to a tenth of the votes was found that decides it.")
    else:
        first = report.first
        say(
            f"First place: without {len(first.votes):,} of {first.total:,} votes ({first.share:z.2%}), "
            f"{first.follower} would stand before {first.leader}."
        )
    if report.items:
        best, worst = report.items[0], report.items[-1]
        say(
            f"Prompts: {best.item} tells models apart best (slope {best.slope:z.2f}), "
            f"{worst.item} worst ({worst.slope:z.2f})."
        )


def show_vote_pairs(report: dict[str, Any], folder: Path, console: Console) -> None:
    """Prints what became of votes and of couples of answers."""

    def say(text: str) -> None:
        console.print(text, markup=False, highlight=False)

    for line in _reading(report["votes"], report["reasons"]):
        say(line)
    refused = sum(report["refused"].values())
    say(
        f"{report['couples']:,} couples of answers = {report['pairs']:,} pairs (in {report['trees']:,} trees) + "
        f"{refused:,} refused"
    )
    for rule, count in report["refused"].items():
        say(f"    refused: {rule}: {count:,}")
    if not report["equal_style"]:
        say("Wins that style explains were not looked for.")
    if report["against_ratings"]:
        say(f"{report['against_ratings']:,} of the pairs contradict the models' ratings.")
    say(f"Written to {folder}")


def _reading(votes: dict[str, Any], reasons: list[str]) -> list[str]:
    said = (
        f"{votes['read']:,} records = {votes['kept']:,} votes kept + {sum(votes['dropped'].values()):,} dropped + "
        f"{votes['unreadable']:,} unreadable"
    )
    return [said, *(f"    {reason}" for reason in reasons)]


def _table(ratings: Ratings, title: str) -> object:
    from rich.table import Table

    level = f"{ratings.confidence:.0%}"
    bootstrap = ratings.models[0].bootstrap_low is not None
    table = Table(
        "rank", "model", title, level, *((f"{level} (bootstrap)",) if bootstrap else ()), "Elo", "votes"
    )
    for rating in ratings.models:
        extra = (f"{rating.bootstrap_low:+z.2f} … {rating.bootstrap_high:+z.2f}",) if bootstrap else ()
        table.add_row(
            str(rating.rank), rating.model, f"{rating.strength:+z.2f}",
            f"{rating.low:+z.2f} … {rating.high:+z.2f}", *extra,
            f"{ELO_BASE + ELO_PER_LOGIT * rating.strength:.0f}", f"{rating.votes:,}",
        )  # fmt: skip
    return table
