"""What executions use while they run: memory and CPU of all their processes, and the shared directories."""

from __future__ import annotations

import os
from dataclasses import dataclass

from .layout import Layout

PAGE = os.sysconf("SC_PAGE_SIZE")
TICKS = os.sysconf("SC_CLK_TCK")
SHARED = ("/tmp", "/dev/shm")
_FULL = 0.5
"""Share of a shared directory one execution may fill."""
_INODES = 20_000
_COUNTERS = (
    ("/sys/fs/cgroup/memory.events", "oom_kill"),
    ("/sys/fs/cgroup/memory/memory.oom_control", "oom_kill"),
)


@dataclass(frozen=True)
class Wanted:
    """An execution to look at."""

    slot: int
    pid: int
    """Its child, where executions do not differ by user."""
    inherited: int
    """Bytes that a process of it has from its zygote, which are not counted."""


@dataclass
class Usage:
    """Sums over the processes of one execution."""

    inherited: int
    memory: int = 0
    cpu: float = 0.0
    main: int = 0
    """In a process namespace, the program's own process."""


class Watcher:
    """Reads /proc for the processes of slots."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.kills = _oom_kills()

    def usage(self, wanted: list[Wanted]) -> dict[int, Usage]:
        """Usage of each slot."""
        found = {one.slot: Usage(one.inherited) for one in wanted}
        base = self.layout.base_uid
        if base is not None:
            owners = {base + slot: usage for slot, usage in found.items()}
            for name in os.listdir("/proc"):
                if name.isdigit():
                    try:
                        usage = owners.get(os.stat(f"/proc/{name}").st_uid)
                    except OSError:
                        continue
                    if usage is not None:
                        _add(usage, name)
            return found
        parents, _ = processes()
        for one in wanted:
            if one.pid:
                for pid in descendants({one.pid}, parents) - {one.pid}:
                    _add(found[one.slot], str(pid))
                    if parents[pid] == one.pid and not found[one.slot].main:
                        found[one.slot].main = pid
        return found

    def disk_full(self, slot: int) -> bool:
        """True where the slot's owner filled a directory that it shares with others."""
        uid = self.layout.uid(slot)
        if uid is None:
            return False
        for path in SHARED:
            try:
                space = os.statvfs(path)
            except FileNotFoundError:
                continue
            full = space.f_blocks and space.f_bfree < (1 - _FULL) * space.f_blocks
            if (full or space.f_files - space.f_ffree > _INODES) and _owns(path, uid):
                return True
        own = os.statvfs(self.layout.directory(slot))
        return own.f_files - own.f_ffree > _INODES

    def out_of_memory(self) -> bool:
        """True if the kernel killed something in this container for lack of memory since the last call."""
        before, self.kills = self.kills, _oom_kills()
        return self.kills > before


def _add(usage: Usage, pid: str) -> None:
    try:
        with open(f"/proc/{pid}/status") as status, open(f"/proc/{pid}/stat") as stat:
            usage.memory += max(0, _private(status.read()) - usage.inherited)
            fields = stat.read().rpartition(")")[2].split()
    except OSError:
        return
    usage.cpu += sum(map(int, fields[11:15])) / TICKS


def _private(status: str) -> int:
    total = 0
    for line in status.splitlines():
        if line.startswith(("RssAnon:", "RssShmem:")):
            total += int(line.split()[1]) << 10
    return total


def _owns(path: str, uid: int) -> bool:
    return any(entry.stat(follow_symlinks=False).st_uid == uid for entry in os.scandir(path))


def processes() -> tuple[dict[int, int], dict[int, int]]:
    """Parent and session of every process."""
    parents: dict[int, int] = {}
    sessions: dict[int, int] = {}
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            with open(f"/proc/{name}/stat") as file:
                fields = file.read().rpartition(")")[2].split()
        except OSError:
            continue
        parents[int(name)], sessions[int(name)] = int(fields[1]), int(fields[3])
    return parents, sessions


def descendants(roots: set[int], parents: dict[int, int]) -> set[int]:
    """The roots and all below them."""
    found = set(roots)
    while True:
        more = {pid for pid, parent in parents.items() if parent in found} - found
        if not more:
            return found
        found |= more


def run_delay(pid: int) -> float:
    """Seconds for which a process was ready to run and had no CPU."""
    try:
        with open(f"/proc/{pid}/schedstat") as file:
            return int(file.read().split()[1]) / 1e9
    except (OSError, IndexError, ValueError):
        return 0.0


def _oom_kills() -> int:
    for path, key in _COUNTERS:
        try:
            with open(path) as file:
                for line in file:
                    name, _, value = line.partition(" ")
                    if name == key:
                        return int(value)
        except OSError:
            continue
    return 0
