"""What the tests of models share."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.servers.chaos import echo
from ultrainteract.config import ModelConfig
from ultrainteract.models.base import ChatRequest, Purpose, Role
from ultrainteract.models.openai.batch import OpenAIBatchModel
from ultrainteract.models.openai.client import OpenAIModel
from ultrainteract.models.scheduler.limits import SharedLimits
from ultrainteract.schema import Message, SamplingParams


class FastClock:
    """A clock on which waiting for a second takes a millisecond, and nothing else takes any time."""

    def __init__(self, scale: float = 0.001) -> None:
        self.scale = scale
        self.time = 1000.0
        self.slept: list[float] = []

    def now(self) -> float:
        return self.time

    def wall(self) -> float:
        return time.time()

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        until = self.time + seconds
        await asyncio.sleep(seconds * self.scale)
        self.time = max(self.time, until)

    def call_later(self, seconds: float, callback: Callable[[], None]) -> asyncio.TimerHandle:
        until = self.time + seconds

        def call() -> None:
            self.time = max(self.time, until)
            callback()

        return asyncio.get_running_loop().call_later(seconds * self.scale, call)


class HandClock:
    """A clock that stands still until it is moved; sleeping moves it."""

    def __init__(self) -> None:
        self.time = 1000.0
        self.timers: list[tuple[float, Callable[[], None]]] = []

    def now(self) -> float:
        return self.time

    def wall(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.time += seconds
        await asyncio.sleep(0)

    def call_later(self, seconds: float, callback: Callable[[], None]) -> asyncio.TimerHandle:
        self.timers.append((self.time + seconds, callback))
        return asyncio.TimerHandle(0, lambda: None, (), asyncio.get_running_loop())

    def advance(self, seconds: float) -> None:
        self.time += seconds
        due = [timer for timer in self.timers if timer[0] <= self.time]
        self.timers = [timer for timer in self.timers if timer[0] > self.time]
        for _, callback in due:
            callback()


def ask(
    text: str = "What is 2 + 2?",
    n: int = 1,
    *,
    first: int = 0,
    seed: int | None = 0,
    role: Role = "actor",
    turn: int = 1,
    **sampling: Any,
) -> ChatRequest:
    return ChatRequest(
        messages=(Message(role="system", content="You solve problems."), Message(role="user", content=text)),
        sampling=SamplingParams(seed=seed, **sampling),
        n=n,
        first=first,
        purpose=Purpose(role=role, step="actor", turn=turn),
    )


def client(*urls: str, clock: Any = None, shared: SharedLimits | None = None, **config: Any) -> OpenAIModel:
    return OpenAIModel(
        "actor",
        ModelConfig(**{"model": "m", "base_url": urls[0] if len(urls) == 1 else urls, **config}),
        shared=shared or SharedLimits(clock or FastClock()),
        rng=random.Random(0),
    )


def expected(request: ChatRequest) -> list[str]:
    """What a sound server says."""
    messages = [message.model_dump() for message in request.messages]
    seed = (request.sampling.seed or 0) + request.first
    return [echo({"messages": messages, "seed": seed}, index) for index in range(request.n)]


def texts(reply: Any) -> list[str]:
    return [completion.text for completion in reply.completions]


BATCHED = [ask(f"Question {number}", n=1 + number % 3, seed=5) for number in range(40)]


def batch_client(url: str, state: Path | None, **config: Any) -> OpenAIBatchModel:
    return OpenAIBatchModel(
        "actor",
        ModelConfig(provider="openai-batch", model="m", base_url=url, **config),
        shared=SharedLimits(FastClock()),
        state_dir=state,
        rng=random.Random(0),
    )
