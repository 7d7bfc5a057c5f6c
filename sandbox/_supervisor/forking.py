"""Forks without the interpreter's own part in them."""

from __future__ import annotations

import ctypes
import os

_raw = ctypes.PyDLL(None, use_errno=True).fork


def fork() -> int:
    """Like `os.fork`, for a process of one thread.

    `os.fork` has locks made anew, for threads that did not come along, and the parent count its threads, in order to
    warn of them; together that takes a fork server a good part of what a fork does.

    Raises:
        OSError: There may be no more processes, or no memory.
    """
    pid = _raw()
    if pid < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return int(pid)
