"""What is listed, filtered and found, against the trees themselves."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import pytest

from tests.builders import config, math_cot
from ultrainteract.schema import TreeState
from ultrainteract.store import Outcome, RunStore, retry
from ultrainteract.viewing.collection import Collection
from ultrainteract.viewing.index import INDEX_FILE, match_query


@pytest.fixture
def built(run: Path, tmp_path: Path):
    copy = tmp_path / "run"
    shutil.copytree(run, copy, ignore=shutil.ignore_patterns("viewer*"))
    with Collection(str(copy)) as collection:
        collection.build()
        yield collection


def test_counts_are_those_of_the_trees(built: Collection) -> None:
    trees = {tree.id: tree for tree in built.stores[0].trees()}
    page = built.index.page({}, limit=200)
    assert page.matched == len(trees) == 12
    depths = {}
    for tree in trees.values():
        depths[str(tree.depth)] = depths.get(str(tree.depth), 0) + 1
    assert page.facets["depth"] == depths
    for line in page.lines:
        tree = trees[line.key]
        assert line.pairs == sum(1 for _ in tree.pairs())
        assert (
            line.rate == pytest.approx(tree.turns[0].pass_rate)
            if line.rate is not None
            else tree.turns[0].pass_rate is None
        )
        assert line.one["state"] == tree.state
        assert line.some["evidence"] == list(
            dict.fromkeys(node.verdict.evidence.check for _, node in tree.nodes())
        )


def test_a_facet_counts_what_the_other_filters_let_through(built: Collection) -> None:
    all_of = built.index.page({}, limit=200)
    depth = min(all_of.facets["depth"], key=int)
    one = built.index.page({"depth": {depth}}, limit=200)
    assert one.matched == all_of.facets["depth"][depth]
    assert one.facets["depth"] == all_of.facets["depth"]  # its own filter does not hide the others
    assert sum(one.facets["state"].values()) == one.matched


def test_words_are_found_in_problems_actions_and_critiques(built: Collection) -> None:
    tree = next(tree for tree in built.stores[0].trees() if tree.depth > 1)
    node = tree.turns[0].incorrect
    assert node is not None
    assert node.critique is not None
    for text in (tree.instruction.question, node.action.text, node.critique.text):
        phrase = " ".join(text.split()[:4])
        found = built.index.page({}, f'"{phrase}"', limit=200)
        assert tree.id in {line.key for line in found.lines}
    assert not built.index.page({}, "wordthatoccursnowhere").matched
    assert built.index.page({}, tree.instruction.source).lines[0].key == tree.id


@pytest.mark.parametrize(
    "words", ['"', 'a" OR b', "NEAR(a b)", "-", "*", "a AND", "body:x", "'; DROP TABLE lines; --", "\0"]
)
def test_nothing_of_the_query_language_gets_through(built: Collection, words: str) -> None:
    built.index.page({}, words)
    assert built.index.page({}).matched == 12


def test_queries() -> None:
    assert match_query('two "side by side" begin* -') == '"two" AND "side by side" AND "begin"*'


def test_sorted_paged_and_found_again(built: Collection) -> None:
    deepest = built.index.page({}, sort="-depth", limit=200)
    depths = [int(line.one["depth"]) for line in deepest.lines]
    assert depths == sorted(depths, reverse=True)
    last = deepest.lines[-1].key
    page = built.index.page({}, sort="-depth", limit=5, around=last)
    assert page.offset == 10
    assert last in {line.key for line in page.lines}


def test_the_index_is_kept_and_goes_on(built: Collection) -> None:
    folder, lines = built.folders[0], [line.key for line in built.index.lines()]
    built.close()
    with Collection(str(folder)) as again:
        assert again.index.count == 12
        with RunStore.open(folder, readonly=False) as store:
            outcome = Outcome(
                key="f" * 64, state=TreeState.SKIPPED, reason="too long", dataset="gsm8k", source="gsm8k/9"
            )
            asyncio.run(store.put_outcomes([(outcome, None)]))
        again.build()
        assert [line.key for line in again.index.lines()] == [*lines, "f" * 64]
        assert again.index.page({"state": {"skipped"}}).lines[0].title == "too long"


def test_a_run_that_was_retried_is_indexed_anew(built: Collection) -> None:
    folder = built.folders[0]
    with RunStore.open(folder, readonly=False) as store:
        gone = retry(store, TreeState.COMPLETE)
    assert gone
    while built.follow():
        pass
    assert built.index.page({}).matched == 12 - gone


def test_an_index_that_is_broken_or_of_another_run_is_made_anew(built: Collection, other_run: Path) -> None:
    folder = built.folders[0]
    built.close()
    (folder / INDEX_FILE).write_bytes(b"no database" * 1000)
    with Collection(str(folder)) as again:
        again.build()
        assert again.index.count == 12


def test_a_second_viewer_has_an_index_of_its_own(built: Collection) -> None:
    with Collection(str(built.folders[0])) as second:
        second.build()
        assert second.index.count == built.index.count


def test_an_outcome_that_is_replaced_has_one_line(tmp_path: Path) -> None:
    instruction = math_cot()
    with RunStore.create(tmp_path / "run", config(output=str(tmp_path / "run"))) as store:
        failed = Outcome(
            key=instruction.id,
            state=TreeState.FAILED,
            reason="no endpoint",
            dataset="gsm8k",
            source="gsm8k/1",
        )
        asyncio.run(store.put_outcomes([(failed, None)]))
        with Collection(str(tmp_path / "run")) as collection:
            collection.build()
            assert collection.index.page({"state": {"failed"}}).matched == 1
            now = failed.model_copy(update={"state": TreeState.SKIPPED, "reason": "contaminated"})
            asyncio.run(store.put_outcomes([(now, None)]))
            while collection.follow():
                pass
            page = collection.index.page({}, "contaminated")
            assert [line.one["state"] for line in page.lines] == ["skipped"]


def test_exports_are_read_too(run: Path, tmp_path: Path) -> None:
    import ultrainteract

    ultrainteract.export(run, tmp_path / "exports", changes={"formats": ["sft", "pair"]})
    with Collection(str(tmp_path / "exports")) as collection:
        collection.build()
        assert collection.index.count
        key = next(iter(collection.index.lines())).key
        assert collection.tree(key)
