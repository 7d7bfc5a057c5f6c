"""Rows in the published layout: statistics against values counted by hand, trees, and a round trip."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ultrainteract.dataset.importing import ImportedTrees
from ultrainteract.dataset.rebuild import rebuild
from ultrainteract.errors import DataError
from ultrainteract.exporting import pair_rows, sft_rows
from ultrainteract.schema import Tree
from ultrainteract.statistics.statistics import Statistics

DATA = Path(__file__).parent / "data"
A, B, C, D, E = (letter * 64 for letter in "abcde")


def rows(name: str) -> list[dict]:
    return [json.loads(line) for line in (DATA / f"{name}.jsonl").read_text().splitlines()]


@pytest.fixture(scope="module")
def trees() -> dict[str, Tree]:
    with ImportedTrees.of(str(DATA)) as imported:
        found = {tree.id: tree for tree in imported}
        assert imported.rows == {"sft": 8, "pair": 6}
        assert not imported.issues
    return found


def test_table_1_and_table_7_are_as_counted_by_hand(trees: dict[str, Tree]) -> None:
    statistics = Statistics()
    for tree in trees.values():
        statistics.add(tree)
    figures = statistics.figures().model_dump(mode="json")
    table1 = {
        (row["task"], row["interaction"], row["tool"]): (
            row["instructions"], row["trajectories"], row["pairs"], row["correct"]
        )
        for row in figures["table1"]
    }  # fmt: skip
    assert table1 == {
        ("Coding", True, False): (2, {"1": 1, "2": 1}, 1, 3),
        ("Logic", True, False): (1, {"2": 1}, 1, 1),
        ("Math_CoT", True, False): (1, {"1": 1}, 1, 1),
        ("Math_CoT", False, False): (1, {"1": 1}, 0, 1),
        ("Math_PoT", True, True): (1, {"3": 1}, 3, 3),
    }
    table7 = {
        (row["task"], row["dataset"]): (row["prompts"], row["pairs"], row["correct"])
        for row in figures["table7"]
    }
    assert table7 == {
        ("Coding", "codecontest"): (1, 1, 2),
        ("Coding", "magicoder_evol_instruct"): (1, 0, 1),
        ("Logic", "reclor"): (1, 1, 1),
        ("Math_CoT", "gsm8k"): (1, 1, 2),
        ("Math_PoT", "MATH"): (1, 3, 3),
    }
    assert (figures["trees"], figures["pairs"], figures["correct"]) == (5, 6, 9)
    assert figures["turns"] == {"1": 2, "2": 2, "3": 1}
    assert figures["pairs_by_turn"] == {"1": 3, "2": 2, "3": 1}
    assert figures["states"] == {"complete": 4, "sft_only": 1}
    assert figures["duplicates"] == {"prompts": 0, "pairs": 0, "responses": 0}
    assert figures["critiques"]["total"] == 3
    # Instruction E: the prompt has 110 characters (28 tokens of 4), the wrong action 29 (8), the feedback 52 (13), the
    # chosen action 43 (11).
    (logic,) = [row for row in figures["table7"] if row["dataset"] == "reclor"]
    assert logic["tokens_per_trajectory"] == 28 + 8 + 13 + 11


def test_trees_hold_what_the_rows_say(trees: dict[str, Tree]) -> None:
    tree = trees[A]
    assert [turn.paired for turn in tree.turns] == [True, True, True]
    assert tree.instruction.tools == ("python",)
    assert tree.instruction.question.startswith("A rope of 12 m")
    first = tree.turns[0].incorrect
    assert first is not None
    assert first.critique is not None
    assert (first.observation.output, first.critique.text) == ("8", "The rope is divided, not shortened.")
    assert tree.turns[0].correct is not None
    assert tree.turns[0].correct.action.code == "print(12 / 4 * 100)"
    assert [len(turn.more_correct) for turn in trees[B].turns] == [1]
    assert [bool(turn.correct) for turn in trees[C].turns] == [True, True]
    assert [(turn.correct is not None, turn.paired) for turn in trees[E].turns] == [
        (False, False),
        (True, True),
    ]
    assert trees[D].state == "sft_only"


def test_rows_come_out_as_they_went_in(trees: dict[str, Tree]) -> None:
    pairs = [row for tree in trees.values() for row in pair_rows(tree)]
    assert pairs == rows("published_pair")
    ours = [row for tree in trees.values() for row in sft_rows(tree)]
    published = rows("published_sft")
    for one, other in zip(ours, list(published), strict=False):
        for name in ("task", "dataset", "instruction", "response", "parent_id"):
            assert one[name] == other[name]
        assert one["id"][64:] == other["id"][64:]
    assert len(ours) == len(published) + 1  # E's chosen action is in the pair split alone


def test_what_does_not_fit_is_named() -> None:
    pairs = [row for row in rows("published_pair") if row["parent_id"] == A]
    pairs[2]["trajectory"][1]["value"] = "something else"
    _, issues = rebuild(A, pairs, [])
    assert "its turn 1 differs from the other pairs' history" in issues[0]


def test_a_row_under_another_conversation_than_its_trees_is_refused_and_counted(tmp_path: Path) -> None:
    """A label holds for the prompt and the history that it was given under, wherever the odd row stands."""
    pairs = [row for row in rows("published_pair") if row["parent_id"] == A]
    sft = [row for row in rows("published_sft") if row["parent_id"] == A]
    prompt = pairs[0]["trajectory"][0]["value"]
    stray = json.loads(json.dumps(pairs[0])) | {"id": "7" * 64 + "_1_1", "chosen": "a", "rejected": "b"}
    stray["trajectory"][0]["value"] = "What is the capital of France?"
    later = json.loads(json.dumps(pairs[-1])) | {"id": "8" * 64 + pairs[-1]["id"][64:]}
    later["trajectory"][2]["value"] = "Other feedback."
    answer = sft[0] | {"instruction": f"Another prompt.\n{prompt}", "id": "6" * 64 + "_1_1", "response": "x"}
    odd = {
        "its prompt is not that of its tree, so it is refused": 1,
        "its turn 1 differs from the other pairs' history, so it is refused": 1,
        "its instruction is not the prompt of its tree, so it is refused": 1,
    }
    for place in range(len(pairs) + 1):  # the last pair shows the tree's history, so `later` comes after it
        mixed = [*pairs[:place], stray, *pairs[place:], later]
        (tmp_path / "pair.jsonl").write_text("\n".join(map(json.dumps, mixed)))
        (tmp_path / "sft.jsonl").write_text("\n".join(map(json.dumps, [answer, *sft])))
        with ImportedTrees.of(str(tmp_path)) as imported:
            (tree,) = imported
            assert dict(imported.issues) == odd
        assert tree.instruction.prompt == prompt
        assert list(pair_rows(tree)) == pairs
        assert not {row["response"] for row in sft_rows(tree)} & {"x", "a"}


def test_an_id_that_counts_no_turn_is_none() -> None:
    for end in ("_0_0", "_1_0", "_1000000000_1", f"_{'9' * 5000}_1"):
        row = rows("published_sft")[-1] | {"id": "9" * 64 + end}
        tree, issues = rebuild(D, [], [row])
        assert "names no turn" in issues[0]
        assert len(tree.turns) == 1


def test_a_tool_call_of_an_sft_row_is_kept() -> None:
    row = rows("published_sft")[-1] | {"task": "Logic"}
    prompt = row["instruction"]
    call = row | {"instruction": f"{prompt}\nsearch('world')\nOut: a planet", "id": "9" * 64 + "_1_1"}
    tree, issues = rebuild(D, [], [row, call])
    assert not issues
    (more,) = tree.turns[0].more_correct
    assert (more.action.exchanges[0].text, more.action.exchanges[0].output) == ("search('world')", "a planet")
    assert [r["instruction"] for r in sft_rows(tree)] == [prompt]  # the same response twice is one action


def test_unknown_wording_of_feedback_is_kept_word_for_word() -> None:
    pair = next(row for row in rows("published_pair") if row["parent_id"] == E)
    pair["trajectory"][2]["value"] = "Not quite: try again."
    tree, _ = rebuild(E, [pair], [])
    assert list(pair_rows(tree)) == [pair]


def test_an_unknown_task_is_refused() -> None:
    with pytest.raises(DataError, match="Unknown task 'Poetry'"):
        rebuild(D, [], [rows("published_sft")[-1] | {"task": "Poetry"}])
    assert rebuild(D, [], [rows("published_sft")[-1] | {"task": "coding"}]).tree.instruction.task == "Coding"
