"""The life of one child: confine itself, wait for a request, run it, answer, die.

Everything up to the start message sent on the control socket is the supervisor's own code; a child that ends
before it is a fault of the sandbox. Everything after it belongs to the user's code.
"""

from __future__ import annotations

import _signal
import mmap
import os
import random
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

from . import confine, jobs, namespaces
from .layout import ABSENT, ANSWER, REGION_BYTES, START, TOOL, WAKE, Layout, Region

leave: Callable[[int], Any] = os._exit
"""How a child ends; only a rehearsal has it wait first."""
_STACK = 64 << 20
"""Bytes that recursion may take."""
_PLAIN_STACK = 8 << 20
SEED = 0
"""Every execution starts from the same random state, so that a request replayed gives the same output."""


@dataclass(frozen=True)
class Prepared:
    """What a zygote works out once for all its children."""

    layout: Layout
    stage: jobs.Stage
    directories: list[bytes]
    mounts: list[int]
    rulesets: list[int]
    filter: bytes
    null: int
    oom_score: int
    own_score: bytes
    address_space: int
    inherited_kb: int
    counts_processes: bool
    """The kernel counts processes per execution: by its user, or, since Linux 5.14, by its user namespace."""


def prepare(
    layout: Layout, mounts: list[int], register_at_fork: Callable[..., None], at_fork: list[dict[str, Any]]
) -> Prepared:
    """Called in a zygote after its modules are loaded.

    Args:
        layout: The layout.
        mounts: A descriptor of each slot's mount namespace, or none.
        register_at_fork: `os.register_at_fork`.
        at_fork: What libraries wanted to register, to be done before a program's own first fork.
    """
    os.register_at_fork = register_at_fork
    os.fork, os.forkpty = (_registering(fork, register_at_fork, at_fork) for fork in (os.fork, os.forkpty))
    subprocess._fork_exec = _with_a_plain_stack(subprocess._fork_exec)  # type: ignore[attr-defined]
    os.umask(0o077)
    _seed()
    directories = [os.fsencode(layout.directory(slot)) for slot in range(layout.slots)]
    os.environ["TMPDIR"] = os.environ["HOME"]
    rulesets = []
    version = confine.landlock_version() if layout.isolated else 0
    if version and not layout.namespaces:
        hidden = {"proc", "tmp", "run", layout.scratch.strip("/").split("/")[0]}
        readable = [f"/{name}" for name in sorted(os.listdir("/")) if name not in hidden] + ["/proc"]
        for slot in range(layout.slots):
            shared = layout.shared(slot) if mounts else ("/tmp",)
            rulesets.append(confine.landlock_ruleset(readable, ["/dev", *shared, layout.directory(slot)]))
    elif version >= 4:  # files are kept apart by mounts
        rulesets = [confine.landlock_ruleset([], [])] * layout.slots
    with open("/proc/self/status") as status:
        kilobytes = {line.split()[0]: int(line.split()[1]) for line in status if " kB" in line}
    address_space = (kilobytes["VmSize:"] << 10) + REGION_BYTES + (8 << 20)
    null = os.open("/dev/null", os.O_RDWR)
    oom_score = os.open("/proc/self/oom_score_adj", os.O_RDWR)
    own_score = os.read(oom_score, 16).strip()
    seccomp = confine.seccomp_program(confine.landlock_version() >= 6)
    inherited = kilobytes["RssAnon:"]
    stage = jobs.Stage()
    counts = layout.base_uid is not None or (layout.namespaces and _linux() >= (5, 14))
    return Prepared(
        layout, stage, directories, mounts, rulesets, seccomp, null, oom_score, own_score, address_space, inherited,
        counts,
    )  # fmt: skip


def _linux() -> tuple[int, int]:
    major, minor = os.uname().release.split(".")[:2]
    return int(major), int("".join(takewhile(str.isdigit, minor)) or 0)


def _registering(
    fork: Callable[[], Any], register: Callable[..., None], at_fork: list[dict[str, Any]]
) -> Any:
    """`fork`, which first registers what waits to be registered."""

    def registering() -> Any:
        while at_fork:
            register(**at_fork.pop(0))
        return fork()

    registering.__name__ = registering.__qualname__ = fork.__name__
    return registering


def _with_a_plain_stack(fork_exec: Callable[..., int]) -> Callable[..., int]:
    """Starts programs with the usual limit of a stack: each of their threads reserves that much address space."""

    def starting(*arguments: Any) -> int:
        soft, hard = resource.getrlimit(resource.RLIMIT_STACK)
        resource.setrlimit(resource.RLIMIT_STACK, (min(soft, _PLAIN_STACK), hard))
        try:
            return fork_exec(*arguments)
        finally:
            resource.setrlimit(resource.RLIMIT_STACK, (soft, hard))

    return starting


def _seed() -> None:
    """Fixes the random state that every child starts from."""
    random.seed(SEED)
    numpy_random = sys.modules.get("numpy.random")
    if numpy_random is not None:
        numpy_random.seed(SEED)  # type: ignore[attr-defined]
        generator = random.Random(SEED)
        numpy_random.bit_generator.randbits = generator.getrandbits  # type: ignore[attr-defined]


def limit_for_good() -> None:
    """Limits that hold for a zygote as well as for its children."""
    for name, value in (("CORE", 0), ("MSGQUEUE", 0), ("MEMLOCK", 1 << 16), ("NOFILE", 256)):
        resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), (value, value))
    hard = resource.getrlimit(resource.RLIMIT_STACK)[1]
    stack = _STACK if hard < 0 else min(hard, _STACK)
    resource.setrlimit(resource.RLIMIT_STACK, (stack, stack))


def before_fork(prepared: Prepared, slot: int, memory: mmap.mmap) -> None:
    """Does in the zygote, right before a fork, what its child would do for itself at many times the cost: it copies a
    page of the zygote's memory wherever it writes.

    Args:
        prepared: What is the same for all children.
        slot: The slot.
        memory: Its region, which only its child gets.
    """
    directory = prepared.directories[slot]
    if prepared.layout.isolated:
        os.pwrite(prepared.oom_score, b"1000", 0)
    if prepared.mounts:
        namespaces.join_mounts(prepared.mounts[slot])
    if not prepared.layout.namespaces:  # where it is mounted by the child
        os.chdir(directory)
    variables = os.environ._data  # type: ignore[attr-defined]  # to set one by its front costs 0.1 ms
    for name in (b"HOME", b"TMPDIR"):
        variables[name] = directory
        os.putenv(name, directory)
    memory.madvise(mmap.MADV_DOFORK)


def after_fork(prepared: Prepared, memory: mmap.mmap) -> None:
    """Takes back in the zygote what was meant for the child."""
    memory.madvise(mmap.MADV_DONTFORK)
    if prepared.layout.isolated:
        os.pwrite(prepared.oom_score, prepared.own_score, 0)


def live(prepared: Prepared, slot: int, fds: tuple[int, ...], region: Region, memory: mmap.mmap) -> None:
    """Never returns."""
    code = 70
    try:
        if prepared.layout.namespaces:
            namespaces.enter(prepared.layout, slot, region)
            os.chdir(prepared.directories[slot])
        _settle(prepared, slot, fds)
        message = os.read(fds[0], WAKE.size)
        if len(message) == WAKE.size:
            code = _serve(prepared, fds[0], memory, message)
    finally:
        leave(code)


def _settle(prepared: Prepared, slot: int, fds: tuple[int, ...]) -> None:
    """Gives up every descriptor, privilege and path that the execution must not have."""
    layout = prepared.layout
    control, out, err = fds
    os.dup2(prepared.null, 0)
    os.dup2(out, 1)
    os.dup2(err, 2)
    os.setsid()
    _signal.pthread_sigmask(_signal.SIG_UNBLOCK, (_signal.SIGCHLD,))  # which is blocked in a zygote
    uid = layout.uid(slot)
    if uid is not None:
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
        confine.let_itself_be_seen()  # or /dev/stdin would belong to root
    elif layout.isolated:
        namespaces.drop_capabilities()
        confine.install_seccomp(prepared.filter)
    if prepared.rulesets:
        confine.landlock_restrict(prepared.rulesets[slot])
    if control > 3:
        os.closerange(3, control)
    os.closerange(control + 1, 1024)


def _serve(prepared: Prepared, fd: int, memory: mmap.mmap, message: bytes) -> int:
    nonce, size, _wall, cpu, space, file_size, processes, answer_bytes = WAKE.unpack(message)
    body = memory[:size]
    _limit(prepared, cpu, space, file_size, processes)
    job = jobs.parse(body)
    if job.tools:
        os.set_inheritable(fd, False)
        job.tools_over(Tools(fd))
    os.write(fd, START.pack(1, time.monotonic(), os.getpid(), prepared.inherited_kb))
    if not job.tools:
        os.close(fd)

    def answer(
        outcome: int, parts: tuple[bytes | None, ...], pack=ANSWER.pack, memory=memory, nonce=nonce
    ) -> None:
        """Writes the answer with nothing but references taken before the user's code ran."""
        sizes = []
        data = b""
        for part in parts:
            if part is None:
                sizes.append(ABSENT)
            else:
                part = part[:answer_bytes]
                sizes.append(part.__len__())
                data += part
        head = pack(nonce, outcome, *sizes)
        memory[: head.__len__() + data.__len__()] = head + data

    return job.run(prepared.stage, answer)


def _limit(prepared: Prepared, cpu: float, space: int, file_size: int, processes: int) -> None:
    seconds = int(cpu) + 1
    space = prepared.address_space + (space << 20)
    file_size <<= 20
    setrlimit = resource.setrlimit
    setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    setrlimit(resource.RLIMIT_AS, (space, space))
    setrlimit(resource.RLIMIT_FSIZE, (file_size, file_size))
    if prepared.layout.namespaces:
        processes += 1  # its first process
    if prepared.counts_processes:
        setrlimit(resource.RLIMIT_NPROC, (processes, processes))


class Tools:
    """Sends tool calls to the supervisor, one at a time."""

    def __init__(self, fd: int) -> None:
        import threading

        self.fd = fd
        self.owner = os.getpid()
        self.lock = threading.Lock()

    def call(self, name: str, argument: str) -> str:
        """Asks the host; blocks until it answers."""
        if os.getpid() != self.owner:
            raise RuntimeError(f"{name}() can be called from the main process only")
        if not isinstance(argument, str):
            raise TypeError(f"{name}() takes one string, got {type(argument).__name__}")
        data = f"{name}\n{argument}".encode()
        if len(data) > 1 << 15:
            raise ValueError(f"{name}(): the argument is too long")
        with self.lock:
            os.write(self.fd, TOOL.pack(len(data)) + data)
            size = TOOL.unpack(self._read(TOOL.size))[0]
            return self._read(size).decode()

    def _read(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            more = os.read(self.fd, size - len(data))
            if not more:
                raise ConnectionError("the tool is no longer there")
            data += more
        return data
