"""How an execution ended: from the kernel's word and the supervisor's own, never from what the program says."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

from .layout import ABSENT, ANSWER, ERROR, MEMORY, OK

if TYPE_CHECKING:
    from .slot import Run

NOTHING: list[bytes | None] = [None] * 4
"""In place of value, traceback, error type and binary data where a child gave no answer."""
_STATUS_OF = {OK: "ok", ERROR: "error", MEMORY: "memory"}
Verdict = tuple[str, list[bytes | None], str]
"""Status, value and the rest, and the detail."""


def verdict(run: Run, region: memoryview | bytes, status: int, cpu: float, out_of_memory: bool) -> Verdict:
    """What is reported of an execution.

    Args:
        run: The execution, its output read to the end.
        region: The slot's shared memory, which holds its answer if there is one.
        status: Its wait status.
        cpu: CPU seconds that it used.
        out_of_memory: The kernel killed something of this sandbox for lack of memory.
    """
    if not run.started:
        return "fault", NOTHING, run.detail or f"the child ended before it started ({status})"
    outcome, parts = _answer(run, region)
    if run.killed:
        # It may have come to its end in time, and waited for somebody to notice on a busy machine.
        finished = run.killed == "timeout" and (outcome == OK or _exited_with(status, outcome))
        if not finished or outcome is None:
            return run.killed, NOTHING, run.detail
        return _STATUS_OF[outcome], parts, ""
    if run.wrote_too_much:
        return "output_limit", NOTHING, run.output_detail
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        if number == signal.SIGXCPU or (number == signal.SIGKILL and cpu >= run.cpu):
            return "timeout", NOTHING, f"more than {run.cpu:g} s of CPU time were used"
        if number == signal.SIGKILL and out_of_memory:
            return "memory", NOTHING, "the sandbox ran out of memory"
        return "killed", NOTHING, f"signal {signal_name(number)}"
    if outcome is not None and _exited_with(status, outcome):
        return _STATUS_OF[outcome], parts, ""
    code = os.WEXITSTATUS(status)
    return ("ok" if code == 0 else "error"), NOTHING, f"the process exited with code {code}"


def _exited_with(status: int, outcome: int | None) -> bool:
    """True where a process ended by itself, with the code that goes with its answer."""
    return os.WIFEXITED(status) and os.WEXITSTATUS(status) == outcome


def signal_name(number: int) -> str:
    """The name of a signal; real-time signals are counted from the first."""
    try:
        return signal.Signals(number).name
    except ValueError:
        first = int(signal.SIGRTMIN)
        return f"SIGRTMIN+{number - first}" if number > first else str(number)


def _answer(run: Run, region: memoryview | bytes) -> tuple[int | None, list[bytes | None]]:
    nonce, outcome, *sizes = ANSWER.unpack(region[: ANSWER.size])
    if nonce != run.nonce or outcome not in (OK, ERROR, MEMORY):
        return None, NOTHING
    parts: list[bytes | None] = []
    at = ANSWER.size
    for size in sizes:
        if size == ABSENT:
            parts.append(None)
            continue
        if size > run.output + 1:
            return None, NOTHING
        parts.append(bytes(region[at : at + size]))
        at += size
    return outcome, parts
