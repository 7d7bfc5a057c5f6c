"""Judged answers on the ordinary road: votes become trees, trees become rows, and nothing is called proved."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.builders import math_cot
from ultrainteract import api
from ultrainteract.config import ExportConfig, ExportFilter
from ultrainteract.dataset.info import RunInfo
from ultrainteract.dataset.tree_table import read_trees
from ultrainteract.errors import ConfigError
from ultrainteract.exporting import export_rows, export_trees
from ultrainteract.exporting.example import example_tree
from ultrainteract.judgments.trees import (
    CONTRADICTED,
    EQUAL,
    REPEATED,
    Answer,
    Couple,
    JudgedTrees,
    open_instruction,
)
from ultrainteract.schema import (
    Constitution,
    Evidence,
    Instruction,
    Message,
    Task,
    Tree,
    TreeState,
    Turn,
    Verdict,
)

pytest.importorskip("evalica")


def talk(*texts: str) -> list[dict[str, str]]:
    return [{"role": ("user", "assistant")[n % 2], "content": text} for n, text in enumerate(texts)]


def row(question: str, models: str, winner: str, judge: str) -> dict[str, Any]:
    """A vote in the layout of MT-Bench judgments, on the second turn of a conversation."""
    a, b = models
    sides = {
        f"conversation_{side}": talk(
            f"hi {question}", "yes?", f"tell me {question}", f"{model} says {question}"
        )
        for side, model in zip("ab", models, strict=True)
    }
    return {
        "question_id": question,
        "turn": 2,
        "model_a": a,
        "model_b": b,
        "winner": winner,
        "judge": judge,
    } | sides


def votes(tmp_path: Path) -> Path:
    rows = [row("one", "xy", "model_a", judge) for judge in ("p", "q", "r")]
    rows += [row("one", "yz", "model_a", "p"), row("one", "xz", "model_a", "p"), row("two", "xy", "tie", "p")]
    rows += [row("two", "zy", "model_a", "p"), row("three", "zx", "model_b", "q")]
    path = tmp_path / "votes.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)))
    return path


@pytest.fixture
def folder(tmp_path: Path) -> tuple[Path, dict[str, Any]]:
    output = tmp_path / "trees"
    report = api.vote_pairs(
        votes(tmp_path), output=output, dataset="arena", license="cc-by-4.0", style=False, cleaning=False
    )
    return output, report


def test_every_vote_and_every_couple_is_accounted_for(folder: tuple[Path, dict[str, Any]]) -> None:
    _, report = folder
    assert report["votes"] == {"read": 8, "unreadable": 0, "dropped": {}, "kept": 8}
    assert report["couples"] == report["pairs"] + sum(report["refused"].values()) == 6
    assert report["refused"] == {CONTRADICTED: 1, "tie": 1}  # y: rejected by three votes, chosen by one
    assert (report["pairs"], report["trees"]) == (4, 3)


def test_the_ordinary_road_takes_the_trees(folder: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    output, report = folder
    figures = api.stats(output)
    assert {(found.check, found.label) for found in figures.evidence} == {
        ("votes", "correct"),
        ("votes", "wrong"),
    }
    assert figures.licenses[0].license == "cc-by-4.0"
    trees = list(read_trees(output))
    assert {tree.state for tree in trees} == {TreeState.COMPLETE}
    (first,) = [tree for tree in trees if tree.instruction.prompt == "tell me one"]
    pair = next(pair for _, pair in first.pairs())
    assert pair.chosen.provenance.model == "x"
    assert pair.chosen.verdict.evidence is not None
    assert pair.chosen.verdict.evidence.detail.startswith("3 of 3 votes agree")
    assert 0.5 < pair.chosen.verdict.evidence.reliability < 1
    written = api.export(
        [output], tmp_path / "out", changes={"formats": ["trl-preference", "pair", "sft", "reward", "trees"]}
    )
    assert written.rows["trl-preference"] == report["pairs"]
    outcomes = list(api.list_inputs(output))
    assert [outcome.state for outcome in outcomes] == [TreeState.COMPLETE] * 3


def test_a_conversation_stands_before_the_prompt_in_every_format(folder: tuple[Path, dict[str, Any]]) -> None:
    trees = list(read_trees(folder[0]))
    (chat,) = [r for r in export_rows("trl-preference", trees) if "three" in r["prompt"][0]["content"]]
    assert [(m["role"], m["content"]) for m in chat["prompt"]] == [
        ("user", "hi three"), ("assistant", "yes?"), ("user", "tell me three"),
    ]  # fmt: skip
    (flat,) = [r for r in export_rows("sft", trees) if "three" in r["instruction"]]
    assert flat["instruction"] == "User: hi three\n\nAssistant: yes?\n\nUser: tell me three"


def test_a_preference_is_not_called_direct(folder: tuple[Path, dict[str, Any]]) -> None:
    assert {row["direct"] for row in export_rows("reward", read_trees(folder[0]))} == {False}
    assert {row["direct"] for row in export_rows("reward", [example_tree()]) if not row["augmented"]} == {
        True
    }


def test_proved_and_judged_labels_share_no_export_unless_asked(
    folder: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    both = [example_tree(), *read_trees(folder[0])]
    info = RunInfo(name="x", fingerprint="y")
    out = tmp_path / "mixed"
    with pytest.raises(ConfigError, match="mix_judged"):
        export_trees(both, out, ExportConfig(formats=("pair",)), info)
    assert not list(out.rglob("*.parquet"))
    kept = ExportConfig(formats=("pair",), filter=ExportFilter(checks=("votes",)))
    assert export_trees(both, out, kept, info) == {"pair": 4}
    with pytest.raises(ConfigError, match="mix_judged"):  # whole trees hold all labels, whatever the filter
        export_trees(both, out, kept.model_copy(update={"formats": ("pair", "trees")}), info)
    assert export_trees(both, out, ExportConfig(formats=("pair",), mix_judged=True), info) == {"pair": 6}


def test_an_answer_has_one_label_in_a_tree() -> None:
    def couple(chosen: str, rejected: str, reliability: float) -> Couple:
        evidence = Evidence(check="votes", reliability=reliability)
        return Couple(Answer(chosen, "m"), Answer(rejected, "m"), evidence)

    trees = JudgedTrees()
    root = open_instruction("q", grader="votes", dataset="d")
    for one in (couple("b", "c", 0.6), couple("a", "b", 0.9), couple("a", "c", 0.7)):
        trees.add(root, one)
    (tree,) = trees
    assert [(p.chosen.action.text, p.rejected.action.text) for _, p in tree.pairs()] == [
        ("a", "b"),
        ("a", "c"),
    ]
    assert trees.refused == {CONTRADICTED: 1}


def test_answers_that_differ_in_looks_alone_are_one_answer() -> None:
    def couple(chosen: str, rejected: str, reliability: float) -> Couple:
        return Couple(
            Answer(chosen, "m"), Answer(rejected, "n"), Evidence(check="votes", reliability=reliability)
        )

    trees = JudgedTrees()
    alike, mixed = (open_instruction(prompt, grader="votes", dataset="d") for prompt in ("same", "mixed"))
    trees.add(alike, couple("Yes, it is.", "yes,\n it is. ", 0.9))
    for one in (couple("a", "b", 0.9), couple("A", " b", 0.8), couple("B", "c", 0.7), couple("x", "x", 0.95)):
        trees.add(mixed, one)
    (tree,) = trees
    assert tree.instruction.prompt == "mixed"
    assert [(p.chosen.action.text, p.rejected.action.text) for _, p in tree.pairs()] == [("a", "b")]
    assert trees.refused == {EQUAL: 2, REPEATED: 1, CONTRADICTED: 1}
    assert len(list(trees)) == 1
    assert trees.refused.total() == 4  # counted anew


def test_whole_trees_with_a_pair_of_equal_texts_are_reported(
    folder: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    assert api.validate_data(folder[0] / "trees").ok
    trees = list(read_trees(folder[0]))
    turn = trees[0].turns[0]
    assert turn.correct is not None
    assert turn.incorrect is not None
    action = turn.incorrect.action.model_copy(update={"text": turn.correct.action.text.upper()})
    equal = turn.model_copy(update={"incorrect": turn.incorrect.model_copy(update={"action": action})})
    trees[0] = trees[0].model_copy(update={"turns": (equal,)})
    export_trees(
        trees, tmp_path / "equal", ExportConfig(formats=("trees",)), RunInfo(name="x", fingerprint="y")
    )
    assert {rule for _, rule in api.validate_data(tmp_path / "equal" / "trees").broken} == {"equal_pair"}


def test_what_is_new_in_a_tree_leaves_no_trace_where_it_is_not_used() -> None:
    written = example_tree().model_dump_json()
    for name in ("context", "constitution", "unlabelled", "log_likelihood"):
        assert name not in written
    assert math_cot().id == Instruction(**math_cot().model_dump()).id
    asked = open_instruction("q", grader="votes", dataset="d")
    later = asked.model_copy(update={"context": (Message(role="user", content="before"),)})
    assert asked.id != Instruction(**later.model_dump()).id
    assert "mix_judged" not in ExportConfig().model_dump()


def test_an_unlabelled_tree_has_a_state_of_its_own_and_no_rows() -> None:
    node = example_tree().turns[0].correct
    assert node is not None
    children = tuple(
        node.model_copy(
            update={
                "verdict": Verdict.undetermined("unlabelled by design"),
                "constitution": Constitution(name=name, principles=(f"Be {name}.",)),
            }
        )
        for name in ("brief", "long")
    )
    root = open_instruction("q", grader="principle", dataset="d")
    tree = Tree(instruction=root, turns=(Turn(unlabelled=children),), ended="unlabelled")
    assert tree.state is TreeState.UNLABELLED
    assert Tree.model_validate_json(tree.model_dump_json()) == tree
    for name in ("sft", "pair", "trl-preference", "trl-kto", "reward", "trl-stepwise"):
        assert list(export_rows(name, [tree])) == []
    with pytest.raises(ValueError, match="one row and one column"):
        Turn(unlabelled=children, log_likelihood=((-1.0,),))


def test_open_tasks_are_known_by_name() -> None:
    assert Task("Chat").kind is Task.LOGIC
    assert Task("Writing").kind is Task.LOGIC
    assert Task("Writing").sentence.startswith("Improve the writing")
