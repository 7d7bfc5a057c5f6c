"""A tree as an enemy would write it is shown, runs nothing, and does not stop the page."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from tests.builders import config
from tests.viewing.conftest import fetched, serving
from ultrainteract.store import RunStore

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser

EVIL = [
    "<script>alert(1)</script>", "<img src=x onerror=alert(2)>", "<svg/onload=alert(3)>", "[a](javascript:alert(4))",
    "![a](http://evil.example/pixel.png)", "<iframe srcdoc='<script>alert(5)</script>'></iframe>", "<style>*{display:none}</style>",
    r"$\href{javascript:alert(6)}{x}$", r"$\htmlStyle{position:fixed}{x}$", r"$\includegraphics{http://evil.example/a.png}$",
    r"$\def\a{\a\a}\a$", "```python\n</code></pre><script>alert(7)</script>\n```", "<a href='data:text/html,<script>alert(8)</script>'>x</a>",
    "\u202egnirts desrever\u202c", "שלום עולם: 2 + 2 = 4", "half a pair: \ud83d and \udc00", "</script><script>alert(9)</script>", "\x00\x1b[31m",
]  # fmt: skip


def node(text: str, label: str, number: int) -> dict[str, Any]:
    origin = {
        "model": "<b>m</b>",
        "provider": "x",
        "simulated": True,
        "sampling": {},
        "step": "sample",
        "ordinal": number,
    }
    return {
        "action": {"raw": text, "text": text, "reasoning_schema": "cot", "answer": text[:50], "exchanges": [], "syntax_ok": True},
        "observation": {"output": text, "status": "ok"},
        "verdict": {"label": label, "evidence": {"check": "tests", "detail": text[:80], "reliability": 1.0}},
        "critique": {"text": text, "guard": "clean", "provenance": origin} if label == "wrong" else None,
        "provenance": origin,
    }  # fmt: skip


def tree(turns: list[tuple[str, str]]) -> dict[str, Any]:
    instruction = {
        "task": "Math_CoT",
        "dataset": "<i>d</i>",
        "prompt": "\n".join(EVIL),
        "question": "\n\n".join(EVIL),
        "grader": "math",
        "gold": EVIL[0],
        "source": "evil/1",
        "tags": ["<u>t</u>"],
    }
    made = [
        {"correct": node(a, "correct", n), "incorrect": node(b, "wrong", n), "paired": True, "extra": [], "more_correct": [], "steps": [{"step": "sample", "model": "m", "drawn": 2, "judged": 2, "correct": 1, "undetermined": {}}]}
        for n, (a, b) in enumerate(turns)
    ]  # fmt: skip
    return {
        "schema_version": 1,
        "instruction": instruction,
        "turns": made,
        "ended": "solved",
        "guards": {"<x>": 1},
    }


TREES = {
    "a" * 64: tree([("\n\n".join(EVIL), "\n".join(EVIL))]),
    "b" * 64: tree([("word " * 200_000, "x" * 1_000_000)]),
    "c" * 64: tree(
        [(f"Step {n}: $x_{{{n}}}$", f"Step {n}: ```python\nprint({n})\n```") for n in range(2_500)]
    ),
}


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("hostile") / "run"
    with RunStore.create(folder, config(output=str(folder))) as store:
        connection = store.connection()
        sql = "INSERT INTO outcomes (key, state, reason, dataset, source, depth, tree, tallies) VALUES (?, 'complete', '', 'd', 'evil/1', 1, ?, '{}')"
        for key, made in TREES.items():
            connection.execute(sql, (key, json.dumps(made).encode()))
        connection.close()
    with serving(str(folder)) as address:
        assert fetched(address, "api/0/trees", whole=True)["matched"] == 3
        yield address


@pytest.mark.parametrize("query", ["", "?raw=1", "?diff=words", "?tab=record", "?turn=1&raw=1"])
def test_nothing_runs_and_all_is_shown_as_text(page: Page, hostile: str, query: str) -> None:
    page.goto(f"{hostile}#/0/tree/{'a' * 12}{query}")
    page.locator(".turn, .code, .raw").first.wait_for()
    page.wait_for_timeout(150)
    assert page.locator("#page script, #page iframe, #page img, #page style, #page object").count() == 0
    assert page.evaluate(
        "[...document.querySelectorAll('#page a[href]')].every(a => /^(https?:|#)/.test(a.getAttribute('href')))"
    )
    assert "<script>alert(1)</script>" in page.locator("main").inner_text()


@pytest.mark.parametrize(
    ("key", "query"),
    [("b", ""), ("b", "?diff=words"), ("b", "?raw=1"), ("c", ""), ("c", "?turn=2400&diff=words")],
)
def test_a_huge_tree_is_there_at_once_and_the_page_answers(
    page: Page, hostile: str, key: str, query: str
) -> None:
    page.goto(hostile)
    page.locator(".lines li").nth(2).wait_for()
    page.goto(f"{hostile}#/0/tree/{key * 12}{query}")
    page.locator(".turn .node").first.wait_for()
    page.keyboard.press("?")
    page.get_by_role("dialog").wait_for()
    assert page.locator("#page *").count() < 8_000


def test_turns_far_down_are_reached(page: Page, hostile: str) -> None:
    page.goto(f"{hostile}#/0/tree/{'c' * 12}")
    page.locator(".turn").first.wait_for()
    page.keyboard.press("End")
    page.locator("#turn-2500 .node").first.wait_for()
    assert "turn=2500" in page.url


def test_hostile_words_are_searched(page: Page, hostile: str) -> None:
    page.goto(hostile)
    page.locator(".lines li").first.wait_for()
    page.keyboard.press("/")
    page.keyboard.type('שלום "alert 1"')
    page.wait_for_url("**q=**")
    page.locator(".lines li").first.wait_for()
    page.keyboard.press("Escape")
    assert page.locator("#page script, #page img").count() == 0
