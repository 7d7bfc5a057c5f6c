"""What holds for every tree, whatever is in it."""

from __future__ import annotations

import os
import tempfile
from collections import Counter
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.strategies import forests, trees
from ultrainteract.config import ExportConfig, ExportFilter
from ultrainteract.dataset.importing import ImportedTrees
from ultrainteract.dataset.rebuild import rebuild
from ultrainteract.dataset.samples import picked_pairs
from ultrainteract.exporting import (
    RunInfo,
    export_rows,
    export_trees,
    known_exporters,
    pair_rows,
    read_trees,
    sft_rows,
)
from ultrainteract.exporting.formats.reward import MAX_PAIRS, MAX_USES
from ultrainteract.schema import Tree
from ultrainteract.statistics.statistics import Statistics

EXAMPLES = int(os.environ.get("ULTRAINTERACT_EXAMPLES", "25"))
"""Examples per property; the gate asks for more."""
INFO = RunInfo(name="random", fingerprint="0" * 64)
relaxed = settings(
    deadline=None, max_examples=EXAMPLES, suppress_health_check=list(HealthCheck), phases=[Phase.explicit, Phase.generate],
    derandomize=True,
)  # fmt: skip
"""No shrinking, which takes minutes on trees; the same examples every time."""
few = settings(relaxed, max_examples=max(6, EXAMPLES // 8))
"""For what writes files."""


@relaxed
@given(tree=trees())
def test_published_rows_keep_the_layout(tree: Tree) -> None:
    rows = list(pair_rows(tree))
    for row in rows:
        head, depth, turn = row["id"].split("_")
        assert len(head) == 64
        assert int(depth) == tree.depth
        assert len(row["trajectory"]) == 2 * int(turn) - 1
        assert [t["from"] for t in row["trajectory"]] == ["user", "assistant"] * (int(turn) - 1) + ["user"]
        assert row["chosen"] != row["rejected"]
        assert row["parent_id"] == tree.id
        assert row["trajectory"][0]["value"] == tree.instruction.prompt
    both = [row["id"] for row in (*rows, *sft_rows(tree))]
    assert len(set(both)) == len(both)
    assert len(rows) == sum(1 for _ in tree.pairs())


@relaxed
@given(tree=trees())
def test_a_tree_is_rebuilt_from_its_rows(tree: Tree) -> None:
    for with_history in (False, True):
        pairs, sft = list(pair_rows(tree)), list(sft_rows(tree, with_history=with_history))
        if not pairs and not sft:
            continue
        rebuilt, issues = rebuild(tree.id, pairs, sft)
        # Where the history of an SFT row is in no pair, it cannot be told from the prompt.
        if with_history and issues:
            continue
        assert issues == [] or not pairs
        if not pairs:
            continue
        assert list(pair_rows(rebuilt)) == pairs
        assert list(sft_rows(rebuilt, with_history=with_history)) == sft


@few
@given(forest=forests())
def test_export_import_export_is_the_identity(forest: list[Tree]) -> None:
    forest = [tree for tree in forest if any(True for _ in tree.pairs())]
    if not forest:
        return
    config = ExportConfig(formats=("sft", "pair"))
    with tempfile.TemporaryDirectory() as folder:
        first, second = Path(folder, "first"), Path(folder, "second")
        export_trees(forest, first, config, INFO)
        with ImportedTrees.of(str(first)) as imported:
            export_trees(imported, second, config, INFO)
            assert imported.issues == Counter()
        for name in config.formats:
            (one,), (two,) = (list(Path(base, name).iterdir()) for base in (first, second))
            assert pq.read_table(one).equals(pq.read_table(two))


@few
@given(forest=forests())
def test_trees_come_back_as_they_were(forest: list[Tree]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        export_trees(forest, folder, ExportConfig(formats=("trees",)), INFO)
        assert list(read_trees(folder)) == forest


@few
@given(forest=forests())
def test_every_export_writes_its_rows(forest: list[Tree]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        counts = export_trees(forest, folder, ExportConfig(formats=tuple(known_exporters())), INFO)
        for name in known_exporters():
            rows = [
                row
                for path in sorted(Path(folder, name).rglob("*.parquet"))
                for row in pq.read_table(path).to_pylist()
            ]
            assert rows == list(export_rows(name, forest))
            assert counts[name] == len(rows)


@relaxed
@given(tree=trees())
def test_preferences_end_with_the_user_and_differ(tree: Tree) -> None:
    for name in ("trl-preference", "openrlhf-preference", "reward"):
        for row in export_rows(name, [tree]):
            assert row["prompt"][-1]["role"] == "user"
            assert row["chosen"] != row["rejected"]
            assert row["chosen"][-1]["role"] == row["rejected"][-1]["role"] == "assistant"
    kto = list(export_rows("trl-kto", [tree]))
    assert sum(row["label"] for row in kto) * 2 == len(kto)


@relaxed
@given(tree=trees(max_turns=5))
def test_augmentation_keeps_its_bounds(tree: Tree) -> None:
    rows = list(export_rows("reward", [tree]))
    own = [row for row in rows if not row["augmented"]]
    assert len(own) == sum(1 for _ in tree.pairs())
    if len(rows) > len(own):
        assert len(rows) <= max(MAX_PAIRS, len(own))
        for row in rows[len(own) :]:
            assert len(row["prompt"]) == 1
        uses: Counter[tuple[str, str]] = Counter()
        pairs = {(row["chosen"][-1]["content"], row["rejected"][-1]["content"]) for row in rows}
        assert len(pairs) == len(rows)
        for chosen, rejected in pairs:
            uses["chosen", chosen] += 1
            uses["rejected", rejected] += 1
        assert max(uses.values()) <= MAX_USES


@few
@given(forest=forests(), share=st.sampled_from([0.2, 0.5, 0.8]))
def test_splits_share_no_problem(forest: list[Tree], share: float) -> None:
    with tempfile.TemporaryDirectory() as folder:
        counts = export_trees(forest, folder, ExportConfig(formats=("trees",), validation=share), INFO)
        sides = {
            split: {
                tree.instruction.question
                for path in Path(folder, "trees").glob(f"{split}-*")
                for tree in read_trees(path)
            }
            for split in ("train", "validation")
        }
        assert not sides["train"] & sides["validation"]
        assert counts["trees"] + counts["trees/validation"] == len(forest)


@relaxed
@given(forest=forests())
def test_statistics_can_be_counted_in_parts(forest: list[Tree]) -> None:
    whole, left, right = Statistics(), Statistics(), Statistics()
    for number, tree in enumerate(forest):
        whole.add(tree)
        (left if number % 2 else right).add(tree)
    left.merge(right)
    assert left.figures() == whole.figures()
    figures = whole.figures().model_dump(mode="json")
    assert (
        sum(row["pairs"] for row in figures["table1"])
        == figures["pairs"]
        == sum(row["pairs"] for row in figures["table7"])
    )
    assert sum(row["correct"] for row in figures["table1"]) == figures["correct"]


@relaxed
@given(tree=trees())
def test_filters_only_take_away(tree: Tree) -> None:
    every = {row["id"] for row in pair_rows(tree)}
    for keep in (
        ExportFilter(distinct_models=True), ExportFilter(checks=("tests",)), ExportFilter(max_chars=40),
        ExportFilter(min_pass_rate=0.5), ExportFilter(max_turn=1), ExportFilter(models=("actor-8b",)),
    ):  # fmt: skip
        rows = list(pair_rows(tree, keep=keep))
        assert {row["id"] for row in rows} <= every
        if keep.max_chars:
            fitting = [
                pair
                for pair in picked_pairs(tree)
                if max(len(pair.chosen.action.text), len(pair.rejected.action.text)) <= keep.max_chars
            ]
            assert picked_pairs(tree, keep=keep) == fitting


@pytest.mark.parametrize("which", ["random", "longest", "deepest"])
@relaxed
@given(tree=trees())
def test_one_pair_a_tree(which: str, tree: Tree) -> None:
    rows, every = list(pair_rows(tree, which)), list(pair_rows(tree))  # type: ignore[arg-type]
    assert len(rows) == min(1, len(every))
    assert all(row in every for row in rows)
    if which == "deepest" and rows:
        assert len(rows[0]["trajectory"]) == max(len(row["trajectory"]) for row in every)
