"""Processes that serve models: started once, when they are first needed, and never left behind.

Guarantees: what a `Lifeline` holds is killed when this process ends, however it ends. What a `Lazy` makes is
made once, whoever asks first and whoever stops waiting. A `LogFolder` that nobody named goes with its model.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import shutil
import subprocess
import tempfile
import weakref
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Generic, TypeVar

T = TypeVar("T")

_GUARD = """
held=
while read -r line; do
  [ "$line" = released ] && exit
  held="$held $line"
done
[ -n "$held" ] && kill -s KILL -- $held
"""


class Lifeline:
    """Kills processes when this one is gone, even if it was killed.

    A shell waits on a pipe, in a session of its own: where the pipe closes without a word, we are dead. It is nobody's
    child, for there are those who end a process together with its children (Ray its workers). (A parent death
    signal would be simpler, but it follows the thread that started a process, and must be asked for by the
    process itself.)
    """

    def __init__(self) -> None:
        self._guard = subprocess.Popen(
            ["/bin/sh", "-c", f"exec 3<&0; ({_GUARD}) <&3 3<&- &"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self._guard.wait()

    def hold(self, pid: int) -> None:
        """Adds a process; a negative number is a process group."""
        self._say(str(pid))

    def release(self) -> None:
        """Ends the watch without killing anything. Idempotent."""
        self._say("released")
        if self._guard.stdin is not None:
            self._guard.stdin.close()

    def _say(self, line: str) -> None:
        pipe = self._guard.stdin
        if pipe is not None and not pipe.closed:
            with contextlib.suppress(BrokenPipeError):
                pipe.write(f"{line}\n".encode())
                pipe.flush()


class Lazy(Generic[T]):
    """Something made when it is first needed, by one task that all who need it wait for.

    Args:
        make: Makes it; cleans up after itself when it is cancelled.
    """

    def __init__(self, make: Callable[[], Awaitable[T]]) -> None:
        self._make = make
        self._task: asyncio.Task[T] | None = None

    async def get(self) -> T:
        """The thing, or the error with which making it failed, the same for all."""
        if self._task is None:
            self._task = asyncio.create_task(self._run())
        return await asyncio.shield(self._task)

    async def stop(self) -> T | None:
        """Ends the making, if it goes on, and waits for its end.

        Returns:
            What was made; None where nothing was.
        """
        if self._task is None:
            return None
        self._task.cancel()
        await asyncio.wait({self._task})
        if self._task.cancelled() or self._task.exception() is not None:
            return None
        return self._task.result()

    async def _run(self) -> T:
        return await self._make()


_EXCEPTION = re.compile(r"\b[A-Za-z_.]*(?:Error|Exception)\b: .+|\berror: .+")
_ECHO = re.compile(r"stack trace|root cause|EngineDeadError|initialization failed|Executor failed")
_TAIL_BYTES = 200_000


class LogFolder:
    """Where a model's processes write their log: a folder of the user's, or a temporary one.

    The temporary one is removed when it is closed, forgotten (a model that could not be made), or when this process
    ends; it is kept where it is closed after a failure, since the error names the log.

    Args:
        folder: The user's folder, which is never removed; None makes a temporary one.
    """

    def __init__(self, folder: str | None) -> None:
        self.path = Path(folder or tempfile.mkdtemp(prefix="ultrainteract-vllm-"))
        self._remove = weakref.finalize(self, shutil.rmtree, self.path, ignore_errors=True)
        if folder is not None:
            self._remove.detach()

    def close(self, *, keep: bool) -> None:
        """Removes the folder if it is a temporary one.

        Args:
            keep: Leave it, with the log of what failed.
        """
        if keep:
            self._remove.detach()
        self._remove()


def last_words(log: Path) -> str:
    """The line of a log that says most about why a program died; empty where there is none.

    The last exception counts, but not those that only pass on that another process failed.
    """
    lines = tail(log, lines=100_000).splitlines()
    found = [match.group() for line in lines if (match := _EXCEPTION.search(line))]
    own = [line for line in found if not _ECHO.search(line)]
    return (own or found or [""])[-1].strip()[:500]


def tail(log: Path, lines: int = 15) -> str:
    """The last lines of a log; empty where there is none."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - _TAIL_BYTES))
            return "\n".join(file.read().decode(errors="replace").splitlines()[-lines:])
    except FileNotFoundError:
        return ""


def ending(status: int) -> str:
    """How a process ended, in words, from its exit status as `subprocess` and `multiprocessing` give it."""
    if status == -9:
        return "was killed (signal 9; where nobody did it, the machine ran out of memory)"
    return f"was ended by signal {-status}" if status < 0 else f"ended with status {status}"
