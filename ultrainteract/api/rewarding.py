"""Verifiable rewards: grading completions here, and as a service."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from ultrainteract.api.event_loop import complete

if TYPE_CHECKING:
    from ultrainteract.config import RunConfig
    from ultrainteract.models.base import FinishReason
    from ultrainteract.rewards import RewardFunction
    from ultrainteract.rewards.attempts import Completion
    from ultrainteract.schema import Instruction


def reward(
    completions: Sequence[Completion],
    problems: Sequence[str | Instruction],
    *,
    finish_reasons: Sequence[FinishReason] | None = None,
    prompts: Sequence[Completion] | None = None,
    function: RewardFunction | None = None,
) -> list[float | None]:
    """Grades a batch of completions with the graders and the sandbox that trees are grown with.

    Args:
        completions: Texts, or messages of which the assistant's count.
        problems: The problem of each: the column `problem` of an `-rl` export, or an instruction.
        finish_reasons: Why each ended; `length` where it was cut off.
        prompts: The conversation before each, as messages; the notebook's state of later turns is made from it.
        function: What grades (`ultrainteract.rewards.RewardFunction`); one for the whole process, with default
            settings, if None.

    Returns:
        For each completion 1 (proved correct), 0 (proved wrong), or None: nothing is known, mask it.

    Raises:
        DataError: A problem cannot be read, or the batch is not of one size.
        SandboxError: Programs are to be run and there is no isolation here, or every execution failed.
    """
    from ultrainteract.rewards.function import shared

    return (function or shared())(completions, problems, finish_reasons=finish_reasons, prompts=prompts)


async def reward_async(
    completions: Sequence[Completion],
    problems: Sequence[str | Instruction],
    *,
    finish_reasons: Sequence[FinishReason] | None = None,
    prompts: Sequence[Completion] | None = None,
    function: RewardFunction | None = None,
) -> list[float | None]:
    """`reward` for callers with an event loop, which stays free meanwhile."""
    from ultrainteract.rewards.attempts import attempts_of
    from ultrainteract.rewards.function import shared

    attempts = attempts_of(completions, problems, finish_reasons, prompts)
    return [score.reward for score in await (function or shared()).score(attempts)]


def serve(
    config: RunConfig | None = None,
    *,
    host: str = "127.0.0.1",
    port: int = 8123,
    token: str | None = None,
    workers: int | None = None,
    max_pending: int = 4096,
    deadline_s: float = 300.0,
    unsafe: bool = False,
    started: Callable[[str], None] = lambda address: None,
) -> None:
    """Serves grading over HTTP until a signal ends it (see `ultrainteract.rewards.server`).

    Args:
        config: A run's configuration, whose sandbox is used; the default sandbox if None.
        host: Address to bind to; any but a loopback address needs a token.
        port: Port; any free one if 0.
        token: What requests have to show; that of the environment variable `ULTRAINTERACT_TOKEN` if None.
        workers: Grading processes; one per usable core if None.
        max_pending: Attempts pending from which on it answers 503.
        deadline_s: Maximum time of a batch, seconds.
        unsafe: Allow running programs without isolation.
        started: Is told the address.

    Raises:
        ConfigError: The address cannot be bound, or is open to others without a token.
        SandboxError: There is no isolation here.
    """
    from ultrainteract.config import SandboxConfig
    from ultrainteract.rewards import RewardFunction, ScorerConfig
    from ultrainteract.rewards.client import TOKEN_ENV
    from ultrainteract.rewards.server import serve_until

    sandbox = config.sandbox if config is not None else SandboxConfig()
    settings = ScorerConfig(sandbox=sandbox, deadline_s=deadline_s, max_pending=max_pending, unsafe=unsafe)

    async def serving() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop.set)
        secret = token or os.environ.get(TOKEN_ENV) or None
        with RewardFunction(settings, workers=workers) as function:
            await serve_until(stop, function, host, port, secret, started)

    complete(serving)
