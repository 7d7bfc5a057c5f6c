"""Worker processes of a local run: as many as it has cores, once it is known to be worth their start.

The process that was started holds the run directory and grows trees too; each further one is leased trees over a
socket pair (see `running.leases`). With `processes: auto` a run begins alone and gets its workers when one core has
been busy for a while and instructions wait, so a small run, or one that waits for its models, never pays for them.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from itertools import count
from pathlib import Path
from typing import Any

import orjson

from ultrainteract.config import RunConfig
from ultrainteract.models import stays_in_one_process
from ultrainteract.registry import PROGRAM_MODULES
from ultrainteract.replay import Spent
from ultrainteract.running.driver import Driver
from ultrainteract.running.leases import Lease, Message, WorkerLost
from ultrainteract.running.processes.frames import Answer, Call, open_stream, receive, send

LOCATION = "this machine"
LOOK_EVERY_S = 0.25
"""Seconds between two looks at how busy this process is."""
BUSY_SHARE = 0.6
"""Share of a core from which on this process counts as busy."""
BUSY_LOOKS = 4
"""Busy looks in a row after which `auto` starts workers: a second of work is about what starting them takes."""


def usable_cores() -> int:
    """Cores that this process may use: those of its affinity mask, capped by the CPU quota of its control groups."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = _cgroup_quota(Path("/proc/self/cgroup"), Path("/sys/fs/cgroup"))
    return max(1, cores if quota is None else min(cores, int(quota + 0.5)))


def process_count(config: RunConfig, *, own_models: bool) -> int:
    """Processes that a local run may use, this one included.

    Args:
        config: The run.
        own_models: Whether models or a sandbox were handed over as objects, which no other process can share.
    """
    wanted = config.executor.processes
    if (
        own_models
        or PROGRAM_MODULES
        or any(stays_in_one_process(name, model) for name, model in config.models.items())
    ):
        return 1
    number = usable_cores() if wanted == "auto" else wanted
    shared = min(model.max_concurrency for model in config.models.values())
    return max(1, min(number, config.max_inflight_trees, shared))


class ProcessCrew:
    """The further processes of a local run.

    Args:
        config: What to do.
        processes: Processes in all, this one included.
        unsafe: Allow running model-written code without isolation.
    """

    concurrency = True

    def __init__(self, config: RunConfig, processes: int, *, unsafe: bool) -> None:
        self.secrets: dict[str, str] = {}
        self.expected = 1
        self._config = config
        self._processes = processes
        self._unsafe = unsafe

    async def recruit(self, driver: Driver) -> None:
        """Starts the workers, and replaces those that are lost while there is work for them."""
        if self._config.executor.processes == "auto":
            await self._busy(driver)
        self.expected = self._processes
        started = False
        while True:
            missing = self._processes - 1 - driver.locations()[LOCATION]
            if missing > 0 and (driver.backlog or not started) and driver.may_add(LOCATION):
                for _ in range(missing):
                    driver.add(self._connect)
                started = True
            await asyncio.sleep(LOOK_EVERY_S)

    async def _busy(self, driver: Driver) -> None:
        """Returns when this process has used a core for a while and there is work for others."""
        busy = 0
        while busy < BUSY_LOOKS:
            cpu, wall = time.process_time(), time.monotonic()
            await asyncio.sleep(LOOK_EVERY_S)
            share = (time.process_time() - cpu) / (time.monotonic() - wall)
            busy = busy + 1 if share >= BUSY_SHARE and driver.backlog else 0

    def waiting(self) -> list[str]:
        """Nothing: this process is always open."""
        return []

    async def close(self) -> None:
        """Nothing is left."""

    def _connect(self) -> ProcessConnection:
        config = self._config.model_copy(update={"shard": None})
        arguments = (orjson.dumps(config.model_dump(mode="json")), None, self._processes, self._unsafe, True)
        return ProcessConnection(arguments)


class ProcessConnection:
    """A worker process on this machine.

    Args:
        arguments: Of its `RemoteWorker`.
    """

    location = LOCATION
    module = "ultrainteract.running.processes.worker"
    """The program of the process."""

    def __init__(self, arguments: tuple[Any, ...]) -> None:
        self._arguments = arguments
        self._process: subprocess.Popen[bytes] | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._answers: dict[int, asyncio.Future[Any]] = {}
        self._numbers = count(1)
        self._reading: asyncio.Task[None] | None = None
        self._gone = False

    async def open(self, secrets: dict[str, str], parts: int, elsewhere: Spent) -> tuple[str, str] | None:
        """Starts the process, then as of `RemoteWorker`."""
        await self.start()
        error: tuple[str, str] | None = await self._ask("open", secrets, parts, elsewhere)
        return error

    async def start(self) -> None:
        """Starts the process, and hands it what it is made of."""
        here, there = socket.socketpair()
        with there:
            command = [sys.executable, "-m", self.module, str(there.fileno())]
            self._process = subprocess.Popen(command, pass_fds=[there.fileno()], stdin=subprocess.DEVNULL)
        reader, self._writer = await open_stream(here)
        self._reading = asyncio.create_task(self._read(reader))
        self._gone = False
        self._send("made", self._arguments)

    async def exchange(self, leases: Sequence[Lease], elsewhere: Spent, wait_s: float) -> Message:
        """As of `RemoteWorker`."""
        message: Message = await self._ask("exchange", leases, elsewhere, wait_s)
        return message

    def lease(self, leases: Sequence[Lease]) -> None:
        """As of `RemoteWorker`."""
        self._send("lease", (leases,))

    def divide(self, parts: int) -> None:
        """As of `RemoteWorker`."""
        self._send("divide", (parts,))

    def drain(self) -> None:
        """As of `RemoteWorker`."""
        self._send("drain", ())

    def set_endpoints(self, model: str, addresses: Sequence[str]) -> None:
        """As of `RemoteWorker`."""
        self._send("set_endpoints", (model, addresses))

    async def close(self, grace_s: float) -> None:
        """Closes the connection, at which the process ends, or kills it where that takes too long."""
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)
        if self._writer is not None:
            self._writer.close()
        if (process := self._process) is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                await asyncio.to_thread(process.wait, grace_s)
        self.kill()

    def kill(self) -> None:
        """Ends the process at once."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    def _send(self, name: str, arguments: tuple[Any, ...], number: int = 0) -> None:
        if self._writer is not None and not self._gone:
            send(self._writer, Call(number, name, arguments))

    async def _ask(self, name: str, *arguments: Any) -> Any:
        if self._gone:
            raise WorkerLost(self._why())
        number = next(self._numbers)
        answer = self._answers[number] = asyncio.get_running_loop().create_future()
        self._send(name, arguments, number)
        return await answer

    async def _read(self, reader: asyncio.StreamReader) -> None:
        with contextlib.suppress(EOFError):
            while True:
                answer: Answer = await receive(reader)
                waiting = self._answers.pop(answer.number, None)
                if waiting is None or waiting.done():
                    continue
                if answer.bug:
                    waiting.set_exception(RuntimeError(f"A worker process failed:\n{answer.bug}"))
                else:
                    waiting.set_result(answer.value)
        self._gone = True
        for waiting in self._answers.values():
            if not waiting.done():
                waiting.set_exception(WorkerLost(self._why()))

    def _why(self) -> str:
        with contextlib.suppress(subprocess.TimeoutExpired):
            status = self._process.wait(1) if self._process is not None else None
            return f"its process ended with status {status}"
        return "its process closed the connection"


def _cgroup_quota(membership: Path, root: Path) -> float | None:
    """The smallest CPU quota, in cores, of the control groups of this process (version 2 and 1); None without one."""
    quotas = []
    with contextlib.suppress(OSError):
        for line in membership.read_text("utf-8").splitlines():
            _, controllers, path = line.split(":", 2)
            if controllers and "cpu" not in controllers.split(","):
                continue
            top = root / "cpu" if controllers else root
            group = top / path.lstrip("/")
            for folder in (group, *group.parents):
                if not folder.is_relative_to(top):
                    break
                quotas.append(_quota_of(folder))
    return min((quota for quota in quotas if quota is not None), default=None)


def _quota_of(folder: Path) -> float | None:
    with contextlib.suppress(OSError, ValueError):
        quota, period = (folder / "cpu.max").read_text("utf-8").split()
        return None if quota == "max" else int(quota) / int(period)
    with contextlib.suppress(OSError, ValueError):
        limit = int((folder / "cpu.cfs_quota_us").read_text("utf-8"))
        return limit / int((folder / "cpu.cfs_period_us").read_text("utf-8")) if limit > 0 else None
    return None
