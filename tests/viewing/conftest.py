"""Two runs of the same problems by simulated models, the server over them, and Debian's browser."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.request import Request, urlopen

import pytest

import ultrainteract
from ultrainteract.config import parse_config

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

ROOT = Path(__file__).parents[2]
CHROMIUM = os.environ.get("ULTRAINTERACT_CHROMIUM", "/usr/bin/chromium")


def grow(folder: Path, skill: float = 0.35, limit: int = 12, data: str = "math") -> Path:
    """Grows a run of simulated models that needs no sandbox."""
    names = {"gsm8k": "gsm8k", "math": "MATH"}
    config = parse_config({
        "name": folder.name, "output": str(folder), "seed": 3,
        "seeds": [{"dataset": names[data], "path": str(ROOT / f"data/{data}/train.jsonl"), "tasks": ["Math_CoT"], "limit": limit}],
        "models": {
            "actor": {"provider": "simulated", "model": "simulated-actor", "options": {"skill": skill}, "price": {"input": 1, "output": 2}},
            "critic": {"provider": "simulated", "model": "simulated-critic", "options": {"skill": 0.9}},
        },
        "growth": {"ladder": [{"name": "sample", "model": "actor", "samples": 8}], "pool": []},
        "critic": {"model": "critic"},
        "export": {"formats": []},
    })  # fmt: skip
    with ThreadPoolExecutor(1) as apart:  # Playwright's loop runs in the tests' own thread
        apart.submit(ultrainteract.run, config).result()
    return folder


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests in the browser come last: once Playwright has begun, an event loop runs in the tests' thread."""
    items.sort(key=lambda item: item.get_closest_marker("browser") is not None)


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return grow(tmp_path_factory.mktemp("viewing") / "first")


@pytest.fixture(scope="session")
def other_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return grow(tmp_path_factory.mktemp("viewing") / "second", skill=0.7)


@contextmanager
def serving(*arguments: str) -> Iterator[str]:
    """The command as a user starts it; gives the page's address."""
    process = subprocess.Popen(
        [sys.executable, "-m", "ultrainteract", "view", *arguments, "--port", "0", "--no-browser"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        assert process.stderr is not None
        address = process.stdout.readline().strip()
        assert address, process.stderr.read()
        yield address
    finally:
        process.terminate()
        process.communicate(timeout=30)


@pytest.fixture(scope="session")
def address(run: Path, other_run: Path) -> Iterator[str]:
    with serving(str(run), str(other_run)) as found:
        fetched(found, "api/0/trees", whole=True)
        fetched(found, "api/1/trees", whole=True)
        yield found


def fetched(address: str, path: str, whole: bool = False, **headers: str) -> dict:
    """A JSON answer; `whole`: once everything is indexed."""
    while True:
        with urlopen(Request(address.partition("?")[0] + path, headers=headers)) as answer:
            found = json.load(answer)
        if not whole or found["whole"] or found["error"]:
            return found


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page on which every error in the console, and every request to another host, is a failure."""
    yield from watched_page(browser)


def watched_page(browser: Browser, **settings: object) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 900}, **settings)  # type: ignore[arg-type]
    context.set_default_timeout(15_000)
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    page.on("request", lambda request: faults.append(request.url) if not local(request.url) else None)
    page.on("dialog", lambda dialog: (faults.append(dialog.message), dialog.dismiss()))
    yield page
    context.close()
    assert not faults


def local(url: str) -> bool:
    return url.startswith(("http://127.0.0.1:", "http://localhost:", "data:", "about:", "blob:", "file:"))


@pytest.fixture
def serve() -> Callable[..., object]:
    return serving
