"""The examples in docstrings run and print what they say."""

from __future__ import annotations

import doctest
from importlib import import_module

import pytest

MODULES = (
    "ultrainteract",
    "trees",
    "trl",
    "llama_factory",
    "openrlhf",
    "axolotl",
    "registry",
    "rebuild",
    "mix",
)


@pytest.mark.parametrize("name", MODULES)
def test_examples(name: str) -> None:
    result = doctest.testmod(import_module(f"ultrainteract.export.{name}"))
    assert result.attempted
    assert not result.failed
