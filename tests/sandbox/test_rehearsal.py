"""Pages that a fork copies at once: a child then has few page faults, and knows nothing of how it came to that."""

from __future__ import annotations

import ctypes
import importlib
import os
import sys

import pytest

from ultrainteract.sandbox.image import program_directory
from ultrainteract.sandbox.pool import Pool

_IO_URING_SETUP = 425
FAULTS = "import resource\nresource.getrusage(resource.RUSAGE_SELF).ru_minflt"
OPEN = """
import os
found = []
for number in os.listdir("/proc/self/fd"):
    try:
        found.append(os.readlink(f"/proc/self/fd/{number}"))
    except OSError:  # that of the listing
        pass
found
"""
STOPPED = (
    "import os\n[open(f'/proc/{pid}/stat').read().split()[2] for pid in os.listdir('/proc') if pid.isdigit()]"
)


def io_uring_works() -> bool:
    ring = ctypes.CDLL(None).syscall(_IO_URING_SETUP, 1, ctypes.create_string_buffer(120))
    if ring >= 0:
        os.close(ring)
    return ring >= 0


@pytest.mark.asyncio(loop_scope="module")
async def test_a_child_writes_to_few_pages_that_it_shares(sandbox: Pool) -> None:
    if sandbox.kind != "bubblewrap" or os.geteuid() != 0 or not io_uring_works():
        pytest.skip(
            "only root's fork servers hold pages, where the kernel lets them; an engine may forbid it"
        )
    found = [await sandbox.run([FAULTS]) for _ in range(5)]
    assert all(int(result.value or "1000") < 120 for result in found), found


@pytest.mark.asyncio(loop_scope="module")
async def test_nothing_of_a_rehearsal_is_left(sandbox: Pool) -> None:
    for library in ("", "import numpy\n", "import sympy\n", "import pandas\n"):
        opened = await sandbox.run([library + OPEN])
        assert opened.status == "ok"
        assert "io_uring" not in (opened.value or ""), opened
        states = await sandbox.run([library + STOPPED])
        assert "'T'" not in (states.value or ""), states


def test_pages_are_held_by_their_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(program_directory()))
    try:
        ranges = importlib.import_module("_supervisor.rehearsal")._ranges
        assert list(ranges([])) == []
        assert list(ranges([7])) == [(7, 8)]
        assert list(ranges([3, 4, 5, 8, 9])) == [(3, 6), (8, 10)]
    finally:
        for name in [name for name in sys.modules if name.partition(".")[0] == "_supervisor"]:
            del sys.modules[name]
