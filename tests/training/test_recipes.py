"""Recipes: read, checked, and refused where they cannot work, without PyTorch."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest

from ultrainteract import api
from ultrainteract.config import TrainConfig, load_train_config
from ultrainteract.config.training import STAGES
from ultrainteract.errors import ConfigError

CONFIGS = Path(__file__).parents[2] / "configs/train"


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*.yaml")), ids=lambda path: path.name)
def test_every_shipped_recipe_has_all_stages(path: Path) -> None:
    config = load_train_config(path)
    assert all(getattr(config, stage) is not None for stage in STAGES)
    assert config.chat_template is None or (path.parent / config.chat_template).is_file()


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("dpo.learning_rat=1e-6", "learning_rat: there is no such field; did you mean 'learning_rate'"),
        ("kto.micro_batch_size=1", "take 2 or more"),
        ("sft.export.formats=[sft]", "the stage decides the format"),
        ("reward.loss=dr+bt", "bt[+]dr"),
        ("rounds.actor=x", "rounds.run: this field is required"),
    ],
)
def test_mistakes_are_named(override: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load_train_config(CONFIGS / "small.yaml", [override])


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    found = importlib.util.find_spec

    def without(name: str, *more: Any) -> Any:
        return None if name == "torch" else found(name, *more)

    monkeypatch.setattr(importlib.util, "find_spec", without)
    config = TrainConfig(model="a/b", data="runs/none", sft={})  # type: ignore[arg-type]
    for call in (api.plan_training, api.train):
        with pytest.raises(ConfigError, match=r"pip install 'ultrainteract\[train\]'"):
            call(config, "sft")
