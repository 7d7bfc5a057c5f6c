"""Every stage trains for two steps, and learns the last action of its rows and nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.training.conftest import three_turns
from ultrainteract import api
from ultrainteract.config import TrainConfig
from ultrainteract.dataset.samples import spoken
from ultrainteract.errors import ConfigError

pytestmark = pytest.mark.trl

Recipe = Callable[..., TrainConfig]
STAGES = ("sft", "dpo", "kto", "nca", "reward")


@pytest.fixture
def trained_on(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """The batches of a training, as the trainers get them."""
    import torch
    from transformers import Trainer

    batches: list[dict[str, Any]] = []
    step = Trainer.training_step

    def spy(self: Any, model: Any, inputs: dict[str, Any], *more: Any) -> Any:
        batches.append({k: v.clone() for k, v in inputs.items() if isinstance(v, torch.Tensor)})
        return step(self, model, inputs, *more)

    monkeypatch.setattr(Trainer, "training_step", spy)
    return batches


@pytest.mark.parametrize("stage", STAGES)
def test_two_steps_learn_the_last_action_alone(
    stage: str, recipe: Recipe, trained_on: list[dict[str, Any]]
) -> None:
    from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification, AutoTokenizer

    config = recipe(stage)
    report = api.train(config, stage)  # type: ignore[arg-type]
    assert report.steps == 2
    assert report.plan.rows == {"data": {"sft": 36, "kto": 72, "reward": 108}.get(stage, 36)}
    tokenizer = AutoTokenizer.from_pretrained(config.model)
    learned: set[str] = set()
    for batch in trained_on:
        if stage == "sft":
            marks = batch["labels"] != -100
        elif stage == "reward":  # the whole is scored; the last action stands behind the last header
            marks = batch["attention_mask"].bool()
        else:
            marks = batch["completion_mask"].bool()
        for ids, mark in zip(batch["input_ids"], marks, strict=True):
            text = tokenizer.decode(ids[mark])
            learned.add(text.rpartition("<|assistant|>")[2] if stage == "reward" else text)
    forest = [three_turns(number) for number in range(12)]
    right = {
        f"{spoken(turn.correct.action)}<|end|>" for tree in forest for turn in tree.turns if turn.correct
    }
    wrong = {
        f"{spoken(turn.incorrect.action)}<|end|>" for tree in forest for turn in tree.turns if turn.incorrect
    }
    assert learned
    assert learned <= (right if stage == "sft" else right | wrong)
    if stage != "sft":
        assert learned & wrong
    kind = AutoModelForSequenceClassification if stage == "reward" else AutoModelForCausalLM
    kind.from_pretrained(config.output / stage / "model")


@pytest.mark.parametrize("stage", STAGES)
def test_the_seed_draws_the_order_of_rows(
    stage: str, recipe: Recipe, trained_on: list[dict[str, Any]], tmp_path: Path
) -> None:
    for number, seed in enumerate((1, 2, 1)):
        api.train(recipe(stage, seed=seed, max_steps=1, output=tmp_path / f"{number}"), stage)  # type: ignore[arg-type]
    first, other, again = (batch["input_ids"].tolist() for batch in trained_on)
    assert first != other
    assert first == again


@pytest.mark.parametrize("stage", ["dpo", "kto", "nca"])
def test_the_history_of_a_third_turn_stands_in_the_prompt(
    stage: str, recipe: Recipe, trained_on: list[dict[str, Any]]
) -> None:
    from transformers import AutoTokenizer

    config = recipe(stage, max_steps=10)
    api.train(config, stage)  # type: ignore[arg-type]
    tokenizer = AutoTokenizer.from_pretrained(config.model)
    deepest = 0
    for batch in trained_on:
        for ids, mark, seen in zip(
            batch["input_ids"], batch["completion_mask"], batch["attention_mask"], strict=True
        ):
            prompt = tokenizer.decode(ids[(mark == 0) & (seen == 1)])
            deepest = max(deepest, prompt.count("<|assistant|>"))
            assert prompt.endswith("<|assistant|>")
    assert deepest == 3


def test_what_a_dry_run_says_is_what_training_does(
    recipe: Recipe, model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    whole = api.plan_training(recipe("dpo"), "dpo")
    assert not list(scratch.glob("ultrainteract-*")), "a dry run leaves nothing behind"
    limit = whole.lengths["prompt"].longest + 2  # cuts the third turn, fits the first
    config = recipe("dpo", max_length=limit, max_steps=None)
    plan = api.plan_training(config, "dpo")
    assert not config.output.exists()
    assert plan.kept + sum(plan.dropped.values()) == 36
    assert plan.dropped
    assert plan.example.count("⟦") == plan.example.count("<|end|>⟧") == 2
    assert plan == api.train(config, "dpo").plan
    cut = api.plan_training(recipe("dpo", max_length=limit, overlong="cut"), "dpo")
    assert cut.kept > plan.kept
    assert cut.cut > 0
    assert whole.kept == whole.rows["data"] == 36
    with pytest.raises(ConfigError, match="context"):
        api.plan_training(recipe("dpo", max_length=4096), "dpo")


def test_a_template_that_rewrites_the_prompt_is_refused(recipe: Recipe, tmp_path: Path) -> None:
    template = tmp_path / "template.jinja"
    template.write_text(
        "{% for m in messages %}<|{{ m.role }}|>{{ m.content }}{% if not loop.last %}<|end|>{% endif %}{% endfor %}"
        "{% if add_generation_prompt %}<|end|><|assistant|>thinking {% endif %}"
    )
    with pytest.raises(ConfigError, match=r"prompt differently.*thinking"):
        api.plan_training(recipe("sft", chat_template=template), "sft")


def test_each_mismatched_completion_of_kto_is_another_prompts(
    recipe: Recipe, trained_on: list[dict[str, Any]]
) -> None:
    config = recipe("kto", max_steps=None)
    assert api.train(config, "kto").plan.same_prompt_neighbours == 0
    for batch in trained_on:
        own = [
            ids[mark.bool()].tolist()
            for ids, mark in zip(batch["input_ids"], batch["completion_mask"], strict=True)
        ]
        other = [
            ids[mark.bool()].tolist()
            for ids, mark in zip(batch["KL_input_ids"], batch["KL_completion_mask"], strict=True)
        ]
        assert other == [*own[-1:], *own[:-1]]


def test_rows_that_are_exported_already_and_rows_of_others(
    recipe: Recipe, trees: str, tmp_path: Path
) -> None:
    api.export(trees, tmp_path / "exported", changes={"formats": ["trl-kto", "reward"]})
    plans = {
        stage: api.plan_training(recipe(stage, data=str(tmp_path / "exported" / name)), stage)  # type: ignore[arg-type]
        for stage, name in (("kto", "trl-kto"), ("reward", "reward"))
    }
    assert plans["kto"].kinds == {"wanted": 36, "unwanted": 36}
    assert plans["reward"].kinds == {"direct": 36, "augmented": 72, "other": 0}
    others = tmp_path / "others.jsonl"
    others.write_text("".join(
        json.dumps({"instruction": f"Say {n}.", "completions": [
            {"response": f"{n}!", "fine-grained_score": 5.0}, {"response": "no", "fine-grained_score": 2.0},
            {"response": f"{n}", "fine-grained_score": 4.0}, {"response": "never", "fine-grained_score": 2.0},
        ]}) + "\n" for n in range(10)
    ))  # fmt: skip
    plan = api.plan_training(recipe("nca", data=str(others)), "nca")
    assert plan.rows == {"data": 50}  # of six pairs one is a tie


def weights(folder: Path) -> dict[str, Any]:
    from safetensors.torch import load_file

    return load_file(folder / "model.safetensors")


@pytest.mark.parametrize("stage", ["sft", "dpo"])
def test_a_stopped_training_ends_at_the_same_model(
    stage: str, recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch
    from transformers import Trainer

    settings: dict[str, Any] = {"max_steps": 6, "save_steps": 2}
    whole = api.train(recipe(stage, output=tmp_path / "whole", **settings), stage)  # type: ignore[arg-type]
    config = recipe(stage, output=tmp_path / "stopped", **settings)
    step, taken = Trainer.training_step, 0

    def stop(self: Any, *more: Any, **options: Any) -> Any:
        nonlocal taken
        taken += 1
        if taken == 4:
            raise KeyboardInterrupt
        return step(self, *more, **options)

    monkeypatch.setattr(Trainer, "training_step", stop)
    with pytest.raises(KeyboardInterrupt):
        api.train(config, stage)  # type: ignore[arg-type]
    monkeypatch.setattr(Trainer, "training_step", step)
    with pytest.raises(ConfigError, match="another recipe"):
        api.train(recipe(stage, output=tmp_path / "stopped", **settings | {"learning_rate": 2e-3}), stage)  # type: ignore[arg-type]
    gone_on = api.train(config, stage)  # type: ignore[arg-type]
    assert gone_on.resumed_from == 2
    assert gone_on.fingerprint == whole.fingerprint
    one, other = (weights(tmp_path / name / stage / "model") for name in ("whole", "stopped"))
    assert all(torch.allclose(one[name], other[name], atol=1e-6) for name in one)
    told: list[str] = []
    assert api.train(config, stage, say=told.append) == gone_on  # type: ignore[arg-type]
    assert "holds this model already" in told[0]


def test_a_stage_starts_from_the_stage_before(recipe: Recipe, model: str) -> None:
    config = recipe("nca", sft={"max_steps": 1, "batch_size": 4, "lora": {"r": 2}})
    with pytest.raises(ConfigError, match="train sft"):
        api.train(config, "nca")
    api.train(config, "sft")
    report = api.train(config, "nca")
    assert report.start == str(config.output / "sft" / "model")
    assert (config.output / "sft" / "adapter" / "adapter_config.json").is_file()


def test_reward_patterns_are_drawn_and_read(recipe: Recipe) -> None:
    pytest.importorskip("matplotlib")
    config = recipe("dpo", max_steps=20, learning_rate=5e-3, epochs=10)
    report = api.train(config, "dpo")
    folder = config.output / "dpo"
    patterns = json.loads((folder / "rewards.json").read_text())
    assert patterns["steps"] == list(range(1, 21))
    assert patterns["margins"][-1] == pytest.approx(patterns["chosen"][-1] - patterns["rejected"][-1])
    assert report.metrics["rewards/chosen"] == patterns["chosen"][-1]
    assert (folder / "rewards.png").read_bytes().startswith(b"\x89PNG")
    assert "<svg" in (folder / "rewards.svg").read_text()
    assert any("told apart" in line for line in report.warnings)  # the sides differ in their first word


def test_a_falling_chosen_reward_is_warned_of() -> None:
    from ultrainteract.training.patterns import reward_patterns

    def log(chosen: float, accuracy: float) -> list[dict[str, Any]]:
        return [
            {"step": n, "rewards/chosen": n * chosen / 20, "rewards/rejected": -n / 10, "rewards/accuracies": accuracy if n > 1 else 0.5}
            for n in range(1, 21)
        ]  # fmt: skip

    assert reward_patterns("sft", log(1, 0.6)) is None
    rising, falling, telling = (reward_patterns("dpo", log(*at)) for at in ((1, 0.6), (-1, 0.6), (1, 1.0)))
    assert rising and falling and telling  # noqa: PT018
    assert rising.warnings == ()
    assert "ends at -0.97" in falling.warnings[0]
    assert "told apart" in telling.warnings[0]


@pytest.mark.slow
def test_two_processes_train_one_model(recipe: Recipe, tmp_path: Path) -> None:
    """`accelerate launch` as for several GPUs, on two processes of the CPU."""
    import os
    import subprocess
    import sys

    config = recipe("kto", max_steps=2, batch_size=8, micro_batch_size=2)
    (tmp_path / "recipe.yaml").write_text(
        config.model_dump_json(exclude_none=True).replace('"formats":["sft","pair","trees"],', "")
    )
    done = subprocess.run(
        [sys.executable, "-m", "accelerate.commands.launch", "--cpu", "--num_processes", "2", "--num_machines", "1",
         "--mixed_precision", "no", "--dynamo_backend", "no", "--main_process_port", "0",
         "-m", "ultrainteract", "train", "kto", str(tmp_path / "recipe.yaml")],
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2]), "OMP_NUM_THREADS": "1"},
        capture_output=True, text=True, timeout=280,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert weights(config.output / "kto" / "model")
    assert done.stderr.count("step 2 of 2") == 1
