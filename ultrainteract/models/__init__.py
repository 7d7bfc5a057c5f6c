"""Models by name: from a configuration to something that draws samples.

Providers are imported when they are asked for; `ultrainteract.models.providers` says how others are added.
"""

from __future__ import annotations

from pathlib import Path

from ultrainteract.config import ModelConfig, RunConfig
from ultrainteract.models.base import ChatModel
from ultrainteract.models.pricing import price_of
from ultrainteract.models.providers import PROVIDERS, Resources, provider
from ultrainteract.models.scheduler.limits import SharedLimits

__all__ = [
    "PROVIDERS",
    "Resources",
    "SharedLimits",
    "build_model",
    "build_models",
    "price_of",
    "provider",
    "stays_in_one_process",
]


def build_model(name: str, config: ModelConfig, resources: Resources | None = None) -> ChatModel:
    """Makes one model.

    Args:
        name: Its name in the configuration.
        config: Its configuration.
        resources: What it shares with other models; its own if None.

    Raises:
        ConfigError: The provider is unknown, or the model cannot be set up as configured.
    """
    found = PROVIDERS.find(config.provider, f"models.{name}.provider")
    return found.make(name, config, resources or Resources())


def build_models(
    config: RunConfig, *, shared: SharedLimits | None = None, state_dir: Path | None = None
) -> dict[str, ChatModel]:
    """Makes all models of a run; those with the same key and address share its limits.

    Args:
        config: The run.
        shared: Where they share them, for callers that change them later.
        state_dir: Folder, in the run directory, of models that outlive the process.

    Raises:
        ConfigError: One of them cannot be set up as configured.
    """
    shared = shared or SharedLimits()
    resources = Resources(shared, state_dir)
    models = {name: build_model(name, model, resources) for name, model in config.models.items()}
    used = {name for _, name in config.model_uses()}
    checks = (getattr(model, "check", None) for name, model in models.items() if name in used)
    shared.checks += [check for check in checks if check is not None]
    return models


def stays_in_one_process(name: str, config: ModelConfig) -> bool:
    """Whether a model can be used by one process alone, as its provider was registered.

    Raises:
        ConfigError: The provider is unknown.
    """
    return PROVIDERS.find(config.provider, f"models.{name}.provider").one_process
