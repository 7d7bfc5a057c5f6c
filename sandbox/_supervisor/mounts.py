"""A /tmp and a /dev/shm per slot, for supervisors that run as root: each slot has a mount namespace.

The supervisor moves into a user namespace in which every user keeps its number. There it may mount, change
namespaces and look into its children's memory maps; outside it keeps no capability, whatever it was started with.
"""

from __future__ import annotations

import ctypes
import os
import sys

from .confine import libc
from .layout import Layout

NEWNS, NEWIPC, NEWUSER, NEWPID = 0x00020000, 0x08000000, 0x10000000, 0x20000000
BIND, REC, PRIVATE = 4096, 16384, 1 << 18
_NOSUID, _NODEV, _DETACH = 2, 4, 2
_FILES = 8192
"""Files and directories in one file system."""
_IDENTITY = b"0 0 65536"


def call(name: str, *arguments: object) -> None:
    """Calls a function of the C library.

    Raises:
        OSError: It returned a negative number.
    """
    if getattr(libc, name)(*arguments) < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")


def mount(source: str, target: str, kind: str | None, flags: int, options: str | None = None) -> None:
    """mount(2).

    Raises:
        OSError: It is refused.
    """
    encoded = [None if text is None else text.encode() for text in (source, target, kind, options)]
    call("mount", encoded[0], encoded[1], encoded[2], ctypes.c_ulong(flags), encoded[3])


def holds_interpreter(path: str) -> bool:
    """True where the interpreter itself lies below a directory, which then cannot be covered."""
    return any(prefix.startswith(f"{path}/") for prefix in (sys.prefix, sys.base_prefix))


def slot_namespaces(layout: Layout) -> list[int]:
    """Moves this process into a user namespace of its own and makes a mount namespace per slot.

    Returns:
        A descriptor of each slot's mount namespace, for setns(2); none where the kernel or the container engine does
        not allow it: then the slots share /tmp and /dev/shm, and what they leave there is told apart by its owner.
    """
    try:
        _enter_user_namespace()
        mount("none", "/", None, REC | PRIVATE)
    except OSError:
        return []
    own = os.open("/proc/self/ns/mnt", os.O_RDONLY | os.O_CLOEXEC)
    found = []
    try:
        _mount_directories(layout)
        for slot in range(layout.slots):
            call("unshare", NEWNS)
            for source, target in zip(layout.shared(slot), ("/tmp", "/dev/shm"), strict=True):
                if not holds_interpreter(target):
                    mount(source, target, None, BIND)
            found.append(os.open("/proc/self/ns/mnt", os.O_RDONLY | os.O_CLOEXEC))
            call("setns", own, NEWNS)
    except OSError:
        call("setns", own, NEWNS)
        libc.umount2(layout.scratch.encode(), _DETACH)
        found = []
    os.close(own)
    return found


def tmpfs(path: str, layout: Layout, options: str) -> None:
    """Mounts a file system of the size and the number of files that one execution may have.

    Raises:
        OSError: It is refused.
    """
    size = f"size={layout.file_mb}m,nr_inodes={_FILES}"
    mount("tmpfs", path, "tmpfs", _NOSUID | _NODEV, f"{size},{options}")


def _mount_directories(layout: Layout) -> None:
    """Gives each slot a file system for its directory, its /tmp and its /dev/shm, all in a new one."""
    mount("tmpfs", layout.scratch, "tmpfs", _NOSUID | _NODEV, "size=1m,mode=0711")
    for slot in range(layout.slots):
        uid = layout.uid(slot)
        for path in (layout.directory(slot), *layout.shared(slot)):
            os.mkdir(path)
            tmpfs(
                path,
                layout,
                f"mode=0700,uid={uid},gid={uid}" if path == layout.directory(slot) else "mode=1777",
            )


def _enter_user_namespace() -> None:
    """Unshares the user and the mount namespace; a helper that stays outside writes the maps of users and groups."""
    ready, tell = os.pipe()
    helper = os.fork()
    if helper == 0:
        code = 1
        try:
            os.close(tell)
            if os.read(ready, 1):
                for name in ("uid_map", "gid_map"):
                    with open(f"/proc/{os.getppid()}/{name}", "wb", buffering=0) as file:
                        file.write(_IDENTITY)
                code = 0
        finally:
            os._exit(code)
    os.close(ready)
    try:
        call("unshare", NEWUSER | NEWNS)
        os.write(tell, b"x")
    finally:
        os.close(tell)
        status = os.waitpid(helper, 0)[1]
    if status:
        raise PermissionError("the user namespace was not given its users")
