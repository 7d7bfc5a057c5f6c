"""Curation: junk stays out, every cluster is there, no instruction twice, same seed same bytes."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from ultrainteract import api
from ultrainteract.config import ExportConfig
from ultrainteract.curation import CurationRule
from ultrainteract.curation.candidates import Candidate, Refused, candidate_of, curated_tree
from ultrainteract.curation.report import OUTSIDE, curated_sets
from ultrainteract.curation.selection import allot
from ultrainteract.dataset.info import RunInfo
from ultrainteract.dataset.tree_table import read_trees
from ultrainteract.errors import DataError
from ultrainteract.exporting import export_trees
from ultrainteract.exporting.example import example_tree
from ultrainteract.schema import Critique, Instruction, Pair, StepStats, Tree, Turn, Verdict

pytest.importorskip("datasketch")

CLUSTERS = 24
JUNK = ("unreliable", "simulated", "guided", "broken", "long", "copy")


def made(question: str, *, correct: int = 1, **fields: Any) -> Tree:
    """The example's tree about another problem; its actor solved `correct` of eight samples."""
    tree = example_tree()
    root = tree.instruction.model_dump() | {"question": question, "prompt": question} | fields
    steps = (StepStats(step="actor", model="actor-8b", drawn=8, judged=8, correct=correct),)
    turns = tuple(turn.model_copy(update={"steps": steps}) for turn in tree.turns)
    return tree.model_copy(update={"instruction": Instruction(**root), "turns": turns})


def changed(tree: Tree, **parts: Any) -> Tree:
    """The tree with a change to every correct node."""
    turns = []
    for turn in tree.turns:
        assert turn.correct is not None
        turns.append(turn.model_copy(update={"correct": turn.correct.model_copy(update=parts)}))
    return tree.model_copy(update={"turns": tuple(turns)})


def spoiled(tree: Tree, junk: str) -> Tree:
    node = tree.turns[0].correct
    assert node is not None
    if junk == "simulated":
        return tree.model_copy(update={"simulation": True})
    if junk == "unreliable":
        return changed(tree, verdict=Verdict.correct("equivalence", reliability=0.6))
    if junk == "guided":
        return changed(tree, provenance=node.provenance.model_copy(update={"step": "guided-refine"}))
    if junk == "broken":
        return changed(tree, action=node.action.model_copy(update={"syntax_ok": False}))
    return changed(tree, action=node.action.model_copy(update={"text": node.action.text * 60}))


def planted(count: int = 1500) -> list[Tree]:
    """Clusters of very different sizes; one tree in five is junk. Sources say which."""
    rng = random.Random(3)
    own = [["".join(rng.choices("bcdfgjkmpqvwxyz", k=6)) for _ in range(30)] for _ in range(CLUSTERS)]
    common = ["".join(rng.choices("etaoin", k=4)) for _ in range(40)]
    trees, last = [], ""
    for number in range(count):
        cluster = (
            number
            if number < CLUSTERS
            else rng.choices(range(CLUSTERS), [1 / (1 + n) ** 2 for n in range(CLUSTERS)])[0]
        )
        junk = rng.choice(JUNK) if number >= CLUSTERS and rng.random() < 0.2 else ""
        words = rng.choices(own[cluster], k=20) + rng.choices(common, k=15)
        rng.shuffle(words)
        question = f"{last} please" if junk == "copy" else " ".join(words)
        last = question
        tree = made(question, source=f"{cluster} {junk}", correct=rng.randint(0, 8))
        trees.append(spoiled(tree, junk) if junk not in ("", "copy") else tree)
    return trees


@pytest.fixture(scope="module")
def pool() -> list[Tree]:
    return planted()


def found(pool: list[Tree], rule: CurationRule) -> list[Candidate | Refused]:
    return [candidate_of(tree, rule, place) for place, tree in enumerate(pool)]


def test_junk_stays_out_and_every_cluster_is_represented(pool: list[Tree]) -> None:
    rule = CurationRule(n=200)
    sets, report = curated_sets(found(pool, rule), rule)
    kept = [pool[one.place] for one in sets["curated"]]
    sources = [tree.instruction.source.partition(" ") for tree in kept]
    assert len(kept) == len({tree.id for tree in kept}) == 200
    assert {cluster for cluster, _, _ in sources} == {str(number) for number in range(CLUSTERS)}
    assert {junk for _, _, junk in sources} <= {"", "copy"}
    originals = Counter(tree.instruction.question.removesuffix(" please") for tree in kept)
    assert max(originals.values()) == 1  # of a problem and its copy, one
    random_clusters = {pool[one.place].instruction.source.partition(" ")[0] for one in sets["random"]}
    assert len(random_clusters) < CLUSTERS
    assert report.sets["curated"].nearest > report.sets["random"].nearest
    assert (report.sets["curated"].mean_pass_rate or 1) < (report.sets["random"].mean_pass_rate or 0)
    assert report.sets["longest"].mean_length >= report.sets["random"].mean_length


def test_the_report_adds_up(pool: list[Tree]) -> None:
    rule = CurationRule(n=200)
    sets, report = curated_sets(found(pool, rule), rule)
    assert report.trees == len(pool) == report.eligible + sum(report.refused.values())
    assert report.eligible == len(sets["curated"]) + report.near_duplicates + report.not_needed
    assert set(report.refused) == {
        "simulated", "reliability below the minimum", "guided actions alone", "its code does not parse", OUTSIDE,
    }  # fmt: skip
    assert {len(one) for one in sets.values()} == {200}


def test_the_order_of_the_pool_changes_nothing(pool: list[Tree]) -> None:
    rule = CurationRule(n=150)
    shuffled = random.Random(1).sample(pool, len(pool))
    one, other = (curated_sets(found(trees, rule), rule)[0] for trees in (pool, shuffled))
    for name in one:
        assert {c.id for c in one[name]} == {c.id for c in other[name]}


def test_the_same_seed_gives_the_same_bytes_as_exports_that_everything_reads(
    pool: list[Tree], tmp_path: Path
) -> None:
    export_trees(
        pool[:300], tmp_path / "pool", ExportConfig(formats=("trees",)), RunInfo(name="pool", fingerprint="x")
    )
    rule = CurationRule(n=60)
    written = []
    for name in ("one", "two"):
        report = api.curate(
            tmp_path / "pool", output=tmp_path / name, rule=rule, formats=("sft", "trl-preference", "trees")
        )
        written.append(
            {path.relative_to(tmp_path / name): path.read_bytes() for path in (tmp_path / name).rglob("*.*")}
        )
    assert written[0] == written[1]
    assert report.sets["curated"].samples == 60
    kept = list(read_trees(tmp_path / "one" / "curated"))
    assert len(kept) == 60
    assert api.stats(tmp_path / "one" / "curated").correct == 60  # one sample per instruction
    info = RunInfo.model_validate_json((tmp_path / "one" / "curated" / "run.json").read_bytes())
    assert info.config["curation"]["rule"]["n"] == 60
    assert info.config["curation"]["figures"]["samples"] == 60
    with pytest.raises(DataError, match="None of 300 trees has an eligible sample"):
        api.curate(tmp_path / "pool", output=tmp_path / "none", rule=CurationRule(licenses=("none",)))


def test_an_imported_set_can_be_curated(pool: list[Tree], tmp_path: Path) -> None:
    settings = ExportConfig(formats=("sft", "pair"))
    honest = [tree for tree in pool[:200] if not tree.simulated]
    export_trees(honest, tmp_path / "rows", settings, RunInfo(name="rows", fingerprint="x"))
    report = api.curate(tmp_path / "rows", output=tmp_path / "out", rule=CurationRule(n=40), formats=("sft",))
    assert report.sets["curated"].samples == 40
    assert report.sets["curated"].mean_pass_rate is None  # published rows say nothing of it


def test_of_a_tree_the_sample_that_repaired_most_is_taken_with_its_history() -> None:
    tree = made("What is 2 times 3?")
    rule = CurationRule()
    candidate = candidate_of(tree, rule)
    assert isinstance(candidate, Candidate)
    assert candidate.turn == 2
    assert candidate.pass_rate == pytest.approx(2 / 10)
    small = curated_tree(tree, candidate)
    assert [(turn.correct is not None, turn.incorrect is not None) for turn in small.turns] == [
        (False, True), (True, True),
    ]  # fmt: skip
    assert len(list(small.pairs())) == 1
    assert small.history(2) == tree.history(2)


def test_a_leaking_critique_counts_against_what_it_led_to() -> None:
    tree = made("What is 2 times 3?")
    wrong = tree.turns[0].incorrect
    assert wrong is not None
    assert wrong.critique is not None
    critique = Critique(**wrong.critique.model_dump() | {"guard": "redacted"})
    leaking = wrong.model_copy(update={"critique": critique})
    first = tree.turns[0].model_copy(update={"incorrect": leaking})
    other = candidate_of(tree.model_copy(update={"turns": (first, tree.turns[1])}), CurationRule())
    same = candidate_of(tree, CurationRule())
    assert isinstance(other, Candidate)
    assert isinstance(same, Candidate)
    assert (same.turn, other.turn) == (2, 1)
    assert other.score < same.score


def test_an_extra_pair_keeps_its_partner() -> None:
    tree = made("q")
    last = tree.turns[1]
    assert last.correct is not None
    assert last.incorrect is not None
    pair = Pair(chosen=last.correct, rejected=last.incorrect)
    alone = tree.model_copy(update={"turns": (Turn(incorrect=last.incorrect, extra=(pair,)),)})
    candidate = candidate_of(alone, CurationRule())
    assert isinstance(candidate, Candidate)
    assert [p for _, p in curated_tree(alone, candidate).pairs()] == [pair]


def test_problems_that_the_actor_solves_come_second() -> None:
    pool = [made(f"{'alpha beta gamma delta ' * 3} number {n}", correct=8 if n % 2 else 1) for n in range(40)]
    rule = CurationRule(n=20, similarity=1.0)
    sets, _ = curated_sets(found(pool, rule), rule)
    assert all((one.pass_rate or 0) < 0.5 for one in sets["curated"])
    assert isinstance(candidate_of(made("q", correct=8), rule), Candidate)
    more = CurationRule(n=30, similarity=1.0)
    sets, _ = curated_sets(found(pool, more), more)
    assert len(sets["curated"]) == 30  # then the others fill it up


@pytest.mark.parametrize("total", [0, 1, 2, 7, 50, 500])
def test_quotas_add_up_and_never_exceed_what_is_there(total: int) -> None:
    sizes = {"a": 300, "b": 40, "c": 3, "d": 1}
    shares = allot(sizes, total, 3.0)
    assert sum(shares.values()) == min(total, sum(sizes.values()))
    assert all(shares[key] <= sizes[key] for key in sizes)
    if total >= 4:
        assert min(shares.values()) >= 1
    if total == 50:
        assert shares["a"] < 300 / 344 * 50  # the large one gives to the small ones
        assert allot(sizes, total, 1.0)["a"] > shares["a"]
