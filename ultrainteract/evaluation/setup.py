"""Everything that shaped the figures of an evaluation, as plain values: what others need to repeat it."""

from __future__ import annotations

import hashlib
import importlib.metadata
import platform
from pathlib import Path
from typing import Any

from ultrainteract._version import __version__
from ultrainteract.config import ModelConfig, RunConfig
from ultrainteract.config.binding import binding
from ultrainteract.errors import ConfigError
from ultrainteract.evaluation.figures import Setup
from ultrainteract.prompts import Prompts
from ultrainteract.schema import Task
from ultrainteract.tree.environment import ENVIRONMENT_VERSION

_DECIDING = ("math-verify", "latex2sympy2_extended", "sympy", "lm-eval", "numpy")
_ENGINES = {
    "llamacpp": ("xllamacpp",),
    "vllm": ("vllm", "torch"),
    "vllm-server": ("vllm",),
    "openai": ("openai",),
}
_FILES = ("config.json", "generation_config.json", "tokenizer_config.json", "tokenizer.json", "chat_template.jinja",
          "model.safetensors.index.json", "adapter_config.json")  # fmt: skip
_HASHED_WHOLE = 1 << 31
"""Weights up to so many bytes are hashed as a whole, larger ones at their ends."""


def setup_of(config: RunConfig, confidence: float) -> Setup:
    """The setup of the run that an evaluation is.

    Args:
        config: The run.
        confidence: Level of the intervals.
    """
    assert config.rollout is not None
    models = {name: described(model) for name, model in config.models.items()}
    limits = config.sandbox.limits.model_dump()
    return Setup(
        name=config.name,
        model=models["actor"],
        critic=models.get("critic"),
        judge=models.get("judge"),
        rollout=config.rollout.model_dump(mode="json"),
        benchmarks=tuple(binding(seed) for seed in config.seeds),
        prompts=_prompts(config),
        sandbox={"environment_version": ENVIRONMENT_VERSION, "limits": limits},
        seed=config.seed,
        confidence=confidence,
        versions=_versions(config),
        fingerprint=config.fingerprint(),
    )


def described(model: ModelConfig) -> dict[str, Any]:
    """A model without its address and key: name, provider, decoding, and a hash of weights that are at hand."""
    found: dict[str, Any] = {
        "provider": model.provider,
        "model": model.model,
        "sampling": model.sampling.model_dump(mode="json"),
        "extra_body": model.extra_body,
        "options": {name: value for name, value in model.options.items() if name != "n_threads"},
    }
    weights = weights_hash(model)
    return found | ({"weights_sha256": weights} if weights else {})


def weights_hash(model: ModelConfig) -> str | None:
    """Hash of a model's files on this machine; None where it is elsewhere.

    Of a folder the configuration, tokenizer, chat template and index are hashed, with the sizes of all files.
    """
    path = Path(model.model)
    if model.provider == "llamacpp":
        from ultrainteract.models.llamacpp.model import find_weights

        try:
            path = find_weights("actor", model.model)
        except ConfigError:
            return None
    if path.is_dir():
        found = hashlib.sha256()
        for file in sorted(path.iterdir()):
            if file.is_file():
                found.update(f"{file.name} {file.stat().st_size}\n".encode())
                found.update(file.read_bytes() if file.name in _FILES else b"")
        return found.hexdigest()
    return _file_hash(path) if path.is_file() else None


def _file_hash(path: Path) -> str:
    size = path.stat().st_size
    with path.open("rb") as file:
        if size <= _HASHED_WHOLE:
            return hashlib.file_digest(file, "sha256").hexdigest()
        found = hashlib.sha256(str(size).encode() + file.read(1 << 20))
        file.seek(size - (1 << 20))
        found.update(file.read())
        return found.hexdigest()


def _prompts(config: RunConfig) -> dict[str, str]:
    assert config.rollout is not None
    prompts, names = Prompts(config.growth.prompts), []
    if config.rollout.protocol == "mint":
        names.append("evaluation/mint")
    elif config.rollout.prompt != "published":
        names += [f"actor/{task.value.lower()}.cot" for task in Task.__members__.values()]
    if config.rollout.feedback == "critique":
        names += [f"critic/{task.value.lower()}" for task in Task.__members__.values()]
    return {name: prompts.digest(name) for name in names}


def _versions(config: RunConfig) -> dict[str, str]:
    packages = (
        *_DECIDING,
        *(name for model in config.models.values() for name in _ENGINES.get(model.provider, ())),
    )
    found = {"ultrainteract": __version__, "python": platform.python_version()}
    for name in dict.fromkeys(packages):
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found
