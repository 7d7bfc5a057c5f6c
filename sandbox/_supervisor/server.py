"""The supervisor: one connection to the host, a fixed number of slots, and an eye on each execution.

It guarantees that a slot is given to the next execution only when no process, file or shared memory of the last
one is left, and that how an execution ended is taken from the kernel, never from what the user's code says.
"""

from __future__ import annotations

import _socket  # `socket` asks the kernel again what it has just been told
import argparse
import gc
import os
import select
import signal
import socket
import stat
import sys
import time
import traceback
from collections import deque
from dataclasses import dataclass, field
from typing import Any, NoReturn

from . import cleanup, confine, namespaces, watch, zygote
from .host import Gone, Host
from .layout import (
    ABSENT,
    ANSWER,
    ERROR,
    EXIT,
    FDS,
    FORKED,
    MEMORY,
    OK,
    START,
    TOOL,
    WAKE,
    Layout,
    Region,
)

PIPE_BYTES = 65_536
PIPE_POLL_S = 0.02
"""A pipe holds 64 KiB, so pipes are looked at only once an execution is this old: most are over before."""
WATCH_S = 0.05
SPARE = 2
"""Children of each used zygote that wait for a request ahead of time."""
PATIENCE = 4
"""Times its limit that an execution may take on the wall while it waits for a CPU."""
GC_THRESHOLD = 50_000
"""Objects between collections; an execution leaves no cycles."""
NOTHING: list[bytes | None] = [None] * 4
"""In place of value, traceback, error type and binary data where a child gave no answer."""
MAX_TOOL_BYTES = 1 << 16


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
    tool_wait: float = 0.0
    tool_since: float = 0.0
    watched: bool = False
    streams: list[bytearray] = field(default_factory=lambda: [bytearray(), bytearray()])
    totals: list[int] = field(default_factory=lambda: [0, 0])
    tool_buffer: bytes = b""


@dataclass(slots=True, eq=False)
class Slot:
    """A user, a directory, a region; at most one child at a time."""

    index: int
    region: Region
    memory: Any = None
    zygote: str = ""
    control: _socket.socket | None = None
    pipes: tuple[int, int] = (-1, -1)
    run: Run | None = None
    pid: int = 0
    """Its child, where users do not tell executions apart."""
    ended: tuple[int, int, float, float] | None = None
    """(pid, wait status, CPU seconds, time) once the child is dead and the slot is being cleaned."""


class Server:
    """Event loop; single-threaded."""

    def __init__(
        self, layout: Layout, connection: socket.socket, register_at_fork: Any, at_fork: Any
    ) -> None:
        self.layout = layout
        confine.prctl(confine.PR_SET_CHILD_SUBREAPER, 1)
        self.regions = [Region() for _ in range(layout.slots)]
        self.controls = zygote.start(layout, self.regions, register_at_fork, at_fork)
        self.slots = [Slot(index, region, region.map()) for index, region in enumerate(self.regions)]
        self.free: deque[Slot] = deque(self.slots)
        self.waiting: dict[str, deque[Slot]] = {name: deque() for name in self.controls}
        self.queue: dict[str, deque[Run]] = {name: deque() for name in self.controls}
        self.used: set[str] = set()
        self.active: dict[int, Slot] = {}
        self.fresh: deque[tuple[Slot, Run]] = deque()
        """Executions whose pipes nobody looks at yet, oldest first."""
        self.cleaning: list[Slot] = []
        self.epoll = select.epoll()
        self.handlers: dict[int, Any] = {}
        self.random = b""
        self.watcher = watch.Watcher(layout)
        self.last_watch = 0.0
        self.host = Host(connection, self.epoll)
        self._register(connection.fileno(), select.EPOLLIN, self._host_ready)
        for name, control in self.controls.items():
            control.setblocking(False)
            self._register(
                control.fileno(), select.EPOLLIN, lambda n=name, c=control: self._zygote_ready(n, c)
            )

    def _register(self, fd: int, events: int, handler: Any) -> None:
        self.epoll.register(fd, events)
        self.handlers[fd] = handler

    def _unregister(self, fd: int) -> None:
        self.epoll.unregister(fd)
        del self.handlers[fd]

    # ------------------------------------------------------------------------------------------- the loop

    def serve(self) -> None:
        """Until the host hangs up."""
        self.host.greet({"python": sys.version.split()[0], "slots": self.layout.slots})
        poll, handlers = self.epoll.poll, self.handlers
        gc.freeze()
        gc.set_threshold(GC_THRESHOLD)
        while True:
            for fd, _ in poll(self._timeout()):
                handler = handlers.get(fd)
                if handler is not None:
                    handler()
            if self.cleaning:
                self._clean()
            self._tick()
            self._prefork()
            self.host.flush()

    def _timeout(self) -> float:
        if self.cleaning:
            return 0.001
        if not self.active:
            return -1
        return PIPE_POLL_S if self.fresh else WATCH_S

    def _tick(self) -> None:
        now = time.monotonic()
        while self.fresh:
            slot, run = self.fresh[0]
            if slot.run is run and slot.ended is None:
                if now - run.dispatched < PIPE_POLL_S:
                    break
                self._look_at(slot, run)
            self.fresh.popleft()
        if self.active and now - self.last_watch >= WATCH_S:
            self.last_watch = now
            old = [s for s in self.active.values() if s.run is not None and now - s.run.dispatched > WATCH_S]
            if old:
                self._watch(old, now)

    def _look_at(self, slot: Slot, run: Run) -> None:
        """From now on reads what comes through the pipes as it comes."""
        run.watched = True
        for stream, fd in enumerate(slot.pipes):
            self._register(fd, select.EPOLLIN, lambda n=stream: self._drain(slot, n))

    def _watch(self, slots: list[Slot], now: float) -> None:
        wanted = [watch.Wanted(s.index, s.pid, s.run.inherited) for s in slots if s.run is not None]
        usage = self.watcher.usage(wanted)
        for slot in slots:
            run = slot.run
            assert run is not None
            if run.killed:
                self._kill(slot)
                continue
            self._latch_start(slot, run)
            seen = usage.get(slot.index)
            if seen is not None and self.layout.namespaces:
                run.pid = seen.main
            if seen is not None and seen.memory > run.memory << 20:
                self._end(slot, "memory", f"more than {run.memory} MiB were used")
            elif seen is not None and seen.cpu > run.cpu + 1:
                self._end(slot, "timeout", f"more than {run.cpu:g} s of CPU time were used")
            elif self.watcher.disk_full(slot.index):
                self._end(slot, "killed", "the shared temporary directories were filled")
            else:
                self._check_clock(slot, run, now, 0.0 if seen is None else seen.cpu)

    def _check_clock(self, slot: Slot, run: Run, now: float, cpu: float) -> None:
        """Ends a run whose own time is up. Time spent waiting for a CPU is not the program's."""
        tool = run.tool_wait + (now - run.tool_since if run.tool_since else 0.0)
        if not run.started:
            if now - run.dispatched > 30:
                self._end(slot, "fault", "the child did not start")
            return
        elapsed = now - run.started - tool
        if elapsed < run.wall:
            return
        own = elapsed - watch.run_delay(run.pid)
        if own >= run.wall:
            self._end(slot, "timeout", f"the time limit of {run.wall:g} s passed")
        elif elapsed > PATIENCE * run.wall + 6:
            if cpu < 0.5 * run.wall:
                self._end(slot, "fault", f"the machine is overloaded: {cpu:.1f} s of CPU in {elapsed:.1f} s")
            else:
                self._end(slot, "timeout", f"the time limit of {run.wall:g} s passed")

    def _latch_start(self, slot: Slot, run: Run) -> None:
        """Reads the start message once: what comes later on that channel is the user's."""
        if run.started:
            return
        assert slot.control is not None
        try:
            message = slot.control.recv(START.size)
        except BlockingIOError:
            return
        if len(message) == START.size:
            mark, started, pid, inherited = START.unpack(message)
            if mark == 1:
                run.started, run.pid, run.inherited = started, pid, inherited << 10

    # ------------------------------------------------------------------------------------------- the host

    def _host_ready(self) -> None:
        for header, payload in self.host.requests():
            self._request(header, payload)

    def _request(self, header: dict[str, Any], payload: bytes) -> None:
        operation = header.pop("op")
        if operation == "run":
            run = Run(body=payload, **header)
            self.used.add(run.zygote)
            self.queue[run.zygote].append(run)
            self._dispatch(run.zygote)
            return
        slot = self.active.get(header["id"])
        if operation == "cancel":
            if slot is not None:
                self._end(slot, "killed", "cancelled")
            for queue in self.queue.values():
                for run in [run for run in queue if run.id == header["id"]]:
                    queue.remove(run)
                    self.host.reply(run.id, "killed", "cancelled", [b"", b"", *NOTHING])
        elif operation == "tool" and slot is not None and slot.run is not None and slot.control is not None:
            run = slot.run
            run.tool_wait += time.monotonic() - run.tool_since
            run.tool_since = 0.0
            try:
                slot.control.send(TOOL.pack(len(payload)) + payload)
            except OSError:
                self._end(slot, "killed", "the program does not read what its tools answer")

    # ------------------------------------------------------------------------------------------- children

    def _dispatch(self, name: str) -> None:
        queue, waiting = self.queue[name], self.waiting[name]
        while queue:
            if waiting:
                slot = waiting.popleft()
            elif self.free:
                slot = self.free.popleft()
                self._fork(slot, name)
            else:
                return
            self._wake(slot, queue.popleft())

    def _prefork(self) -> None:
        for name in self.queue:
            if self.queue[name]:
                self._dispatch(name)
                if self.queue[name]:
                    self._evict(name)
        for name in self.used:
            while self.free and len(self.waiting[name]) < SPARE:
                slot = self.free.popleft()
                self._fork(slot, name)
                self.waiting[name].append(slot)

    def _evict(self, name: str) -> None:
        """Takes a slot from children of other zygotes that wait for work which does not come."""
        for other, waiting in self.waiting.items():
            if other != name and waiting and not self.queue[other]:
                slot = waiting.popleft()
                assert slot.control is not None
                slot.control.shutdown(socket.SHUT_RDWR)
                return

    def _fork(self, slot: Slot, name: str) -> None:
        ours, theirs = _socket.socketpair()
        out, out_child = os.pipe2(os.O_CLOEXEC)
        err, err_child = os.pipe2(os.O_CLOEXEC)
        os.set_blocking(out, False)
        os.set_blocking(err, False)
        uid = self.layout.uid(slot.index)
        if uid is not None:
            os.fchown(out_child, uid, uid)
            os.fchown(err_child, uid, uid)
        ours.setblocking(False)
        slot.control, slot.pipes, slot.zygote = ours, (out, err), name
        fds = [theirs.fileno(), out_child, err_child]
        rights = socket.SOL_SOCKET, socket.SCM_RIGHTS, FDS.pack(*fds)
        self.controls[name].sendmsg([slot.index.to_bytes(2, "little")], [rights])
        theirs.close()
        os.close(out_child)
        os.close(err_child)

    def _nonce(self) -> bytes:
        if not self.random:
            self.random = os.urandom(4096)
        nonce, self.random = self.random[:8], self.random[8:]
        return nonce

    def _wake(self, slot: Slot, run: Run) -> None:
        run.nonce = self._nonce()
        run.dispatched = time.monotonic()
        slot.run = run
        slot.memory[: len(run.body)] = run.body
        self.active[run.id] = slot
        message = WAKE.pack(
            run.nonce, len(run.body), run.wall, run.cpu, run.memory, run.file, run.processes, run.output
        )
        run.body = b""
        assert slot.control is not None
        slot.control.send(message)
        self.fresh.append((slot, run))
        if run.tools:
            self._register(slot.control.fileno(), select.EPOLLIN, lambda: self._tool_ready(slot))

    def _zygote_ready(self, name: str, control: socket.socket) -> None:
        message = control.recv(EXIT.size)
        if not message:
            print(f"the {name} zygote died", file=sys.stderr)
            _hang_up()
        if message == b"ready":
            return
        if len(message) == FORKED.size:
            index, pid = FORKED.unpack(message)
            self.slots[index].pid = pid
            return
        index, pid, status, user, system, _ = EXIT.unpack(message)
        slot = self.slots[index]
        cpu = user + system
        if self.layout.namespaces:
            status, cpu = namespaces.how_it_ended(slot.memory)
        slot.ended = (pid, status, cpu, time.monotonic())
        if slot.run is not None:
            self.active.pop(slot.run.id, None)
        elif slot in (waiting := self.waiting[slot.zygote]):
            waiting.remove(slot)
        self.cleaning.append(slot)

    def _drain(self, slot: Slot, stream: int) -> None:
        run = slot.run
        if run is None:
            return
        fd = slot.pipes[stream]
        kept = run.streams[stream]
        for _ in range(16):
            try:
                data = os.read(fd, PIPE_BYTES)
            except BlockingIOError:
                return
            if not data:
                if run.watched and fd in self.handlers:
                    self._unregister(fd)
                return
            run.totals[stream] += len(data)
            room = run.output - len(kept)
            if room > 0:
                kept += data[:room]
            if len(data) < PIPE_BYTES and slot.ended is not None:  # nobody is left to write more
                return
        if slot.ended is None and run.totals[stream] > max(16 * run.output, 1 << 20):
            self._end(slot, "output_limit", f"far more than {run.output} bytes were written")

    def _tool_ready(self, slot: Slot) -> None:
        run = slot.run
        assert run is not None
        assert slot.control is not None
        if not run.started:
            self._latch_start(slot, run)
            return
        try:
            data = slot.control.recv(65_536)
        except OSError:
            data = b""
        if not data:
            self._unregister(slot.control.fileno())
            return
        run.tool_buffer += data
        if run.tool_since or len(run.tool_buffer) < TOOL.size:
            return
        size = TOOL.unpack(run.tool_buffer[: TOOL.size])[0]
        if size > MAX_TOOL_BYTES:
            self._end(slot, "killed", "a malformed tool call")
        elif len(run.tool_buffer) >= TOOL.size + size:
            call = run.tool_buffer[TOOL.size : TOOL.size + size]
            run.tool_buffer = b""
            run.tool_since = time.monotonic()
            self.host.call(run.id, call)

    # ------------------------------------------------------------------------------------------- the end

    def _end(self, slot: Slot, why: str, detail: str) -> None:
        run = slot.run
        assert run is not None
        if not run.killed:
            run.killed, run.detail = why, detail
        self._kill(slot)

    def _kill(self, slot: Slot) -> bool:
        """Kills every process of the slot; True if none was left."""
        return cleanup.kill_all(self.layout, slot.index, slot.pid, slot.ended is not None)

    def _clean(self) -> None:
        for slot in list(self.cleaning):
            if not self._kill(slot):
                assert slot.ended is not None
                if time.monotonic() - slot.ended[3] > 10:
                    print(f"slot {slot.index} cannot be cleaned", file=sys.stderr)
                    _hang_up()
                continue
            self.cleaning.remove(slot)
            if slot.run is not None:
                self._answer(slot, slot.run)
            if slot.run is not None and (slot.run.watched or slot.run.tools):
                for fd in (*slot.pipes, slot.control.fileno() if slot.control else -1):
                    if fd in self.handlers:
                        self._unregister(fd)
            for fd in slot.pipes:
                os.close(fd)
            if slot.control is not None:
                slot.control.close()
            slot.region.reset()
            cleanup.wipe(self.layout, slot.index)
            slot.run = slot.ended = slot.control = None
            slot.pid = 0
            self.free.append(slot)

    def _answer(self, slot: Slot, run: Run) -> None:
        assert slot.ended is not None
        _, status, cpu, ended = slot.ended
        self._latch_start(slot, run)
        for stream in (0, 1):
            self._drain(slot, stream)
        verdict, parts, detail = self._verdict(slot, run, status, cpu)
        cut = any(total > run.output for total in run.totals)
        wall = max(0.0, ended - run.started - run.tool_wait) if run.started else 0.0
        self.host.reply(run.id, verdict, detail, [*run.streams, *parts], cut, wall, cpu)

    def _verdict(self, slot: Slot, run: Run, status: int, cpu: float) -> tuple[str, list[bytes | None], str]:
        if not run.started:
            return "fault", NOTHING, run.detail or f"the child ended before it started ({status})"
        outcome, parts = self._read_answer(slot, run)
        if run.killed:
            finished = run.killed == "timeout" and outcome == OK
            return ("ok", parts, "") if finished else (run.killed, NOTHING, run.detail)
        if os.WIFSIGNALED(status):
            number = os.WTERMSIG(status)
            if number == signal.SIGXCPU or (number == signal.SIGKILL and cpu >= run.cpu):
                return "timeout", NOTHING, f"more than {run.cpu:g} s of CPU time were used"
            if number == signal.SIGKILL and self.watcher.out_of_memory():
                return "memory", NOTHING, "the sandbox ran out of memory"
            return "killed", NOTHING, f"signal {signal.Signals(number).name}"
        code = os.WEXITSTATUS(status)
        if outcome is not None and outcome == code:
            return {OK: "ok", ERROR: "error", MEMORY: "memory"}[outcome], parts, ""
        return ("ok" if code == 0 else "error"), NOTHING, f"the process exited with code {code}"

    def _read_answer(self, slot: Slot, run: Run) -> tuple[int | None, list[bytes | None]]:
        nonce, outcome, *sizes = ANSWER.unpack(slot.memory[: ANSWER.size])
        if nonce != run.nonce or outcome not in (OK, ERROR, MEMORY):
            return None, NOTHING
        parts: list[bytes | None] = []
        at = ANSWER.size
        for size in sizes:
            if size == ABSENT:
                parts.append(None)
                continue
            if size > run.output:
                return None, NOTHING
            parts.append(slot.memory[at : at + size])
            at += size
        return outcome, parts


def _hang_up() -> NoReturn:
    """Ends everything: the host is gone, or this container can no longer be trusted to work.

    In a container, or a process namespace, the end of the supervisor is the end of all; elsewhere its
    descendants are killed one by one.
    """
    if os.getppid() > 1:
        cleanup.kill_descendants()
    os._exit(0)


def main(register_at_fork: Any, at_fork: list[dict[str, Any]]) -> None:
    """Reads the command line and serves; for the arguments see `zygote.start`."""
    parser = argparse.ArgumentParser(prog="supervisor", description=__doc__)
    way = parser.add_mutually_exclusive_group(required=True)
    way.add_argument("--fd", type=int, help="descriptor of a connected socket")
    way.add_argument("--socket", help="path of the socket to listen on")
    parser.add_argument("--slots", type=int, default=8)
    parser.add_argument("--base-uid", type=int, default=None)
    parser.add_argument("--scratch", default="/box")
    parser.add_argument("--file-mb", type=int, default=64)
    parser.add_argument("--unsafe", action="store_true")
    options = parser.parse_args()
    prefixes = tuple({sys.prefix, sys.base_prefix, sys.exec_prefix, "/usr"})
    sys.meta_path[:] = [finder for finder in sys.meta_path if getattr(finder, "__name__", "") != "_Finder"]
    sys.path[:] = ["", *[path for path in sys.path[1:] if path.startswith(prefixes) and os.path.exists(path)]]
    os.environ.pop("LD_BIND_NOW", None)  # has done its work
    os.umask(0o022)
    if options.base_uid is not None:
        os.setgroups([])
    layout = Layout(options.slots, options.base_uid, options.scratch, not options.unsafe, options.file_mb)
    try:
        cleanup.make_directories(layout)
        host = socket.socket(fileno=options.fd) if options.socket is None else _accept(options.socket)
        os.set_inheritable(host.fileno(), False)
        server = Server(layout, host, register_at_fork, at_fork)
    except BaseException:
        if options.socket is not None:
            with open(f"{os.path.dirname(options.socket)}/error", "w") as file:
                traceback.print_exc(file=file)
        raise
    try:
        server.serve()
    except Gone:
        _hang_up()


def _accept(path: str) -> socket.socket:
    """Waits for the host, which must come within a minute, and lets nobody else in."""
    listener = socket.socket(socket.AF_UNIX)
    listener.settimeout(60)
    listener.bind(path)
    owner = os.stat(os.path.dirname(path))
    os.chown(path, owner.st_uid, owner.st_gid)
    os.chmod(path, stat.S_IRUSR | stat.S_IWUSR)
    listener.listen(1)
    host, _ = listener.accept()
    listener.close()
    os.unlink(path)
    return host
