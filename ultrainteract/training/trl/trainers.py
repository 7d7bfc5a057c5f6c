"""TRL's trainers on rows that are ready, and a reward trainer with the paper's second term.

TRL's preparation would template, cut and drop rows once more: it is skipped. Nothing is sent to anyone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch.nn.functional import logsigmoid
from transformers import TrainerCallback
from trl import DPOTrainer, KTOTrainer, RewardTrainer, SFTTrainer
from trl.trainer.reward_trainer import DataCollatorForPreference

from ultrainteract.config.training import RewardStage


class Progress(TrainerCallback):  # type: ignore[misc]
    """Says what is logged, a line each.

    Args:
        say: Called with the line.
    """

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say

    def on_log(
        self, args: Any, state: Any, control: Any, logs: dict[str, Any] | None = None, **_: Any
    ) -> None:
        """Called by the trainer."""
        shown = {name: value for name, value in (logs or {}).items() if name in _SHOWN}
        if shown and state.is_world_process_zero:
            told = ", ".join(f"{name} {value:.4g}" for name, value in shown.items())
            self._say(f"step {state.global_step:,} of {state.max_steps:,}: {told}")


_SHOWN = ("loss", "eval_loss", "rewards/chosen", "rewards/rejected", "accuracy", "learning_rate")


class _AsGiven:
    """Takes data sets as they are."""

    def _prepare_dataset(self, dataset: Any, *_: Any, **__: Any) -> Any:
        return dataset

    def _send_telemetry(self) -> None:
        """TRL would report each training to its makers."""


class Sft(_AsGiven, SFTTrainer):  # type: ignore[misc]
    """Supervised fine-tuning."""


class Dpo(_AsGiven, DPOTrainer):  # type: ignore[misc]
    """DPO and NCA: losses of a pair."""


class Kto(_AsGiven, KTOTrainer):  # type: ignore[misc]
    """KTO."""


def reward_loss(chosen: Any, rejected: Any, direct: Any, loss: str = "bt+dr") -> Any:
    """The paper's loss of a reward model (§3): `L_BT + L_DR`, averaged over pairs.

    Args:
        chosen: Scores of the chosen sides, shape (pairs,).
        rejected: Scores of the rejected sides.
        direct: True for pairs whose sides are known to be right and wrong; the others have `L_BT` alone.
        loss: `bt+dr`, or on direct pairs one term alone: `bt`, `dr`.

    Returns:
        `L_BT = -log σ(r_c - r_r)`; `L_DR = -log σ(r_c) - log σ(-r_r)`, which goes on pushing the chosen score up and
        the rejected one down where their margin is large already.
    """
    bradley_terry = -logsigmoid(chosen - rejected)
    absolute = -logsigmoid(chosen) - logsigmoid(-rejected)
    direct = direct.to(chosen.dtype)
    if loss == "bt":
        return bradley_terry.mean()
    if loss == "dr":
        return (direct * absolute + (1 - direct) * bradley_terry).mean()
    return (bradley_terry + direct * absolute).mean()


@dataclass
class _WithDirect(DataCollatorForPreference):  # type: ignore[misc]
    """Pads pairs, and keeps the mark that the loss needs."""

    def torch_call(self, examples: Sequence[dict[str, Any]]) -> dict[str, Any]:
        found: dict[str, Any] = super().torch_call(examples)
        return found | {"direct": torch.tensor([row["direct"] for row in examples])}


class Reward(_AsGiven, RewardTrainer):  # type: ignore[misc]
    """A reward model with `L_BT + L_DR`.

    Args:
        section: The stage's settings.
        pad: Token id of the padding; one that occurs in no row, so that the score is that of the last token.
        arguments: As of TRL's `RewardTrainer`.
    """

    def __init__(self, *, section: RewardStage, pad: int, **arguments: Any) -> None:
        self._loss = section.loss
        super().__init__(data_collator=_WithDirect(pad), **arguments)

    def _set_signature_columns_if_needed(self) -> None:
        self._signature_columns = ["chosen_ids", "rejected_ids", "direct"]

    def compute_loss(
        self, model: Any, inputs: dict[str, Any], return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        """The loss of a batch; what TRL logs of it is logged as ever."""
        direct = inputs.pop("direct")
        _, outputs = super().compute_loss(model, inputs, return_outputs=True)
        chosen, rejected = torch.chunk(outputs.logits.squeeze(-1), chunks=2)
        loss = reward_loss(chosen, rejected, direct, self._loss)
        return (loss, outputs) if return_outputs else loss
