"""The losses of all trainers against numbers worked out by hand, in plain Python, from the log-probabilities."""

# ruff: noqa: RUF002, RUF003 (formulas)

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ultrainteract.config import TrainConfig

pytestmark = pytest.mark.trl

Recipe = Callable[..., TrainConfig]
BETA = 0.1


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def log_sigmoid(x: float) -> float:
    return -math.log1p(math.exp(-x))


# Rewards of two pairs, r = β (log π - log π_ref): (chosen, rejected).
PAIRS = ((0.8, -0.3), (-0.2, 0.5))
EXPECTED = {
    "dpo": sum(-log_sigmoid(c - r) for c, r in PAIRS) / 2,
    "nca": sum(-log_sigmoid(c) - 0.5 * log_sigmoid(-c) - 0.5 * log_sigmoid(-r) for c, r in PAIRS) / 2,
}


def test_the_expected_numbers_are_those_of_the_formulas() -> None:
    """Worked out with a pocket calculator: e.g. -log σ(1.1) = 0.287335."""
    assert EXPECTED["dpo"] == pytest.approx((0.287335 + 1.103186) / 2, abs=1e-5)
    assert EXPECTED["nca"] == pytest.approx(
        (0.371101 + 0.585550 + 0.277178 + 0.798139 + 0.299069 + 0.487038) / 2, abs=1e-4
    )


def trainer_of(config: TrainConfig, stage: str, folder: Path) -> Any:
    """A trainer as the stage makes it, before its first step."""
    from ultrainteract.training import stage as module
    from ultrainteract.training.trl import trainers

    section = module.section_of(config, stage)  # type: ignore[arg-type]
    _, prepared, start, tokenizer = module.prepare(config, stage, folder, Path())  # type: ignore[arg-type]
    model = module.load_model(stage, start, tokenizer)  # type: ignore[arg-type]
    arguments = module._arguments(config, stage, section, folder, prepared.plan)  # type: ignore[arg-type]
    kind = {"kto": trainers.Kto, "sft": trainers.Sft}.get(stage, trainers.Dpo)
    return kind(model=model, args=arguments, train_dataset=prepared.train, processing_class=tokenizer)


def sums(model: Any, batch: dict[str, Any], prefix: str = "") -> list[float]:
    """log π of each completion, by a plain forward pass with full logits."""
    import torch

    ids, mask = batch[f"{prefix}input_ids"], batch[f"{prefix}completion_mask"]
    with torch.no_grad():
        logits = model(input_ids=ids, attention_mask=batch[f"{prefix}attention_mask"]).logits
    found = torch.log_softmax(logits[:, :-1].double(), -1).gather(-1, ids[:, 1:, None])[..., 0]
    return (found * mask[:, 1:]).sum(-1).tolist()


@pytest.mark.parametrize("stage", ["dpo", "nca"])
def test_the_loss_of_a_pair(stage: str, recipe: Recipe, tmp_path: Path) -> None:
    """The reference is shifted so that the rewards are those of `PAIRS`."""
    import torch

    trainer = trainer_of(recipe(stage, batch_size=2, micro_batch_size=2), stage, tmp_path)
    batch = next(iter(trainer.get_train_dataloader()))
    now = sums(trainer.model, batch)
    for side, name in enumerate(("ref_chosen_logps", "ref_rejected_logps")):
        batch[name] = torch.tensor([now[2 * side + n] - PAIRS[n][side] / BETA for n in range(2)])
    trainer.model.eval()
    assert trainer.compute_loss(trainer.model, batch).item() == pytest.approx(EXPECTED[stage], abs=1e-5)
    metrics = trainer._metrics["eval"]
    assert metrics["rewards/chosen"] == pytest.approx([0.3], abs=1e-5)
    assert metrics["rewards/rejected"] == pytest.approx([0.1], abs=1e-5)


def test_the_loss_of_kto(recipe: Recipe, tmp_path: Path) -> None:
    import torch

    trainer = trainer_of(recipe("kto"), "kto", tmp_path)
    batch = next(iter(trainer.get_train_dataloader()))
    labels = batch["label"].tolist()
    rewards = [0.4, -0.7, 0.9, -0.1]
    kl = [3.0, -1.0, 2.0, 4.0]  # log-ratios of the mismatched completions: mean 2
    batch["ref_logps"] = torch.tensor(
        [s - r / BETA for s, r in zip(sums(trainer.model, batch), rewards, strict=True)]
    )
    batch["ref_KL_logps"] = torch.tensor(
        [s - k for s, k in zip(sums(trainer.model, batch, "KL_"), kl, strict=True)]
    )
    trainer.model.eval()
    expected = sum(
        1.33 * (1 - sigmoid(r - BETA * 2.0)) if label else 1 - sigmoid(BETA * 2.0 - r)
        for label, r in zip(labels, rewards, strict=True)
    )
    assert trainer.compute_loss(trainer.model, batch).item() == pytest.approx(expected / 4, abs=1e-5)


def test_the_loss_of_a_reward_model() -> None:
    import torch

    from ultrainteract.training.trl.trainers import reward_loss

    chosen, rejected = torch.tensor([1.5, -0.5, 2.0]), torch.tensor([0.5, 0.25, 3.0])
    direct = torch.tensor([True, True, False])
    bt = [0.313262, 1.136871, 1.313262]  # -log σ(1), -log σ(-0.75), -log σ(-1)
    dr = [0.201413 + 0.974077, 0.974077 + 0.825939]  # -log σ(r_c) - log σ(-r_r)
    assert reward_loss(chosen, rejected, direct).item() == pytest.approx((sum(bt) + sum(dr)) / 3, abs=1e-5)
    assert reward_loss(chosen, rejected, direct, "bt").item() == pytest.approx(sum(bt) / 3, abs=1e-5)
    assert reward_loss(chosen, rejected, direct, "dr").item() == pytest.approx(
        (sum(dr) + bt[2]) / 3, abs=1e-5
    )


def test_at_a_large_margin_only_the_direct_term_goes_on_pushing() -> None:
    """Both scores are far above zero: the margin is right, the rejected score's sign is wrong."""
    import torch

    from ultrainteract.training.trl.trainers import reward_loss

    def gradients(loss: str, values: tuple[float, float]) -> tuple[float, float]:
        chosen, rejected = (
            torch.tensor([value], dtype=torch.float64, requires_grad=True) for value in values
        )
        reward_loss(chosen, rejected, torch.tensor([True]), loss).backward()
        return chosen.grad.item(), rejected.grad.item()

    up, down = gradients("bt", (25.0, 5.0))
    assert abs(up) < 1e-8
    assert abs(down) < 1e-8
    up, down = gradients("dr", (25.0, 5.0))
    assert down == pytest.approx(sigmoid(5.0))  # descending lowers the rejected score
    assert up == pytest.approx(-sigmoid(-25.0))
    up, down = gradients("dr", (-5.0, -25.0))
    assert up == pytest.approx(-sigmoid(5.0))  # and raises the chosen one
    both = gradients("bt+dr", (25.0, 5.0))
    assert both[1] == pytest.approx(sigmoid(5.0), abs=1e-8)
