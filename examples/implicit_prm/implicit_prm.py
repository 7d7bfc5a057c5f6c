"""Trains an implicit process reward model on `implicit-prm` rows: a reward per token, from labels of whole responses.

The reward of a response y to a prompt x is r(x, y) = β · Σ_t [log π(y_t | x, y_<t) - log π_ref(y_t | x, y_<t)]. π is
trained with the cross-entropy between sigmoid(r) and the label. The terms of the sum are then rewards of the tokens:
what PRIME uses as process rewards beside the verified outcome (arXiv 2502.01456, 2412.01981).

    python implicit_prm.py MODEL EXPORT OUTPUT      # EXPORT: a folder that `export --format implicit-prm` has written
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch.nn.functional import binary_cross_entropy_with_logits
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel, Trainer, TrainingArguments

Batch = Mapping[str, torch.Tensor]


def encode(row: Mapping[str, Any], tokenizer: Any, max_length: int = 2048) -> dict[str, Any]:
    """Tokens of a row, and which of them are the response's.

    Args:
        row: A row of an `implicit-prm` export.
        tokenizer: The model's tokenizer, with a chat template.
        max_length: Longest sequence, tokens; the beginning of a longer prompt is cut.

    Returns:
        `input_ids`, `response` (1 for the tokens of the response, its end token included) and `label`.
    """
    prompt = tokenizer.apply_chat_template(
        row["prompt"], tokenize=True, add_generation_prompt=True, return_dict=False
    )
    text = "".join(message["content"] for message in row["completion"])
    response = [*tokenizer(text, add_special_tokens=False)["input_ids"], tokenizer.eos_token_id][:max_length]
    prompt = prompt[max(0, len(prompt) + len(response) - max_length) :]
    return {
        "input_ids": [*prompt, *response],
        "response": [0] * len(prompt) + [1] * len(response),
        "label": float(row["label"]),
    }


def collate(rows: Sequence[Mapping[str, Any]], pad: int) -> dict[str, torch.Tensor]:
    """A batch, padded on the right."""
    length = max(len(row["input_ids"]) for row in rows)

    def padded(name: str, value: int) -> torch.Tensor:
        return torch.tensor([[*row[name], *[value] * (length - len(row[name]))] for row in rows])

    lengths = torch.tensor([[len(row["input_ids"])] for row in rows])
    return {
        "input_ids": padded("input_ids", pad),
        "attention_mask": (torch.arange(length) < lengths).long(),
        "response": padded("response", 0),
        "labels": torch.tensor([row["label"] for row in rows]),
    }


def token_logps(model: PreTrainedModel, batch: Batch) -> torch.Tensor:
    """Log-probabilities of the response's tokens, 0 elsewhere: (batch, length - 1)."""
    logits = model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits[:, :-1]
    found = logits.float().log_softmax(-1).gather(-1, batch["input_ids"][:, 1:, None]).squeeze(-1)
    return found * batch["response"][:, 1:]


def token_rewards(
    model: PreTrainedModel, reference: PreTrainedModel, batch: Batch, beta: float
) -> torch.Tensor:
    """The process rewards: β · log-ratio of each token, which sum to the response's reward."""
    with torch.no_grad():
        before = token_logps(reference, batch)
    return beta * (token_logps(model, batch) - before)


class ImplicitPRMTrainer(Trainer):
    """Cross-entropy between sigmoid(r(x, y)) and the label of the response.

    Args:
        reference: The reference model; it is not trained.
        beta: β.
    """

    def __init__(self, *arguments: Any, reference: PreTrainedModel, beta: float = 0.05, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self.reference = reference.eval().requires_grad_(False).to(self.args.device)
        self.beta = beta

    def compute_loss(self, model: Any, inputs: Batch, return_outputs: bool = False, **_: Any) -> Any:
        """The loss; with outputs, the rewards of the responses."""
        rewards = token_rewards(model, self.reference, inputs, self.beta).sum(-1)
        loss = binary_cross_entropy_with_logits(rewards, inputs["labels"])
        return (loss, {"rewards": rewards}) if return_outputs else loss


def main(model: str, export: str, output: str) -> None:
    """Trains for one epoch with the settings of the paper (β 0.05, learning rate 5e-7, batch 64)."""
    import datasets

    tokenizer = AutoTokenizer.from_pretrained(model)
    rows = datasets.load_dataset(export, split="train")
    data = rows.map(lambda row: encode(row, tokenizer), remove_columns=rows.column_names)
    pad = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else tokenizer.eos_token_id
    arguments = TrainingArguments(
        output, learning_rate=5e-7, num_train_epochs=1, per_device_train_batch_size=4, report_to="none",
        gradient_accumulation_steps=16, lr_scheduler_type="cosine", remove_unused_columns=False,
    )  # fmt: skip
    trainer = ImplicitPRMTrainer(
        model=AutoModelForCausalLM.from_pretrained(model),
        reference=AutoModelForCausalLM.from_pretrained(model),
        args=arguments,
        train_dataset=data,
        data_collator=lambda batch: collate(batch, pad),
    )
    trainer.train()
    trainer.save_model(output)
    tokenizer.save_pretrained(output)


if __name__ == "__main__":
    main(*sys.argv[1:])
