"""The page as a user works with it, in a real browser."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.viewing.conftest import fetched

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser


def deepest(address: str) -> dict:
    return fetched(address, "api/0/trees?sort=-depth&state=complete")["lines"][0]


def test_a_tree_is_found_by_search_and_opened_by_keyboard(page: Page, address: str) -> None:
    line = deepest(address)
    page.goto(address)
    page.locator(".lines li").first.wait_for()
    assert page.locator(".lines li").count() == 12
    page.keyboard.press("/")
    page.keyboard.type(line["source"])
    page.locator(".lines li").nth(1).wait_for(state="detached")
    assert "q=" in page.url
    page.keyboard.press("Escape")
    page.keyboard.press("Enter")
    page.locator(".turn").first.wait_for()
    assert line["key"] in page.url
    page.go_back()
    page.locator(".lines li").first.wait_for()
    assert page.locator("#search").input_value() == line["source"]


def test_turns_are_stepped_through_and_named_in_the_address(page: Page, address: str) -> None:
    line = deepest(address)
    page.goto(f"{address}#/0/tree/{line['key'][:12]}")
    turns = page.locator(".turn")
    turns.first.wait_for()
    assert turns.count() == int(line["one"]["depth"]) > 1
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.wait_for_url(re.compile("turn=2"))
    assert page.locator(".turn.at h2").inner_text() == "Turn 2"
    page.keyboard.press("End")
    page.wait_for_url(re.compile(f"turn={line['one']['depth']}"))
    page.reload()
    page.locator(".turn.at h2").filter(has_text=f"Turn {line['one']['depth']}").wait_for()


def test_chosen_stands_beside_rejected_with_their_differences(page: Page, address: str) -> None:
    line = deepest(address)
    tree = fetched(address, f"api/0/tree/{line['key']}")["tree"]
    page.goto(f"{address}#/0/tree/{line['key']}")
    first = page.locator("#turn-1")
    first.wait_for()
    chosen, rejected = first.locator(".node.chosen"), first.locator(".node.rejected")
    left, right = chosen.bounding_box(), rejected.bounding_box()
    assert left
    assert right
    assert left["x"] + left["width"] <= right["x"]
    assert abs(left["y"] - right["y"]) < 4
    assert tree["turns"][0]["incorrect"]["critique"]["text"].split(".")[0] in rejected.inner_text()
    page.keyboard.press("d")
    first.locator("ins").first.wait_for()
    for side, name in ((chosen, "correct"), (rejected, "incorrect")):
        assert (
            side.locator(".differences").inner_text().split()
            == tree["turns"][0][name]["action"]["text"].split()
        )
    assert chosen.locator("del").count() == 0
    assert rejected.locator("ins").count() == 0
    assert "diff=words" in page.url


def test_raw_is_what_the_model_wrote_and_rendered_has_mathematics(page: Page, address: str) -> None:
    lines = fetched(address, "api/0/trees?q=frac&state=complete")["lines"]
    page.goto(f"{address}#/0/tree/{lines[0]['key']}")
    page.locator(".turn").first.wait_for()
    assert page.locator(".katex").count()
    raw = fetched(address, f"api/0/tree/{lines[0]['key']}")["tree"]["turns"][0]["correct"]["action"]["raw"]
    page.keyboard.press("r")
    page.locator("#turn-1 .chosen .raw").first.wait_for()
    assert page.locator("#turn-1 .chosen > .text .raw").inner_text() == raw.strip("\n")
    assert page.locator(".katex").count() == 0


def test_the_shared_history_opens(page: Page, address: str) -> None:
    line = deepest(address)
    tree = fetched(address, f"api/0/tree/{line['key']}")["tree"]
    page.goto(f"{address}#/0/tree/{line['key']}?turn=2&raw=1")
    page.locator("#turn-2 .history button").click()
    history = page.locator("#turn-2 .talk")
    assert tree["turns"][0]["incorrect"]["action"]["text"].strip() in history.inner_text()
    assert tree["turns"][0]["incorrect"]["critique"]["text"] in history.inner_text()


def test_samples_that_no_tree_kept_and_rows_as_exported(page: Page, address: str) -> None:
    line = deepest(address)
    page.goto(f"{address}#/0/tree/{line['key']}")
    page.locator(".turn").first.wait_for()
    page.keyboard.press("2")
    page.get_by_text("samples,").wait_for()
    kept = page.locator(".drawn .node.kept").count()
    assert 0 < kept < page.locator(".drawn .node").count()
    page.keyboard.press("3")
    page.locator(".exported select").select_option("trl-preference")
    page.locator(".exported dt", has_text="rejected").first.wait_for()
    assert "format=trl-preference" in page.url
    page.keyboard.press("4")
    page.get_by_text('"instruction"').first.wait_for()


def test_filters_narrow_the_list_and_are_named_in_the_address(page: Page, address: str) -> None:
    facets = fetched(address, "api/0/trees")["facets"]
    depth, count = next(iter(facets["depth"].items()))
    page.goto(address)
    page.locator("fieldset", has_text="Turns").get_by_label(re.compile(f"^{depth} ?{count}$")).check()
    page.wait_for_url(re.compile(f"depth={depth}"))
    page.locator(".matched b", has_text=re.compile(f"^{count}$")).wait_for()
    assert page.locator(".lines li").count() == count
    page.locator(".picked").click()
    page.locator(".matched b", has_text=re.compile("^12$")).wait_for()


def test_two_runs_stand_side_by_side(page: Page, address: str) -> None:
    line = deepest(address)
    page.goto(f"{address}#/0/tree/{line['key']}")
    page.get_by_role("button", name="Beside").click()
    page.locator(".beside > section").nth(1).locator(".turn").first.wait_for()
    assert [heading.inner_text() for heading in page.locator(".beside > section > h2").all()] == [
        "first",
        "second",
    ]


def test_the_next_tree_of_the_same_list(page: Page, address: str) -> None:
    lines = fetched(address, "api/0/trees?sort=-length")["lines"]
    page.goto(f"{address}#/0/tree/{lines[0]['key']}?sort=-length")
    page.get_by_text("1 of 12").wait_for()
    page.keyboard.press("j")
    page.wait_for_url(re.compile(lines[1]["key"]))
    page.get_by_text("2 of 12").wait_for()
    page.keyboard.press("k")
    page.wait_for_url(re.compile(lines[0]["key"]))


def test_keys_are_listed_and_the_theme_is_kept(page: Page, address: str) -> None:
    page.goto(address)
    page.locator(".lines li").first.wait_for()
    page.keyboard.press("?")
    assert "next, previous turn" in page.get_by_role("dialog").inner_text()
    page.keyboard.press("Escape")
    page.keyboard.press("y")
    theme = page.evaluate("document.documentElement.dataset.theme")
    page.reload()
    assert theme == page.evaluate("document.documentElement.dataset.theme") == "dark"


@pytest.fixture
def phone(browser) -> Iterator[Page]:
    from tests.viewing.conftest import watched_page

    for page in watched_page(browser):
        page.set_viewport_size({"width": 390, "height": 844})
        yield page


def test_a_phone_shows_one_below_the_other_and_nothing_is_cut(phone: Page, address: str) -> None:
    line = deepest(address)
    for view in ("#/0/trees", f"#/0/tree/{line['key']}?diff=words"):
        phone.goto("about:blank")
        phone.goto(address + view)
        phone.locator(".lines li, .turn").first.wait_for()
        assert phone.evaluate("document.documentElement.scrollWidth") <= 390
    first = phone.locator("#turn-1")
    chosen, rejected = (
        first.locator(".node.chosen").bounding_box(),
        first.locator(".node.rejected").bounding_box(),
    )
    assert chosen
    assert rejected
    assert chosen["y"] + chosen["height"] <= rejected["y"]
    assert chosen["x"] == rejected["x"]
