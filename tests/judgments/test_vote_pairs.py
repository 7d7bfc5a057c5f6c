"""Pairs from votes: what is refused and why, how far a pair can be relied on, and how often voters are right."""

from __future__ import annotations

import math
import random

import pytest

from tests.judgments.test_votes import vote
from ultrainteract.judgments.votes import Battle, Style
from ultrainteract.judgments.votes.pairs import one_coin, voted_pairs, voter_accuracy
from ultrainteract.judgments.votes.style import StyleControlled, rate_at_equal_style


def texts(winner: str, judge: str, **more: object) -> Battle:
    return vote("a", "b", winner, judge=judge, prompt="q?", response_a="good", response_b="bad", **more)


def test_reliability_grows_with_agreement_and_never_reaches_one() -> None:
    one = voted_pairs([texts("a", "x")]).pairs[0]
    five = voted_pairs([texts("a", f"j{n}") for n in range(5)]).pairs[0]
    split = voted_pairs([texts("aab"[n % 3], f"j{n}") for n in range(6)]).pairs[0]
    assert 0.5 < split.reliability < five.reliability < 1
    assert 0.5 < one.reliability < five.reliability
    assert (five.chosen, five.rejected, five.votes, five.agreeing) == ("good", "bad", 5, 5)


def test_a_vote_shown_the_other_way_round_counts_for_the_same_answer() -> None:
    turned = vote("b", "a", "b", judge="y", prompt="q?", response_a="bad", response_b="good")
    report = voted_pairs([texts("a", "x"), turned])
    assert [(pair.chosen, pair.votes, pair.agreeing) for pair in report.pairs] == [("good", 2, 2)]


def test_what_makes_no_pair_is_counted_by_reason() -> None:
    votes = [
        texts("tie", "x", item="1"), texts("both_bad", "x", item="2"),
        texts("a", "x", item="3"), texts("b", "y", item="3"),
        vote("a", "b", "a", item="4"), texts("a", "x", item="5"),
        vote("a", "b", "a", item="6", prompt="q", response_a="same", response_b="same "),
        texts("a", "x", item="7"), texts("tie", "y", item="7"), texts("tie", "z", item="7"),
    ]  # fmt: skip
    report = voted_pairs(votes)
    assert dict(report.refused) == {"tie": 2, "no majority": 2, "no texts": 1, "equal answers": 1}
    assert report.items == len(report.pairs) + report.refused.total() == 7


@pytest.fixture(scope="module")
def long_and_short() -> StyleControlled:
    """Votes that follow length: the strong model writes short answers, the weak one long ones."""
    random_ = random.Random(0)
    battles = []
    for number in range(3000):
        sides = random_.sample([("strong", 100), ("weak", 400), ("strong", 300), ("weak", 200)], 2)
        (first, a), (second, b) = sides
        if first == second:
            continue
        logit = 0.5 * (1 if first == "strong" else -1) + 3 * (a - b) / (a + b)
        winner = "a" if random_.random() < 1 / (1 + math.exp(-logit)) else "b"
        battles.append(
            vote(
                first, second, winner, item=str(number), where=f"s:{number}",
                style_a=Style(tokens=a), style_b=Style(tokens=b),
            )
        )  # fmt: skip
    return rate_at_equal_style(battles)


@pytest.mark.parametrize(
    ("winner", "words", "explained"),
    [
        ("weak", (400, 100), True),  # its length turns what is expected
        ("weak", (200, 200), False),  # equal style explains nothing: an upset
        ("weak", (100, 400), False),  # it won against its style
        ("weak", (202, 200), False),  # style helps, and not enough
        ("strong", (400, 100), False),  # expected at equal style, too
        ("strong", (100, 400), False),
    ],
)
@pytest.mark.parametrize("turned", [False, True])
def test_style_explains_a_win_only_where_these_two_answers_differ_in_it(
    winner: str, words: tuple[int, int], explained: bool, turned: bool, long_and_short: StyleControlled
) -> None:
    loser = "strong" if winner == "weak" else "weak"
    sides = [(winner, "good " * words[0]), (loser, "bad " * words[1])]
    first, second = reversed(sides) if turned else sides
    won = vote(
        first[0], second[0], "b" if turned else "a", prompt="q?", response_a=first[1], response_b=second[1],
        style_a=Style.of(first[1]), style_b=Style.of(second[1]),
    )  # fmt: skip
    report = voted_pairs([won], long_and_short)
    assert dict(report.refused) == ({"win explained by style": 1} if explained else {})
    for pair in report.pairs:
        assert pair.chosen_model == winner
        assert pair.style_adjusted is not None
        assert (pair.style_adjusted < 0.5) == (winner == "weak")


def test_votes_without_a_style_are_left_out_of_equal_style_and_counted() -> None:
    styles = {"style_a": Style(tokens=3), "style_b": Style(tokens=4)}
    votes = [vote("a", "b", "ab"[n % 2], item=str(n), **styles) for n in range(10)]
    found = rate_at_equal_style([*votes, vote("a", "b", "a", style_a=Style(tokens=3))])
    assert (found.ratings.votes, found.without) == (10, 1)
    assert found.shift(Style(tokens=0), Style(tokens=0)) == found.shift(None, Style(tokens=1)) == 0


@pytest.mark.parametrize("judges", [10, 1_000, 20_000])
@pytest.mark.parametrize("share", [0.0, 0.3, 0.5, 1.0])
def test_any_number_of_voters_on_one_couple_has_an_accuracy(judges: int, share: float) -> None:
    marks = [(f"j{n}", float(n < share * judges)) for n in range(judges)]
    accuracy = one_coin([marks])
    assert len(accuracy) == judges
    majority = 0.0 if share < 0.5 else 1.0
    assert all(0.5 <= value <= 0.99 for value in accuracy.values())
    if share != 0.5:
        assert all((accuracy[j] > 0.75) == (mark == majority) for j, mark in marks)


def test_voters_who_disagree_with_everybody_weigh_less() -> None:
    random_ = random.Random(1)
    groups = []
    for item in range(60):
        marks = [texts("a", f"good-{n}", item=str(item)) for n in range(4)]
        marks.append(texts(random_.choice("ab"), "coin", item=str(item)))
        groups.append(marks)
    accuracy = voter_accuracy(groups)
    assert accuracy["coin"] < 0.65 < 0.9 < accuracy["good-0"]
