"""Votes: ratings equal a well-known library's, intervals cover, anomalies are found, reports add up."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import pytest

from ultrainteract.errors import DataError
from ultrainteract.judgments.votes import Battle, Style, read_battles
from ultrainteract.judgments.votes.cleaning import anomalous_voters, clean
from ultrainteract.judgments.votes.influence import first_place
from ultrainteract.judgments.votes.items import discrimination
from ultrainteract.judgments.votes.ratings import bootstrap, design, rate
from ultrainteract.judgments.votes.report import rate_votes
from ultrainteract.judgments.votes.style import rate_at_equal_style
from ultrainteract.readers.files import BadRecord, read_file

evalica = pytest.importorskip("evalica")

DATA = Path(__file__).parent / "data" / "mtbench_human_votes.jsonl"


@pytest.fixture(scope="module")
def real() -> list[Battle]:
    return [battle for battle in read_battles(read_file(DATA)) if isinstance(battle, Battle)]


def vote(a: str, b: str, winner: str, **more: object) -> Battle:
    return Battle(
        where=str(more.pop("where", "x:1")),
        item=str(more.pop("item", "q")),
        model_a=a,
        model_b=b,
        winner=winner,
        **more,
    )  # type: ignore[arg-type]


def simulated(strengths: Sequence[float], votes: int, seed: int, ties: float = 0.0) -> list[Battle]:
    """Votes by the model of Bradley and Terry, a share of which become ties whoever would have won."""
    random_ = random.Random(seed)
    battles = []
    for number in range(votes):
        a, b = random_.sample(range(len(strengths)), 2)
        winner = "a" if random_.random() < 1 / (1 + math.exp(strengths[b] - strengths[a])) else "b"
        if random_.random() < ties:
            winner = "tie"
        battles.append(vote(f"m{a}", f"m{b}", winner, where=f"s:{number}", item=str(number)))
    return battles


# ---------------------------------------------------------------------------------------------- ratings


def test_strengths_equal_evalicas_on_real_votes(real: list[Battle]) -> None:
    winners = {"a": evalica.Winner.X, "b": evalica.Winner.Y}
    peer = evalica.bradley_terry(
        [b.model_a for b in real], [b.model_b for b in real],
        [winners.get(b.winner, evalica.Winner.Draw) for b in real], tolerance=1e-12, limit=100_000,
    )  # fmt: skip
    expected = np.log(peer.scores)
    ours = rate(real).strengths()
    assert len(real) == 494
    for model, strength in (expected - expected.mean()).items():
        assert ours[model] == pytest.approx(strength, abs=1e-3)


def test_strengths_and_intervals_equal_those_of_the_arenas_own_library(real: list[Battle]) -> None:
    """Figures of arena-rank 0.1.1 (scripts/arena_rank_oracle.py); its ridge of 1e-5 moves intervals by less than 1e-4."""
    peer = json.loads((DATA.parent / "arena_rank.json").read_text())["models"]
    ratings = rate(real).models
    assert {rating.model for rating in ratings} == set(peer)
    for rating in ratings:
        for name in ("strength", "low", "high"):
            assert getattr(rating, name) == pytest.approx(peer[rating.model][name], abs=1e-3)


def test_the_sandwich_equals_that_of_a_logit_regression(real: list[Battle]) -> None:
    """The textbook formula on the explicit ±1 design, one model left out as the reference."""
    ratings = rate(real)
    names = [rating.model for rating in ratings.models]
    matrix = np.zeros((len(real), len(names)))
    for row, battle in enumerate(real):
        matrix[row, names.index(battle.model_a)] += 1
        matrix[row, names.index(battle.model_b)] -= 1
    strengths = np.array([rating.strength for rating in ratings.models])
    score = np.array([battle.score for battle in real])
    probability = 1 / (1 + np.exp(-matrix @ strengths))
    reduced = matrix[:, 1:]  # strengths relative to the first model
    bread = np.linalg.inv((reduced * (probability * (1 - probability))[:, None]).T @ reduced)
    residual = reduced * (score - probability)[:, None]
    peer = bread @ residual.T @ residual @ bread
    ours = ratings.covariance
    for i in range(1, len(names)):
        gap = ours[i, i] + ours[0, 0] - 2 * ours[i, 0]
        assert gap == pytest.approx(peer[i - 1, i - 1], rel=1e-6)


def test_intervals_cover_the_truth_as_often_as_they_say() -> None:
    strengths = np.array([1.0, 0.5, 0.2, 0.0, -0.3, -0.5, -0.9])
    strengths -= strengths.mean()
    inside = total = 0
    for seed in range(500):
        for rating in rate(simulated(strengths, 400, seed)).models:
            inside += rating.low <= strengths[int(rating.model[1:])] <= rating.high
            total += 1
    assert 0.93 <= inside / total <= 0.97


def test_bootstrap_and_sandwich_agree_and_a_seed_repeats(real: list[Battle]) -> None:
    first, second = (rate(real, resamples=200, seed=3) for _ in range(2))
    assert first.models == second.models
    for rating in first.models:
        assert rating.bootstrap_low == pytest.approx(rating.low, abs=0.1)
        assert rating.bootstrap_high == pytest.approx(rating.high, abs=0.1)


def test_newmans_variant_estimates_how_often_equals_tie() -> None:
    ratings = rate(simulated([0.0, 0.0, 0.0], 4000, seed=1, ties=0.3), method="newman")
    tie = ratings.tie_parameter
    assert tie is not None
    assert tie / (1 + tie) == pytest.approx(0.3, abs=0.03)  # P(tie) of equals


def test_ranks_leave_room_for_doubt() -> None:
    certain = rate(simulated([3.0, 0.0, -3.0], 3000, seed=0, ties=0.1))
    assert [(rating.model, rating.rank) for rating in certain.models] == [("m0", 1), ("m1", 2), ("m2", 3)]
    assert certain.separability == 1
    doubtful = rate(simulated([0.05, 0.0, -0.05], 60, seed=0))
    assert {rating.rank for rating in doubtful.models} == {1}
    assert doubtful.separability == 0


def test_a_model_without_a_finite_strength_is_named_and_not_rated() -> None:
    votes = [vote("a", "b", w, item=str(n)) for n, w in enumerate("abab")] + [
        vote("a", "god", "b"),
        vote("b", "god", "b"),
    ]
    ratings = rate(votes)
    assert ratings.apart == ("god",)
    assert set(ratings.strengths()) == {"a", "b"}
    with pytest.raises(DataError, match="More votes are needed"):
        rate([vote("a", "b", "a")])


@pytest.mark.parametrize("method", ["bradley-terry", "newman"])
@pytest.mark.parametrize("times", [1, 4, 6, 12, 60])
def test_resamples_without_strengths_are_counted_and_no_interval_is_given_for_many(
    times: int, method: Literal["bradley-terry", "newman"]
) -> None:
    """Each resample is checked by the definition: chains of wins and ties both ways, found by search."""
    votes = [vote("a", "b", "a"), vote("a", "b", "b"), vote("b", "c", "a"), vote("b", "c", "b")] * times
    ratings = rate(votes, method=method, resamples=300, seed=5)
    random_ = np.random.default_rng(5)
    unconnected = 0
    for _ in range(300):
        drawn = [votes[n] for n in random_.integers(len(votes), size=len(votes))]
        beaten: dict[str, set[str]] = {name: {name} for name in "abc"}
        for _ in beaten:
            for one in drawn:
                winner, loser = (
                    (one.model_a, one.model_b) if one.winner == "a" else (one.model_b, one.model_a)
                )
                for name in beaten:
                    beaten[name] |= {loser} if winner in beaten[name] else set()
        unconnected += any(len(chain) < 3 for chain in beaten.values())
    assert (ratings.resamples, ratings.unconnected) == (300, unconnected)
    assert unconnected > 0 if times < 8 else unconnected < 3
    for rating in ratings.models:
        if unconnected > 0.025 * 300:
            assert rating.bootstrap_low is rating.bootstrap_high is None
        else:
            assert rating.bootstrap_low is not None
            assert rating.bootstrap_high is not None
            assert -math.inf < rating.bootstrap_low < rating.strength < rating.bootstrap_high < math.inf


def test_resamples_without_strengths_make_intervals_wider() -> None:
    """By the definition: the percentiles of all samples, where these lie at minus or plus infinity."""
    votes = [vote("a", "b", "ab"[n % 3 == 0], item=str(n)) for n in range(12)]
    drawn = bootstrap(design(votes), "bradley-terry", 0.9, 400, seed=1)
    assert drawn.ends is not None
    assert 0 < drawn.unconnected < 0.05 * 400
    random_ = np.random.default_rng(1)
    wins = [sum(votes[n].winner == "a" for n in random_.integers(12, size=12)) for _ in range(400)]
    strengths = [math.log(one / (12 - one)) / 2 if 0 < one < 12 else -math.inf for one in wins]
    low = np.quantile(strengths, 0.05, method="lower"), np.quantile(strengths, 0.05, method="higher")
    assert low[0] - 1e-6 <= drawn.ends[0][0] <= low[1] + 1e-6
    highest = [math.inf if one == -math.inf else one for one in strengths]
    high = np.quantile(highest, 0.95, method="lower"), np.quantile(highest, 0.95, method="higher")
    assert high[0] - 1e-6 <= drawn.ends[1][0] <= high[1] + 1e-6


def test_of_equal_sets_the_one_with_more_votes_is_rated_then_the_first() -> None:
    def both(one: str, other: str, times: int) -> list[Battle]:
        return [vote(one, other, "a"), vote(one, other, "b")] * times

    more = rate([*both("a", "b", 2), *both("y", "z", 3), vote("a", "z", "a")])
    assert (set(more.strengths()), more.apart, more.votes) == ({"y", "z"}, ("a", "b"), 6)
    equal = [*both("y", "z", 2), *both("a", "b", 2)]
    for votes in (equal, equal[::-1]):
        assert (set(rate(votes).strengths()), rate(votes).votes) == ({"a", "b"}, 4)
    larger = rate([*both("a", "b", 9), *both("x", "y", 1), *both("y", "z", 1)])
    assert (set(larger.strengths()), larger.votes) == ({"x", "y", "z"}, 4)


def test_where_all_votes_are_ties_their_parameter_has_no_figure() -> None:
    assert rate([vote("a", "b", "tie"), vote("b", "a", "both_bad")], method="newman").tie_parameter is None


def test_both_bad_counts_as_a_tie(real: list[Battle]) -> None:
    turned = [b.model_copy(update={"winner": "both_bad"}) if b.winner == "tie" else b for b in real]
    assert rate(turned).strengths() == rate(real).strengths()


# ------------------------------------------------------------------------------------------------ style


def test_style_control_takes_out_what_length_won() -> None:
    """Generated battles: two equal models, one of which writes longer, and votes that follow length alone."""
    random_ = random.Random(0)
    battles = []
    for number in range(4000):
        models = ["long", "short"] if random_.random() < 0.5 else ["short", "long"]
        lengths = [
            random_.randint(200, 400) if model == "long" else random_.randint(50, 250) for model in models
        ]
        relative = (lengths[0] - lengths[1]) / sum(lengths)
        winner = "a" if random_.random() < 1 / (1 + math.exp(-3 * relative)) else "b"
        styles = {f"style_{side}": Style(tokens=length) for side, length in zip("ab", lengths, strict=True)}
        battles.append(vote(models[0], models[1], winner, item=str(number), **styles))
    plain, controlled = rate(battles).strengths(), rate_at_equal_style(battles)
    assert plain["long"] - plain["short"] > 0.8
    at_equal = {rating.model: rating for rating in controlled.ratings.models}
    assert at_equal["long"].low < 0 < at_equal["long"].high
    tokens = controlled.effects[0]
    assert tokens.feature == "tokens"
    assert tokens.coefficient > 5 * tokens.standard_error


def test_style_counts_markdown_outside_of_code() -> None:
    text = "# Title\n\n- one\n- **two**\n1. three\n\n```md\n# no\n- no **no**\n```\n"
    style = Style.of(text)
    assert (style.headers, style.bold, style.lists) == (1, 1, 3)


def test_style_control_without_texts_says_what_is_missing(real: list[Battle]) -> None:
    with pytest.raises(DataError, match="texts"):
        rate_at_equal_style(real)


# --------------------------------------------------------------------------------------------- cleaning


@pytest.mark.parametrize(("kind", "at_least"), [("random", 0.85), ("contrary", 0.95), ("left", 0.95)])
def test_injected_voters_are_found_and_honest_ones_are_not(kind: str, at_least: float) -> None:
    """200 voters of each kind among 800 honest ones, 50 votes each."""
    random_ = random.Random(7)
    strengths = [4 * n / 9 - 2 for n in range(10)]
    judges = [f"honest-{n}" for n in range(800)] + [f"odd-{n}" for n in range(200)]
    cast = [judge for judge in judges for _ in range(50)]
    random_.shuffle(cast)
    battles = []
    for number, judge in enumerate(cast):
        a, b = random_.sample(range(10), 2)
        first = random_.random() < 1 / (1 + math.exp(strengths[b] - strengths[a]))
        winner = "tie" if random_.random() < 0.15 else ("a" if first else "b")
        if judge.startswith("odd"):
            winner = {"random": random_.choice("ab"), "contrary": "b" if first else "a", "left": "a"}[kind]
        battles.append(vote(f"m{a}", f"m{b}", winner, item=str(number), judge=judge))
    flagged = anomalous_voters(battles)
    assert sum(judge.startswith("odd") for judge in flagged) / 200 >= at_least
    assert sum(judge.startswith("honest") for judge in flagged) / 800 <= 0.05


def test_every_dropped_vote_has_a_rule() -> None:
    votes = [
        vote("a", "b", "a", judge="j"),
        vote("b", "a", "a", judge="j"),  # the same judge, item and models again
        vote("a", "b", "a", item="2", response_a="I am ChatGPT.", response_b="x"),
        vote("a", "b", "a", item="3", response_a=" ", response_b="x"),
        vote("a", "b", "a", item="4", anonymous=False),
        vote(
            "a", "b", "a", item="5", prompt="What is Claude?", response_a="Claude is a model.", response_b="x"
        ),
    ]
    cleaned = clean(votes)
    assert [battle.item for battle in cleaned.kept] == ["q", "5"]
    assert len(cleaned.kept) + sum(cleaned.counts().values()) == len(votes)
    assert any("names a model" in rule for rule in cleaned.counts())


def test_prompts_that_everybody_sends_are_sampled_down() -> None:
    votes = [vote("a", "b", "ab"[n % 2], item=str(n), prompt="hi") for n in range(500)]
    votes += [vote("a", "b", "a", item=f"r{n}", prompt=f"p{n}") for n in range(20_000)]
    first, second = clean(votes, anomalies=False), clean(votes, anomalies=False)
    assert first.kept == second.kept
    assert first.counts()["high-frequency prompt"] > 400
    assert sum(battle.prompt == "hi" for battle in first.kept) >= 1


# -------------------------------------------------------------------------------------- what decides


def test_the_first_place_falls_without_the_votes_named(real: list[Battle]) -> None:
    ratings = rate(real)
    first = first_place(real, ratings)
    assert first is not None
    assert first.leader == ratings.models[0].model
    rest = rate([battle for battle in real if battle.where not in first.votes])
    assert rest.models[0].model == first.follower
    assert first.share < 0.05
    clear = simulated([5.0, 0.0, -1.0], 2000, seed=4, ties=0.05)
    assert first_place(clear, rate(clear), max_share=0.02) is None


def test_a_set_of_votes_without_which_models_are_not_compared_decides_nothing() -> None:
    """Few votes, drawn at random: who is said to lead leads, among all the models that were rated."""
    found = 0
    for seed in range(300):
        random_ = random.Random(seed)
        votes = [
            vote(*random_.sample("abcd", 2), random_.choice("aab"), where=f"w{number}")
            for number in range(random_.randint(5, 14))
        ]
        try:
            ratings = rate(votes)
        except DataError:
            continue
        first = first_place(votes, ratings, max_share=0.5)
        if first is not None:
            rest = rate([battle for battle in votes if battle.where not in first.votes])
            assert (rest.apart, rest.models[0].model) == (ratings.apart, first.follower)
            found += 1
    assert found > 100


def test_prompts_that_discriminate_stand_before_those_that_do_not() -> None:
    random_ = random.Random(2)
    battles = simulated([1.5, 0.5, -0.5, -1.5], 2000, seed=2)
    sharp, blunt = [], []
    for number in range(60):
        a, b = random_.sample(range(4), 2)
        sharp.append(vote(f"m{a}", f"m{b}", "a" if a < b else "b", item="sharp", where=f"h{number}"))
        blunt.append(vote(f"m{a}", f"m{b}", random_.choice("ab"), item="blunt", where=f"b{number}"))
    votes = battles + sharp + blunt
    found = {one.item: one for one in discrimination(votes, rate(votes))}
    assert found["sharp"].low > 1
    assert found["blunt"].high < 1


# ------------------------------------------------------------------------------------------------- report


def test_the_report_adds_up(real: list[Battle]) -> None:
    report = rate_votes([*real, BadRecord("x:1", "odd")], resamples=20).to_json()
    votes = report["votes"]
    assert votes["read"] == votes["unreadable"] + sum(votes["dropped"].values()) + votes["kept"] == 495
    assert sum(votes["by_outcome"].values()) == votes["kept"] == votes["rated"]
    assert json.loads(json.dumps(report)) == report
