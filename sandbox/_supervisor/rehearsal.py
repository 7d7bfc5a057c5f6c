"""Has a fork copy at once what parent and child are going to write to anyway.

After a fork, each page that either side writes to costs it a page fault, and on Python 3.11 a child that prints a line
writes to two hundred: more than half of its time. Which pages these are hardly depends on the program. So each fork
server rehearses a few executions before it serves, looks which pages were written to, and has the kernel hold these in
place, as for a device: such pages are copied by the fork itself, in one go. A pair of io_uring's calls does this, which
needs no privilege; nothing changes where they are refused.
"""

from __future__ import annotations

import contextlib
import ctypes
import dataclasses
import marshal
import mmap
import os
import signal
import socket
import struct
from collections import Counter
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NoReturn

from . import child, forking, memory
from .confine import libc
from .layout import FDS, WAKE, Layout, Region
from .slot import Slot, close_all

if TYPE_CHECKING:
    from .zygote import Zygote

_IO_URING_SETUP, _IO_URING_REGISTER, _REGISTER_BUFFERS = 425, 427, 0
_PARAMETERS_BYTES = 120
_MAX_PAGES = 500
"""Pages held: each costs every fork about 0.6 µs, written to or not; and the usual limit of 8 MiB is to do
for all fork servers of a worker."""
PAGE = mmap.PAGESIZE
_PRESENT, _OF_FILE, _EXCLUSIVE = 1 << 63, 1 << 61, 1 << 56
"""Bits of an entry of /proc/self/pagemap."""
_PRINT = "print(1 + 1)"
_REQUESTS = (
    {"kind": "cells", "cells": [_PRINT]},
    {"kind": "program", "source": _PRINT, "code": marshal.dumps(compile(_PRINT, "<program>", "exec"))},
)
_WAIT = os.WEXITED | os.WSTOPPED | os.WNOWAIT


def copy_at_fork(zygote: Zygote, fork: Callable[[], int]) -> None:
    """Rehearses, and holds the pages that were written to; called before anything is asked of a fork server.

    Args:
        zygote: The fork server.
        fork: How it forks.
    """
    ring = _ring(zygote.layout)
    if ring < 0:
        return
    with contextlib.suppress(OSError, ValueError, LookupError):
        ranges = list(_ranges(sorted(_rehearse(zygote, fork))[:_MAX_PAGES]))
        _make_small(ranges)
        data = b"".join(struct.pack("QQ", low * PAGE, (high - low) * PAGE) for low, high in ranges)
        libc.syscall(_IO_URING_REGISTER, ring, _REGISTER_BUFFERS, data, len(ranges))
        return  # with the ring, which holds the pages, left open
    os.close(ring)


def _ring(layout: Layout) -> int:
    """A descriptor of an io_uring, or a negative number.

    What it holds counts for the user who made it, in all processes and containers of the machine: so that is one that
    no other worker has.
    """
    assert layout.base_uid is not None
    os.setresuid(layout.base_uid + layout.slots + 1, 0, 0)
    try:
        parameters = ctypes.create_string_buffer(_PARAMETERS_BYTES)
        return int(libc.syscall(_IO_URING_SETUP, 1, parameters))
    finally:
        os.setresuid(0, 0, 0)


def _rehearse(zygote: Zygote, fork: Callable[[], int]) -> set[int]:
    """Numbers of the pages that this process or a child of it writes to from one fork to the next, and not just once:
    what a first run fills for good is not written to again, and a copy that nobody needs costs as well.

    Raises:
        OSError: A call failed.
        LookupError: A child was not forked, or ended before its time.
    """
    orders, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    region, written = Region(), Counter[int]()
    shared = region.map()
    # Nothing of a slot's own is used: other fork servers may be serving already.
    layout = dataclasses.replace(zygote.layout, base_uid=0)
    usual = zygote.control, zygote.prepared, zygote.regions, zygote.maps
    zygote.control, zygote.prepared = theirs, dataclasses.replace(zygote.prepared, layout=layout)
    zygote.regions, zygote.maps = [region], [shared]
    child.leave = _stop
    try:
        before = 0
        for request in (*_REQUESTS, *_REQUESTS):  # the first is the only one without another's end
            body = marshal.dumps(request, 2)
            shared[: len(body)] = body
            slot = Slot(0, region)
            ends = slot.open(layout)
            try:
                assert slot.control is not None
                slot.control.send(WAKE.pack(bytes(8), len(body), 10.0, 10.0, 512, 16, 32, 10_000))
                rights = socket.SOL_SOCKET, socket.SCM_RIGHTS, FDS.pack(*ends)
                orders.sendmsg([bytes(2)], [rights])
                zygote.obey(fork)
                pid = next(pid for pid in (*zygote.slot_of, 0) if pid != before)
                if before:
                    _end(zygote, before)
                before = pid
                if not pid or os.waitid(os.P_PID, pid, _WAIT).si_code != os.CLD_STOPPED:  # type: ignore[union-attr]
                    raise LookupError("the rehearsal failed")
                written.update(_written())
            finally:
                close_all(ends)
                slot.close()
        return {page for page, times in written.items() if times > 1}
    finally:
        child.leave = os._exit
        for pid in list(zygote.slot_of):
            _end(zygote, pid)
        zygote.control, zygote.prepared, zygote.regions, zygote.maps = usual
        orders.close()
        theirs.close()
        shared.close()
        os.close(region.fd)


def _stop(code: int) -> NoReturn:
    """How a child ends in a rehearsal: it waits to be looked at, and is killed then."""
    os.kill(os.getpid(), signal.SIGSTOP)
    os._exit(code)


def _end(zygote: Zygote, pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    zygote.reap()


def _written() -> set[int]:
    """Pages of memory that this process no longer shares with its only child: one of the two has written to them."""
    found = set()
    with open("/proc/self/pagemap", "rb", buffering=0) as pagemap:
        for low, high, access, name in memory.mappings():
            if access != "rw-p" or name.startswith("[v"):
                continue
            data = os.pread(pagemap.fileno(), (high - low) // PAGE * 8, low // PAGE * 8)
            for number, (entry,) in enumerate(struct.iter_unpack("Q", data), low // PAGE):
                if entry & _PRESENT and entry & _EXCLUSIVE and not entry & _OF_FILE:
                    found.add(number)
    return found


def _ranges(pages: list[int]) -> Iterator[tuple[int, int]]:
    """First page of each run of pages, which are given in order, and the one behind its last."""
    start = end = 0
    for page in pages:
        if page != end:
            if end:
                yield start, end
            start = page
        end = page + 1
    if end:
        yield start, end


def _make_small(ranges: list[tuple[int, int]]) -> None:
    """Takes the pages out of huge pages, which a fork would copy as a whole: writes to them while a child that does
    nothing at all shares them, so that the kernel gives this process small copies.

    The child stops in the C library's own part of the fork.
    """
    handle = ctypes.create_string_buffer(8)
    own = ctypes.c_void_p(ctypes.addressof(handle))
    pause = ctypes.cast(libc.pause, ctypes.c_void_p)
    if libc.__register_atfork(None, None, pause, own):
        raise OSError("no handler can be registered")
    pid = 0
    try:
        pid = forking.fork()
        for low, high in ranges:
            for page in range(low, high):
                ctypes.memmove(page * PAGE, page * PAGE, 8)
    finally:
        libc.__cxa_finalize(own)  # takes the handler back
        if pid:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
