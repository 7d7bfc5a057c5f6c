"""A fixed number of worker processes for algebra, each replaced when it dies or has to be killed.

Guarantees: no request takes longer than the limit once a worker has it; a request that takes too much time or memory
affects no other; after `close` no worker is left, and none outlives this process however it ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from typing import Any

import orjson

from ultrainteract.errors import GraderError

START_TIMEOUT_S = 120.0
"""Longest time a worker may take to load."""


class WorkerLost(Exception):
    """There is no answer; the message says why."""


class WorkerEnded(WorkerLost):
    """The worker was gone for a reason of its own."""


class _Worker:
    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self._asked = 0

    @classmethod
    async def spawn(cls, timeout_s: float, memory_mb: int) -> _Worker:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "ultrainteract.grading.worker", str(timeout_s), str(memory_mb), str(os.getpid()),
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
            env=_environment(), limit=1 << 20, start_new_session=True,
        )  # fmt: skip
        worker = cls(process)
        try:
            async with asyncio.timeout(START_TIMEOUT_S):
                line = await worker._read()
        except (TimeoutError, WorkerLost) as error:
            await worker.kill()
            raise GraderError(
                "A grading worker did not start. Check that `python -m ultrainteract.grading.worker` imports "
                "math-verify and sympy in this environment, and that memory is free."
            ) from error
        except asyncio.CancelledError:
            await worker.kill()
            raise
        if line != b"ready\n":
            await worker.kill()
            raise GraderError(f"A grading worker answered {line[:80]!r} instead of starting.")
        return worker

    async def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        assert self.process.stdin is not None
        self._asked += 1
        try:
            self.process.stdin.write(orjson.dumps({"number": self._asked, **request}) + b"\n")
            await self.process.stdin.drain()
        except (BrokenPipeError, ConnectionResetError) as error:
            raise WorkerEnded("the grading worker was gone") from error
        reply: dict[str, Any] = orjson.loads(await self._read())
        if reply["number"] != self._asked:
            raise WorkerEnded("the grading worker answered another question")
        return reply

    async def _read(self) -> bytes:
        assert self.process.stdout is not None
        line = await self.process.stdout.readline()
        if not line:
            raise WorkerEnded("the grading worker ended")
        return line

    def signal(self) -> None:
        """Kills the worker's two processes without waiting."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)

    async def kill(self) -> None:
        """Kills both and waits until they are gone: the pipe ends when the last of them has."""
        assert self.process.stdout is not None
        self.signal()
        await self.process.wait()
        await self.process.stdout.read()


def _environment() -> dict[str, str]:
    """What the worker needs of the environment: none of the keys and tokens that may be in it."""
    keep = ("PATH", "HOME", "LANG", "LC_ALL", "PYTHONPATH", "VIRTUAL_ENV", "LD_LIBRARY_PATH", "TMPDIR")
    kept = {name: os.environ[name] for name in keep if name in os.environ}
    paths = [path or os.getcwd() for path in sys.path]
    return {**kept, "PYTHONPATH": os.pathsep.join(paths), "PYTHONHASHSEED": "0"}


class WorkerPool:
    """Hands requests to idle workers; callers wait while all are busy.

    Args:
        workers: Processes.
        timeout_s: Longest wall-clock time of a request, seconds; the worker's own clocks are a little shorter.
        memory_mb: Address space of a worker, MiB.
    """

    def __init__(self, workers: int, timeout_s: float, memory_mb: int) -> None:
        self._count, self._timeout_s, self._memory_mb = workers, timeout_s, memory_mb
        self._idle: asyncio.Queue[_Worker | GraderError] = asyncio.Queue()
        self._all: set[_Worker] = set()
        self._starting: set[asyncio.Task[None]] = set()
        self._started = False

    def start(self) -> None:
        """Begins to start the workers, in the background. Idempotent."""
        if not self._started:
            self._started = True
            for _ in range(self._count):
                self._add()

    async def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """Has one request answered.

        Raises:
            WorkerLost: It took too long, or two workers ended before they had answered.
            GraderError: No worker can be started.
        """
        with contextlib.suppress(WorkerEnded):  # killed from outside, perhaps while it was idle: ask another
            return await self._ask_once(request)
        return await self._ask_once(request)

    async def _ask_once(self, request: dict[str, Any]) -> dict[str, Any]:
        self.start()
        worker = await self._idle.get()
        if isinstance(worker, GraderError):
            self._idle.put_nowait(worker)
            raise worker
        answered = False
        try:
            async with asyncio.timeout(self._timeout_s):
                reply = await worker.ask(request)
            answered = True
            return reply
        except TimeoutError as error:
            raise WorkerLost(f"the comparison took longer than {self._timeout_s:g} s") from error
        finally:
            if answered:
                self._idle.put_nowait(worker)
            else:
                self._replace(worker)

    async def close(self) -> None:
        """Ends all workers. Idempotent."""
        for task in self._starting:
            task.cancel()
        await asyncio.gather(*self._starting, return_exceptions=True)
        await asyncio.gather(*(worker.kill() for worker in self._all))
        self._all.clear()
        self._idle = asyncio.Queue()
        self._started = False

    @property
    def pids(self) -> list[int]:
        """Process ids of the workers alive."""
        return [worker.process.pid for worker in self._all]

    def _add(self) -> None:
        task = asyncio.create_task(self._spawn())
        self._starting.add(task)
        task.add_done_callback(self._starting.discard)

    async def _spawn(self) -> None:
        try:
            worker = await _Worker.spawn(self._timeout_s, self._memory_mb)
        except GraderError as error:
            self._idle.put_nowait(error)
            return
        self._all.add(worker)
        self._idle.put_nowait(worker)

    def _replace(self, worker: _Worker) -> None:
        worker.signal()

        async def renew() -> None:
            await worker.kill()
            self._all.discard(worker)
            await self._spawn()

        task = asyncio.create_task(renew())
        self._starting.add(task)
        task.add_done_callback(self._starting.discard)
