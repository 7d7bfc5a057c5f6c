"""A tiny model, trees of three turns, and recipes on them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.exporting.forest import right, steps, wrong
from tests.tinymodel import Shape, build_tiny_model
from ultrainteract.config import ExportConfig, TrainConfig
from ultrainteract.exporting import RunInfo, export_trees
from ultrainteract.schema import Instruction, Task, Tree, Turn


def three_turns(number: int) -> Tree:
    """A tree that is wrong at two turns and right at the third, with a pair at each."""

    def turn(place: int, critique: str) -> Turn:
        return Turn(
            correct=right(f"Add {number} and {place}: {number + place}.\nAnswer: {number + place}"),
            incorrect=wrong(
                f"It may be {number + place + 1}.\nAnswer: {number + place + 1}", critique=critique
            ),
            paired=True, first_correct=place == 3, steps=steps(4, 1),
        )  # fmt: skip

    question = f"What is {number} and a bit?"
    return Tree(
        instruction=Instruction(
            task=Task.MATH_COT, dataset="sums", question=question, grader="math", gold=str(number), licence="MIT",
            prompt=f"Solve this.\n{question}",
        ),
        turns=(turn(1, "Look at the bit."), turn(2, "Closer, look again."), turn(3, "")),
        ended="turn_cap",
    )  # fmt: skip


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    shape = Shape(hidden=32, layers=2, heads=2, kv_heads=1, intermediate=32)
    return str(build_tiny_model(tmp_path_factory.mktemp("model"), shape=shape, positions=512))


@pytest.fixture(scope="session")
def trees(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("trees")
    info = RunInfo(name="sums", fingerprint="0" * 64)
    export_trees(
        [three_turns(number) for number in range(12)], folder, ExportConfig(formats=("trees",)), info
    )
    return str(folder)


@pytest.fixture
def recipe(model: str, trees: str, tmp_path: Path) -> Callable[..., TrainConfig]:
    """A recipe of small steps; named settings are added to every stage that is asked for."""

    def make(stage: str, *, model: str = model, data: Any = trees, **settings: Any) -> TrainConfig:
        common = {name: settings.pop(name) for name in list(settings) if name in TrainConfig.model_fields}
        section = {
            "batch_size": 4,
            "micro_batch_size": 4,
            "max_steps": 2,
            "learning_rate": 1e-3,
            "warmup": 0.0,
        }
        return TrainConfig.model_validate(
            {
                "model": model,
                "data": data,
                "output": tmp_path / "out",
                "device": "cpu",
                stage: section | settings,
            }
            | common
        )

    return make
