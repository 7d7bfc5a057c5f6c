"""Trains a causal language model on the `sami` export: responses should tell which constitution made them."""

from __future__ import annotations

import argparse
import math
from typing import Any

import torch
from datasets import load_dataset
from torch.nn.functional import cross_entropy
from transformers import AutoModelForCausalLM, AutoTokenizer, Trainer, TrainingArguments


def log_likelihood(model: Any, batch: dict[str, torch.Tensor]) -> torch.Tensor:
    """Mean log-probability per response token, prompt and padding masked, shape (sequences,)."""
    logits = model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits[:, :-1]
    targets = batch["input_ids"][:, 1:]
    mask = batch["response_mask"][:, 1:].to(logits.dtype)
    chosen = logits.float().log_softmax(-1).gather(-1, targets.unsqueeze(-1)).squeeze(-1)
    return (chosen * mask).sum(-1) / mask.sum(-1).clamp(min=1)


def info_nce(matrix: torch.Tensor) -> torch.Tensor:
    """The two-sided loss of one query; `matrix[i, j]` is of response j under constitution i."""
    labels = torch.arange(len(matrix), device=matrix.device)
    return (cross_entropy(matrix, labels) + cross_entropy(matrix.T, labels)) / 2


class Collator:
    """Crosses the prompts and responses of the rows: N² sequences per query, all queries of a batch with the same N."""

    def __init__(self, tokenizer: Any, max_length: int = 1024) -> None:
        self.tokenizer, self.max_length = tokenizer, max_length

    def __call__(self, rows: list[dict[str, Any]]) -> dict[str, Any]:
        """One batch of crossed sequences."""
        ids, masks = [], []
        for row in rows:
            for prompt in row["prompts"]:
                start = self.tokenizer(prompt + "\n\n")["input_ids"]
                for response in row["responses"]:
                    end = self.tokenizer(response, add_special_tokens=False)["input_ids"]
                    ids.append((start + end)[-self.max_length :])
                    masks.append(([0] * len(start) + [1] * len(end))[-self.max_length :])
        width = max(map(len, ids))
        pad = self.tokenizer.pad_token_id
        if pad is None:
            pad = self.tokenizer.eos_token_id
        return {
            "input_ids": torch.tensor([one + [pad] * (width - len(one)) for one in ids]),
            "attention_mask": torch.tensor([[1] * len(one) + [0] * (width - len(one)) for one in ids]),
            "response_mask": torch.tensor([one + [0] * (width - len(one)) for one in masks]),
            "sizes": [len(row["responses"]) for row in rows],
        }


class SAMITrainer(Trainer):
    """A `Trainer` with the loss of SAMI; `last` holds the figures of the latest batch."""

    last: dict[str, float]

    def compute_loss(self, model: Any, inputs: dict[str, Any], return_outputs: bool = False, **_: Any) -> Any:
        """The mean loss of the batch's queries."""
        sizes = inputs["sizes"]
        values = log_likelihood(model, inputs)
        matrices = [
            part.view(size, size)
            for part, size in zip(values.split([n * n for n in sizes]), sizes, strict=True)
        ]
        loss = torch.stack([info_nce(matrix) for matrix in matrices]).mean()
        with torch.no_grad():
            rows = torch.cat(
                [matrix.argmax(1) == torch.arange(len(matrix), device=matrix.device) for matrix in matrices]
            )
            columns = torch.cat(
                [matrix.argmax(0) == torch.arange(len(matrix), device=matrix.device) for matrix in matrices]
            )
            self.last = {
                "loss": float(loss), "information": math.log(sizes[0]) - float(loss),
                "row_accuracy": float(rows.float().mean()), "column_accuracy": float(columns.float().mean()),
            }  # fmt: skip
        return (loss, {"matrices": matrices}) if return_outputs else loss

    def log(self, logs: dict[str, float], *rest: Any, **more: Any) -> None:
        """Adds the figures of the latest batch."""
        super().log(
            {**logs, **{f"sami/{name}": value for name, value in getattr(self, "last", {}).items()}},
            *rest,
            **more,
        )


def train(model: Any, tokenizer: Any, rows: Any, **settings: Any) -> SAMITrainer:
    """Trains on rows of the `sami` export.

    Args:
        model: A causal language model.
        tokenizer: Its tokenizer.
        rows: The dataset.
        **settings: Of `TrainingArguments`.
    """
    options: dict[str, Any] = {
        "per_device_train_batch_size": 1, "gradient_accumulation_steps": 16, "learning_rate": 5e-7, "optim": "rmsprop",
        "remove_unused_columns": False, "report_to": [], "logging_steps": 1, "save_strategy": "no",
    }  # fmt: skip
    trainer = SAMITrainer(
        model=model,
        args=TrainingArguments(**options | settings),
        train_dataset=rows,
        data_collator=Collator(tokenizer),
    )
    trainer.train()
    return trainer


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", help="folder of the sami export")
    parser.add_argument("--model", required=True)
    parser.add_argument("--output", required=True)
    parser.add_argument("--learning-rate", type=float, default=5e-7)
    parser.add_argument("--epochs", type=float, default=1.0)
    options = parser.parse_args()
    tokenizer = AutoTokenizer.from_pretrained(options.model)
    rows = load_dataset("parquet", data_files=f"{options.data}/*.parquet", split="train")
    trainer = train(
        AutoModelForCausalLM.from_pretrained(options.model), tokenizer, rows, output_dir=options.output,
        learning_rate=options.learning_rate, num_train_epochs=options.epochs,
    )  # fmt: skip
    trainer.save_model(options.output)
    tokenizer.save_pretrained(options.output)


if __name__ == "__main__":
    main()
