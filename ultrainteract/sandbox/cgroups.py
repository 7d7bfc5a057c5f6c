"""A control group for a worker that no container engine gives one: bounds its memory and its processes as a whole.

Version 1 and 2, as root or where the caller's own group has been delegated to it. Where none can be made, the worker
goes without.
"""

from __future__ import annotations

import contextlib
import secrets
import time
from dataclasses import dataclass
from pathlib import Path

_LIMITS: dict[int, dict[str, tuple[str, ...]]] = {
    1: {"memory": ("memory.limit_in_bytes", "memory.memsw.limit_in_bytes"), "pids": ("pids.max",)},
    2: {"memory": ("memory.max",), "pids": ("pids.max",)},
}
_KILLS = {1: "memory/memory.oom_control", 2: "memory.events"}
"""Where a supervisor looks for what the kernel killed, below /sys/fs/cgroup."""
_OLD_S = 3600.0
ENTER = 'while [ "$1" != -- ]; do echo $$ > "$1" || exit 70; shift; done; shift; exec "$@"'
"""Shell program that puts itself in the groups named before `--` and becomes the command behind it."""


@dataclass(frozen=True)
class ControlGroup:
    """One group, or, in version 1, one for each controller."""

    version: int
    folders: tuple[Path, ...]

    def entered(self, command: list[str]) -> list[str]:
        """The command, run inside."""
        files = [str(folder / "cgroup.procs") for folder in self.folders]
        return ["/bin/sh", "-c", ENTER, "sh", *files, "--", *command]

    def kills(self) -> tuple[Path, str]:
        """The file that counts what the kernel killed for lack of memory, and where a supervisor looks for it."""
        inside = _KILLS[self.version]
        return self.folders[0] / Path(inside).name, f"/sys/fs/cgroup/{inside}"

    def remove(self) -> None:
        """Removes it once it is empty; what is left is removed by whoever owns the group above it."""
        for folder in self.folders:
            with contextlib.suppress(OSError):
                folder.rmdir()


def make(memory_mb: int, processes: int, root: Path = Path("/")) -> ControlGroup | None:
    """Makes a group below the caller's own; None where that cannot be.

    Args:
        memory_mb: Memory of all its processes, MiB.
        processes: Processes and threads.
        root: Where `proc` and `sys` are looked for.
    """
    mounted = root / "sys/fs/cgroup"
    try:
        lines = (root / "proc/self/cgroup").read_text().splitlines()
    except OSError:
        return None
    own = {kinds: path for _, kinds, path in (line.split(":", 2) for line in lines)}
    name = f"ultrainteract-{secrets.token_hex(6)}"
    parents: dict[str, Path]
    if (mounted / "cgroup.controllers").exists():
        version = 2
        parents = {"": mounted / own.get("", "/").lstrip("/")}
    else:
        version = 1
        parents = {kind: mounted / kind / own.get(kind, "/").lstrip("/") for kind in _LIMITS[1]}
    group = ControlGroup(version, tuple(parent / name for parent in parents.values()))
    values = {"memory": memory_mb << 20, "pids": processes}
    try:
        for kind, folder in zip(parents, group.folders, strict=True):
            _remove_left(folder.parent)
            folder.mkdir()
            for controller in [kind] if kind else values:
                first, *optional = _LIMITS[version][controller]
                _set(folder / first, values[controller])
                for more in optional:
                    with contextlib.suppress(OSError):  # swap is not counted everywhere
                        _set(folder / more, values[controller])
    except OSError:
        group.remove()
        return None
    return group


def _remove_left(parent: Path) -> None:
    """Removes empty groups of processes that were killed before they could."""
    for folder in parent.glob("ultrainteract-*"):
        with contextlib.suppress(OSError):
            if time.time() - folder.stat().st_mtime > _OLD_S:
                folder.rmdir()


def _set(file: Path, value: int) -> None:
    with file.open("r+") as opened:  # the kernel makes these files; none is created here
        opened.write(str(value))
