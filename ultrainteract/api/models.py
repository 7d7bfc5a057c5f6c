"""Work with one model of a configuration."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import TypeVar

from ultrainteract.api.event_loop import complete
from ultrainteract.config import RunConfig
from ultrainteract.errors import ConfigError
from ultrainteract.models import build_model
from ultrainteract.models.base import ChatModel

T = TypeVar("T")


def with_model(config: RunConfig, name: str, work: Callable[[ChatModel], Awaitable[T]]) -> T:
    """The result of work with a model, which is closed afterwards.

    Raises:
        ConfigError: The configuration has no model of this name.
    """
    if name not in config.models:
        raise ConfigError(f"There is no model '{name}' in the config (models: {', '.join(config.models)}).")

    async def ask() -> T:
        async with AsyncExitStack() as stack:
            built = build_model(name, config.models[name])
            stack.push_async_callback(built.close)
            return await work(built)

    return complete(ask)
