"""Leaves nothing of an execution: no process, no file."""

from __future__ import annotations

import contextlib
import os
import signal
import stat

from .layout import Layout
from .watch import descendants, processes

SHARED = ("/tmp", "/dev/shm", "/dev/mqueue")
"""Directories in which every execution may create files."""
_seen: dict[str, int] = {}


def make_directories(layout: Layout) -> None:
    """Gives each slot its directory."""
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
    os.setresuid(layout.base_uid + layout.slots, uid, 0)  # type: ignore[operator]
    try:
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


def wipe(layout: Layout, slot: int) -> None:
    """Removes what the slot wrote."""
    directory = layout.directory(slot)
    if os.listdir(directory):
        _empty(directory)
    mode = os.stat(directory)
    uid = layout.uid(slot)
    if stat.S_IMODE(mode.st_mode) != 0o700:
        os.chmod(directory, 0o700)
    if uid is None:
        return
    for shared in SHARED:
        try:
            changed = os.stat(shared).st_mtime_ns
        except FileNotFoundError:
            continue
        if _seen.get(shared) == changed:
            continue
        for entry in list(os.scandir(shared)):
            if entry.stat(follow_symlinks=False).st_uid == uid:
                _remove(entry.path)
        if not os.listdir(shared):
            _seen[shared] = os.stat(shared).st_mtime_ns


def _remove(path: str) -> None:
    if os.path.isdir(path) and not os.path.islink(path):
        _empty(path)
        os.rmdir(path)
    else:
        os.unlink(path)


def _empty(top: str) -> None:
    """Empties a directory however deep it is: sub-directories are moved up to the top before they are emptied, so
    that neither the length of a path nor the depth of recursion grows.
    """
    number = 0
    while True:
        entries = list(os.scandir(top))
        if not entries:
            return
        for entry in entries:
            if not entry.is_dir(follow_symlinks=False):
                os.unlink(entry.path)
                continue
            os.chmod(entry.path, 0o700)
            for inner in list(os.scandir(entry.path)):
                if inner.is_dir(follow_symlinks=False):
                    os.chmod(inner.path, 0o700)
                    number += 1
                    os.rename(inner.path, f"{top}/.{number:x}.{os.getpid()}")
                else:
                    os.unlink(inner.path)
            os.rmdir(entry.path)
