"""Where the interpreter's memory lies, so that a fork has little to copy.

A fork copies one page-table entry for each 4 KiB page, tens of thousands for a process with numpy and sympy. With
all of it in one contiguous heap, the kernel can be asked to put it in 2 MiB pages before the process is forked.
"""

from __future__ import annotations

import ctypes

_M_MMAP_THRESHOLD, _M_TOP_PAD = -3, -2
_HUGE = 2 << 20
_MADV_COLLAPSE = 25


class _ArenaAllocator(ctypes.Structure):
    _fields_ = (("context", ctypes.c_void_p), ("allocate", ctypes.c_void_p), ("free", ctypes.c_void_p))


def use_one_heap() -> None:
    """Has the interpreter take its arenas from the C heap instead of mapping each somewhere.

    `aligned_alloc(4096, size)` fits the allocator's interface with the alignment as its context. The other
    half stays `munmap`, which leaves a hole in the heap that the C library never touches again.
    """
    libc = ctypes.CDLL(None)
    if not hasattr(libc, "mallopt") or not hasattr(libc, "aligned_alloc"):
        return
    libc.mallopt(_M_MMAP_THRESHOLD, 32 << 20)
    libc.mallopt(_M_TOP_PAD, 1 << 20)
    allocator = _ArenaAllocator()
    ctypes.pythonapi.PyObject_GetArenaAllocator(ctypes.byref(allocator))
    allocator.context = 4096
    allocator.allocate = ctypes.cast(libc.aligned_alloc, ctypes.c_void_p).value
    ctypes.pythonapi.PyObject_SetArenaAllocator(ctypes.byref(allocator))


def collapse() -> None:
    """Moves the heap to huge pages. Advice only: a kernel that cannot is none the worse."""
    madvise = ctypes.CDLL(None).madvise
    madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    with open("/proc/self/maps") as maps:
        lines = maps.read().splitlines()
    for line in lines:
        fields = line.split()
        if not fields[1].startswith("rw-p") or (len(fields) > 5 and fields[5] != "[heap]"):
            continue
        low, high = (int(part, 16) for part in fields[0].split("-"))
        low, high = -(-low // _HUGE) * _HUGE, high // _HUGE * _HUGE
        if high > low:
            madvise(low, high - low, _MADV_COLLAPSE)
