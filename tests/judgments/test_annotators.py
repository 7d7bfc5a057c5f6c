"""Annotators: the three kinds are told apart, too few measures say nothing, only genuine preferences make pairs."""

from __future__ import annotations

import itertools
import json
import random
from pathlib import Path
from typing import Any

import pytest

from tests.builders import Scripted, config
from ultrainteract import api
from ultrainteract.dataset.tree_table import read_trees
from ultrainteract.errors import ConfigError, DataError, ProviderError, StoreError
from ultrainteract.judgments.annotators.answers import read_choice, read_ratings
from ultrainteract.judgments.annotators.asking import annotator_name, ask_model
from ultrainteract.judgments.annotators.classify import classify, fisher_p, repeat_p
from ultrainteract.judgments.annotators.measures import Item, Question, read_questions
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


@pytest.mark.parametrize("scales", [("rating",), ("pairwise", "rating")])
def test_they_answer_on_the_scale_of_the_plan(scales: tuple[str, ...]) -> None:
    for name, counts in confusion(plan(scales=scales), items=200).items():
        assert counts[KINDS[name][0]] >= 0.95 * 200, (name, counts)


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


def test_choices_are_read_where_they_are_stated_and_left_unread_where_they_are_mentioned() -> None:
    stated = {
        "a": ["Choice: 1", "Answer 1.", "1\n\nIt says more than answer 2.", "I weighed both. Choice: 1", "A", "1.0",
              "Choice: 1. It says more than answer 2.", "Choice: 1 because it is short", "[Choice: 1]",
              "Choice: 1 (shorter)", "Choice: answer 1 - it is shorter", "1\n\n**Answer 1**\nGood.\n**Answer 2**\nBad."],
        "b": ["**Choice: 2**\nBecause …", "2", "Choose: 2", "Choice: 2\nChoice 1 is wrong.", "My choice is 2.", "b",
              "Choice: B", "Choice 1 is wrong.\nChoice: 2"],
        "tie": ["choice: equal", "tie", "Equal.", "Final choice: equal"],
    }  # fmt: skip
    for choice, answers in stated.items():
        assert {answer: read_choice(answer) for answer in answers} == dict.fromkeys(answers, choice)
    doubtful = [
        "", "I prefer the second", "Choice: 3", "Choice: 10", "Choice 1 vs. Choice 2", "Choice 1 vs Choice 2", "1 or 2?",
        "Choice 1 vs 2", "Choice: 1/2", "Choice: 1-2", "Choice: 1, 2", "Choice: 1 or 2", "Choice: 1.5", "1/2", "-1", "1?",
        "Choice: 1?", "Choice: 1 is long, choice: 2 is short.", "1) is better", "Choice 1 is worse", "Choice: not 1",
        "Choice [1/2/equal]: 2", "Choice 1:\nGood.\nChoice 2:\nBad.", "**Choice 1**\nGood\n**Choice 2**\nBad",
        "I would never choose 2.", "Not choice: 1.", "1\nChoice: 2", "Choice: 1. Choice: 2.", "Choose a shorter one",
        "1\n2", "Choice: 1 (not 2)", "Choice: 1 - 2", "Rejected choice: 1", "Choice: answer 1 is worse",
    ]  # fmt: skip
    assert [answer for answer in doubtful if read_choice(answer) is not None] == []


def test_two_ratings_on_the_scale_are_read_whatever_is_written_around_them() -> None:
    for first, second in itertools.product(("0", "3", "7.5", "7,5", "10"), repeat=2):
        one, other = (float(number.replace(",", ".")) for number in (first, second))
        expected = "tie" if one == other else "a" if one > other else "b"
        for form in (
            "{0} {1}", "{0}/10 and {1}/10", "{0} out of 10, {1} out of 10", "{0} / 10\n{1} / 10", "{0}\n{1}", "({0}, {1})",
            "Rating 1: {0}\nRating 2: {1}", "1. {0}\n2. {1}", "1) {0}, 2) {1}", "A: {0}\nB: {1}", "{0} vs. {1}",
            "Answer 2: {1}, answer 1: {0}", "**Answer 1:** {0}/10 (long)\nGood.\n\n**Answer 2:** {1}/10 (short)\n3 facts",
            "The second answer is {1} and the first is {0}", "Rating of answer 2: {1}; rating of answer 1: {0}", "{0} & {1}",
            "Ratings: {0} {1}", "Here is a rating for each: {0} {1}", "My ratings:\n{0} {1}\n1. clear\n2. short", "On a scale from 0 to 10: {0} {1}",
            "{0} {1} because the first is better", "- Answer 1: {0}\n- Answer 2: {1}", "Response 1 {0} Response 2 {1}",
            '{{"answer_1": {0}, "answer_2": {1}}}',
        ):  # fmt: skip
            answer = form.format(first, second)
            assert read_ratings(answer) == expected, answer


@pytest.mark.parametrize(
    "answer",
    ["", "eight", "7", "7/10", "7,4", "-3 2", "3 -2", "+7 +4", "-7\n-4", "11 4", "10.5 3", "100 90", "70% 40%", "7 4 3",
     "4/5 3/5", "9/8", "7/100 4/100", "7-8", "7 - 8", "7 to 8", "1. 2", "1: 2", "Answer 1: 7, answer 1: 8", "1) 9 2) 8 3) 7",
     "9 for the second, 8 for the first", "Second, first: 4 7", "Ratings (answer 2, answer 1): 4 7", "8 1. 9 2.",
     "Answer 1: -3, answer 2: 2", "Answer 1: 7-8, answer 2: 4", "Answer 1 is 2 points better: 9 8", "7\n\n4 reasons follow",
     "1 9\n2 8", "7 4\n4 7"],
)  # fmt: skip
def test_what_is_not_exactly_two_ratings_on_the_scale_is_left_unread(answer: str) -> None:
    assert read_ratings(answer) is None


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


def test_an_id_stands_for_one_item(tmp_path: Path) -> None:
    one = {"id": 1, "prompt": "p", "response_a": "a", "response_b": "b", "label": 1}
    same = one | {"id": "1", "label": "A"}
    report = api.plan_annotation(write(tmp_path / "x.jsonl", [one, same]), output=tmp_path / "p.jsonl")
    assert (report["items"], report["duplicates"], report["questions"]) == (1, 1, 16)
    other = write(tmp_path / "y.jsonl", [one | {"response_b": "c"}])
    with pytest.raises(DataError, match=r"y\.jsonl:1.*'1'.*response_b.*x\.jsonl:1"):
        api.plan_annotation(tmp_path / "x.jsonl", other, output=tmp_path / "q.jsonl")
    api.plan_annotation(other, output=tmp_path / "q.jsonl")
    with pytest.raises(DataError, match=r"q\.jsonl:1.*response_b.*p\.jsonl:"):
        api.classify_annotations(tmp_path / "p.jsonl", tmp_path / "q.jsonl")


def test_a_measure_counts_once(tmp_path: Path) -> None:
    rows = [one.model_dump(mode="json") for one in answered(plan(), "fixed opinion")]
    path = write(tmp_path / "a.jsonl", rows)
    blank = write(tmp_path / "blank.jsonl", [row | {"answer": " "} for row in rows])
    report = api.classify_annotations(blank, path, path)
    assert (report["measures"], report["duplicates"], report["unanswered"]) == (16, 32, 0)
    assert report["annotators"]["fixed opinion"]["kinds"] == {"genuine": 1}
    turned = write(tmp_path / "b.jsonl", [row | {"answer": "equal"} for row in rows])
    with pytest.raises(DataError, match=r"b\.jsonl:1.*fixed opinion.*a\.jsonl:1.*Name the annotator"):
        api.classify_annotations(path, turned)


@pytest.mark.parametrize(("one", "two"), [(1, 2), (1.0, 2.0), ("A", "B"), ("1.0", "2.0"), ("a ", " b")])
def test_an_answer_may_be_a_number_or_a_letter(tmp_path: Path, one: object, two: object) -> None:
    rows = [
        q.model_dump(mode="json") | {"answer": one if q.order == "straight" else two, "annotator": 7}
        for q in plan()
    ]
    report = api.classify_annotations(write(tmp_path / "a.jsonl", rows))
    assert report["annotators"]["7"]["kinds"] == {"genuine": 1}
    rated = [
        row | {"scale": "rating", "answer": [7, 4.5] if row["order"] == "straight" else [4.5, 7]}
        for row in rows
    ]
    assert api.classify_annotations(write(tmp_path / "b.jsonl", rated))["annotators"]["7"]["kinds"] == {
        "genuine": 1
    }


def test_an_empty_cell_is_not_answered_yet_and_an_empty_label_is_none(tmp_path: Path) -> None:
    (tmp_path / "items.csv").write_text("prompt,response_a,response_b,label\np,a,b,\nq,a,b,1.0\nr,a,b,B\n")
    api.plan_annotation(tmp_path / "items.csv", output=tmp_path / "p.jsonl")
    rows = [json.loads(line) for line in (tmp_path / "p.jsonl").read_text().splitlines()]
    assert {row["item"]["prompt"]: row["item"]["label"] for row in rows} == {"p": None, "q": "a", "r": "b"}
    for empty in (None, "", "  "):
        report = api.classify_annotations(
            write(tmp_path / "e.jsonl", [row | {"answer": empty} for row in rows])
        )
        assert (report["measures"], report["unanswered"], report["unread"]) == (48, 48, 0)
    for odd in ({"x": 1}, True, [], ["1"]):
        with pytest.raises(DataError, match=r"o\.jsonl:1.*answer"):
            api.classify_annotations(write(tmp_path / "o.jsonl", [rows[0] | {"answer": odd}]))


def test_answers_are_not_overwritten_unless_told(tmp_path: Path) -> None:
    plan_file, source = tmp_path / "plan.jsonl", items(tmp_path, 2)
    api.plan_annotation(source, output=plan_file)
    api.plan_annotation(source, output=plan_file, repeats=2)  # nobody has answered yet
    lines = plan_file.read_text().splitlines()
    filled = "\n".join([json.dumps(json.loads(lines[0]) | {"answer": 1, "annotator": "ann"}), *lines[1:]])
    plan_file.write_text(filled)
    with pytest.raises(StoreError, match=r"1 answers by ann that would be lost.*--force"):
        api.plan_annotation(source, output=plan_file)
    assert plan_file.read_text() == filled
    with pytest.raises(StoreError, match="is no plan"):
        api.plan_annotation(source, output=source)
    assert api.plan_annotation(source, output=plan_file, force=True)["questions"] == 32


def test_a_models_answers_carry_its_name_and_stay_when_another_one_is_asked(tmp_path: Path) -> None:
    plan_file, out = tmp_path / "plan.jsonl", tmp_path / "judged"
    api.plan_annotation(items(tmp_path, 1), output=plan_file, repeats=1)
    both = api.load_config("configs/demo.yaml")
    names = list(both.models)[:2]
    settings = both.model_copy(
        update={"models": {n: both.models[names[0]].model_copy(update={"model": n}) for n in both.models}}
    )
    api.run_annotation(plan_file, settings, names[0], out)
    before = (out / "answers.jsonl").read_bytes()
    assert {json.loads(line)["annotator"] for line in before.splitlines()} == {names[0]}
    with pytest.raises(StoreError, match=f"answers by {names[0]} that would be lost"):
        api.run_annotation(plan_file, settings, names[1], out)
    assert (out / "answers.jsonl").read_bytes() == before
    api.plan_annotation(items(tmp_path, 1), output=plan_file, repeats=2)
    assert api.run_annotation(plan_file, settings, names[0], out)["questions"] == 8
    api.run_annotation(plan_file, settings, names[1], out, force=True)
    alike = both.model_copy(update={"models": dict.fromkeys(names, both.models[names[0]])})
    assert annotator_name(alike, names[0]) != annotator_name(alike, names[1])


def test_a_model_answers_each_question_of_a_plan_once_whoever_has_answered_it(tmp_path: Path) -> None:
    rows = [
        one.model_dump(mode="json") for name in ("fixed opinion", "coin") for one in answered(plan(), name)
    ]
    settings = api.load_config("configs/demo.yaml")
    report = api.run_annotation(write(tmp_path / "both.jsonl", rows), settings, "actor", tmp_path / "out")
    assert report["questions"] == 16
    assert api.classify_annotations(report["file"])["measures"] == 16
    with pytest.raises(ConfigError, match="no model 'nobody'"):
        api.run_annotation(tmp_path / "both.jsonl", settings, "nobody", tmp_path / "other")


def test_pairs_of_an_earlier_classification_do_not_outlive_it(tmp_path: Path) -> None:
    plan_file = tmp_path / "plan.jsonl"
    api.plan_annotation(items(tmp_path, 12), output=plan_file, annotator="ann")
    rows = [json.loads(line) for line in plan_file.read_text().splitlines()]
    told = write(tmp_path / "a.jsonl", [row | {"answer": "12"[row["order"] != "straight"]} for row in rows])
    assert api.classify_annotations(told, output=tmp_path / "out")["pairs"] == 12
    assert api.classify_annotations(plan_file, output=tmp_path / "out")["pairs"] == 0
    assert list(read_trees(tmp_path / "out")) == []
