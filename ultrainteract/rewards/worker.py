"""A grading process: a `Scorer` behind a socket, which ends when the trainer does, however that ends."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import sys

from ultrainteract.errors import UltraInteractError
from ultrainteract.rewards.attempts import Attempt
from ultrainteract.rewards.grader import Reply
from ultrainteract.rewards.scorer import Scorer, ScorerConfig
from ultrainteract.running.processes.worker import serve


class RemoteScorer:
    """What a grading process answers: its methods are called over the socket.

    Args:
        config: As JSON.
    """

    def __init__(self, config: str) -> None:
        self._scorer = Scorer(ScorerConfig.model_validate_json(config))
        self._entered: asyncio.Task[Scorer] | None = None

    async def score(self, attempts: list[Attempt]) -> Reply:
        """Grades a batch."""
        if self._entered is None:
            self._entered = asyncio.create_task(self._scorer.__aenter__())
        try:
            await asyncio.shield(self._entered)
            scores = await self._scorer.score(attempts)
            return [score.plain() for score in scores], dict(self._scorer.counts)
        except UltraInteractError as error:
            return type(error).__name__, str(error)

    async def close(self) -> None:
        """Ends the graders and the sandbox."""
        if self._entered is not None:
            await self._scorer.__aexit__(None, None, None)


def main() -> None:
    """Serves the socket whose descriptor is the argument."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with contextlib.suppress(EOFError):  # the trainer ended before it said anything
        asyncio.run(serve(socket.socket(fileno=int(sys.argv[1])), RemoteScorer))


if __name__ == "__main__":
    main()
