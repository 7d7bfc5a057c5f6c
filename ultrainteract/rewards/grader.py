"""The trainer's side of a grading process, which is started when it is first needed and again after it is lost."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping, Sequence

from ultrainteract.errors import error_from_report
from ultrainteract.rewards.attempts import Attempt, PlainScore, Score
from ultrainteract.rewards.scorer import ScorerConfig
from ultrainteract.running.leases import WorkerLost
from ultrainteract.running.processes.crew import ProcessConnection
from ultrainteract.schema import Verdict

ATTEMPTS = 2
"""Processes that a batch may cost before its attempts are given up."""
GRACE_S = 10.0
"""Seconds that a process may take to end."""
OVERDUE_S = 120.0
"""Seconds beyond the deadline of a batch, its start included, after which a process counts as lost."""
Reply = tuple[list[PlainScore], dict[str, int]] | tuple[str, str]
"""Plain scores and what the process has counted, or the name and text of an expected error."""


def scores_of(reply: Reply) -> tuple[list[Score], Mapping[str, int]]:
    """The scores of a reply, and the counts.

    Raises:
        UltraInteractError: The reply is an error.
    """
    found, more = reply
    if isinstance(found, str):
        raise error_from_report(found, str(more))
    assert isinstance(more, dict)
    return [Score.of_plain(plain) for plain in found], more


class Grader(ProcessConnection):
    """A grading process, as the trainer sees it.

    Args:
        config: What it grades with.
    """

    module = "ultrainteract.rewards.worker"

    def __init__(self, config: ScorerConfig) -> None:
        super().__init__((config.model_dump_json(),))
        self._starting = asyncio.Lock()
        self._deadline_s = config.deadline_s
        self.pending = 0
        """Attempts that it has been handed and has not graded yet."""
        self.counts: Mapping[str, int] = {}
        """What the present process has counted."""

    async def score(self, attempts: Sequence[Attempt]) -> list[Score]:
        """Grades a batch; where two processes in a row are lost with it, its attempts are undetermined.

        Raises:
            UltraInteractError: As of `Scorer.score`.
        """
        self.pending += len(attempts)
        try:
            for _ in range(ATTEMPTS):
                with contextlib.suppress(WorkerLost):
                    await self._started()
                    reply = await self._answered(list(attempts))
                    return self._taken(reply)
        finally:
            self.pending -= len(attempts)
        return [Score.of(Verdict.undetermined("the grading process was lost"))] * len(attempts)

    def _taken(self, reply: Reply) -> list[Score]:
        scores, self.counts = scores_of(reply)
        return scores

    async def _answered(self, attempts: list[Attempt]) -> Reply:
        limit = self._deadline_s
        try:
            async with asyncio.timeout(None if limit is None else limit + OVERDUE_S):
                reply: Reply = await self._ask("score", attempts)
                return reply
        except TimeoutError:
            self.kill()
            raise WorkerLost("it missed its deadline") from None

    async def _started(self) -> None:
        async with self._starting:
            if self._process is None or self._gone:
                self.kill()
                await self.start()

    @property
    def pid(self) -> int | None:
        """Process id; None before it has started."""
        return None if self._process is None else self._process.pid
