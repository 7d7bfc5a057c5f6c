"""Models on disk: which one a stage starts from, how it is loaded, and how what was trained is saved.

What is saved is a plain checkpoint: adapters are merged in, the tokenizer and its chat template lie beside it.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from ultrainteract.config.training import STAGES, Stage, StageConfig, TrainConfig
from ultrainteract.errors import ConfigError
from ultrainteract.schema import content_hash

MODEL = "model"
"""Folder, in a stage's folder, of the trained model."""
ADAPTER = "adapter"
"""Folder, in a stage's folder, of its adapters, where it has any."""
REPORT = "train.json"
"""File, in a stage's folder, with its `TrainReport`."""
PAD = "<|pad|>"
"""Padding token that a reward model's tokenizer gets where it has none of its own."""


def start_of(config: TrainConfig, stage: Stage, section: StageConfig) -> str:
    """The model that a stage starts from: a folder or a Hub id.

    Raises:
        ConfigError: It is another stage's, and that was not trained yet.
    """
    start = section.start or ("sft" if stage != "sft" and config.sft is not None else config.model)
    if start not in STAGES:
        return start
    folder = config.output / start
    if not (folder / REPORT).is_file():
        raise ConfigError(
            f"`{stage}` starts from the model of `{start}`, which is not in {folder} yet: run "
            f"`ultrainteract train {start}` first, or set {stage}.start."
        )
    return str(folder / MODEL)


def digest(model: str, revision: str | None) -> str:
    """Content hash of a model: of its files where it is a folder, of its id and revision on the Hub."""
    folder = Path(model)
    if not folder.is_dir():
        return content_hash([model, revision])
    found = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.suffix in (".safetensors", ".bin", ".json", ".jinja") and path.name != "training_args.bin":
            found.update(path.relative_to(folder).as_posix().encode())
            with path.open("rb") as file:
                found.update(hashlib.file_digest(file, "sha256").digest())
    return found.hexdigest()


def context_of(model: str, revision: str | None) -> int:
    """Longest context of a model, tokens.

    Raises:
        ConfigError: There is no such model.
    """
    from transformers import AutoConfig

    try:
        return context_in(AutoConfig.from_pretrained(model, revision=revision))
    except (OSError, ValueError) as error:
        raise ConfigError(f"{model} is no model that can be loaded: {error}") from error


def context_in(config: Any) -> int:
    """Longest context by a model's configuration, tokens."""
    return int(getattr(config.get_text_config(), "max_position_embeddings", None) or 2**31)


def load_model(
    stage: Stage, model: str, tokenizer: Any, revision: str | None = None, dtype: Any = None
) -> Any:
    """A start model, with a scalar head for the stage `reward`.

    A reward model's score is that of the last token that is no padding, so that its padding token must be none that
    occurs in a text: the end-of-sequence token, which many models pad with, would hide the token that it ends with.

    Args:
        stage: The stage.
        model: Folder or Hub id.
        tokenizer: Its tokenizer; gets a padding token here.
        revision: Hub revision.
        dtype: Type of the weights; float32 if None.

    Raises:
        ConfigError: It cannot be loaded.
    """
    import torch
    from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification

    options: dict[str, Any] = {"revision": revision, "dtype": dtype or torch.float32}
    try:
        if stage != "reward":
            if tokenizer.pad_token is None:
                tokenizer.pad_token = tokenizer.eos_token
            return AutoModelForCausalLM.from_pretrained(model, **options)
        from trl.trainer.reward_trainer import suppress_seqcls_warning

        with suppress_seqcls_warning():
            loaded = AutoModelForSequenceClassification.from_pretrained(model, num_labels=1, **options)
    except (OSError, ValueError) as error:
        raise ConfigError(f"{model} cannot be loaded: {error}") from error
    if tokenizer.pad_token is None or tokenizer.pad_token_id == tokenizer.eos_token_id:
        tokenizer.add_special_tokens({"pad_token": PAD})
    if len(tokenizer) > loaded.get_input_embeddings().num_embeddings:
        loaded.resize_token_embeddings(len(tokenizer))
    loaded.config.get_text_config().pad_token_id = tokenizer.pad_token_id
    return loaded


def merge_adapter(stage: Stage, start: str, adapter: Path, target: Path, revision: str | None) -> None:
    """Merges saved adapters into their start model and saves the whole as a plain checkpoint."""
    from peft import PeftModel
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(adapter)
    base = load_model(stage, start, tokenizer, revision)
    PeftModel.from_pretrained(base, adapter).merge_and_unload().save_pretrained(target)
