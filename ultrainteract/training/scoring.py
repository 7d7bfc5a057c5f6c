"""Scores by a trained reward model, for ranking answers: best-of-n, held-out pairs, a user's own lists.

The score of a conversation does not depend on what else is in its batch. It is that of the whole conversation: one
that is longer than the model's context, or that the chat template refuses, has none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from ultrainteract.errors import ConfigError, DataError, require
from ultrainteract.readers.files import BadRecord
from ultrainteract.readers.rows import Unusable
from ultrainteract.readers.tables import Table
from ultrainteract.training.checkpoints import context_in
from ultrainteract.training.encoding import Encoder, Ids, Messages, load_tokenizer
from ultrainteract.training.plain_rows import conversation


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
        self.context = context_in(model.config)
        """Longest context, tokens."""

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

    def score(self, conversations: Sequence[tuple[Messages, Messages]]) -> list[float | None]:
        """The scores of answers, in their order; a larger one is better.

        Args:
            conversations: (messages before, the answer's messages).

        Returns:
            The scores. None where a conversation has more tokens than `context`, or the chat template refuses it.

        Raises:
            ConfigError: The chat template does not keep the prompt when an answer follows.
        """
        import torch

        ids = [self._ids(prompt, answer) for prompt, answer in conversations]
        order = sorted(
            (place for place, found in enumerate(ids) if 0 < len(found) <= self.context),
            key=lambda place: len(ids[place]),
        )
        scores: list[float | None] = [None] * len(ids)
        pad, size = self._padding()
        for first in range(0, len(order), size):
            places = order[first : first + size]
            width = max(len(ids[place]) for place in places)
            padded = torch.tensor([ids[place] + [pad] * (width - len(ids[place])) for place in places])
            mask = torch.tensor([[1] * len(ids[place]) + [0] * (width - len(ids[place])) for place in places])
            device = self._model.device
            with torch.no_grad():
                found = self._model(input_ids=padded.to(device), attention_mask=mask.to(device)).logits
            for place, score in zip(places, found[:, 0].tolist(), strict=True):
                scores[place] = score
        return scores

    def _ids(self, prompt: Messages, answer: Messages) -> Ids:
        """The ids of a conversation; none where the chat template refuses it."""
        try:
            before = self._encoder.prompt(prompt)
            return before + self._encoder.completion(prompt, answer, before)
        except DataError:
            return []

    def _padding(self) -> tuple[int, int]:
        """The token to pad with, and the conversations per forward pass: one where the model has no such token."""
        pad = self._model.config.get_text_config().pad_token_id
        if pad is None or not 0 <= pad < self._model.get_input_embeddings().num_embeddings:
            return 0, 1
        return pad, self._batch_size


def score_rows(model: RewardModel, table: Table) -> Iterator[dict[str, float | str]]:
    """Scores the rows of a table.

    Args:
        model: The reward model.
        table: Rows with `prompt` and `chosen`, `rejected` or `completion`, by the rules of `training.plain_rows`.

    Yields:
        For each row, in order, the score of each of these columns that it has; or, under `left_out`, its file and
        line and why it has none.
    """
    for record in table.records(None):
        if isinstance(record, BadRecord):
            yield {"left_out": f"{record.where}: {record.reason}"}
            continue
        where, row = record
        try:
            yield _row_scores(model, row)
        except Unusable as problem:
            yield {"left_out": f"{where}: {problem}"}


def _row_scores(model: RewardModel, row: Mapping[str, Any]) -> dict[str, float | str]:
    sides = tuple(name for name in ("chosen", "rejected", "completion") if row.get(name) is not None)
    if not sides:
        raise Unusable(f"chosen, rejected or completion is missing ({', '.join(row)})")
    prompt, answers = conversation(row, sides)
    found: dict[str, float | str] = {}
    for side, score in zip(sides, model.score([(prompt, answer) for answer in answers]), strict=True):
        if score is None:
            raise Unusable(
                f"{side} is longer than the model's context of {model.context:,} tokens, or refused by its template"
            )
        found[side] = score
    return found
