"""The SAMI trainer: ln N where nothing is told apart, a loss that falls, a diagonal that wins; and the rows in TRL."""

from __future__ import annotations

import importlib.util
import math
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.trl
torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
datasets = pytest.importorskip("datasets")

TRAINER = Path(__file__).parents[2] / "examples" / "sami" / "trainer.py"


@pytest.fixture(scope="module")
def sami() -> Any:
    spec = importlib.util.spec_from_file_location("sami_trainer", TRAINER)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Letters:
    """A tokenizer of characters."""

    pad_token_id, eos_token_id = 0, 1

    def __call__(self, text: str, add_special_tokens: bool = True) -> dict[str, list[int]]:
        return {"input_ids": [2 + ord(letter) % 94 for letter in text]}


def tiny() -> Any:
    torch.manual_seed(0)
    config = transformers.LlamaConfig(
        vocab_size=96, hidden_size=64, intermediate_size=128, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=4, max_position_embeddings=128, initializer_range=0.01,
    )  # fmt: skip
    return transformers.LlamaForCausalLM(config)


def rows(count: int = 32) -> Any:
    """Toy: under one constitution the answer is written in `a`s, under the other in `b`s."""
    return datasets.Dataset.from_list(
        [
            {
                "query": f"q{n}",
                "prompts": [f"- be a\n\nq{n}", f"- be b\n\nq{n}"],
                "responses": ["a" * 6, "b" * 6],
            }
            for n in range(count)
        ]
    )


def figures(sami: Any, model: Any) -> dict[str, float]:
    collator = sami.Collator(Letters())
    losses, hits = [], []
    with torch.no_grad():
        for row in rows(8):
            batch = collator([row])
            matrix = sami.log_likelihood(model, batch).view(2, 2)
            losses.append(float(sami.info_nce(matrix)))
            hits += [float((matrix.argmax(dim) == torch.arange(2)).float().mean()) for dim in (0, 1)]
    return {"loss": sum(losses) / len(losses), "diagonal": sum(hits) / len(hits)}


def test_the_loss_starts_at_ln_n_and_falls_while_the_diagonal_wins(sami: Any, tmp_path: Path) -> None:
    model = tiny()
    before = figures(sami, model)
    assert before["loss"] == pytest.approx(math.log(2), rel=0.01)
    trainer = sami.train(
        model, Letters(), rows(), output_dir=str(tmp_path), learning_rate=1e-3, max_steps=40, use_cpu=True,
        gradient_accumulation_steps=4, disable_tqdm=True, lr_scheduler_type="constant",
    )  # fmt: skip
    after = figures(sami, model)
    assert after["loss"] < 0.5 * before["loss"]
    assert before["diagonal"] < 0.9
    assert after["diagonal"] == 1.0
    logged = [entry for entry in trainer.state.log_history if "sami/loss" in entry]
    assert logged[0]["sami/loss"] > logged[-1]["sami/loss"]
    assert logged[-1]["sami/information"] > 0.3


def test_prompt_and_padding_do_not_count(sami: Any) -> None:
    collator = sami.Collator(Letters())
    row = {"prompts": ["x", "a much longer prompt"], "responses": ["yes", "certainly not"]}
    batch = collator([row])
    assert batch["response_mask"].sum(1).tolist() == [3, 13, 3, 13]
    model = tiny().eval()
    together = sami.log_likelihood(model, batch)
    alone = sami.log_likelihood(model, collator([{"prompts": ["x"], "responses": ["yes"]}]))
    assert together[0].item() == pytest.approx(alone[0].item(), abs=1e-4)


def test_the_matrix_of_any_size_gives_the_loss_of_the_package(sami: Any) -> None:
    from ultrainteract.judgments.principles.information import info_nce

    matrix = torch.randn(4, 4, generator=torch.Generator().manual_seed(1))
    assert float(sami.info_nce(matrix)) == pytest.approx(info_nce(matrix.tolist()), rel=1e-5)
