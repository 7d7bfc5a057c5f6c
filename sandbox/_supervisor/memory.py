"""How the interpreter's memory lies, so that a fork has little to copy, and a child little to touch.

A fork copies one page-table entry for each 4 KiB page, tens of thousands for a process with numpy and sympy. With
all of it in one contiguous heap, the kernel can be asked to put it in 2 MiB pages before the process is forked.

A child then pays for each page of its parent's that it writes to, if only a reference count, and for each piece of
the interpreter's code that it runs first: most of what a short program costs. So objects are made immortal, and the
code is kept in huge pages, which a fork hands on.
"""

from __future__ import annotations

import ctypes
import gc
import itertools
import mmap
import sys
from collections.abc import Iterator
from types import CodeType, FrameType
from typing import Any

_M_MMAP_THRESHOLD, _M_TOP_PAD, _M_ARENA_MAX = -3, -2, -8
_HUGE = 2 << 20
_MMAP_BYTES = 32 << 20
_MADV_HUGEPAGE, _MADV_COLLAPSE = 14, 25
_MREMAP_MAYMOVE, _MREMAP_FIXED = 1, 2
_namespace_of = vars(type)["__dict__"].__get__

_one_heap = False


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
    libc.mallopt(_M_MMAP_THRESHOLD, _MMAP_BYTES)
    libc.mallopt(_M_TOP_PAD, 1 << 20)
    libc.mallopt(_M_ARENA_MAX, 1)  # or each thread reserves 64 MiB of address space
    allocator = _ArenaAllocator()
    ctypes.pythonapi.PyObject_GetArenaAllocator(ctypes.byref(allocator))
    allocator.context = 4096
    allocator.allocate = ctypes.cast(libc.aligned_alloc, ctypes.c_void_p).value
    ctypes.pythonapi.PyObject_SetArenaAllocator(ctypes.byref(allocator))
    global _one_heap
    _one_heap = True


def collapse() -> None:
    """Moves the heap to huge pages. Advice only: a kernel that cannot is none the worse."""
    libc = _calls()
    for low, high, access, name in mappings():
        low, high = -(-low // _HUGE) * _HUGE, high // _HUGE * _HUGE
        if access == "rw-p" and name in ("", "[heap]") and high > low:
            libc.madvise(low, high - low, _MADV_COLLAPSE)


def collapse_code() -> None:
    """Puts a copy of the interpreter's code in huge pages where it lay, as far as these fit.

    Pages of a file are mapped anew in every child, when it comes to run them; huge pages of memory are inherited by
    a fork at once, for the price of one entry each. Nothing changes where the kernel refuses.
    """
    libc = _calls()
    here = ctypes.cast(ctypes.pythonapi.PyObject_Repr, ctypes.c_void_p).value or 0
    known = list(mappings())
    file = next((name for low, high, _, name in known if low <= here < high), "")
    parts = [
        (low, high) for low, high, access, name in known if name == file and access[1:] in ("--p", "-xp")
    ]
    if not file.startswith("/") or any(low != high for (_, high), (low, _) in itertools.pairwise(parts)):
        return
    first, last = -(-parts[0][0] // _HUGE) * _HUGE, parts[-1][1]
    for place in range(first, last - _HUGE + 1, _HUGE):
        area = libc.mmap(
            None, 2 * _HUGE, mmap.PROT_READ | mmap.PROT_WRITE, mmap.MAP_PRIVATE | mmap.MAP_ANON, -1, 0
        )
        copy = -(-area // _HUGE) * _HUGE
        libc.madvise(copy, _HUGE, _MADV_HUGEPAGE)
        ctypes.memmove(copy, place, _HUGE)
        huge = libc.madvise(copy, _HUGE, _MADV_COLLAPSE) == 0
        if huge and libc.mprotect(copy, _HUGE, mmap.PROT_READ | mmap.PROT_EXEC) == 0:
            libc.mremap(copy, _HUGE, _HUGE, _MREMAP_MAYMOVE | _MREMAP_FIXED, place)
        libc.munmap(area, 2 * _HUGE)


def _calls() -> Any:
    libc = ctypes.CDLL(None)
    size, pointer, number = ctypes.c_size_t, ctypes.c_void_p, ctypes.c_int
    libc.mmap.argtypes = [pointer, size, number, number, number, ctypes.c_long]
    libc.mremap.argtypes = [pointer, size, size, number, pointer]
    libc.mmap.restype = libc.mremap.restype = pointer
    libc.madvise.argtypes = libc.mprotect.argtypes = [pointer, size, number]
    libc.munmap.argtypes = [pointer, size]
    return libc


def mappings() -> Iterator[tuple[int, int, str, str]]:
    """Start, end, access and name of each mapping of this process."""
    with open("/proc/self/maps") as maps:
        lines = maps.read().splitlines()
    for line in lines:
        span, access, _, _, _, *name = line.split(maxsplit=5)
        low, high = (int(part, 16) for part in span.split("-"))
        yield low, high, access, name[0] if name else ""


def immortalize() -> None:
    """Makes every object that there is immortal: no use of it changes its reference count any more.

    Python has had immortal objects since 3.12; before, nothing is done.
    """
    probe = object()
    count_at, count = ctypes.c_uint32.from_address, sys.getrefcount
    immortal = count_at(id(None)).value
    if sys.version_info < (3, 12) or count_at(id(probe)).value != 1:  # a build with another layout
        return
    found: list[Any] = gc.get_objects()
    kinds: list[type] = [object]
    known = {object}
    while kinds:  # types of the interpreter's own are not known to its collector, nor is what they hold
        kind = kinds.pop()
        found += [kind, kind.__mro__, *_namespace_of(kind).values()]
        below = set(type.__subclasses__(kind)) - known
        known |= below
        kinds += below
    ours = {id(found), id(kinds), id(known)}
    referents = gc.get_referents
    while found:
        one = found.pop()
        if count(one) >= 1 << 31 or type(one) is FrameType or id(one) in ours:
            continue
        count_at(id(one)).value = immortal
        found += referents(one)
        if type(one) is CodeType:
            found += one.co_consts, one.co_names


held: list[Any] = []
"""What is kept only so that its memory is not used again."""


def use_up() -> None:
    """Takes all free memory below the top of the heap, so that what is allocated from now on lies side by side.

    A child that is given freed pieces all over the heap copies a page for each.
    """
    if not _one_heap:
        return
    libc = ctypes.CDLL(None)
    libc.malloc.restype = libc.sbrk.restype = ctypes.c_void_p
    libc.malloc.argtypes = [ctypes.c_size_t]
    libc.free.argtypes = [ctypes.c_void_p]
    top = libc.malloc(_MMAP_BYTES - 4096)
    libc.free(top)
    for size in (*range(1 << 20, 1 << 16, -(1 << 14)), *range(1 << 16, 0, -16)):
        while (piece := libc.malloc(size)) < top:
            pass
        libc.free(piece)
    for size in range(512, sys.getsizeof(b"") + 15, -16):
        while not top <= id(small := bytes(size - sys.getsizeof(b""))) < libc.sbrk(0):
            held.append(small)
        held.append(small)
