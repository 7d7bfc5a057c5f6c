"""Every view, in light and dark, against axe-core: no fault that hinders a reader."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.viewing.conftest import CHROMIUM, ROOT, fetched

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser

AXE = Path(os.environ.get("ULTRAINTERACT_AXE", ROOT / ".cache/viewer/node_modules/axe-core/axe.min.js"))
VIEWS = [
    "trees",
    "overview",
    "tree/KEY",
    "tree/KEY?diff=words&turn=2",
    "tree/KEY?raw=1",
    "tree/KEY?tab=drawn",
    "tree/KEY?tab=exported",
    "tree/KEY?tab=record",
    "tree/KEY?beside=1",
    "audit",
]


@pytest.fixture(params=["light", "dark"])
def themed(request: pytest.FixtureRequest, browser) -> Iterator[Page]:
    # axe is put into the page from outside, which the page's own policy would refuse
    context = browser.new_context(
        viewport={"width": 1280, "height": 900}, color_scheme=request.param, bypass_csp=True
    )
    yield context.new_page()
    context.close()


@pytest.mark.skipif(not AXE.is_file(), reason="scripts/build-viewer has not installed axe-core")
def test_no_view_has_a_serious_fault(themed: Page, address: str) -> None:
    assert CHROMIUM
    key = fetched(address, "api/0/trees?sort=-depth&state=complete")["lines"][0]["key"]
    faults = []
    for view in VIEWS:
        themed.goto("about:blank")
        themed.goto(f"{address}#/0/{view.replace('KEY', key)}")
        themed.locator("main .card, main .lines li, main .node, main .bars").first.wait_for()
        themed.wait_for_timeout(200)
        themed.add_script_tag(path=str(AXE))
        found = themed.evaluate("axe.run(document, {resultTypes: ['violations']})")
        faults += [
            (view, fault["id"], fault["nodes"][0]["html"][:160])
            for fault in found["violations"]
            if fault["impact"] in ("serious", "critical")
        ]
    assert not faults
