"""Marks, what they keep out of exports, and audits: blind, stratified, with an estimate."""

from __future__ import annotations

import http.client
import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

import ultrainteract
from tests.viewing.conftest import fetched, serving
from ultrainteract.dataset.audits import Audit, AuditItem, read_audit
from ultrainteract.dataset.marks import MARKS_FILE, Mark, action_hash, read_marks, without_marked, write_marks
from ultrainteract.errors import DataError
from ultrainteract.schema import Label
from ultrainteract.statistics.label_error import estimated_error, wilson
from ultrainteract.store import RunStore
from ultrainteract.viewing.auditing import drawn_audit
from ultrainteract.viewing.summary import nodes_of, plain_tree

if TYPE_CHECKING:
    from playwright.sync_api import Page


@pytest.fixture
def own(run: Path, tmp_path: Path) -> Path:
    copy = tmp_path / "run"
    shutil.copytree(run, copy, ignore=shutil.ignore_patterns("viewer*"))
    return copy


def put(address: str, path: str, value: object, **headers: str) -> tuple[int, dict]:
    connection = http.client.HTTPConnection(urlsplit(address).netloc)
    connection.request("PUT", path, json.dumps(value), headers)
    answer = connection.getresponse()
    text = answer.read()
    return answer.status, json.loads(text) if text[:1] in b"[{" else {}


def test_only_the_page_may_write(own: Path) -> None:
    with serving(str(own)) as address:
        line = fetched(address, "api/0/trees", whole=True)["lines"][0]
        mark = {"tree": line["key"], "turn": 1, "side": "correct", "kind": "other"}
        token = fetched(address, "api/library")["page"]
        assert put(address, "/api/0/marks", mark)[0] == 403
        assert put(address, "/api/0/marks", mark, **{"X-Ultrainteract-Page": "guess"})[0] == 403
        foreign = {"X-Ultrainteract-Page": token, "Sec-Fetch-Site": "cross-site"}
        assert put(address, "/api/0/marks", mark, **foreign)[0] == 403
        assert not (own / MARKS_FILE).exists()
        own_headers = {"X-Ultrainteract-Page": token}
        assert put(address, "/api/0/marks", mark | {"side": "extra-9-chosen"}, **own_headers)[0] == 404
        assert put(address, "/api/0/marks", mark | {"kind": "nonsense"}, **own_headers)[0] == 404
        assert put(address, "/api/0/marks", mark, **own_headers)[0] == 200
        assert [kept.kind for kept in read_marks(own / MARKS_FILE)] == ["other"]
        assert fetched(address, "api/0/trees?marked=1")["matched"] == 1
        assert put(address, "/api/0/marks", mark | {"kind": None}, **own_headers)[0] == 200
        assert not read_marks(own / MARKS_FILE)


@pytest.mark.browser
def test_a_node_is_marked_by_keyboard(page: Page, own: Path) -> None:
    with serving(str(own)) as address:
        line = fetched(address, "api/0/trees?sort=-depth", whole=True)["lines"][0]
        page.goto(f"{address}#/0/tree/{line['key']}")
        page.locator(".turn").first.wait_for()
        page.keyboard.press("w")
        page.locator("#node-1-incorrect.at").wait_for()
        page.keyboard.press("m")
        page.get_by_role("dialog").wait_for()
        page.keyboard.press("3")
        page.locator("textarea").fill("It names no step.")
        page.keyboard.press("Control+Enter")
        page.locator("#node-1-incorrect .flag.set").wait_for()
        (mark,) = read_marks(own / MARKS_FILE)
        assert (mark.tree, mark.turn, mark.side, mark.kind, mark.note) == (
            line["key"],
            1,
            "incorrect",
            "bad_critique",
            "It names no step.",
        )
        page.reload()
        page.locator("#node-1-incorrect .flag.set").wait_for()


def test_marked_actions_and_what_goes_on_from_them_are_left_out(own: Path, tmp_path: Path) -> None:
    with RunStore.open(own) as store:
        tree = next(tree for tree in store.trees() if tree.depth > 2 and tree.turns[1].paired)
    marked = tree.turns[1].incorrect
    assert marked is not None
    mark = Mark(
        tree=tree.id, turn=2, side="incorrect", action=action_hash(marked.action.text), kind="wrong_verdict"
    )
    write_marks(own / MARKS_FILE, [mark])
    before = [row for row in ultrainteract.to_rows(own, "pair") if row["parent_id"] == tree.id]
    changes = {"filter.marks": str(own / MARKS_FILE), "formats": ["pair", "trees"]}
    ultrainteract.export(own, tmp_path / "exports", changes=changes)
    rows = ultrainteract.to_rows(tmp_path / "exports", "trees")
    assert len(rows) == 12  # whole trees stay
    left = without_marked(tree, str(own / MARKS_FILE))
    assert left.turns[0] == tree.turns[0]
    assert left.depth == 2
    assert sum(1 for _ in left.pairs()) < sum(1 for _ in tree.pairs()) == len(before)
    info = json.loads((tmp_path / "exports" / "run.json").read_text())
    assert info["export"]["filter"]["marks"] == MARKS_FILE  # not where it lies
    with RunStore.open(own) as store:
        other = next(other for other in store.trees() if other.id != tree.id)
    assert without_marked(other, str(own / MARKS_FILE)) is other


def test_exports_without_marks_say_nothing_of_them(own: Path, tmp_path: Path) -> None:
    ultrainteract.export(own, tmp_path / "exports", changes={"formats": ["pair"]})
    assert "marks" not in (tmp_path / "exports" / "run.json").read_text()


def test_a_broken_file_of_marks_is_said(own: Path) -> None:
    (own / MARKS_FILE).write_text('{"tree": 1}\n')
    with pytest.raises(DataError, match=r"marks.jsonl:1: not a mark"):
        read_marks(own / MARKS_FILE)


# -------------------------------------------------------------------------------------------------- audits


def plain(run: Path) -> Iterator[tuple[str, dict]]:
    with RunStore.open(run) as store:
        yield from ((key, plain_tree(blob)) for key, blob in store.packed_trees())


def test_every_stratum_is_sampled_and_counted(run: Path) -> None:
    labels = [node["verdict"]["label"] for _, tree in plain(run) for _, _, node in nodes_of(tree)]
    audit = drawn_audit(plain(run), 10, "s")
    assert sum(audit.strata.values()) == sum(label in ("correct", "wrong") for label in labels)
    assert {item.stratum for item in audit.items} == set(audit.strata)
    assert len({(item.tree, item.turn, item.side) for item in audit.items}) == len(audit.items)
    assert audit == drawn_audit(plain(run), 10, "s") != drawn_audit(plain(run), 10, "t")


def test_the_estimate_weighs_strata_by_their_size() -> None:
    def item(stratum: str, answer: str | None) -> AuditItem:
        return AuditItem(
            tree="t", turn=1, side="correct", action="a", stratum=stratum, label=Label.CORRECT, answer=answer
        )

    audit = Audit(
        strata={"large": 900, "small": 100, "unseen": 500},
        items=(
            *[item("large", "correct")] * 9,
            item("large", "wrong"),
            *[item("small", "wrong")] * 5,
            item("small", "unsure"),
            item("unseen", None),
        ),
    )
    found = estimated_error([audit])
    assert found.error == pytest.approx(0.9 * 0.1 + 0.1 * 1.0)
    assert (found.actions, found.covered, found.judged, found.unsure, found.disagreements) == (
        1500,
        1000,
        15,
        1,
        6,
    )
    assert found.low is not None
    assert found.high is not None
    assert found.low < found.error < found.high


@pytest.mark.parametrize("errors", [0, 3, 50, 100])
def test_the_interval_is_wilsons(errors: int) -> None:
    from scipy.stats import binomtest

    known = binomtest(errors, 100).proportion_ci(method="wilson")
    assert wilson(errors / 100, 100) == pytest.approx((known.low, known.high), abs=1e-6)


@pytest.mark.browser
def test_an_audit_is_blind_and_its_estimate_is_in_the_figures(page: Page, own: Path) -> None:
    with serving(str(own), "--audit", "6") as address:
        items = fetched(address, "api/0/audit")["items"]
        assert all(set(item) == {"tree", "turn", "answer"} for item in items)
        shown = fetched(address, "api/0/audit/0")
        assert shown["verdict"] is shown["critique"] is None
        assert not {"verdict", "critique", "provenance"} & set(shown["node"])
        page.goto(f"{address}#/0/audit")
        page.locator(".audit .node").wait_for()
        assert not re.search(r"Label:", page.locator("main").inner_text())
        for number in range(len(items)):
            page.get_by_text(f"Action {number + 1} of {len(items)}").wait_for()
            page.keyboard.press("1")
            page.locator(".audit footer").wait_for()
            page.keyboard.press("Enter")
        page.get_by_text("Estimated label error").wait_for()
    audit = read_audit(own)
    assert audit is not None
    assert {item.answer for item in audit.items} == {"correct"}
    error = ultrainteract.stats(own).label_error
    assert error is not None
    assert error.judged == len(items)
    assert error.disagreements == sum(item.label == "wrong" for item in audit.items)


def test_figures_without_an_audit_are_as_before(run: Path) -> None:
    assert "label_error" not in ultrainteract.stats(run).model_dump_json()
