"""What executions use while they run: memory, CPU and processes, and the directories that they share.

Everything here is read from /proc, about processes that may end at any moment or not want to be read. A process that
has vanished uses nothing. One whose memory maps cannot be read is taken at its resident size.
"""

from __future__ import annotations

import mmap
import os
from collections.abc import Iterable
from dataclasses import dataclass, field

from .layout import Layout

PAGE = os.sysconf("SC_PAGE_SIZE")
TICKS = os.sysconf("SC_CLK_TCK")
SHARED = ("/tmp", "/dev/shm")
_FULL = 0.5
"""Share of a shared directory one execution may fill."""
_INODES = 20_000
_MAPS_EVERY = 5
"""The maps of an execution's processes are read at each so many looks at it, and when it seems to use too much."""
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
    limit: int
    """Bytes that it may use."""
    looks: int
    """Times that it was looked at before."""


@dataclass
class Usage:
    """Sums over the processes of one execution."""

    memory: int = 0
    """Bytes."""
    cpu: float = 0.0
    """Seconds, of the processes that are there."""
    main: int = 0
    """In a process namespace, the program's own process."""
    pids: list[int] = field(default_factory=list)


class Watcher:
    """Reads /proc for the processes of slots.

    Args:
        layout: The layout.
        regions: Inode numbers of the supervisor's own shared memory, which is no program's.
    """

    def __init__(self, layout: Layout, regions: Iterable[int]) -> None:
        self.layout = layout
        self.kills = _oom_kills()
        self.regions = frozenset(regions)
        self.shared_device = _device_of_shared_memory()

    def usage(self, wanted: list[Wanted]) -> dict[int, Usage]:
        """Usage of each slot."""
        found = {one.slot: Usage() for one in wanted}
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
                        usage.pids.append(int(name))
        else:
            parents, _ = processes()
            for one in wanted:
                usage = found[one.slot]
                if one.pid:
                    usage.pids = sorted(descendants({one.pid}, parents) - {one.pid})
                    usage.main = next((pid for pid in usage.pids if parents[pid] == one.pid), 0)
        for one in wanted:
            self._sum(one, found[one.slot])
        return found

    def _sum(self, one: Wanted, usage: Usage) -> None:
        resident = 0
        for pid in usage.pids:
            cpu = _cpu(pid)
            if cpu is not None:
                usage.cpu += cpu
                resident += max(0, _resident(pid) - one.inherited)
        usage.memory = resident
        if resident > one.limit or one.looks % _MAPS_EVERY == 0:
            usage.memory = self._memory(usage.pids, one.inherited, resident)

    def _memory(self, pids: list[int], inherited: int, resident: int) -> int:
        """Bytes that an execution keeps from others.

        Memory that processes share after a fork counts once. Shared memory without a name (an anonymous shared map)
        counts with its whole size, and once: the kernel does not say how much of it is there while no process has
        touched it, so what was put there by a process that is gone would otherwise count nowhere.
        """
        own, shared = 0, dict[int, int]()
        for pid in pids:
            try:
                own += _proportional(pid)
                self._shared_maps(pid, shared)
            except (FileNotFoundError, ProcessLookupError):
                continue
            except (OSError, ValueError, IndexError):
                return max(resident, own - inherited + sum(shared.values()))
        return max(0, own - inherited) + sum(shared.values())

    def _shared_maps(self, pid: int, found: dict[int, int]) -> None:
        """Adds the size of each anonymous shared map by its inode."""
        with open(f"/proc/{pid}/maps", "rb") as maps:
            for line in maps:
                if line[line.index(b" ") + 4] != ord("s"):
                    continue
                span, _, offset, device, inode = line.split(maxsplit=5)[:5]
                number = int(inode)
                if device != self.shared_device or number in self.regions:
                    continue
                low, _, high = span.partition(b"-")
                end = int(offset, 16) + int(high, 16) - int(low, 16)
                found[number] = max(found.get(number, 0), end)

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
        """True if the kernel killed something in this container for lack of memory; each such kill is told once."""
        if _oom_kills() <= self.kills:
            return False
        self.kills += 1
        return True


def _device_of_shared_memory() -> bytes:
    """The device, as maps show it, on which anonymous shared maps lie."""
    probe = mmap.mmap(-1, PAGE)
    try:
        with open("/proc/self/maps", "rb") as maps:
            return next((line.split()[3] for line in maps if b"/dev/zero" in line), b"")
    finally:
        probe.close()


def _cpu(pid: int) -> float | None:
    """CPU seconds of a process and of those of its children it has waited for; None if it is gone."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as stat:
            fields = stat.read().rpartition(b")")[2].split()
        return sum(map(int, fields[11:15])) / TICKS
    except (OSError, ValueError):
        return None


def _resident(pid: int) -> int:
    """Bytes of memory without a file that a process has mapped; nothing if it is gone."""
    try:
        with open(f"/proc/{pid}/status", "rb") as status:
            text = status.read()
    except OSError:
        return 0
    return _sum_of(text, b"RssAnon:", b"RssShmem:")


def _proportional(pid: int) -> int:
    """The same, less what it shares with processes: each gets its share."""
    with open(f"/proc/{pid}/smaps_rollup", "rb") as rollup:
        return _sum_of(rollup.read(), b"Pss_Anon:")


def _sum_of(text: bytes, *names: bytes) -> int:
    return sum(int(line.split()[1]) << 10 for line in text.splitlines() if line.startswith(names))


def _owns(path: str, uid: int) -> bool:
    for entry in os.scandir(path):
        try:
            if entry.stat(follow_symlinks=False).st_uid == uid:
                return True
        except FileNotFoundError:
            continue
    return False


def processes() -> tuple[dict[int, int], dict[int, int]]:
    """Parent and session of every process."""
    parents: dict[int, int] = {}
    sessions: dict[int, int] = {}
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            with open(f"/proc/{name}/stat", "rb") as file:
                fields = file.read().rpartition(b")")[2].split()
            parents[int(name)], sessions[int(name)] = int(fields[1]), int(fields[3])
        except (OSError, IndexError, ValueError):
            continue
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
        with open(f"/proc/{pid}/schedstat", "rb") as file:
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
        except (OSError, ValueError):
            continue
    return 0
