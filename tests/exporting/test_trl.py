"""The real trainers of TRL read every export meant for them: two steps on a tiny model, on the CPU."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.exporting.forest import forest
from tests.tinymodel import Shape, build_tiny_model
from ultrainteract.config import ExportConfig
from ultrainteract.exporting import RunInfo, export_trees

pytestmark = pytest.mark.trl


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    shape = Shape(hidden=16, layers=1, heads=1, kv_heads=1, intermediate=16)
    return str(build_tiny_model(tmp_path_factory.mktemp("model"), shape=shape))


def exported(folder: Path, name: str, **settings: Any) -> Any:
    import datasets

    config = ExportConfig.model_validate({"formats": (name,), **settings})
    export_trees(forest() * 2, folder / name, config, RunInfo(name="forest", fingerprint="0" * 64))
    return datasets.load_dataset(str(folder / name / name), split="train", cache_dir=str(folder / "cache"))


def train(trainer: type, config: type, model: Any, data: Any, folder: Path, **options: Any) -> Any:
    """Trains for two steps and returns the trainer."""
    from transformers import AutoTokenizer

    options = {"max_steps": 2, "per_device_train_batch_size": 2, "max_length": 512, "report_to": "none", "use_cpu": True,
               "logging_steps": 1, "save_strategy": "no", "disable_tqdm": True} | options  # fmt: skip
    arguments = config(output_dir=str(folder / "out"), **options)
    run = trainer(
        model=model, args=arguments, train_dataset=data, processing_class=AutoTokenizer.from_pretrained(model)
    )
    run.train()
    losses = [entry["loss"] for entry in run.state.log_history if "loss" in entry]
    assert len(losses) == 2
    assert all(loss == loss and loss > 0 for loss in losses)
    return run


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("trl-preference", {}),
        ("trl-preference", {"level": "trajectory"}),
        ("trl-preference", {"pair_history": "none"}),
        ("trl-implicit", {}),
        ("openrlhf-preference", {}),
    ],
)
def test_dpo(name: str, settings: dict[str, Any], model: str, tmp_path: Path) -> None:
    from trl import DPOConfig, DPOTrainer

    data = exported(tmp_path, name, **settings)
    assert len(data) == 10
    train(DPOTrainer, DPOConfig, model, data, tmp_path, beta=0.1)


def test_kto(model: str, tmp_path: Path) -> None:
    from trl import KTOConfig, KTOTrainer

    data = exported(tmp_path, "trl-kto")
    assert sum(data["label"]) == 10
    train(KTOTrainer, KTOConfig, model, data, tmp_path, desirable_weight=1.33)


@pytest.mark.parametrize("name", ["reward", "trl-preference", "trl-implicit"])
def test_reward_model(name: str, model: str, tmp_path: Path) -> None:
    from trl import RewardConfig, RewardTrainer

    data = exported(tmp_path, name)
    run = train(RewardTrainer, RewardConfig, model, data, tmp_path)
    assert run.model.config.num_labels == 1


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("trl-prompt-completion", {}),
        ("trl-prompt-completion", {"sft_history": "turns"}),
        ("trl-messages", {"sft_history": "flat"}),
        ("openrlhf-sft", {}),
    ],
)
def test_sft(name: str, settings: dict[str, Any], model: str, tmp_path: Path) -> None:
    from trl import SFTConfig, SFTTrainer

    data = exported(tmp_path, name, **settings)
    assert len(data) == 14
    train(SFTTrainer, SFTConfig, model, data, tmp_path)


def test_the_completion_alone_is_learned(model: str, tmp_path: Path) -> None:
    """With history as turns, the wrong actions in it carry no loss."""
    from transformers import AutoTokenizer
    from trl import SFTConfig, SFTTrainer

    data = exported(tmp_path, "trl-prompt-completion", sft_history="turns")
    tokenizer = AutoTokenizer.from_pretrained(model)
    arguments = SFTConfig(
        output_dir=str(tmp_path / "out"), max_length=2048, report_to="none", use_cpu=True, disable_tqdm=True,
        per_device_train_batch_size=len(data),
    )  # fmt: skip
    run = SFTTrainer(model=model, args=arguments, train_dataset=data, processing_class=tokenizer)
    (batch,) = run.get_train_dataloader()
    learned = {
        tokenizer.decode(labels[labels != -100], skip_special_tokens=True) for labels in batch["labels"]
    }
    assert learned == {row["completion"][0]["content"] for row in data}
