"""Seeds from values in memory, and a run as tables: whatever holds the rows, the run is the same."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import datasets
import numpy
import pandas
import pytest

from ultrainteract import run, seed_rows, to_dataset, to_pandas
from ultrainteract.config import RunConfig, parse_config
from ultrainteract.errors import SeedError
from ultrainteract.schema import Instruction
from ultrainteract.seeds import load_seed

ROWS = [
    {"problem": "What is 3 plus 4?", "answer": "7", "level": 1},
    {"problem": "What is 12 plus 9?", "answer": "21", "level": 2},
    {"problem": "What is 25 plus 17?", "answer": "42", "level": 3},
]
KINDS: dict[str, Callable[[], Any]] = {
    "list": lambda: ROWS,
    "generator": lambda: (row for row in ROWS),
    "DataFrame": lambda: pandas.DataFrame(ROWS),
    "datasets.Dataset": lambda: datasets.Dataset.from_list(ROWS),
}


def config(folder: Path, rows: Any) -> RunConfig:
    seed = seed_rows(
        rows, "sums", tasks=["Math_CoT"], grader="math", folder=folder / "seeds",
        mapping={"question": "problem", "gold": "answer", "difficulty": "level"},
    )  # fmt: skip
    return parse_config(
        {
            "output": str(folder / "run"), "seeds": [seed],
            "models": {"actor": {"provider": "simulated", "model": "actor", "options": {"skill": 0.5}},
                       "critic": {"provider": "simulated", "model": "critic"}},
            "growth": {"ladder": [{"name": "sample", "model": "actor", "samples": 8}], "rejected_from": "actor"},
            "critic": {"model": "critic"},
        }
    )  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_rows_are_the_same_seeds_whatever_holds_them(kind: str, tmp_path: Path) -> None:
    wanted = config(tmp_path / "list", ROWS).seeds[0]
    found = config(tmp_path, KINDS[kind]()).seeds[0]
    assert Path(found.path).read_bytes() == Path(wanted.path).read_bytes()
    assert Path(found.path).name == Path(wanted.path).name
    items = [item for item in load_seed(found, tmp_path) if isinstance(item, Instruction)]
    assert [(item.question, item.gold, item.difficulty) for item in items] == [
        (row["problem"], row["answer"], str(row["level"])) for row in ROWS
    ]


def test_a_run_of_rows_resumes_without_them_and_comes_back_as_tables(tmp_path: Path) -> None:
    report = run(config(tmp_path, pandas.DataFrame(ROWS)))
    assert (report.settled, report.grown) == (3, 3)
    assert run(config(tmp_path, ROWS)).grown == 0
    frame = to_pandas(tmp_path / "run", "pair")
    rows = to_dataset(tmp_path / "run", "pair")
    assert len(frame) == rows.num_rows == report.pairs > 0
    assert list(frame["id"]) == rows["id"]
    assert set(frame["dataset"]) == {"sums"}


def test_rows_with_missing_values_are_left_out_and_named(tmp_path: Path) -> None:
    frame = pandas.DataFrame([*ROWS, {"problem": "What is 1 plus 1?", "answer": numpy.nan, "level": None}])
    found = list(load_seed(config(tmp_path, frame).seeds[0], tmp_path))
    assert sum(isinstance(item, Instruction) for item in found) == 3
    assert "answer" in found[-1].reason  # type: ignore[union-attr]


@pytest.mark.parametrize("rows", [["text"], [{"problem": object(), "answer": "1"}]])
def test_what_are_no_rows_is_refused(rows: Any, tmp_path: Path) -> None:
    with pytest.raises(SeedError, match="The rows of 'sums' cannot be kept"):
        config(tmp_path, rows)
    assert not os.listdir(tmp_path / "seeds") if (tmp_path / "seeds").exists() else True
