"""The supervisor: one connection to the host, a fixed number of slots, and an eye on each execution.

It guarantees that a slot is given to the next execution only when no process, file or shared memory of the last one is
left, that how an execution ended is taken from the kernel, never from what the user's code says, and that whatever
goes wrong in here costs one execution: it becomes a fault, with a traceback in the host's log, and the others go on.

This module is long because these three are one loop over the same slots: what is read, what has ended, what comes next.
"""

from __future__ import annotations

import gc
import os
import select
import signal
import socket
import sys
import time
import traceback
from collections import deque
from collections.abc import Callable
from typing import Any, NoReturn

from . import calls, cleanup, confine, limits, namespaces, watch, zygote
from .host import Gone, Host
from .layout import EXIT, FDS, FORKED, REGION_BYTES, WAKE, Layout, Region
from .mounts import holds_interpreter
from .slot import Run, Slot, close_all
from .verdict import NOTHING, verdict

PIPE_POLL_S = 0.02
"""A pipe holds 64 KiB, so pipes are looked at only once an execution is this old: most are over before."""
WATCH_S = 0.05
SPARE = 2
"""Children of each used zygote that wait for a request ahead of time."""
TRIES = 5
"""Children that may end before they start a request until it is a fault."""
REST_S = 0.2
"""Pause after a fork that failed."""
CLEAN_S = 10.0
"""Seconds after which a slot that cannot be cleaned is given up."""
GC_THRESHOLD = 50_000
"""Objects between collections; an execution leaves no cycles."""


class Server:
    """Event loop; single-threaded.

    Args:
        layout: The layout.
        connection: The socket to the host.
        mounts: A descriptor of each slot's mount namespace, or none.
        register_at_fork: See `zygote.start`.
        at_fork: See `zygote.start`.
    """

    def __init__(
        self,
        layout: Layout,
        connection: socket.socket,
        mounts: list[int],
        register_at_fork: Any,
        at_fork: Any,
    ) -> None:
        self.layout = layout
        self.mounted = bool(mounts)
        self.private = self.mounted or (layout.namespaces and not any(map(holds_interpreter, watch.SHARED)))
        """Each execution has a /tmp and a /dev/shm of its own: mounted here, or by its own process."""
        confine.prctl(confine.PR_SET_CHILD_SUBREAPER, 1)
        regions = [Region() for _ in range(layout.slots)]
        self.controls = zygote.start(layout, regions, mounts, register_at_fork, at_fork)
        self.slots = [Slot(index, region, region.map()) for index, region in enumerate(regions)]
        self.free: deque[Slot] = deque(self.slots)
        self.waiting: dict[str, deque[Slot]] = {name: deque() for name in self.controls}
        self.queue: dict[str, deque[Run]] = {name: deque() for name in self.controls}
        self.used: set[str] = set()
        self.active: dict[int, Slot] = {}
        self.fresh: deque[tuple[Slot, Run]] = deque()
        """Executions whose pipes nobody looks at yet, oldest first."""
        self.cleaning: list[Slot] = []
        self.given_up = 0
        self.rest_until = 0.0
        """Nothing is forked before."""
        self.epoll = select.epoll()
        self.handlers: dict[int, tuple[Callable[[], None], Slot | None]] = {}
        self.random = b""
        self.watcher = watch.Watcher(layout, [os.fstat(region.fd).st_ino for region in regions])
        self.last_watch = 0.0
        self.host = Host(connection, self.epoll)
        self._register(connection.fileno(), self._host_ready)
        for name, control in self.controls.items():
            control.setblocking(False)
            self._register(control.fileno(), lambda n=name, c=control: self._zygote_ready(n, c))

    def _register(self, fd: int, handler: Callable[[], None], slot: Slot | None = None) -> None:
        self.epoll.register(fd, select.EPOLLIN)
        self.handlers[fd] = handler, slot

    def _unregister(self, fd: int) -> None:
        if self.handlers.pop(fd, None) is not None:
            self.epoll.unregister(fd)

    # ------------------------------------------------------------------------------------------- the loop

    def serve(self) -> None:
        """Until the host hangs up.

        Raises:
            Gone: It has.
        """
        self.host.greet(
            {"python": sys.version.split()[0], "slots": self.layout.slots, "private": self.private}
        )
        gc.freeze()
        gc.set_threshold(GC_THRESHOLD)
        while True:
            try:
                self._turn()
            except Gone:
                raise
            except Exception:
                self._report("in its loop")

    def _turn(self) -> None:
        handlers = self.handlers
        for fd, _ in self.epoll.poll(self._timeout()):
            known = handlers.get(fd)
            if known is not None:
                try:
                    known[0]()
                except Gone:
                    raise
                except Exception:
                    self._failed(known[1])
        if self.cleaning:
            for slot in list(self.cleaning):
                self._clean(slot)
        self._tick()
        self._prefork()
        self.host.flush()

    def _timeout(self) -> float:
        if self.cleaning:
            return 0.001
        if self.rest_until:
            return REST_S / 4
        if not self.active:
            return -1
        return PIPE_POLL_S if self.fresh else WATCH_S

    def _failed(self, slot: Slot | None) -> None:
        """Reports the exception being handled, and ends the execution that it is about."""
        run = None if slot is None else slot.run
        self._report("in general" if run is None else f"about request {run.id}")
        if slot is not None and run is not None:
            self._end(slot, run, "fault", f"the supervisor failed: {sys.exc_info()[1]!r}")

    def _report(self, where: str) -> None:
        self.host.log(f"the supervisor failed {where}:\n{traceback.format_exc()}")

    def _tick(self) -> None:
        now = time.monotonic()
        while self.fresh:
            slot, run = self.fresh[0]
            if slot.run is run and slot.ended is None and run.dispatched:
                if now - run.dispatched < PIPE_POLL_S:
                    break
                try:
                    self._look_at(slot, run)
                except Exception:
                    self._failed(slot)
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
            self._register(fd, lambda n=stream: self._drain(slot, n), slot)

    def _watch(self, slots: list[Slot], now: float) -> None:
        try:
            usage = self.watcher.usage(limits.wanted(slots))
        except Exception:
            usage = {}
            self._report("to look at executions")
        for slot in slots:
            run = slot.run
            if run is None:
                continue
            try:
                if run.killed:
                    self._kill(slot)
                    continue
                found = limits.excess(slot, run, usage[slot.index], self.watcher, now, not self.private)
                run.unseen = 0
            except Exception as error:
                run.unseen += 1
                found = None
                if run.unseen > limits.MAX_UNSEEN:
                    found = "fault", f"the program's processes cannot be looked at: {error!r}"
            if found is not None:
                self._end(slot, run, *found)

    # ------------------------------------------------------------------------------------------- the host

    def _host_ready(self) -> None:
        for header, payload in self.host.requests():
            try:
                self._request(header, payload)
            except Exception as error:
                self._report("to take a request")
                self._refuse(header.get("id"), f"the request cannot be taken: {error!r}")

    def _refuse(self, number: Any, why: str) -> None:
        if isinstance(number, int) and number not in self.active:
            self.host.reply(number, "fault", why, [b"", b"", *NOTHING])

    def _request(self, header: dict[str, Any], payload: bytes) -> None:
        operation = header.pop("op")
        if operation == "run":
            if len(payload) > REGION_BYTES:
                self._refuse(header["id"], f"a request of {len(payload):,} bytes is too long")
                return
            run = Run(body=payload, **header)
            self.queue[run.zygote].append(run)
            self.used.add(run.zygote)
            self._dispatch(run.zygote)
            return
        slot = self.active.get(header["id"])
        if operation == "cancel":
            if slot is not None and slot.run is not None:
                self._end(slot, slot.run, "killed", "cancelled")
            for queue in self.queue.values():
                for run in [run for run in queue if run.id == header["id"]]:
                    queue.remove(run)
                    self.host.reply(run.id, "killed", "cancelled", [b"", b"", *NOTHING])
        elif operation == "tool" and slot is not None and slot.run is not None:
            excess = calls.answer(slot, slot.run, payload)
            if excess is not None:
                self._end(slot, slot.run, *excess)

    # ------------------------------------------------------------------------------------------- children

    def _dispatch(self, name: str) -> None:
        queue, waiting = self.queue[name], self.waiting[name]
        while queue:
            if not waiting and not (self.free and self._prepare(name)):
                return
            run, slot = queue.popleft(), waiting.popleft()
            try:
                self._wake(slot, run)
            except OSError:  # the child is gone; its zygote will say so
                self._take_back(slot, run)
                self._again(run)
            except Exception as error:
                self._take_back(slot, run)
                self._report(f"to start request {run.id}")
                self._refuse(run.id, f"the request cannot be started: {error!r}")

    def _prefork(self) -> None:
        if self.rest_until:
            if time.monotonic() < self.rest_until:
                return
            self.rest_until = 0.0
        for name in self.queue:
            if self.queue[name]:
                self._dispatch(name)
                if self.queue[name]:
                    self._evict(name)
        for name in self.used:
            while self.free and len(self.waiting[name]) < SPARE and self._prepare(name):
                pass

    def _evict(self, name: str) -> None:
        """Takes a slot from children of other zygotes that wait for work which does not come."""
        for other, waiting in self.waiting.items():
            if other != name and waiting and not self.queue[other]:
                waiting.popleft().hang_up()
                return

    def _prepare(self, name: str) -> bool:
        """Has a child forked that waits for a request; False where that has to wait.

        There may be no descriptors left, or the zygote takes no orders now.
        """
        if self.rest_until:
            return False
        slot, ends = self.free[0], list[int]()
        try:
            ends = slot.open(self.layout)
            rights = socket.SOL_SOCKET, socket.SCM_RIGHTS, FDS.pack(*ends)
            self.controls[name].sendmsg([slot.index.to_bytes(2, "little")], [rights])
        except OSError:
            slot.close()
            self.rest_until = time.monotonic() + REST_S
            self._report("to prepare a child")
            return False
        finally:
            close_all(ends)
        slot.zygote = name
        self.free.popleft()
        self.waiting[name].append(slot)
        return True

    def _nonce(self) -> bytes:
        if not self.random:
            self.random = os.urandom(4096)
        nonce, self.random = self.random[:8], self.random[8:]
        return nonce

    def _wake(self, slot: Slot, run: Run) -> None:
        assert slot.control is not None
        run.nonce = self._nonce()
        message = WAKE.pack(
            run.nonce, len(run.body), run.wall, run.cpu, run.memory, run.file, run.processes, run.output + 1
        )
        slot.memory[: len(run.body)] = run.body
        run.dispatched = time.monotonic()
        slot.run = run
        self.active[run.id] = slot
        if run.tools:
            self._register(slot.control.fileno(), lambda: self._tool_ready(slot, run), slot)
        slot.control.send(message)
        self.fresh.append((slot, run))

    def _take_back(self, slot: Slot, run: Run) -> None:
        """Takes a request back from a child that did not start it."""
        self.active.pop(run.id, None)
        slot.run = None
        for fd in slot.fds():
            self._unregister(fd)
        slot.hang_up()

    def _again(self, run: Run) -> None:
        """Gives such a request to another child."""
        run.anew()
        if run.tries > TRIES:
            self._refuse(run.id, "no child starts this request")
        else:
            self.queue[run.zygote].appendleft(run)

    def _zygote_ready(self, name: str, control: socket.socket) -> None:
        try:
            message = control.recv(EXIT.size)
        except BlockingIOError:
            return
        if not message:
            self.host.log(f"the {name} zygote died")
            self.host.flush()
            hang_up()
        if message == b"ready":
            return
        if len(message) == FORKED.size:
            index, pid = FORKED.unpack(message)
            self.slots[index].pid = pid
            return
        index, pid, status, user, system, _ = EXIT.unpack(message)
        slot = self.slots[index]
        cpu = user + system
        if pid == 0:
            self.rest_until = time.monotonic() + REST_S
        elif self.layout.namespaces:
            status, cpu = namespaces.how_it_ended(slot.memory)
        slot.ended = status, cpu, time.monotonic()
        if slot.run is not None:
            self.active.pop(slot.run.id, None)
        elif slot in (waiting := self.waiting[slot.zygote]):
            waiting.remove(slot)
        self.cleaning.append(slot)

    def _drain(self, slot: Slot, stream: int) -> None:
        run = slot.run
        if run is None:
            return
        if not slot.drain(run, stream):
            self._unregister(slot.pipes[stream])
        elif slot.ended is None and run.wrote_too_much:
            self._end(slot, run, "output_limit", run.output_detail)

    def _tool_ready(self, slot: Slot, run: Run) -> None:
        if not run.started:
            slot.latch_start(run)
            return
        try:
            call, excess = calls.take(slot, run)
        except EOFError:
            if slot.control is not None:
                self._unregister(slot.control.fileno())
            return
        if excess is not None:
            self._end(slot, run, *excess)
        if call is not None:
            self.host.call(run.id, call)

    # ------------------------------------------------------------------------------------------- the end

    def _end(self, slot: Slot, run: Run, why: str, detail: str) -> None:
        run.end(why, detail)
        try:
            self._kill(slot)
        except OSError:  # tried again at each look
            self._report(f"to end request {run.id}")

    def _kill(self, slot: Slot) -> bool:
        """Kills every process of the slot; True if none was left."""
        return cleanup.kill_all(self.layout, slot.index, slot.pid, slot.ended is not None)

    def _clean(self, slot: Slot) -> None:
        assert slot.ended is not None
        try:
            clean = self._kill(slot)
            if clean:
                run, slot.run = slot.run, None
                if run is not None:
                    self._answer(slot, run)
                for fd in slot.fds():
                    self._unregister(fd)
                slot.close()
                slot.region.reset()
                cleanup.wipe(self.layout, slot.index, self.mounted)
        except Exception:
            clean = False
            self._report(f"to clean slot {slot.index}")
        if clean:
            self.cleaning.remove(slot)
            slot.ended = None
            slot.pid = 0
            self.free.append(slot)
        elif time.monotonic() - slot.ended[2] > CLEAN_S:
            self._give_up(slot)

    def _give_up(self, slot: Slot) -> None:
        """Never uses a slot again; without any, this container is of no use."""
        self.cleaning.remove(slot)
        self.given_up += 1
        self.host.log(f"slot {slot.index} cannot be cleaned and is not used any more")
        if slot.run is not None:
            self._refuse(slot.run.id, "what the program left cannot be removed")
            slot.run = None
        if self.given_up == len(self.slots):
            self.host.flush()
            hang_up()

    def _answer(self, slot: Slot, run: Run) -> None:
        """Reports an execution whose processes are gone; whatever goes wrong, something is reported."""
        try:
            assert slot.ended is not None
            status, cpu, ended = slot.ended
            slot.latch_start(run)
            if not run.started and not run.killed:
                self._again(run)
                return
            for stream in range(len(slot.pipes)):
                slot.drain(run, stream)
            killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
            out_of_memory = killed and not run.killed and self.watcher.out_of_memory()
            what, parts, detail = verdict(run, slot.memory, status, cpu, out_of_memory)
            cut = any(total > run.output for total in run.totals)
            wall = max(0.0, ended - run.started - run.tool_wait) if run.started else 0.0
            self.host.reply(run.id, what, detail, [*run.streams, *parts], cut, wall, cpu)
        except Exception as error:
            self._report(f"to answer request {run.id}")
            self._refuse(run.id, f"the supervisor failed: {error!r}")


def hang_up() -> NoReturn:
    """Ends everything: the host is gone, or this container can no longer be trusted to work.

    In a container, or a process namespace, the end of the supervisor is the end of all; elsewhere its
    descendants are killed one by one.
    """
    if os.getpid() > 1 and os.getppid() > 1:
        cleanup.kill_descendants()
    os._exit(0)
