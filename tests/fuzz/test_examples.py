"""Replays every input that fuzzing found, and runs one short round of each target."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.fuzz.engine import EXAMPLES, check, one_round
from tests.fuzz.registry import targets

FOUND = sorted(EXAMPLES.glob("*.json"))


@pytest.mark.parametrize("path", FOUND, ids=[path.stem for path in FOUND])
def test_what_was_found_is_mended(path: Path) -> None:
    example = json.loads(path.read_text())
    target = targets()[example["target"]]
    assert check(target, example["value"]) == check(target, example["value"])


@pytest.mark.parametrize("name", ["graders.answer_set"])
def test_a_round_tries_inputs_and_compares_two_processes(name: str, tmp_path: Path) -> None:
    tried, faults = one_round(name, 1, tmp_path, most=60)
    assert tried >= 50
    assert not faults
