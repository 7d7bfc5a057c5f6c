"""A run under way: the page follows it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.viewing.conftest import fetched, serving
from ultrainteract.schema import TreeState
from ultrainteract.store import Outcome, RunStore

if TYPE_CHECKING:
    from playwright.sync_api import Page


def now(work: Coroutine[Any, Any, None]) -> None:
    """Runs on another thread: this one's loop is Playwright's."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, work).result()


@pytest.mark.browser
def test_trees_appear_as_they_are_finished(page: Page, run: Path, tmp_path: Path) -> None:
    with RunStore.open(run) as done:
        config, trees = done.config(), list(done.trees())
    folder = tmp_path / "live"

    def finish(some: list) -> None:
        outcomes = [
            (Outcome(key=t.id, state=t.state, dataset="MATH", source=t.instruction.source), t) for t in some
        ]
        now(store.put_outcomes(outcomes))

    with RunStore.create(folder, config) as store, serving(str(folder)) as address:
        (folder / "run.log").write_text("2026-01-01 WARNING Endpoint http://gpu-1 is down\n")
        page.goto(address + "#/0/trees")
        page.locator(".pace").wait_for()
        assert page.locator(".lines li").count() == 0
        finish(trees[:5])
        page.locator(".lines li").nth(4).wait_for()
        now(store.put_inputs(12))
        finish(trees[5:])
        page.locator(".pace", has_text="12 of 12").wait_for()
        page.locator(".lines li").nth(11).wait_for()
        page.keyboard.press("g")
        page.locator(".tiles", has_text="12 of 12").wait_for()
        page.get_by_text("Endpoint http://gpu-1 is down").wait_for()
        assert fetched(address, "api/0/live")["live"] is True
        store.close()
        page.locator(".pace").wait_for(state="detached")
        page.goto("about:blank")
        assert fetched(address, "api/0/live")["states"][TreeState.COMPLETE.value] == sum(
            t.state == "complete" for t in trees
        )


@pytest.mark.browser
def test_the_overview_shows_the_tables_of_stats(page: Page, address: str, run: Path) -> None:
    import ultrainteract

    figures = ultrainteract.stats(run)
    page.goto(address + "#/0/overview")
    page.get_by_text("Table 7").wait_for()
    text = page.locator("main").inner_text()
    (row,) = figures.table7
    assert re.search(rf"MATH\s+{row.prompts}\s+{row.pairs}\s+{row.correct}", text)
    assert f"{figures.mean_reliability:.4f}" in text
