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
        ("data=[]", "data: .*name at least one"),
        ("data=['']", "data: .*name at least one"),
        ("model=''", "model: .*at least 1 character"),
        ("sft.epochs=.inf", "sft.epochs: .*finite"),
        ("sft.epochs=1e300", "sft.epochs: .*1000000"),
        ("kto.learning_rate=.inf", "kto.learning_rate: .*finite"),
        ("nca.learning_rate=.nan", "nca.learning_rate: "),
        ("nca.learning_rate=0", "nca.learning_rate: .*greater than 0"),
        ("nca.beta=.inf", "nca.beta: .*finite"),
        ("reward.weight_decay=.inf", "reward.weight_decay: .*finite"),
        ("dpo.sft_weight=.nan", "dpo.sft_weight: "),
        ("sft.options={num_train_epochs: .inf}", "sft.options: .*num_train_epochs is not a finite number"),
        ("sft.warmup=.nan", "sft.warmup: "),
        ("sft.export.mix.a={path: b, ratio: .inf}", "sft.export.mix.a.ratio: .*finite"),
        ("seed=-1", "seed: .*greater than or equal to 0"),
        ("seed=4294967296", "seed: .*less than 4294967296"),
    ],
)
def test_mistakes_are_named(override: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load_train_config(CONFIGS / "small.yaml", [override])


@pytest.mark.parametrize(
    "at", ["kto.micro_batch_size", "sft.export.formats", "reward.loss", "data", "sft.epoch"]
)
def test_a_mistake_is_blamed_on_where_it_was_made(tmp_path: Path, at: str) -> None:
    value = {"kto.micro_batch_size": "1", "sft.export.formats": "[sft]", "data": "[]"}.get(at, "x")
    with pytest.raises(ConfigError, match=f"  on the command line: {at}: "):
        load_train_config(CONFIGS / "small.yaml", [f"{at}={value}"])
    section, _, rest = at.partition(".")
    inner = value
    for name in reversed(rest.split(".") if rest else ()):
        inner = f"{{{name}: {inner}}}"
    path = tmp_path / "recipe.yaml"
    path.write_text(f"model: m\n{'' if section == 'data' else 'data: d'}\n{section}: {inner}\n")
    with pytest.raises(ConfigError, match=f"  line 3: {at}: ") as caught:
        load_train_config(path, ["seed=-1"])
    assert "on the command line: seed: " in str(caught.value)


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    found = importlib.util.find_spec

    def without(name: str, *more: Any) -> Any:
        return None if name == "torch" else found(name, *more)

    monkeypatch.setattr(importlib.util, "find_spec", without)
    config = TrainConfig(model="a/b", data="runs/none", sft={})  # type: ignore[arg-type]
    for call in (api.plan_training, api.train):
        with pytest.raises(ConfigError, match=r"pip install 'ultrainteract\[train\]'"):
            call(config, "sft")
