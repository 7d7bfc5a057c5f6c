"""An execution, and the place that it is given: a user, a directory, a region and at most one child at a time."""

from __future__ import annotations

import _socket  # `socket` asks the kernel again what it has just been told
import contextlib
import os
import socket
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from .layout import START, Layout, Region

PIPE_BYTES = 65_536


@dataclass(slots=True)
class Run:
    """One request from its arrival to its answer."""

    id: int
    zygote: str
    wall: float
    cpu: float
    memory: int
    file: int
    processes: int
    output: int
    tools: bool
    body: bytes
    nonce: bytes = b""
    dispatched: float = 0.0
    started: float = 0.0
    pid: int = 0
    inherited: int = 0
    killed: str = ""
    detail: str = ""
    tries: int = 0
    """Children that ended before they could start it."""
    looks: int = 0
    """Times that its processes were looked at."""
    unseen: int = 0
    """Times in a row that this failed."""
    tool_calls: int = 0
    tool_wait: float = 0.0
    tool_since: float = 0.0
    tool_buffer: bytes = b""
    watched: bool = False
    streams: list[bytearray] = field(default_factory=lambda: [bytearray(), bytearray()])
    totals: list[int] = field(default_factory=lambda: [0, 0])

    @property
    def wrote_too_much(self) -> bool:
        """True where its output is more than is worth reading, let alone keeping."""
        return max(self.totals) > max(16 * self.output, 1 << 20)

    @property
    def output_detail(self) -> str:
        """What is said then."""
        return f"far more than {self.output} bytes were written"

    def anew(self) -> None:
        """Forgets a child that did not start it, and what it wrote if it did start and could not be heard saying so."""
        self.tries += 1
        self.streams = [bytearray(), bytearray()]
        self.totals = [0, 0]
        self.dispatched = 0.0
        self.watched = False
        self.looks = self.unseen = 0

    def end(self, why: str, detail: str) -> None:
        """Notes why it is ended from outside; the first reason stands."""
        if not self.killed:
            self.killed, self.detail = why, detail


def close_all(fds: Iterable[int]) -> None:
    """Closes descriptors; one that says that this failed is closed all the same."""
    for fd in fds:
        with contextlib.suppress(OSError):
            os.close(fd)


@dataclass(slots=True, eq=False)
class Slot:
    """A place for one execution after the other."""

    index: int
    region: Region
    memory: Any = None
    zygote: str = ""
    control: _socket.socket | None = None
    pipes: tuple[int, ...] = ()
    run: Run | None = None
    pid: int = 0
    """Its child, where users do not tell executions apart."""
    ended: tuple[int, float, float] | None = None
    """(wait status, CPU seconds, time) once the child is dead and the slot is being cleaned."""

    def open(self, layout: Layout) -> list[int]:
        """Makes the channels to a new child.

        Returns:
            The child's ends: control socket, standard output and error.
        """
        ends: list[int] = []
        try:
            self.control, theirs = _socket.socketpair()
            ends.append(theirs.detach())
            self.control.setblocking(False)
            uid = layout.uid(self.index)
            for _ in range(2):
                ours, end = os.pipe2(os.O_CLOEXEC)
                self.pipes = (*self.pipes, ours)
                ends.append(end)
                os.set_blocking(ours, False)
                if uid is not None:
                    os.fchown(end, uid, uid)
        except BaseException:
            close_all(ends)
            self.close()
            raise
        return ends

    def close(self) -> None:
        """Closes the supervisor's ends; a second call does nothing."""
        pipes, self.pipes = self.pipes, ()
        control, self.control = self.control, None
        close_all(pipes)
        if control is not None:
            control.close()

    def fds(self) -> list[int]:
        """The supervisor's ends."""
        return [*self.pipes, *([] if self.control is None else [self.control.fileno()])]

    def hang_up(self) -> None:
        """Tells a waiting child that no request will come."""
        if self.control is not None:
            with contextlib.suppress(OSError):  # it is gone
                self.control.shutdown(socket.SHUT_RDWR)

    def latch_start(self, run: Run) -> None:
        """Reads the start message once: what comes later on that channel is the user's."""
        if run.started or self.control is None:
            return
        message = b""
        for _ in range(3):
            try:
                message = self.control.recv(START.size)
                break
            except BlockingIOError:
                return
            except OSError:  # short of memory, say: what the child said is still there
                continue
        if len(message) == START.size:
            mark, started, pid, inherited = START.unpack(message)
            if mark == 1:
                run.started, run.pid, run.inherited = started, pid, inherited << 10

    def drain(self, run: Run, stream: int) -> bool:
        """Reads what a pipe holds; returns False once nobody is left to write to it."""
        kept = run.streams[stream]
        for _ in range(16):
            try:
                data = os.read(self.pipes[stream], PIPE_BYTES)
            except BlockingIOError:
                return True
            if not data:
                return False
            run.totals[stream] += len(data)
            room = run.output + 1 - len(kept)  # one more than is shown tells that there is more
            if room > 0:
                kept += data[:room]
            if len(data) < PIPE_BYTES and self.ended is not None:  # nobody is left to write more
                return True
        return True
