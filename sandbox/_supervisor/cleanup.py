"""Leaves nothing of an execution: no process, no file.

Names, modes and depths are the program's choice, and a neighbour may be at work in a directory that both share: what
has vanished by the time it is looked at is gone, anything else that goes wrong is for the caller, who tries again.
"""

from __future__ import annotations

import contextlib
import os
import signal
import stat

from .layout import Layout
from .watch import descendants, processes

SHARED = ("/tmp", "/dev/shm", "/dev/mqueue")
"""Directories in which every execution may create files where slots have none of their own."""
_EMPTY_TMPFS = 40
"""Size of an empty directory of a tmpfs; each entry adds 20."""


def make_directories(layout: Layout) -> None:
    """Gives each slot its directories."""
    for slot in range(layout.slots):
        directory = layout.directory(slot)
        os.makedirs(directory, exist_ok=True)
        uid = layout.uid(slot)
        if uid is not None:
            os.chown(directory, uid, uid)
        os.chmod(directory, 0o700)


def kill_all(layout: Layout, slot: int, pid: int, ended: bool) -> bool:
    """Sends SIGKILL to every process of a slot.

    Args:
        layout: The layout.
        slot: The slot.
        pid: Its child, where executions do not differ by user.
        ended: True once that child is dead.

    Returns:
        True if there was none, dead ones that nobody has waited for yet included.
    """
    uid = layout.uid(slot)
    if layout.namespaces:
        if pid and not ended:  # with the first process of a namespace, the kernel kills the others
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return ended
    if uid is None:
        return _kill_tree(pid)
    try:
        os.getpriority(
            os.PRIO_USER, uid
        )  # the cheapest question that only a living or unreaped process answers
    except ProcessLookupError:
        return True
    # kill(2) matches the *real* user of the target. With a real user that nobody else has, and the slot's as the
    # effective one, it reaches the slot and nothing else, this process included.
    try:
        os.setresuid(layout.base_uid + layout.slots, uid, 0)  # type: ignore[operator]
        os.kill(-1, signal.SIGKILL)
    except ProcessLookupError:
        return True
    finally:
        os.setresuid(0, 0, 0)
    return False


def _kill_tree(pid: int) -> bool:
    """Without users of their own, executions are told apart by session and ancestry."""
    if not pid:
        return True
    parents, sessions = processes()
    victims = descendants({p for p, session in sessions.items() if session == pid or p == pid}, parents)
    for victim in victims:
        with contextlib.suppress(OSError):
            os.kill(victim, signal.SIGKILL)
    return not victims


def kill_descendants() -> None:
    """Kills every descendant of this process, orphans that it has adopted included."""
    parents, _ = processes()
    for victim in descendants({os.getpid()}, parents) - {os.getpid()}:
        with contextlib.suppress(OSError):
            os.kill(victim, signal.SIGKILL)


def wipe(layout: Layout, slot: int, mounted: bool) -> None:
    """Removes what the slot wrote.

    Args:
        layout: The layout.
        slot: The slot.
        mounted: The supervisor mounted it a /tmp and a /dev/shm of its own.

    Raises:
        OSError: Something is left.
    """
    directory = layout.directory(slot)
    facts = os.stat(directory)
    if not layout.isolated or facts.st_size != _EMPTY_TMPFS:
        _empty(directory)
    if stat.S_IMODE(facts.st_mode) != 0o700:
        os.chmod(directory, 0o700)
    if layout.isolated:
        for name in os.listxattr(directory):
            os.removexattr(directory, name)
    uid = layout.uid(slot)
    if mounted:
        for shared in layout.shared(slot):
            if os.stat(shared).st_size != _EMPTY_TMPFS:
                _empty(shared)
    elif uid is not None:
        for shared in SHARED:
            _remove_files_of(uid, shared)


def _remove_files_of(uid: int, directory: str) -> None:
    try:
        entries = list(os.scandir(directory))
    except FileNotFoundError:
        return
    for entry in entries:
        with contextlib.suppress(FileNotFoundError):
            if entry.stat(follow_symlinks=False).st_uid != uid:
                continue
            if entry.is_dir(follow_symlinks=False):
                _empty(entry.path)
                os.rmdir(entry.path)
            else:
                os.unlink(entry.path)


def _empty(top: str) -> None:
    """Empties a directory however deep it is: sub-directories are moved up to the top before they are emptied, so
    that neither the length of a path nor the depth of recursion grows.

    They are moved to names that a program cannot have taken.
    """
    name = f"{top}/{os.urandom(16).hex()}"
    number = 0
    while entries := list(os.scandir(top)):
        for entry in entries:
            with contextlib.suppress(FileNotFoundError):
                if not entry.is_dir(follow_symlinks=False):
                    os.unlink(entry.path)
                    continue
                os.chmod(entry.path, 0o700)
                for inner in list(os.scandir(entry.path)):
                    if inner.is_dir(follow_symlinks=False):
                        os.chmod(inner.path, 0o700)
                        number += 1
                        os.rename(inner.path, f"{name}.{number:x}")
                    else:
                        os.unlink(inner.path)
                os.rmdir(entry.path)
