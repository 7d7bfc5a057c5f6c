"""Annotators: the three kinds are told apart, too few measures say nothing, only genuine preferences make pairs."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from tests.builders import Scripted, config
from ultrainteract import api
from ultrainteract.dataset.tree_table import read_trees
from ultrainteract.errors import ConfigError, DataError, ProviderError
from ultrainteract.judgments.annotators.asking import ask_model
from ultrainteract.judgments.annotators.classify import classify, fisher_p, repeat_p
from ultrainteract.judgments.annotators.measures import (
    Item,
    Question,
    read_choice,
    read_questions,
    read_ratings,
)
from ultrainteract.judgments.annotators.plan import planned
from ultrainteract.judgments.annotators.simulation import KINDS, confusion, fixed
from ultrainteract.models.base import ChatRequest
from ultrainteract.readers.files import read_file

pytest.importorskip("evalica")

ITEM = Item(id="i", prompt="Say hi.", response_a="Hi!", response_b="No.")


def plan(**settings: Any) -> list[Question]:
    return planned([ITEM], **settings)


def answered(questions: list[Question], name: str, seed: int = 0) -> list[Question]:
    answers = KINDS[name][1](random.Random(seed))
    return [q.model_copy(update={"answer": answers(q), "annotator": name}) for q in questions]


def test_simulated_annotators_are_recognised_at_the_recommended_number_of_measures() -> None:
    found = confusion(plan(), items=400)
    print("\nsimulated annotator: " + "; ".join(f"{name} {dict(counts)}" for name, counts in found.items()))
    for name, counts in found.items():
        assert counts[KINDS[name][0]] >= 0.95 * 400, (name, counts)


@pytest.mark.parametrize("repeats", [1, 2])
def test_below_it_a_coin_is_undetermined_not_guessed(repeats: int) -> None:
    found = confusion(plan(repeats=repeats), items=200)
    assert found["coin"]["undetermined"] >= 0.95 * 200
    if repeats == 1:  # four measures
        assert all(counts["undetermined"] == 200 for counts in found.values())


def test_slips_do_not_make_an_opinion_constructed() -> None:
    rng = random.Random(5)
    kinds = []
    for _ in range(200):
        answers = fixed(rng, slip=0.05)
        kinds.append(classify([q.model_copy(update={"answer": answers(q)}) for q in plan()]).kind)
    assert kinds.count("constructed") + kinds.count("non-attitude") <= 0.05 * 200


def test_what_a_constructed_preference_depends_on_is_named() -> None:
    assert classify(answered(plan(), "follows order")).factors == ("order",)
    assert classify(answered(plan(), "follows wording")).factors == ("wording",)


def test_the_exact_tests_are_exact() -> None:
    assert fisher_p((8, 0), (0, 8)) == pytest.approx(2 / 12870)
    assert repeat_p([(2, 0)] * 5) == pytest.approx(2**-5)
    assert repeat_p([(1, 0)] * 5) is None


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("Choice: 1", "a"), ("**Choice: 2**\nBecause …", "b"), ("choice: equal", "tie"), ("2", "b"), ("Answer 1.", "a"),
        ("I prefer the second", None), ("Choice: 3", None), ("", None), ("1\n\nIt says more than answer 2.", "a"),
        ("Choose: 2", "b"), ("Choice: 2\nChoice 1 is wrong.", "b"), ("Choice 1 vs. Choice 2", None), ("1 or 2?", None),
        ("I weighed both. Choice: 1", "a"), ("Choice: 1 is long, choice: 2 is short.", None), ("1) is better", None),
    ],
)  # fmt: skip
def test_choices_are_read_or_left_unread(answer: str, expected: str | None) -> None:
    assert read_choice(answer) == expected


@pytest.mark.parametrize(
    ("answer", "expected"),
    [("7 4", "a"), ("Answer 1: 3, Answer 2: 9.5", "b"), ("6 6", "tie"), ("eight", None), ("7", None)],
)
def test_ratings_are_read_or_left_unread(answer: str, expected: str | None) -> None:
    assert read_ratings(answer) == expected


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def items(tmp_path: Path, count: int, label: bool = True) -> Path:
    rows = [
        {"prompt": f"Task {n}", "response_a": f"good {n}", "response_b": f"bad {n}"}
        | ({"label": 1} if label else {})
        for n in range(count)
    ]
    return write(tmp_path / "items.jsonl", rows)


def test_from_a_plan_through_a_person_to_pairs(tmp_path: Path) -> None:
    """The JSONL round trip: a person who knows the better answer of most items, guesses at one and follows order on one."""
    plan_file = tmp_path / "plan.jsonl"
    report = api.plan_annotation(items(tmp_path, 12), output=plan_file, annotator="ann")
    assert (report["items"], report["per_item"], report["questions"]) == (12, 16, 192)
    rng = random.Random(1)
    rows = []
    for line in plan_file.read_text().splitlines():
        row = json.loads(line)
        place = {"Task 0": rng.choice("12"), "Task 1": "1"}.get(row["item"]["prompt"])
        rows.append(row | {"answer": place or ("1" if row["order"] == "straight" else "2")})
    report = api.classify_annotations(
        write(tmp_path / "answers.jsonl", rows), output=tmp_path / "out", dataset="mine"
    )
    ann = report["annotators"]["ann"]
    assert ann["kinds"] == {"constructed": 1, "genuine": 10, "non-attitude": 1}
    assert ann["right"]["count"] == ann["right"]["total"] == 10
    assert 0.7 < ann["reliability"] < 0.75  # the lower end of 10 of 10
    assert ann["flips"]["repeat"]["low"] < ann["flips"]["repeat"]["share"] < ann["flips"]["repeat"]["high"]
    assert report["items"] == report["pairs"] + sum(report["refused"].values()) == 12
    assert report["refused"] == {"constructed": 1, "non-attitude": 1}
    trees = list(read_trees(tmp_path / "out"))
    evidence = next(pair for _, pair in trees[0].pairs()).chosen.verdict.evidence
    assert evidence is not None
    assert (evidence.check, evidence.reliability) == ("consistency", round(ann["reliability"], 4))
    (constructed,) = map(json.loads, (tmp_path / "out" / "constructed.jsonl").read_text().splitlines())
    assert constructed["depends_on"] == ["order"]
    assert constructed["verdicts"]["order"] == {"straight": {"a": 8, "b": 0}, "swapped": {"a": 0, "b": 8}}


def test_without_a_measured_reliability_there_is_no_pair(tmp_path: Path) -> None:
    plan_file = tmp_path / "plan.jsonl"
    api.plan_annotation(items(tmp_path, 3, label=False), output=plan_file, annotator="ann")
    rows = [json.loads(line) for line in plan_file.read_text().splitlines()]
    rows = [row | {"answer": "1" if row["order"] == "straight" else "2"} for row in rows]
    report = api.classify_annotations(write(tmp_path / "a.jsonl", rows))
    assert report["pairs"] == 0
    assert report["refused"] == {"reliability of its annotators is not measured": 3}
    both = rows + [row | {"annotator": "bob"} for row in rows]
    report = api.classify_annotations(write(tmp_path / "b.jsonl", both))
    assert report["pairs"] == 3  # they agree with each other: a cross-check, by Dawid and Skene's model
    assert report["alpha"] is None  # all verdicts are equal: nothing could disagree


def test_crowd_votes_are_measures_too(tmp_path: Path) -> None:
    def vote(order: str) -> dict[str, Any]:
        models = ("x", "y") if order == "straight" else ("y", "x")
        return {
            "left": models[0], "right": models[1], "w": "a" if order == "straight" else "b", "who": "j", "q": "p",
            "l": f"by {models[0]}", "r": f"by {models[1]}",
        }  # fmt: skip

    rows = [vote(order) for order in ("straight", "swapped") * 4]
    columns = {"model_a": "left", "model_b": "right", "winner": "w", "judge": "who", "prompt": "q",
               "response_a": "l", "response_b": "r"}  # fmt: skip
    report = api.classify_annotations(write(tmp_path / "v.jsonl", rows), columns=columns)
    assert report["annotators"]["j"]["kinds"] == {"genuine": 1}


async def test_a_model_is_asked_once_for_each_measure_and_again_for_none(tmp_path: Path) -> None:
    def prefers_good(request: ChatRequest, ordinal: int) -> str:
        text = request.messages[-1].content
        return "Choice: 1" if text.index("Hi!") < text.index("No.") else "Choice: 2"

    model, settings = Scripted("actor", prefers_good), config()
    questions = plan()
    first = await ask_model(questions, settings, "actor", {"actor": model}, tmp_path / "run")
    assert model.drawn == 16
    assert {question.verdict for question in first} == {"a"}
    assert classify(first).kind == "genuine"
    again = await ask_model(plan(repeats=5), settings, "actor", {"actor": model}, tmp_path / "run")
    assert model.drawn == 20  # one more for each of four conditions
    assert {question.annotator for question in again} == {"actor"}


async def test_what_was_answered_before_a_failure_is_kept(tmp_path: Path) -> None:
    calls = 0

    def fails(request: ChatRequest, ordinal: int) -> str:
        nonlocal calls
        calls += request.n == 4 and ordinal == request.first
        if calls == 3:
            raise ProviderError("down", fatal=True)
        return "Choice: 1"

    with pytest.raises(ProviderError):
        await ask_model(plan(), config(), "actor", {"actor": Scripted("actor", fails)}, tmp_path / "run")
    model = Scripted("actor", lambda request, ordinal: "Choice: 2")
    found = await ask_model(plan(), config(), "actor", {"actor": model}, tmp_path / "run")
    assert model.drawn <= 8
    assert len({question.answer for question in found}) == 2


def test_bad_input_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="--map response_b=COLUMN"):
        api.plan_annotation(
            write(tmp_path / "x.jsonl", [{"prompt": "p", "response_a": "a"}]), output=tmp_path / "p"
        )
    with pytest.raises(ConfigError, match="not winner"):
        api.plan_annotation(items(tmp_path, 1), output=tmp_path / "p", columns={"winner": "w"})
    odd = write(tmp_path / "y.jsonl", [{"prompt": "p", "response_a": "a", "response_b": "b", "label": 3}])
    with pytest.raises(DataError, match="neither 1 nor 2"):
        api.plan_annotation(odd, output=tmp_path / "p")
    path = write(tmp_path / "z.jsonl", [{"item": {}, "order": "up", "answer": None}])
    with pytest.raises(DataError, match=r"z.jsonl:1"):
        list(read_questions(read_file(path)))
