"""The reward model as a whole: its scores, its head with and without adapters, and that it learns."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.training.conftest import three_turns
from ultrainteract import api
from ultrainteract.config import ExportConfig, TrainConfig
from ultrainteract.errors import ConfigError
from ultrainteract.exporting import export_rows

pytestmark = pytest.mark.trl

Recipe = Callable[..., TrainConfig]
LORA = {"r": 4, "alpha": 8}


def conversations(first: int, last: int) -> list[tuple[Any, Any]]:
    rows = list(export_rows("trl-preference", [three_turns(n) for n in range(first, last)], ExportConfig()))
    return [(row["prompt"], row[side]) for side in ("chosen", "rejected") for row in rows]


@pytest.mark.parametrize("lora", [None, LORA], ids=["full", "lora"])
def test_it_reloads_to_equal_scores(
    lora: Any, recipe: Recipe, model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    from ultrainteract.training import stage
    from ultrainteract.training.scoring import RewardModel

    trained: dict[str, Any] = {}
    save = stage._save

    def keep(trainer: Any, *more: Any) -> None:
        trained["scores"] = RewardModel(trainer.model, trainer.processing_class).score(asked)
        trained["head"] = next(
            w for name, w in trainer.model.named_parameters() if "score" in name and w.requires_grad
        )
        save(trainer, *more)

    monkeypatch.setattr(stage, "_save", keep)
    asked = conversations(20, 23)
    config = recipe("reward", lora=lora, max_steps=4)
    api.train(config, "reward")
    folder = config.output / "reward" / "model"
    found = RewardModel.load(folder, batch_size=5).score(asked)
    assert found == pytest.approx(trained["scores"], abs=1e-5)
    assert len(set(found)) == len(asked)
    plain = AutoModelForSequenceClassification.from_pretrained(folder)
    assert torch.allclose(plain.score.weight, trained["head"])
    # One at a time, by plain transformers: the score is that of the last token, end of the answer.
    tokenizer = AutoTokenizer.from_pretrained(folder)
    assert tokenizer.pad_token_id != tokenizer.eos_token_id
    for (prompt, answer), score in list(zip(asked, found, strict=True))[:4]:
        ids = tokenizer.apply_chat_template([*prompt, *answer], return_tensors="pt", return_dict=True)[
            "input_ids"
        ]
        assert ids[0, -1] == tokenizer.eos_token_id
        with torch.no_grad():
            hidden = plain.model(ids).last_hidden_state[0, -1]
            assert plain.score(hidden).item() == pytest.approx(score, abs=1e-5)
            assert plain(ids).logits.item() == pytest.approx(score, abs=1e-5)


def test_a_model_without_a_head_scores_nothing(model: str) -> None:
    from ultrainteract.training.scoring import RewardModel

    with pytest.raises(ConfigError, match="no reward model"):
        RewardModel.load(model)


def test_it_learns_what_right_answers_look_like(recipe: Recipe) -> None:
    """The tiny pairs can be told apart by their first words: it must do so on numbers that it has not seen."""
    from ultrainteract.training.scoring import RewardModel

    config = recipe("reward", max_steps=30, learning_rate=5e-3, epochs=10)
    report = api.train(config, "reward")
    assert report.metrics["accuracy"] > 0.9
    scores = RewardModel.load(Path(config.output) / "reward" / "model").score(conversations(30, 40))
    half = len(scores) // 2
    assert sum(c > r for c, r in zip(scores[:half], scores[half:], strict=True)) > 0.9 * half
    # L_DR: scores are absolute, right ones above zero and wrong ones below.
    assert sum(scores[:half]) > 0 > sum(scores[half:])
