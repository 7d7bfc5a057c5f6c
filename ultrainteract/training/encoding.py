"""Conversations into token ids, with what is learned marked: exactly the last action and the token that ends it.

The prompt is templated with the generation prompt, and prompt and answer are templated as a whole; the one must be the
beginning of the other, or the model would be trained on another prompt than it later sees. What a template puts
behind the token that ends the answer is cut off: no model is asked to write it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ultrainteract.config.training import Stage
from ultrainteract.errors import ConfigError, DataError

Messages = Sequence[Mapping[str, str]]
Ids = list[int]


def load_tokenizer(model: str, revision: str | None = None, chat_template: Path | None = None) -> Any:
    """The tokenizer of a model, with a chat template.

    Args:
        model: Folder or Hub id.
        revision: Hub revision.
        chat_template: Jinja file to use instead of its own template.

    Raises:
        ConfigError: It cannot be loaded, or there is no chat template.
    """
    from transformers import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(model, revision=revision)
    except (OSError, ValueError) as error:
        raise ConfigError(f"The tokenizer of {model} cannot be loaded: {error}") from error
    if chat_template is not None:
        try:
            tokenizer.chat_template = chat_template.read_text(encoding="utf-8")
        except OSError as error:
            raise ConfigError(f"Cannot read the chat template {chat_template}: {error.strerror}.") from error
    if not tokenizer.chat_template:
        raise ConfigError(
            f"{model} has no chat template: give one with chat_template (configs/train/mistral.jinja is an example)."
        )
    return tokenizer


@dataclass(frozen=True)
class Encoder:
    """Turns rows of the stages' exports into token ids."""

    tokenizer: Any
    """A tokenizer of `transformers` with a chat template."""

    def row(self, stage: Stage, row: Mapping[str, Any]) -> dict[str, Any]:
        """The token ids of one row, under the names that TRL's collators read.

        Args:
            stage: The stage; decides which columns `row` has.
            row: The row as exported.

        Returns:
            For every stage `prompt_ids`; `completion_ids` (sft, kto) or `chosen_ids` and `rejected_ids`, without the
            prompt. `label` for kto, `direct` and `augmented` for reward.

        Raises:
            ConfigError: The template does not keep the prompt when an answer follows.
            DataError: The template refuses the conversation.
        """
        prompt = self.prompt(row["prompt"])
        if stage in ("sft", "kto"):
            found: dict[str, Any] = {
                "prompt_ids": prompt,
                "completion_ids": self.completion(row["prompt"], row["completion"], prompt),
            }
            return found | ({"label": row["label"]} if stage == "kto" else {})
        found = {"prompt_ids": prompt}
        for side in ("chosen", "rejected"):
            found[f"{side}_ids"] = self.completion(row["prompt"], row[side], prompt)
        if stage == "reward":
            found |= {name: row[name] for name in ("direct", "augmented")}
        return found

    def prompt(self, messages: Messages) -> Ids:
        """The ids of a conversation up to where the model begins to write.

        Raises:
            DataError: The template refuses the conversation.
        """
        return self._templated(messages, add_generation_prompt=True)

    def completion(self, prompt: Messages, answer: Messages, prompt_ids: Ids | None = None) -> Ids:
        """The ids of an answer, behind those of its prompt.

        Args:
            prompt: The conversation before.
            answer: What follows.
            prompt_ids: `self.prompt(prompt)`, where it is at hand.

        Raises:
            ConfigError: The template does not keep the prompt when an answer follows.
            DataError: The template refuses the conversation.
        """
        before = self.prompt(prompt) if prompt_ids is None else prompt_ids
        whole = self._templated([*prompt, *answer])
        if whole[: len(before)] != before:
            shared = next(
                (n for n, (a, b) in enumerate(zip(before, whole, strict=False)) if a != b), len(whole)
            )
            raise ConfigError(
                "The chat template writes the prompt differently when an answer follows: it ends with "
                f"{self.tokenizer.decode(before[shared:])!r} before the answer, and with "
                f"{self.tokenizer.decode(whole[shared : len(before)])!r} around it. The model would be trained on "
                "another prompt than it later sees: give a template that keeps it, with chat_template."
            )
        return self._to_its_end(whole[len(before) :])

    def marked(self, prompt: Ids, completion: Ids) -> str:
        """The text of a row, with what is learned between ⟦ and ⟧."""
        return f"{self.tokenizer.decode(prompt)}⟦{self.tokenizer.decode(completion)}⟧"

    @property
    def ends_answers(self) -> bool:
        """Whether the template ends an answer with the end-of-sequence token, so that the model learns to stop."""
        ids = self.completion([{"role": "user", "content": "?"}], [{"role": "assistant", "content": "!"}])
        return self.tokenizer.eos_token_id in ids

    def _templated(self, messages: Messages, **options: Any) -> Ids:
        from jinja2 import TemplateError

        try:
            found = self.tokenizer.apply_chat_template(
                [dict(message) for message in messages], tokenize=True, return_dict=True, **options
            )
        except (TemplateError, TypeError) as error:
            raise DataError(f"The chat template refuses a conversation: {error}") from error
        return list(found["input_ids"])

    def _to_its_end(self, ids: Ids) -> Ids:
        end = self.tokenizer.eos_token_id
        if end in ids:
            last = len(ids) - ids[::-1].index(end)
            if not self.tokenizer.decode(ids[last:]).strip():
                return ids[:last]
        return ids
