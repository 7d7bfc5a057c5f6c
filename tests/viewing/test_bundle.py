"""The page as files, and one tree as one file: what a reader without this program sees."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import ultrainteract
from ultrainteract.errors import StoreError
from ultrainteract.store import RunStore

if TYPE_CHECKING:
    from playwright.sync_api import Page


class Quiet(SimpleHTTPRequestHandler):
    """A file server as anybody has one."""

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture(scope="module")
def bundle(run: Path, other_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bundle")
    command = [
        sys.executable,
        "-m",
        "ultrainteract",
        "view",
        str(run),
        str(other_run),
        "--bundle",
        str(folder),
    ]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip() == str(folder)
    return folder


@pytest.fixture(scope="module")
def hosted(bundle: Path) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(bundle)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()


def deepest(run: Path) -> tuple[str, str]:
    with RunStore.open(run) as store:
        tree = max(store.trees(), key=lambda tree: tree.depth)
    return tree.id, tree.instruction.source


@pytest.mark.browser
def test_a_bundle_is_read_without_this_program(page: Page, hosted: str, run: Path) -> None:
    key, source = deepest(run)
    page.goto(hosted)
    page.locator(".lines li").nth(11).wait_for()
    page.keyboard.press("/")
    page.keyboard.type(source)
    page.locator(".lines li").nth(1).wait_for(state="detached")
    page.keyboard.press("Escape")
    page.keyboard.press("Enter")
    page.locator(".turn").nth(1).wait_for()
    assert key in page.url
    page.keyboard.press("d")
    page.locator("ins").first.wait_for()
    page.keyboard.press("3")
    page.get_by_text("As exported").wait_for()
    page.locator(".exported dt").first.wait_for()
    page.keyboard.press("g")
    page.get_by_text("Table 7").wait_for()


@pytest.mark.browser
def test_one_file_needs_no_server(page: Page, run: Path, tmp_path: Path) -> None:
    key, _ = deepest(run)
    path = ultrainteract.write_tree_page(str(run), tree=key[:14], output=tmp_path / "tree.html")
    page.goto(path.as_uri())
    page.locator(".turn").nth(1).wait_for()
    assert page.locator("math").count()
    text = path.read_text()
    assert "unsafe-inline" not in text
    assert not re.search(r'(?:src|href)="https?:', text)


def test_a_folder_with_something_else_is_left_alone(run: Path, tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(StoreError, match="no bundle"):
        ultrainteract.write_bundle(str(run), output=tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_nothing_says_where_the_run_lies(bundle: Path, run: Path) -> None:
    for path in bundle.rglob("*.json"):
        assert str(run.parent) not in path.read_text()
