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


def test_what_a_dry_run_says_is_what_training_does(recipe: Recipe, model: str) -> None:
    whole = api.plan_training(recipe("dpo"), "dpo")
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
