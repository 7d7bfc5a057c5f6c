"""Models by name: from a configuration to something that draws samples.

Providers are imported when they are asked for. Further ones register a callable under the entry-point group
`ultrainteract.models`; it is called like the built-in classes, with the model's name and configuration.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from ultrainteract.config import ModelConfig, RunConfig
from ultrainteract.errors import ConfigError
from ultrainteract.models.base import ChatModel
from ultrainteract.models.pricing import price_of
from ultrainteract.models.scheduler.limits import SharedLimits

__all__ = ["PLUGIN_GROUP", "SharedLimits", "build_model", "build_models", "price_of"]

PLUGIN_GROUP = "ultrainteract.models"

_BUILT_IN = {
    "openai": ("openai.client", "OpenAIModel"),
    "openai-batch": ("openai.batch", "OpenAIBatchModel"),
    "simulated": ("simulated.model", "SimulatedModel"),
    "vllm": ("vllm.model", "VLLMModel"),
    "vllm-server": ("vllm.server", "VLLMServerModel"),
}


def build_model(
    name: str, config: ModelConfig, *, shared: SharedLimits | None = None, state_dir: Path | None = None
) -> ChatModel:
    """Makes one model.

    Args:
        name: Its name in the configuration.
        config: Its configuration.
        shared: Limits it shares with other models; its own if None.
        state_dir: Where a model that outlives the process (a batch) keeps what it must not forget.

    Raises:
        ConfigError: The provider is unknown, or the model cannot be set up as configured.
    """
    make = _provider(name, config.provider)
    if config.provider in ("openai", "openai-batch"):
        make = partial(make, shared=shared)
    if config.provider == "openai-batch":
        make = partial(make, state_dir=state_dir)
    model: ChatModel = make(name, config)
    return model


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
    models = {
        name: build_model(name, model, shared=shared, state_dir=state_dir)
        for name, model in config.models.items()
    }
    used = {name for _, name in config.model_uses()}
    checks = {name: getattr(model, "check", None) for name, model in models.items() if name in used}
    shared.checks += [check for check in checks.values() if check is not None]
    return models


def _provider(name: str, provider: str) -> Callable[..., Any]:
    if provider in _BUILT_IN:
        module, attribute = _BUILT_IN[provider]
        made: Callable[..., Any] = getattr(import_module(f"{__name__}.{module}"), attribute)
        return made
    plugins = entry_points(group=PLUGIN_GROUP)
    if provider not in plugins.names:
        known = ", ".join(sorted({*_BUILT_IN, *plugins.names}))
        raise ConfigError(f"models.{name}.provider: there is no provider '{provider}'; there are: {known}.")
    loaded: Callable[..., Any] = plugins[provider].load()
    return loaded
