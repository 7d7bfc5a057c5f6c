"""Principles: contrasts, unlabelled trees in an ordinary run directory, exports that never name a winner, the matrix."""

from __future__ import annotations

import json
import math
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.builders import Scripted, config
from ultrainteract import api
from ultrainteract.config import Principle
from ultrainteract.errors import ConfigError, DataError, StoreError
from ultrainteract.exporting import export_rows
from ultrainteract.judgments.principles.authoring import ask_for_principles, save
from ultrainteract.judgments.principles.constitutions import constitutions, drawn, read_principles
from ultrainteract.judgments.principles.growing import answer_queries
from ultrainteract.judgments.principles.information import info_nce, scores
from ultrainteract.judgments.principles.scoring import score_trees
from ultrainteract.models.base import ChatRequest, Completion
from ultrainteract.schema import Message, Tree, TreeState
from ultrainteract.store import RunStore

PRINCIPLES = [
    {"name": "concise", "positive": "Be concise.", "negative": "Be long-winded."},
    {"name": "polite", "positive": "Be polite.", "negative": "Be rude."},
]


@pytest.fixture
def principles(tmp_path: Path) -> Path:
    path = tmp_path / "principles.json"
    path.write_text(json.dumps(PRINCIPLES))
    return path


def test_contrasts_turn_one_or_more_principles_round(principles: Path) -> None:
    known = constitutions(read_principles(principles))
    assert [(one.name, one.principles) for one in known] == [
        ("positive", ("Be concise.", "Be polite.")), ("not-concise", ("Be long-winded.", "Be polite.")),
        ("not-polite", ("Be concise.", "Be rude.")), ("not-concise+polite", ("Be long-winded.", "Be rude.")),
    ]  # fmt: skip
    first, second = drawn(known, 2, Random(0))
    assert first.name == "positive" != second.name
    assert {drawn(known, 2, Random(n))[0].principles for n in range(20)} == {
        ("Be concise.", "Be polite."), ("Be polite.", "Be concise."),
    }  # fmt: skip
    with pytest.raises(ConfigError, match="2 to 4"):
        drawn(known, 5, Random(0))


def test_a_malformed_file_of_principles_is_named(tmp_path: Path) -> None:
    path = tmp_path / "p.yaml"
    path.write_text("- {name: x, positive: y}")
    with pytest.raises(ConfigError, match="negative"):
        read_principles(path)


def test_each_constitution_has_a_name_of_its_own_and_says_something_else() -> None:
    def one(name: str, positive: str, negative: str) -> Principle:
        return Principle(name=name, positive=positive, negative=negative)

    names = ("a", "b", "a-b", "not-a", "not", "A")
    known = constitutions([one(name, f"Be {n}.", f"Shun {n}.") for n, name in enumerate(names)])
    assert len({contrast.name for contrast in known}) == len(known) == 64
    with pytest.raises(ConfigError, match="'positive' and 'not-x' say the same"):
        constitutions([one("x", "Be kind.", "be  kind.")])
    with pytest.raises(ConfigError, match="'not-x' and 'not-y' say the same"):
        constitutions([one("x", "Be kind.", "Be rude."), one("y", "Be kind.", "Be rude.")])
    with pytest.raises(ValueError, match="negative"):
        one("x", "Be kind.", " \n")


@pytest.mark.parametrize("blank", ["", "  ", None, ["x"]])
def test_an_empty_query_is_named(tmp_path: Path, principles: Path, blank: object) -> None:
    queries = tmp_path / "q.jsonl"
    queries.write_text(json.dumps({"prompt": "one?"}) + "\n" + json.dumps({"prompt": blank}) + "\n")
    settings = api.load_config("configs/demo.yaml")
    with pytest.raises(DataError, match=r"q\.jsonl:2: field 'prompt' .*--column"):
        api.answer_under_principles(queries, principles, settings, "actor", tmp_path / "run")


async def test_a_directory_belongs_to_its_principles(tmp_path: Path, principles: Path) -> None:
    model = Scripted("actor", answer)
    await grown(tmp_path, principles, model, "one?")
    with RunStore.open(tmp_path / "run") as store:
        before = store.meta("frozen")
    principles.write_text(json.dumps([PRINCIPLES[0], PRINCIPLES[1] | {"negative": "Be rough."}]))
    with pytest.raises(StoreError, match=r'principles\.1\.negative: "Be rude\." → "Be rough\."'):
        await grown(tmp_path, principles, model, "two?")
    settings = {
        "dataset": "d",
        "folder": tmp_path / "run",
        "config": config(),
        "name": "actor",
        "models": {"actor": model},
    }
    known = read_principles(principles)
    for changed in ({"principles": known[:1]}, {"principles": known, "count": 3}):
        with pytest.raises(StoreError, match="another configuration"):
            await answer_queries(["two?"], **settings | changed)
    with RunStore.open(tmp_path / "run") as store:
        assert store.meta("frozen") == before
        assert len(list(store.trees())) == 1
    drawn_before = model.drawn
    await answer_queries(["one?"], known, **settings, accept_config=True)
    with RunStore.open(tmp_path / "run") as store:
        (tree,) = store.trees()
        said = {
            text
            for node in tree.turns[0].unlabelled
            if node.constitution
            for text in node.constitution.principles
        }
        assert "Be rude." not in said
        assert store.config().principles is not None
    assert model.drawn <= drawn_before + 1, (
        "the positive constitution was answered before, and is not paid for again"
    )


def answer(request: ChatRequest, ordinal: int) -> str | Completion:
    text = request.messages[-1].content
    if "repeat" in text:
        return "Sure. Be concise. Yes."
    if "cut" in text:
        return Completion(text="half", finish_reason="length")
    if "same" in text:
        return "always this"
    return ("Long" if "Be long-winded." in text else "Short") + (" rude" if "Be rude." in text else " polite")


async def grown(tmp_path: Path, principles: Path, model: Scripted, *queries: str) -> list[Tree]:
    await answer_queries(
        queries,
        read_principles(principles),
        config(),
        "actor",
        {"actor": model},
        tmp_path / "run",
        dataset="d",
    )
    with RunStore.open(tmp_path / "run") as store:
        return list(store.trees())


async def test_queries_become_unlabelled_trees_and_nothing_is_asked_twice(
    tmp_path: Path, principles: Path
) -> None:
    model = Scripted("actor", answer)
    trees = await grown(tmp_path, principles, model, "one?", "two?", "repeat", "cut", "same")
    assert [tree.state for tree in trees] == [TreeState.UNLABELLED] * 2
    assert model.drawn == 10
    await grown(tmp_path, principles, model, "one?", "two?", "three?")
    assert model.drawn == 12
    outcomes = list(api.list_inputs(tmp_path / "run"))
    assert len(outcomes) == 6
    assert {outcome.reason for outcome in outcomes if outcome.state is TreeState.SKIPPED} == {
        "a response repeats its constitution", "a response was cut off or withheld", "two responses are the same",
    }  # fmt: skip
    assert api.status(tmp_path / "run").states["unlabelled"] == 3
    assert api.stats(tmp_path / "run").states == {"unlabelled": 3}
    report = api.export(
        [tmp_path / "run"], changes={"formats": ["sami", "principle-pair", "sft", "pair", "trees"]}
    )
    assert report.rows == {"sami": 3, "principle-pair": 6, "sft": 0, "pair": 0, "trees": 3}


async def test_a_response_is_preferred_under_its_own_constitution_alone(
    tmp_path: Path, principles: Path
) -> None:
    trees = await grown(tmp_path, principles, Scripted("actor", answer), "one?")
    (row,) = export_rows("sami", trees)
    assert row["names"][0] == "positive"
    assert row["prompts"][1] == f"{row['constitutions'][1]}\n\none?"
    assert row["logprobs"] == []
    one, other = export_rows("principle-pair", trees)
    assert (one["chosen"], one["rejected"]) == (other["rejected"], other["chosen"])
    for pair in (one, other):
        assert pair["prompt"][0]["role"] == "system"
        assert pair["constitution"] in row["names"]
        assert pair["prompt"][0]["content"] == row["constitutions"][row["names"].index(pair["constitution"])]
        assert pair["chosen"][0]["content"] == row["responses"][row["names"].index(pair["constitution"])]


async def test_the_matrix_says_what_is_told_apart(tmp_path: Path, principles: Path) -> None:
    (tree,) = await grown(tmp_path, principles, Scripted("actor", answer), "one?")

    def with_matrix(matrix: Any) -> Tree:
        return tree.model_copy(
            update={"turns": (tree.turns[0].model_copy(update={"log_likelihood": matrix}),)}
        )

    assert info_nce(((-2.0, -2.0), (-2.0, -2.0))) == pytest.approx(math.log(2))
    assert info_nce(((-1.0, -3.0), (-4.0, -1.5))) == pytest.approx(
        sum(math.log1p(math.exp(-gap)) for gap in (2.0, 2.5, 3.0, 1.5)) / 4
    )
    apart = with_matrix(((-1.0, -3.0), (-4.0, -1.5)))
    (score,) = scores([apart, tree]).values()
    assert score.told_apart
    assert (score.queries, score.rows, score.columns) == (1, 1.0, 1.0)
    (same,) = scores([with_matrix(((-2.0, -2.1), (-2.0, -2.1)))]).values()
    assert not same.told_apart
    assert next(iter(export_rows("sami", [apart])))["logprobs"] == [[-1.0, -3.0], [-4.0, -1.5]]


class Likely(Scripted):
    """Says that an answer is likely where the constitution asks for its manner; and counts what it is asked."""

    asked = 0

    async def log_probabilities(self, messages: tuple[Message, ...], answer: str) -> tuple[float, ...]:
        self.asked += 1
        fits = ("Long" in answer) == ("Be long-winded." in messages[-1].content)
        return (-0.5, -1.5) if fits else (-2.0, -4.0, -3.0)


async def test_a_model_fills_the_matrix_once_and_untold_contrasts_are_named(
    tmp_path: Path, principles: Path
) -> None:
    trees = await grown(tmp_path, principles, Scripted("actor", answer), *(f"query {n}" for n in range(12)))
    model = Likely("actor", answer)
    found = await score_trees(tmp_path / "run", config(), model)
    assert model.asked == 4 * len(trees)
    assert found["positive | not-concise"].told_apart
    assert found["positive | not-concise"].columns == 1
    polite = found["positive | not-polite"]
    assert not polite.told_apart
    assert polite.information == pytest.approx(0)
    with RunStore.open(tmp_path / "run") as store:
        held = {tree.id: tree.turns[0].log_likelihood for tree in store.trees()}
        assert set(held) == {tree.id for tree in trees}
        assert set(held.values()) == {((-1.0, -3.0), (-3.0, -1.0)), ((-1.0, -1.0), (-1.0, -1.0))}
        assert store.counts()[TreeState.UNLABELLED] == len(trees)
    rows = list(export_rows("sami", api_trees(tmp_path / "run")))
    assert all(row["logprobs"] for row in rows)
    assert await score_trees(tmp_path / "run", config(), model) == found
    assert model.asked == 4 * len(trees), "what was scored is not asked again"
    other = Likely("actor", answer)
    other.model = "another"
    with pytest.raises(ConfigError, match="would not compare"):
        await score_trees(tmp_path / "run", config(), other)
    with pytest.raises(ConfigError, match="no log-probabilities of given answers"):
        await score_trees(tmp_path / "run", config(), Scripted("actor", answer))


def api_trees(folder: Path) -> list[Tree]:
    with RunStore.open(folder) as store:
        return list(store.trees())


STATED = """Here are the principles:
1. name: Concise | positive: Responses should be concise. | negative: Responses should be long-winded.
- **name**: plain words | **positive**: Use plain words. | **negative**: Use jargon.
name: broken | positive: no contrast
name: brevity | positive: Responses should be  concise. | negative: responses should be long-winded.
name: same | positive: Be kind. | negative: be kind.
"""


async def test_a_model_writes_principles_that_can_be_read_back(tmp_path: Path) -> None:
    texts = ["Sure! Principles are important.", STATED, "name: concise | positive: x | negative: y"]
    writer = Scripted("actor", lambda request, ordinal: texts[ordinal])
    found = await ask_for_principles("news", config(), "actor", writer, 3, 3)
    assert [(one.name, one.negative) for one in found] == [
        ("concise", "Responses should be long-winded."),
        ("plain-words", "Use jargon."),
    ]
    save(found, tmp_path / "drafts" / "p.yaml")
    assert read_principles(tmp_path / "drafts" / "p.yaml") == found
    settings = api.load_config("configs/demo.yaml")
    with pytest.raises(StoreError, match="is there already"):
        api.write_principles("news", settings, next(iter(settings.models)), tmp_path / "drafts" / "p.yaml")
    with pytest.raises(ConfigError, match="stated no principle in 1 samples"):
        await ask_for_principles("news", config(), "actor", writer, 3, 1)
    with pytest.raises(ConfigError, match="Ask for 1 to 6"):
        await ask_for_principles("news", config(), "actor", writer, 7, 1)
