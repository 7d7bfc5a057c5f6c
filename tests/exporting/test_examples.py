"""The examples in docstrings run and print what they say."""

from __future__ import annotations

import doctest
from importlib import import_module

import pytest

MODULES = (
    "exporting.formats.ultrainteract",
    "dataset.tree_table",
    "exporting.formats.trl",
    "exporting.formats.llama_factory",
    "exporting.formats.openrlhf",
    "exporting.formats.axolotl",
    "exporting.registry",
    "dataset.rebuild",
    "exporting.mix",
)


@pytest.mark.parametrize("name", MODULES)
def test_examples(name: str) -> None:
    result = doctest.testmod(import_module(f"ultrainteract.{name}"))
    assert result.attempted
    assert not result.failed
