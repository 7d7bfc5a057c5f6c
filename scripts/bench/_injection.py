"""A build of the sandbox program in which system calls fail at random: in the supervisor and in its fork servers.

`build` copies the program and adds this file to it, which runs inside: `install` puts stand-ins for `os`, `open`,
sockets and the event poll in front of the supervisor's modules. Children, which run user code, are left alone.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

ERRNOS = (
    "EAGAIN", "EACCES", "EBUSY", "EINTR", "EINVAL", "EIO", "EMFILE", "ENFILE", "ENOBUFS", "ENOENT", "ENOMEM", "ENOSPC",
    "EPERM", "ESRCH",
)  # fmt: skip
PASSIVE = {
    "WIFSIGNALED", "WTERMSIG", "WEXITSTATUS", "WIFEXITED", "WNOHANG", "O_CLOEXEC", "PRIO_USER", "getpid",
    "_exit", "fsencode", "path",
}  # fmt: skip
"""Names of `os` that are no system calls, or cannot fail."""


def build(folder: Path, rate: float, seed: int) -> Path:
    """Makes the build and returns its directory.

    Args:
        folder: An empty directory.
        rate: Share of calls that fail.
        seed: Seed of the choice.
    """
    from ultrainteract.sandbox.image import program_directory

    program = folder / "program"
    shutil.copytree(program_directory(), program, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(__file__, program / "_supervisor" / "injection.py")
    start = program / "_supervisor" / "start.py"
    text = start.read_text()
    before, after = "from .server import Server, hang_up\n", "        server.serve()\n"
    if text.count(before) != 1 or text.count(after) != 1:
        raise SystemExit("the supervisor's start is not as it was; adapt scripts/bench/_injection.py")
    text = text.replace(
        before, f"{before}from . import injection\ninjection.install_zygote({rate}, {seed})\n"
    )
    text = text.replace(after, f"        injection.install(server, {rate}, {seed})\n{after}")
    start.write_text(text)
    return program


class Dice:
    """Decides which calls fail; only in the process that it was made for, or that took it over."""

    def __init__(self, rate: float, seed: int) -> None:
        import errno
        import os
        import random

        self.random = random.Random(seed)
        self.rate = rate
        self.numbers = [getattr(errno, name) for name in ERRNOS]
        self.getpid, self.strerror = os.getpid, os.strerror
        self.pid = self.getpid()
        self.raised = 0

    def roll(self, what: str) -> None:
        """Raises at the given rate."""
        if self.random.random() < self.rate and self.getpid() == self.pid:
            self.raised += 1
            if what == "open" and self.random.random() < 0.3:
                raise UnicodeDecodeError("utf-8", b"\xff", 0, 1, "injected")
            number = self.random.choice(self.numbers)
            raise OSError(number, f"injected into {what}: {self.strerror(number)}")


class StandIn:
    """A module or an object whose calls may fail."""

    def __init__(self, real: Any, dice: Dice, names: set[str] | None = None) -> None:
        self.__dict__.update(real=real, dice=dice, names=names)

    def __getattr__(self, name: str) -> Any:
        value = getattr(self.real, name)
        if not callable(value) or name in PASSIVE or (self.names is not None and name not in self.names):
            return value
        dice = self.dice

        def call(*arguments: Any, **options: Any) -> Any:
            if name == "close":  # closed it is, whatever it returns
                value(*arguments, **options)
                dice.roll(name)
                return None
            if name != "setresuid" or arguments[0] != 0:  # the way back to root is never refused
                dice.roll(name)
            return value(*arguments, **options)

        return call

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self.real, name, value)


def install(server: Any, rate: float, seed: int) -> None:
    """Puts stand-ins in front of a supervisor that is about to serve."""
    import os

    from . import cleanup, limits, slot, verdict, watch

    dice = Dice(rate, seed)
    for module in (cleanup, slot, verdict, watch):
        module.os = StandIn(os, dice)
    from . import server as server_module

    server_module.os = StandIn(os, dice)
    assert limits.run_delay is watch.run_delay

    def opening(*arguments: Any, **options: Any) -> Any:
        dice.roll("open")
        return open(*arguments, **options)

    watch.open = opening  # type: ignore[attr-defined]
    pairs = slot._socket

    class Sockets:
        @staticmethod
        def socketpair() -> Any:
            dice.roll("socketpair")
            ours, theirs = pairs.socketpair()
            return StandIn(ours, dice, {"recv", "send", "shutdown", "setblocking"}), theirs

    slot._socket = Sockets
    for name, control in server.controls.items():
        server.controls[name] = StandIn(control, dice, {"sendmsg"})
    server.epoll = StandIn(server.epoll, dice, {"register", "unregister", "poll"})
    for one in server.slots:
        one.region = StandIn(one.region, dice, {"reset"})


def install_zygote(rate: float, seed: int) -> None:
    """Lets forks, waits and reports of the fork servers fail, each in its own way."""
    import os

    from . import forking, zygote

    serve = zygote.Zygote.serve
    real_fork = forking.fork

    def serving(itself: Any) -> None:
        dice = Dice(rate, seed + os.getpid())

        def fork() -> int:
            dice.roll("fork")
            return real_fork()

        forking.fork = fork
        zygote.os = StandIn(os, dice, {"wait4", "close"})
        itself.control = StandIn(itself.control, dice, {"send"})
        serve(itself)

    zygote.Zygote.serve = serving
