"""Executions without users of their own: for supervisors that cannot change users, because nobody gave them any.

Each execution then gets a process, a mount, an IPC and a user namespace. Its first process does nothing but wait:
the program is its child, and when it ends, or is killed, the kernel kills everything in the namespace.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import signal
import struct
from typing import Any

from . import forking
from .confine import PR_SET_DUMPABLE, libc, prctl
from .layout import REGION_BYTES, Layout, Region
from .mounts import NEWIPC, NEWNS, NEWPID, NEWUSER, PRIVATE, REC, call, holds_interpreter, mount, tmpfs

_RDONLY, _NOSUID, _NODEV, _NOEXEC = 1, 2, 4, 8
_SYS_CAPSET = {"x86_64": 126, "aarch64": 91}
_INSIDE_UID = 20_000
STATUS = struct.Struct("=8sidd")
"""At the end of the region, written by the first process when no other is left: mark, wait status, CPU seconds."""
MARK = b"finished"
STATUS_AT = REGION_BYTES - STATUS.size


class Forks:
    """Forks into fresh process namespaces, one after the other."""

    def __init__(self) -> None:
        self.own = os.open("/proc/self/ns/pid", os.O_RDONLY | os.O_CLOEXEC)

    def fork(self) -> int:
        """Like `os.fork`; the child is the first process of a new namespace."""
        call("unshare", NEWPID)
        pid = forking.fork()
        if pid:
            call("setns", self.own, NEWPID)  # or the next `unshare` would be refused
        return pid


def join_mounts(namespace: int) -> None:
    """Moves this process into a slot's mount namespace."""
    if libc.setns(namespace, NEWNS) < 0:
        raise OSError(ctypes.get_errno(), "setns")


def enter(layout: Layout, slot: int, region: Region) -> None:
    """Called in the first process of a namespace; returns in its child, which is to run the program."""
    outside_uid, outside_gid = os.geteuid(), os.getegid()
    call("unshare", NEWNS | NEWIPC)
    mount("none", "/", None, REC | PRIVATE)
    for path, mode in (("/tmp", "1777"), ("/dev/shm", "1777"), (layout.directory(slot), "0700")):
        if not holds_interpreter(path):
            tmpfs(path, layout, f"mode={mode}")
    itself = os.open("/proc/self", os.O_RDONLY | os.O_DIRECTORY)
    # Refused where part of /proc is hidden: then names of processes can be seen. Read-only, as Landlock has it
    # elsewhere, or a program could lower the priority of its session.
    with contextlib.suppress(OSError):
        mount("proc", "/proc", "proc", _RDONLY | _NOSUID | _NODEV | _NOEXEC)
    call("unshare", NEWUSER)
    _write("setgroups", itself, "deny")
    _write("uid_map", itself, f"{_INSIDE_UID} {outside_uid} 1")
    _write("gid_map", itself, f"{_INSIDE_UID} {outside_gid} 1")
    os.close(itself)
    pid = forking.fork()
    if pid == 0:
        return
    prctl(PR_SET_DUMPABLE, 0)
    os.closerange(0, region.fd)
    os.closerange(region.fd + 1, 1024)
    _wait(pid, region)


def _wait(pid: int, region: Region) -> None:
    """Waits for the program, kills and reaps what it left, and says how it ended."""
    status = 0
    while True:
        ended, code, _ = os.wait4(-1, 0)
        if ended == pid:
            status = code
            break
    try:
        os.kill(-1, signal.SIGKILL)
        while True:
            os.wait()
    except (ProcessLookupError, ChildProcessError):
        pass
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    os.pwrite(region.fd, STATUS.pack(MARK, status, usage.ru_utime, usage.ru_stime), STATUS_AT)
    os._exit(0)


def how_it_ended(memory: Any) -> tuple[int, float]:
    """What the first process wrote, as (wait status, CPU seconds); it was killed if it wrote nothing."""
    mark, status, user, system = STATUS.unpack(memory[STATUS_AT : STATUS_AT + STATUS.size])
    return (status, user + system) if mark == MARK else (signal.SIGKILL, 0.0)


def drop_capabilities() -> None:
    """Gives up every capability in the namespace, for good together with no_new_privs."""
    header = ctypes.create_string_buffer(struct.pack("=Ii", 0x20080522, 0))
    nothing = ctypes.create_string_buffer(24)
    if libc.syscall(_SYS_CAPSET[os.uname().machine], header, nothing) < 0:
        raise OSError(ctypes.get_errno(), "capset")


def _write(path: str, directory: int, text: str) -> None:
    fd = os.open(path, os.O_WRONLY, dir_fd=directory)
    os.write(fd, text.encode())
    os.close(fd)
