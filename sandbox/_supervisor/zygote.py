"""The fork servers: a chain of processes, each with more modules preloaded than the one before.

A zygote knows nothing of requests: it is told a slot and given three descriptors, forks, and reports how the
child ended. So nothing of one execution can be found in the memory of another.
"""

from __future__ import annotations

import _signal  # `signal` makes enumerations of all it returns, which a child pays for
import atexit
import builtins
import contextlib
import ctypes
import gc
import importlib
import linecache
import marshal
import mmap
import os
import random
import resource
import select
import socket
import sys
import time
import traceback
import types
from collections.abc import Callable
from importlib.machinery import PathFinder
from typing import Any

from . import child, confine, forking, jobs, memory, namespaces, notebook, rehearsal, values
from .layout import EXIT, FDS, FORKED, Layout, Region

STDLIB = (
    "abc", "argparse", "array", "ast", "asyncio", "bisect", "calendar", "cmath", "collections", "contextlib", "copy",
    "csv", "dataclasses", "datetime", "decimal", "enum", "fractions", "functools", "hashlib", "heapq", "inspect", "io",
    "itertools", "json", "linecache", "math", "numbers", "operator", "pickle", "pprint", "queue", "random", "re",
    "statistics", "string", "struct", "subprocess", "tempfile", "textwrap", "threading", "time", "tokenize",
    "traceback", "types", "typing", "unicodedata", "warnings",
)  # fmt: skip
CHAIN: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("bare", STDLIB),
    ("numpy", ("numpy", "numpy.random", "numpy.linalg")),
    ("sympy", ("sympy", "mpmath")),
    ("full", ("scipy", "scipy.optimize", "scipy.stats", "scipy.special", "scipy.integrate", "scipy.linalg",
              "networkx", "pandas")),
)  # fmt: skip
"""Name of each zygote and what it adds to its predecessor. Modules that are not installed are left out."""
PACKAGES = frozenset(
    {"dateutil", "more_itertools", "mpmath", "networkx", "numpy", "pandas", "pytz", "scipy", "six", "sortedcontainers",
     "sympy", "tzdata"}
)  # fmt: skip
"""Installed packages that programs may import: those of the image, also where the interpreter has more."""


_SIGSET_BYTES = 128
_FDS_SPACE = socket.CMSG_LEN(FDS.size)
Register = Callable[..., None]
Handlers = list[dict[str, Any]]


def start(
    layout: Layout, regions: list[Region], mounts: list[int], register_at_fork: Register, at_fork: Handlers
) -> dict[str, socket.socket]:
    """Forks the chain.

    Args:
        layout: The layout.
        regions: The region of each slot.
        mounts: A descriptor of each slot's mount namespace, or none.
        register_at_fork: `os.register_at_fork`, which is replaced while modules are loaded.
        at_fork: What modules wanted to register; grows as more are loaded.

    Returns:
        For each zygote the supervisor's end of its control socket.
    """
    pairs = {name: socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET) for name, _ in CHAIN}
    if os.fork() == 0:
        try:
            controls = {theirs.fileno() for _, theirs in pairs.values()}
            _close_others({*controls, *mounts, *(region.fd for region in regions)})
            sys.meta_path.insert(0, _OnlyTheseInstalled)  # type: ignore[arg-type]
            for position, (name, _) in enumerate(CHAIN):
                load_link(position)
                if position == len(CHAIN) - 1 or os.fork() != 0:
                    prepared = child.prepare(layout, mounts, register_at_fork, at_fork)
                    Zygote(prepared, regions, pairs[name][1]).serve()
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(70)
    for _, theirs in pairs.values():
        theirs.close()
    return {name: ours for name, (ours, _) in pairs.items()}


class _OnlyTheseInstalled:
    """Finds a top-level module outside PACKAGES only where it is not an installed package.

    So a program sees the same world in the image and on a host's interpreter, and packages that start threads
    when they are imported never get into a process that forks.
    """

    @staticmethod
    def find_spec(name: str, path: object = None, target: object = None) -> object:
        top = name.partition(".")[0]
        if top in PACKAGES or top in sys.stdlib_module_names or path is not None:
            return None
        elsewhere = [
            entry for entry in sys.path if "site-packages" not in entry and "dist-packages" not in entry
        ]
        spec = PathFinder.find_spec(name, elsewhere)
        if spec is None:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return spec


def load_link(position: int) -> None:
    """Loads what one zygote adds to its predecessor, and makes its memory cheap to fork."""
    name, modules = CHAIN[position]
    for module in modules:
        with contextlib.suppress(ImportError):
            importlib.import_module(module)
    if position == 0:
        _load_anew(values, notebook, jobs, confine, child)
    if name in _WARM:
        with contextlib.suppress(ImportError):
            _WARM[name]()
    gc.collect()
    memory.immortalize()
    gc.freeze()
    memory.collapse()
    if position == 0:
        memory.collapse_code()


def _load_anew(*own: types.ModuleType) -> None:
    """Loads the modules that children run once more, so that they lie side by side."""
    memory.use_up()
    for module in own:
        memory.held.append(dict(vars(module)))
        assert module.__loader__ is not None
        module.__loader__.exec_module(module)


def _warm_bare() -> None:
    """Runs what every child runs, so that it finds its code specialised and its caches filled."""
    error = "def f():\n    return 1 / 0\nf()"
    for _ in range(10):
        session = notebook.Session({"__name__": "__main__", "__builtins__": builtins})
        for cell in (
            "x = [i for i in range(3)]\nsum(x)",
            "class A:\n    pass\nA;",
            "1 +",
            error,
            "raise ValueError('x')",
        ):
            session.run(cell)
        jobs.parse(marshal.dumps({"kind": "cells", "cells": ["x"]}, 2))
        values.encode([1, 2.5, "x", None, {"a": (True,)}])
        values.find_entry({"f": _warm_bare}, "f")
        random.seed(0)
    linecache.clearcache()


def _warm_sympy() -> None:
    """Fills the caches and lazy imports that nearly every program with sympy needs."""
    import sympy

    x, y = sympy.symbols("x y")
    n = sympy.Symbol("n", integer=True, positive=True)
    sympy.solve(x**2 - 3 * x + 2, x)
    sympy.solve([x + y - 3, x - y - 1], [x, y])
    sympy.solve(sympy.Eq(2 * x + 1, 7), x)
    sympy.simplify((x**2 - 1) / (x - 1) + sympy.sqrt(8))
    sympy.factor(x**3 - 1), sympy.expand((x + y) ** 3), sympy.factorint(360), sympy.divisors(28)
    sympy.diff(sympy.sin(x) * x, x), sympy.integrate(x * sympy.exp(x), x), sympy.limit(sympy.sin(x) / x, x, 0)
    sympy.summation(n, (n, 1, 10)), sympy.Matrix([[1, 2], [3, 4]]).inv(), sympy.N(sympy.pi, 20)
    sympy.solveset(x**2 - 2, x, sympy.S.Reals), sympy.nsimplify(0.5), str(sympy.sqrt(2) * x / 3)


def _warm_numpy() -> None:
    import numpy

    numpy.linalg.solve(numpy.eye(2), numpy.ones(2))
    str(numpy.arange(3) * 0.5)


_WARM = {"bare": _warm_bare, "numpy": _warm_numpy, "sympy": _warm_sympy}


def _close_others(keep: set[int]) -> None:
    last = -1
    for fd in sorted(keep | {0, 1, 2}):
        if fd > last + 1:  # an empty range that starts at 0 would close everything
            os.closerange(last + 1, fd)
        last = fd
    os.closerange(last + 1, resource.getrlimit(resource.RLIMIT_NOFILE)[0])


def _deaths() -> int:
    """A descriptor that can be read when a child has died.

    The signal is blocked, so that none is lost right before a blocking call, and a fork has no handler to undo.
    """
    _signal.pthread_sigmask(_signal.SIG_BLOCK, (_signal.SIGCHLD,))
    mask = (1 << (_signal.SIGCHLD - 1)).to_bytes(_SIGSET_BYTES, sys.byteorder)
    fd = confine.libc.signalfd(-1, mask, os.O_NONBLOCK | os.O_CLOEXEC)
    if fd < 0:
        raise OSError(ctypes.get_errno(), "signalfd")
    return int(fd)


class Zygote:
    """Forks a child whenever the supervisor asks, reports each child's end, and reaps what children leave."""

    def __init__(self, prepared: child.Prepared, regions: list[Region], control: socket.socket) -> None:
        self.prepared = prepared
        self.layout = prepared.layout
        self.regions = regions
        self.maps = [region.map() for region in regions]
        for mapped in self.maps:  # no child gets another one's
            mapped.madvise(mmap.MADV_DONTFORK)
        self.control = control
        self.slot_of: dict[int, int] = {}

    def serve(self) -> None:
        """Until the supervisor goes away."""
        confine.prctl(confine.PR_SET_CHILD_SUBREAPER, 1)
        atexit._clear()
        sys.argv = [""]
        for name in [name for name in sys.modules if name.partition(".")[0] == "_supervisor"]:
            del sys.modules[name]  # programs have no business with them
        died = _deaths()
        events = select.poll()
        events.register(self.control, select.POLLIN)
        events.register(died, select.POLLIN)
        fork = namespaces.Forks().fork if self.layout.namespaces else forking.fork
        memory.immortalize()
        gc.freeze()
        memory.use_up()
        if self.layout.isolated:
            if not self.layout.namespaces:  # there, the program is a child's child
                rehearsal.copy_at_fork(self, fork)
            child.limit_for_good()
            if not self.layout.namespaces:  # which take calls that the filter refuses
                confine.install_seccomp(self.prepared.filter)
        self.control.send(b"ready")
        while True:
            for fd, _ in events.poll():
                if fd == died:
                    with contextlib.suppress(OSError):
                        os.read(died, 4096)
                    self.reap()
                else:
                    self.obey(fork)

    def obey(self, fork: Callable[[], int]) -> None:
        """Takes an order and forks a child."""
        try:
            message, ancillary, _, _ = self.control.recvmsg(16, _FDS_SPACE)
        except OSError:  # short of memory: the order is still there
            return
        if not message:
            os._exit(0)
        slot = int.from_bytes(message, "little")
        fds: tuple[int, ...] = ()
        try:
            fds = FDS.unpack(ancillary[0][2])
            pid = self._child(fork, slot, fds)
        except (OSError, IndexError, ValueError):  # too many processes or descriptors, or no memory
            self._send(EXIT.pack(slot, 0, 0, 0.0, 0.0, 0))
        else:
            self.slot_of[pid] = slot
            if self.layout.base_uid is None:
                self._send(FORKED.pack(slot, pid))
        for fd in fds:
            with contextlib.suppress(OSError):
                os.close(fd)

    def _child(self, fork: Callable[[], int], slot: int, fds: tuple[int, ...]) -> int:
        memory = self.maps[slot]
        child.before_fork(self.prepared, slot, memory)
        try:
            pid = fork()
            if pid == 0:
                child.live(self.prepared, slot, fds, self.regions[slot], memory)
        finally:  # never reached in the child
            child.after_fork(self.prepared, memory)
        return pid

    def _send(self, message: bytes) -> None:
        """Sends a report, which nothing may lose."""
        while True:
            try:
                self.control.send(message)
                return
            except (BrokenPipeError, ConnectionResetError):
                os._exit(0)
            except OSError:
                time.sleep(0.01)

    def reap(self) -> None:
        """Reports every child that has died."""
        while True:
            try:
                pid, status, usage = os.wait4(-1, os.WNOHANG)
            except ChildProcessError:
                return
            except OSError:  # nothing else would ask again
                continue
            if pid == 0:
                return
            if pid in self.slot_of:  # or an orphan of a child
                self._report(pid, status, usage)

    def _report(self, pid: int, status: int, usage: Any) -> None:
        times = usage.ru_utime, usage.ru_stime
        self._send(EXIT.pack(self.slot_of.pop(pid), pid, status, *times, usage.ru_maxrss))


if "numpy" in sys.modules:  # a preloaded module at import time would be shared by every link of the chain
    raise RuntimeError("the supervisor must start without third-party modules")
