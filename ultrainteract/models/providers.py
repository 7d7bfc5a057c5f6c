"""Model providers by name, and what one may use.

A provider is a callable that makes a `ChatModel` from its name, its configuration and the run's `Resources`; a class
with that constructor is one. Another package registers its own with the `provider` decorator, in a module that it
names in the entry-point group `ultrainteract.models`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from ultrainteract.config import ModelConfig
from ultrainteract.models.base import ChatModel
from ultrainteract.models.scheduler.limits import SharedLimits
from ultrainteract.registry import Registry
from ultrainteract.schema import Usage


@dataclass
class Reserved:
    """A request that may be sent now; say in `usage` what it used before the block ends."""

    usage: Usage | None = None
    """Tokens used; None where the request failed."""


@dataclass
class Resources:
    """What the models of one run share, and where they may keep files."""

    shared: SharedLimits = field(default_factory=SharedLimits)
    """Rates by key and address, endpoints by model and address."""
    state_dir: Path | None = None
    """Folder, in the run directory, of what must outlive the process (a batch that is under way); None without one."""
    _gates: dict[tuple[str, str, str], asyncio.Semaphore] = field(default_factory=dict)

    @asynccontextmanager
    async def reserve(
        self, config: ModelConfig, address: str, prompt_tokens: float, completion_tokens: float
    ) -> AsyncIterator[Reserved]:
        """Waits until the limits allow one more request, and counts it as in flight while the block runs.

        The limits are those of the configuration: `max_concurrency` per model and address, `requests_per_minute` and
        tokens per minute per key and address, whoever uses the key.

        Args:
            config: The model that sends the request.
            address: Where to: the server, or the program that answers.
            prompt_tokens: Estimated tokens of the request.
            completion_tokens: Estimated tokens of the answer.
        """
        key = (address, config.api_key_env, config.model)
        gate = self._gates.setdefault(key, asyncio.Semaphore(config.max_concurrency))
        limits = self.shared.key_limits(config, address)
        async with gate:
            reservation = await limits.reserve(prompt_tokens, completion_tokens)
            reserved = Reserved()
            try:
                yield reserved
            finally:
                limits.settle(reservation, reserved.usage)


Provider = Callable[[str, ModelConfig, Resources], ChatModel]
"""Makes a model: its name in the configuration, its configuration, what it may use."""

P = TypeVar("P", bound=Provider)


@dataclass(frozen=True)
class RegisteredProvider:
    """A provider by name."""

    make: Provider
    """Makes a model."""
    one_process: bool
    """Whether one process alone can use a model of it (an engine on the GPUs, batches that are remembered)."""


PROVIDERS: Registry[RegisteredProvider] = Registry(
    "provider",
    "ultrainteract.models",
    {
        "llamacpp": "ultrainteract.models.llamacpp.model",
        "openai": "ultrainteract.models.openai.registered",
        "openai-batch": "ultrainteract.models.openai.registered",
        "simulated": "ultrainteract.models.simulated.model",
        "vllm": "ultrainteract.models.vllm.registered",
        "vllm-server": "ultrainteract.models.vllm.registered",
    },
)
"""All providers that `models.*.provider` can name."""


def provider(name: str, *, one_process: bool = False) -> Callable[[P], P]:
    """Registers a provider under `name`.

    Args:
        name: What `models.*.provider` says.
        one_process: Whether one process alone can use a model of it; a run with such a model grows in one process.

    Raises:
        ConfigError: Another provider has this name.
    """

    def register(make: P) -> P:
        PROVIDERS.add(name, RegisteredProvider(make, one_process), make)
        return make

    return register
