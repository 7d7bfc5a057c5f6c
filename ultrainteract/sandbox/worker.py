"""One running supervisor, however it was started."""

from __future__ import annotations

import abc
import asyncio
import contextlib
import itertools
import os
import secrets
import tempfile
from typing import IO, Any

from ultrainteract.config import SandboxConfig
from ultrainteract.errors import SandboxError
from ultrainteract.sandbox.channel import Answer, Channel, ConnectionLost, ToolCall

START_S = 60.0
CAPABILITIES = ("SETUID", "SETGID", "CHOWN", "DAC_OVERRIDE", "FOWNER", "KILL", "SETFCAP", "SYS_ADMIN")
"""What a supervisor needs to change users, kill and clean up, and, with the last two, to move into a user namespace
before it runs anything: from then on it has no capability outside of that. Children keep none at all."""
ENVIRONMENT = {
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "HOME": "/tmp",
    "LANG": "C.UTF-8",
    "LC_ALL": "C.UTF-8",
    "TZ": "UTC",
    "PYTHONHASHSEED": "0",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONIOENCODING": "utf-8",
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "MPLBACKEND": "Agg",
    "MALLOC_ARENA_MAX": "1",
    "LD_BIND_NOW": "1",
}
"""The whole environment of a supervisor; the image sets the same. The last but one keeps threads from
reserving 64 MiB of address space each; the last has the libraries' names resolved at the start, not in each child,
and the supervisor takes it out before it runs programs."""
_FIRST_UID, _LAST_UID = 10_000, 60_000
_ranges = itertools.count(secrets.randbelow(1 << 16))


def uid_range(slots: int) -> int:
    """First of `slots` + 2 user ids that no other worker of this machine is likely to have.

    Process limits are counted by user over all containers, so workers must not share one.
    """
    width = slots + 2
    return _FIRST_UID + next(_ranges) % ((_LAST_UID - _FIRST_UID) // width) * width


class Worker(abc.ABC):
    """A supervisor and the connection to it."""

    def __init__(self, config: SandboxConfig, slots: int) -> None:
        self.config = config
        self.slots = slots
        self.inflight = 0
        self.lost_with = 0
        """Requests that it had when it was found to be lost."""
        self.info: dict[str, Any] = {}
        self.channel: Channel | None = None

    async def start(self) -> None:
        """Starts the supervisor and waits until it greets.

        Raises:
            SandboxError: It did not come up.
        """
        try:
            async with asyncio.timeout(START_S):
                self.channel = await self._launch()
                self.info = await self.channel.hello()
        except (ConnectionLost, TimeoutError, OSError) as error:
            why = await self._diagnosis()
            await self.close()
            reason = why or str(error) or type(error).__name__
            raise SandboxError(f"The {self.describe()} did not start: {reason}") from error
        except BaseException:
            await self.close()
            raise

    @property
    def usable(self) -> bool:
        """False once the connection is gone."""
        return self.channel is not None and not self.channel.lost

    async def request(self, header: dict[str, Any], body: bytes, tool: ToolCall | None) -> Answer:
        """One request.

        Raises:
            ConnectionLost: The supervisor ended before it answered.
        """
        if self.channel is None:
            raise ConnectionLost("the worker was closed")
        return await self.channel.request(header, body, tool)

    async def close(self) -> None:
        """Ends the supervisor and everything in it."""
        if self.channel is not None:
            self.channel.close()
        await self._reap()

    @abc.abstractmethod
    async def _launch(self) -> Channel: ...

    @abc.abstractmethod
    async def _reap(self) -> None: ...

    @abc.abstractmethod
    async def _diagnosis(self) -> str: ...

    @abc.abstractmethod
    def describe(self) -> str:
        """Name for messages."""


class ProcessWorker(Worker):
    """A supervisor that is a child process of this one, connected by a socket pair."""

    process: asyncio.subprocess.Process | None = None
    _errors: IO[bytes] | None = None

    def command(self, fd: int) -> list[str]:
        """The command line; the supervisor's end of the connection is descriptor `fd`."""
        raise NotImplementedError

    async def _launch(self) -> Channel:
        import socket

        ours, theirs = socket.socketpair()
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the process
        with theirs:
            self.process = await asyncio.create_subprocess_exec(
                *self.command(theirs.fileno()),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=self._errors,
                pass_fds=[theirs.fileno()],
                env={"PATH": os.environ.get("PATH", os.defpath)},
                start_new_session=True,
            )
        ours.setblocking(False)
        _, channel = await asyncio.get_running_loop().create_unix_connection(Channel, sock=ours)
        return channel

    async def _reap(self) -> None:
        process = self.process
        if process is None or process.returncode is not None:
            return
        try:
            async with asyncio.timeout(5):
                await process.wait()
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    async def _diagnosis(self) -> str:
        if self._errors is None:
            return ""
        if self.channel is not None:
            self.channel.close()
        await self._reap()
        self._errors.seek(0)
        text = self._errors.read().decode(errors="replace").strip()
        return text.splitlines()[-1] if text else ""
