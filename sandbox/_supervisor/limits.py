"""When an execution has had enough: of time, of CPU, of memory, of processes, of room in shared directories."""

from __future__ import annotations

from .slot import Run, Slot
from .watch import Usage, Wanted, Watcher, run_delay

PATIENCE = 4
"""Times its limit that an execution may take on the wall while it waits for a CPU."""
START_S = 30.0
"""Seconds in which a child must have started the request that it was given."""
MAX_TOOL_WAIT_S = 600.0
"""Seconds that an execution may wait for its tools, all calls together."""
MAX_UNSEEN = 40
"""Times in a row that an execution may fail to be looked at before it is ended."""
Excess = tuple[str, str]
"""Status and detail."""


def wanted(slots: list[Slot]) -> list[Wanted]:
    """What to ask the watcher about these slots."""
    found = []
    for slot in slots:
        run = slot.run
        if run is not None:
            slot.latch_start(run)
            found.append(Wanted(slot.index, slot.pid, run.inherited, run.memory << 20, run.looks))
            run.looks += 1
    return found


def excess(slot: Slot, run: Run, usage: Usage, watcher: Watcher, now: float, shares: bool) -> Excess | None:
    """Why a run has to end; None if it may go on.

    Args:
        slot: Its slot.
        run: The run.
        usage: What its processes use.
        watcher: Looks at shared directories.
        now: Monotonic time.
        shares: The slot has no /tmp of its own.
    """
    if not run.started:
        return ("fault", "the child did not start") if now - run.dispatched > START_S else None
    if usage.main:
        run.pid = usage.main
    if usage.memory > run.memory << 20:
        return "memory", f"more than {run.memory} MiB were used"
    if usage.cpu > run.cpu + 1:
        return "timeout", f"more than {run.cpu:g} s of CPU time were used"
    if len(usage.pids) > run.processes + 2:  # the kernel's own limit comes first, where it has one
        return "killed", f"more than {run.processes} processes were running"
    if shares and watcher.disk_full(slot.index):
        return "killed", "the shared temporary directories were filled"
    return _overtime(run, now, usage.cpu)


def _overtime(run: Run, now: float, cpu: float) -> Excess | None:
    """A run's own time; what it spent waiting for a CPU or for a tool is not its own."""
    tool = run.tool_wait + (now - run.tool_since if run.tool_since else 0.0)
    if tool > MAX_TOOL_WAIT_S:
        return "timeout", f"its tools took more than {MAX_TOOL_WAIT_S:g} s"
    elapsed = now - run.started - tool
    if elapsed < run.wall:
        return None
    over = "timeout", f"the time limit of {run.wall:g} s passed"
    if elapsed - run_delay(run.pid) >= run.wall:
        return over
    if elapsed <= PATIENCE * run.wall + 6:
        return None
    if cpu < 0.5 * run.wall:
        return "fault", f"the machine is overloaded: {cpu:.1f} s of CPU in {elapsed:.1f} s"
    return over
