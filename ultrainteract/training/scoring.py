"""Scores by a trained reward model, for ranking answers: best-of-n, held-out pairs, a user's own lists.

The score of a conversation does not depend on what else is in its batch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from ultrainteract.errors import ConfigError, require
from ultrainteract.training.encoding import Encoder, load_tokenizer

Messages = Sequence[Mapping[str, str]]


class RewardModel:
    """A reward model in this process.

    Args:
        model: A `transformers` model for sequence classification with one label.
        tokenizer: Its tokenizer.
        batch_size: Conversations per forward pass.
    """

    def __init__(self, model: Any, tokenizer: Any, batch_size: int = 16) -> None:
        self._model = model.eval()
        self._encoder = Encoder(tokenizer)
        self._batch_size = batch_size

    @classmethod
    def load(cls, folder: str | Path, *, revision: str | None = None, batch_size: int = 16) -> Self:
        """Loads a model that the stage `reward` made, or another with one label.

        Args:
            folder: Its folder, or a Hub id.
            revision: Hub revision.
            batch_size: Conversations per forward pass.

        Raises:
            ConfigError: It cannot be loaded, or is no reward model.
        """
        require("transformers", "train")
        import torch
        from transformers import AutoConfig, AutoModelForSequenceClassification

        tokenizer = load_tokenizer(str(folder), revision)
        try:
            config = AutoConfig.from_pretrained(str(folder), revision=revision)
            kinds = getattr(config, "architectures", None) or ()
            if config.num_labels != 1 or not any("SequenceClassification" in kind for kind in kinds):
                raise ConfigError(f"{folder} is no reward model: it has no head with one score.")
            model = AutoModelForSequenceClassification.from_pretrained(
                str(folder), revision=revision, dtype=torch.float32
            )
        except (OSError, ValueError) as error:
            raise ConfigError(f"{folder} cannot be loaded: {error}") from error
        return cls(model.to("cuda" if torch.cuda.is_available() else "cpu"), tokenizer, batch_size)

    def score(self, conversations: Sequence[tuple[Messages, Messages]]) -> list[float]:
        """The scores of answers, in their order; a larger one is better.

        Args:
            conversations: (messages before, the answer's messages).

        Raises:
            ConfigError: The chat template does not keep the prompt when an answer follows.
        """
        import torch

        ids = [
            (before := self._encoder.prompt(prompt)) + self._encoder.completion(prompt, answer, before)
            for prompt, answer in conversations
        ]
        order = sorted(range(len(ids)), key=lambda place: len(ids[place]))
        scores = [0.0] * len(ids)
        pad = self._model.config.get_text_config().pad_token_id
        for first in range(0, len(order), self._batch_size):
            places = order[first : first + self._batch_size]
            width = max(len(ids[place]) for place in places)
            padded = torch.tensor([ids[place] + [pad] * (width - len(ids[place])) for place in places])
            mask = torch.tensor([[1] * len(ids[place]) + [0] * (width - len(ids[place])) for place in places])
            device = self._model.device
            with torch.no_grad():
                found = self._model(input_ids=padded.to(device), attention_mask=mask.to(device)).logits
            for place, score in zip(places, found[:, 0].tolist(), strict=True):
                scores[place] = score
        return scores
