"""Every export of a fixed forest, row by row, against files; run with UPDATE_GOLDEN=1 to write them anew."""

from __future__ import annotations

import os
from pathlib import Path

import orjson
import pytest

from tests.exporting.call_tree import call_tree
from tests.exporting.forest import forest
from tests.exporting.principled_tree import principled_tree
from ultrainteract.config import ExportConfig
from ultrainteract.exporting import export_rows, known_exporters

GOLDEN = Path(__file__).parent / "golden"
PRINCIPLED = ("sami", "principle-pair")
VARIANTS = {
    "sft": {}, "sft.leaf": {"sft": "leaf"}, "sft.flat": {"sft_history": "flat"},
    "pair.longest": {"pairs": "longest"}, "pair.deepest": {"pairs": "deepest"},
    "trl-preference.trajectory": {"level": "trajectory"}, "trl-prompt-completion.turns": {"sft_history": "turns"},
    "axolotl-sft.turns": {"sft_history": "turns"}, "pair.actor": {"filter": {"exclude_models": ["actor-8b"]}},
    "nemo-rl.never": {"difficulty": ["never"]}, "open-instruct-rl.never": {"difficulty": ["never"]},
}  # fmt: skip


@pytest.mark.parametrize("case", sorted({*known_exporters(), *VARIANTS}))
def test_rows_are_as_recorded(case: str) -> None:
    config = ExportConfig.model_validate(VARIANTS.get(case, {}))
    trees = [call_tree()] if "tools" in case else [principled_tree()] if case in PRINCIPLED else forest()
    rows = export_rows(case.partition(".")[0], trees, config)
    text = b"".join(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in rows)
    path = GOLDEN / f"{case}.jsonl"
    if os.environ.get("UPDATE_GOLDEN"):
        GOLDEN.mkdir(exist_ok=True)
        path.write_bytes(text)
    assert text == path.read_bytes()
