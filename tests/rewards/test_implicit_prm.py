"""The example that trains an implicit process reward model, on a tiny model and the forest's labels."""

from __future__ import annotations

import importlib.util
import math
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.exporting.forest import forest
from tests.tinymodel import Shape, build_tiny_model
from ultrainteract.exporting import export_rows

pytestmark = pytest.mark.trl

EXAMPLE = Path(__file__).parents[2] / "examples/implicit_prm/implicit_prm.py"


@pytest.fixture(scope="module")
def example() -> Any:
    spec = importlib.util.spec_from_file_location("implicit_prm", EXAMPLE)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["implicit_prm"] = module
    assert spec.loader is not None
    spec.loader.exec_module(module)
    return module


def test_labels_of_responses_become_rewards_of_tokens(example: Any, tmp_path: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, TrainingArguments

    shape = Shape(hidden=32, layers=1, heads=1, kv_heads=1, intermediate=32)
    folder = str(build_tiny_model(tmp_path / "model", shape=shape))
    tokenizer = AutoTokenizer.from_pretrained(folder)
    rows = [example.encode(row, tokenizer, max_length=256) for row in export_rows("implicit-prm", forest())]
    assert all(0 < sum(row["response"]) < len(row["input_ids"]) <= 256 for row in rows)
    assert {row["label"] for row in rows} == {0.0, 1.0}
    pad = tokenizer.eos_token_id
    reference = AutoModelForCausalLM.from_pretrained(folder)
    trainer = example.ImplicitPRMTrainer(
        model=AutoModelForCausalLM.from_pretrained(folder), reference=reference, beta=0.5,
        args=TrainingArguments(
            str(tmp_path / "out"), max_steps=30, per_device_train_batch_size=len(rows), learning_rate=1e-2,
            lr_scheduler_type="constant", logging_steps=1, save_strategy="no", report_to="none", use_cpu=True,
            remove_unused_columns=False, disable_tqdm=True,
        ),
        train_dataset=rows, data_collator=lambda batch: example.collate(batch, pad),
    )  # fmt: skip
    trainer.train()
    losses = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
    assert losses[0] == pytest.approx(math.log(2), abs=1e-3)  # the model is still its reference
    assert losses[-1] < 0.5 * losses[0]
    batch = example.collate(rows, pad)
    with torch.no_grad():
        rewards = example.token_rewards(trainer.model, reference, batch, 0.5)
    assert rewards.shape == (len(rows), batch["input_ids"].shape[1] - 1)
    assert not rewards[batch["response"][:, 1:] == 0].any()
    right = (rewards.sum(-1) > 0) == batch["labels"].bool()
    assert right.float().mean() > 0.9
