"""What the tests of seeds share: records on disk, and a run's configuration that names them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ultrainteract.config import RunConfig, SeedConfig, parse_config
from ultrainteract.schema import Instruction
from ultrainteract.seeds import SeedIssue, load_seed

DATA = Path(__file__).resolve().parents[2] / "data"


def write_lines(path: Path, records: Iterable[Any]) -> Path:
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    return path


def load(seed: SeedConfig, base: Path) -> tuple[list[Instruction], list[SeedIssue]]:
    items = list(load_seed(seed, base))
    return (
        [item for item in items if isinstance(item, Instruction)],
        [item for item in items if isinstance(item, SeedIssue)],
    )


def load_records(folder: Path, dataset: str, *records: Any, **fields: Any) -> list[Instruction]:
    """The instructions of some records; every record must be usable."""
    write_lines(folder / "records.jsonl", records)
    instructions, issues = load(SeedConfig(dataset=dataset, path="records.jsonl", **fields), folder)
    assert not issues, issues
    return instructions


def run_config(seeds: list[dict[str, Any]], **selection: Any) -> RunConfig:
    return parse_config(
        {
            "seeds": seeds,
            "selection": selection,
            "models": {"a": {"provider": "simulated", "model": "a"}},
            "growth": {"ladder": [{"name": "sample", "model": "a"}], "rejected_from": "actor"},
            "critic": {"model": "a"},
        }
    )
