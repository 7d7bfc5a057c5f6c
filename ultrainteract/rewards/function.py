"""The reward function that a trainer calls: batches in, 1, 0 or None out, graded in processes beside the trainer.

It works from ordinary code and from any event loop alike: everything runs on a loop of its own, on a thread of its own.
Nothing is forked, so a trainer that holds a GPU may use it. No more than `max_pending` attempts are taken on at a time;
further callers wait. When the trainer ends, in whatever way, so do the processes.
"""

from __future__ import annotations

import asyncio
import functools
import os
import threading
from collections import Counter
from collections.abc import Coroutine, Mapping, Sequence
from concurrent.futures import Future
from itertools import chain
from types import TracebackType
from typing import Any, Protocol, Self, TypeVar

from ultrainteract.errors import GraderError
from ultrainteract.models.base import FinishReason
from ultrainteract.rewards.attempts import Attempt, Completion, Score, attempts_of, read_problem
from ultrainteract.rewards.grader import GRACE_S, Grader
from ultrainteract.rewards.scorer import LATE, Scorer, ScorerConfig
from ultrainteract.running.processes.crew import usable_cores
from ultrainteract.schema import Instruction

T = TypeVar("T")

CHUNK = 32
"""Attempts that a grading process is handed at a time."""


class Grading(Protocol):
    """Somebody who grades: a process, a server, a Ray actor."""

    pending: int
    """Attempts that it has been handed and has not graded yet."""
    counts: Mapping[str, int]
    """What it has counted, where it says so."""

    @property
    def pid(self) -> int | None:
        """Its process on this machine, where it has one."""
        ...

    async def score(self, attempts: Sequence[Attempt]) -> list[Score]:
        """Grades a batch."""
        ...

    async def close(self, grace_s: float) -> None:
        """Ends it."""
        ...


class RewardFunction:
    """Grades completions. Call it, or await `score`; close it, or use it in a `with` block.

    Args:
        config: Sandbox, limits, deadline and back-pressure; the defaults if None. Pass the run's `sandbox` settings for
            verdicts that are the run's.
        workers: Grading processes; one per usable core if None, and none (a thread of this process) if 0.
    """

    chunk = CHUNK

    def __init__(self, config: ScorerConfig | None = None, *, workers: int | None = None) -> None:
        self.config = config or ScorerConfig()
        self.workers = usable_cores() if workers is None else workers
        self._lock = threading.Lock()
        self._pid = 0
        self._closed = False

    def __call__(
        self,
        completions: Sequence[Completion],
        problems: Sequence[str | Instruction],
        *,
        finish_reasons: Sequence[FinishReason] | None = None,
        prompts: Sequence[Completion] | None = None,
    ) -> list[float | None]:
        """The rewards of a batch, in order: see `grade`."""
        scores = self.grade(
            attempts_of(completions, problems, finish_reasons=finish_reasons, prompts=prompts)
        )
        return [score.reward for score in scores]

    def grade(self, attempts: Sequence[Attempt]) -> list[Score]:
        """Grades a batch and waits for it.

        Raises:
            DataError: A problem cannot be read.
            SandboxError: Programs are to be run and there is no isolation here, or every execution failed.
            GraderError: It is closed.
        """
        return self._submitted(attempts).result()

    async def score(self, attempts: Sequence[Attempt]) -> list[Score]:
        """`grade` for callers with an event loop, which stays free meanwhile; a cancelled call is given up."""
        return await asyncio.wrap_future(self._submitted(attempts))

    def _submitted(self, attempts: Sequence[Attempt]) -> Future[list[Score]]:
        loop = self._started()
        return asyncio.run_coroutine_threadsafe(self._grade(attempts), loop)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Runs a coroutine on the function's own loop and waits for it."""
        return asyncio.run_coroutine_threadsafe(work, self._started()).result()

    @property
    def scorer(self) -> Scorer:
        """The scorer on this function's own loop, which multi-turn environments use.

        Raises:
            GraderError: It is closed.
        """
        self._started()
        return self._own

    @property
    def pending(self) -> int:
        """Attempts that are waiting or being graded."""
        return self._pending if self._pid == os.getpid() else 0

    @property
    def counts(self) -> Counter[str]:
        """Attempts by what came of them, over all processes: see `Scorer.counts`."""
        found: Counter[str] = Counter()
        if self._pid == os.getpid():
            for counts in (self._own.counts, *(grader.counts for grader in self._graders)):
                found.update(counts)
        return found

    @property
    def pids(self) -> list[int]:
        """Process ids of the grading processes that have started."""
        if self._pid != os.getpid():
            return []
        return [grader.pid for grader in self._graders if grader.pid is not None]

    def close(self) -> None:
        """Ends the grading processes and the sandbox. Idempotent."""
        with self._lock:
            self._closed = True
            if self._pid != os.getpid():
                return
            self._pid = 0
        asyncio.run_coroutine_threadsafe(self._shut(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __getstate__(self) -> dict[str, Any]:
        """What another process needs to make the same: it starts grading processes of its own."""
        return {"config": self.config, "workers": self.workers}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(state["config"], workers=state["workers"])  # type: ignore[misc]

    # ------------------------------------------------------------------------------------------ its own loop

    def _started(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._closed:
                raise GraderError("This reward function is closed. Make another one.")
            if self._pid != os.getpid():  # not started yet, or this is a fork of the process that did
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(
                    target=self._loop.run_forever, name="ultrainteract-rewards", daemon=True
                )
                self._thread.start()
                asyncio.run_coroutine_threadsafe(self._open(), self._loop).result()
                self._pid = os.getpid()
            return self._loop

    async def _open(self) -> None:
        self._own = await Scorer(self.config).__aenter__()
        self._graders = await self._open_graders()
        self._pending = 0
        self._room = asyncio.Condition()

    async def _open_graders(self) -> Sequence[Grading]:
        share = _share(self.config, self.workers)
        return [Grader(share) for _ in range(self.workers)]

    async def _shut(self) -> None:
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await asyncio.gather(*(grader.close(GRACE_S) for grader in self._graders))
        await self._own.__aexit__(None, None, None)

    async def _grade(self, attempts: Sequence[Attempt]) -> list[Score]:
        for problem in {attempt.problem for attempt in attempts}:
            read_problem(problem)
        distinct = list(dict.fromkeys(attempts))
        size = self.chunk
        chunks = [distinct[start : start + size] for start in range(0, len(distinct), size)]
        tasks = [asyncio.create_task(self._chunk(chunk)) for chunk in chunks]
        try:
            found = await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
        scores = dict(zip(distinct, chain.from_iterable(found), strict=True))
        return [scores[attempt] for attempt in attempts]

    async def _chunk(self, attempts: Sequence[Attempt]) -> list[Score]:
        try:
            async with asyncio.timeout(self.config.deadline_s), self._room:
                await self._room.wait_for(lambda: self._pending < self.config.max_pending)
                self._pending += len(attempts)
        except TimeoutError:
            return [Score.of(LATE)] * len(attempts)
        try:
            grader = min(self._graders, key=lambda grader: grader.pending, default=None)
            return await (self._own if grader is None else grader).score(attempts)
        finally:
            async with self._room:
                self._pending -= len(attempts)
                self._room.notify_all()


@functools.cache
def shared() -> RewardFunction:
    """The reward function of this process, with default settings; it ends with the process."""
    return RewardFunction()


def _share(config: ScorerConfig, workers: int) -> ScorerConfig:
    """What one of several grading processes may use of the sandbox."""
    if workers < 2:
        return config
    cores, sandbox = os.cpu_count() or 1, config.sandbox
    concurrency = max(1, (sandbox.concurrency or 4 * cores) // workers)
    containers = max(1, (sandbox.containers or -(-cores // 2)) // workers)
    part = sandbox.model_copy(update={"concurrency": concurrency, "containers": containers})
    return config.model_copy(update={"sandbox": part})
