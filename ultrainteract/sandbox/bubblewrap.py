"""Workers in bubblewrap: for machines without Docker.

The supervisor sees the host's Python and system libraries read-only, and nothing else of the host: no home
directory, no network, no other process.
"""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
from pathlib import Path

from ultrainteract.sandbox.image import program_directory
from ultrainteract.sandbox.worker import (
    CAPABILITIES,
    ENVIRONMENT,
    ProcessWorker,
    uid_range,
)

PROGRAM = "/opt/ultrainteract"
_SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
_ETC = ("/etc/ld.so.cache", "/etc/alternatives", "/etc/mime.types", "/etc/localtime", "/etc/ssl")


@functools.cache
def why_not() -> str:
    """What keeps bubblewrap from working here; empty if nothing does."""
    if shutil.which("bwrap") is None:
        return "bubblewrap is not installed (apt-get install bubblewrap, dnf install bubblewrap)"
    probe = subprocess.run(
        ["bwrap", "--unshare-pid", "--unshare-net", "--ro-bind", "/", "/", "true"],
        capture_output=True,
        timeout=20,
    )
    if probe.returncode:
        return f"bubblewrap is installed, but not allowed to work: {probe.stderr.decode(errors='replace').strip()}"
    return ""


@functools.cache
def _options() -> str:
    return subprocess.run(["bwrap", "--help"], capture_output=True, text=True, timeout=20).stdout


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


class BubblewrapWorker(ProcessWorker):
    """One supervisor under `bwrap`."""

    def describe(self) -> str:
        """Name for messages."""
        return "bubblewrap sandbox"

    def command(self, fd: int) -> list[str]:
        """The `bwrap` command line."""
        root = os.geteuid() == 0
        command = [
            "bwrap",
            "--unshare-pid",
            "--unshare-net",
            "--unshare-ipc",
            "--unshare-uts",
            "--unshare-cgroup-try",
        ]
        command += ["--die-with-parent", "--new-session", "--hostname", "sandbox", "--clearenv"]
        for name, value in ENVIRONMENT.items():
            command += ["--setenv", name, value]
        if root:
            command += ["--cap-drop", "ALL", *_repeat("--cap-add", [f"CAP_{name}" for name in CAPABILITIES])]
            command += ["--as-pid-1"]
        else:  # all capabilities, but in a user namespace of its own: enough to make further namespaces
            command += ["--unshare-user", "--uid", "0", "--gid", "0", "--cap-add", "ALL"]
        shared = self.slots * self.config.limits.file_mb << 20
        # Before the interpreter's directories: one of them may lie below /tmp.
        command += ["--perms", "1777", *self._size(shared), "--tmpfs", "/tmp"]
        for path in (*_SYSTEM, *_ETC, *_python_directories()):
            command += _bind(path, path)
        command += _bind(str(program_directory()), PROGRAM)
        command += ["--proc", "/proc", "--dev", "/dev"]
        command += ["--perms", "1777", *self._size(shared), "--tmpfs", "/dev/shm"]
        command += ["--perms", "0711", "--dir", "/box"]
        for slot in range(self.slots):
            size = self._size(self.config.limits.file_mb << 20)
            command += ["--perms", "0700", *size, "--tmpfs", f"/box/{slot:02d}"]
        command += ["--remount-ro", "/", "--chdir", "/", "--"]
        command += [sys.executable, "-s", "-B", PROGRAM, "--fd", str(fd), "--slots", str(self.slots)]
        command += ["--scratch", "/box", "--file-mb", str(self.config.limits.file_mb)]
        return [*command, "--base-uid", str(uid_range(self.slots))] if root else command

    @staticmethod
    def _size(size: int) -> list[str]:
        return ["--size", str(size)] if "--size" in _options() else []


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
