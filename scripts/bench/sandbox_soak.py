"""Many mixed executions, one in twenty hostile, while things break: no worker dies, no status is wrong, nothing grows.

`--kill S` kills a waiting child every S seconds and a whole worker every 200 S; `--inject RATE` runs a build of the
supervisor in which that share of its system calls fail (bubblewrap only). Needs root for both. Counts, at the end:

* `wrong`: executions whose status or output is not that of their program;
* `faults`: executions that ended as a fault of the sandbox after all attempts (those of quarantined programs, too);
* `deaths`: workers lost that this script did not kill;
* `growth_*`: after the second tenth of the executions against the end: processes and descriptors of this machine's
  sandboxes, memory of the host process and of the sandboxes.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import os
import random
import signal
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from _injection import build
from _report import finish

from ultrainteract.config import Limits, SandboxConfig
from ultrainteract.sandbox import bubblewrap, docker, open_sandbox
from ultrainteract.sandbox.base import Execution
from ultrainteract.sandbox.pool import Pool
from ultrainteract.schema import TestCase, TestSuite

LIMITS = Limits(wall_s=4, cpu_s=4, memory_mb=256)
SHORT = Limits(wall_s=0.5, cpu_s=0.5, memory_mb=128)
HOSTILE_SHARE = 20
"""One execution in so many is hostile."""
WORKER_EVERY = 200
"""Kills of which one is of a worker."""
LIGHT, LIGHT_SHARE = 5, 0.7
"""How many programs, the first, take next to no time, and how often one of these is taken."""


@dataclass(frozen=True)
class Program:
    """A program and what is right."""

    code: str
    statuses: tuple[str, ...]
    shown: str | None = None
    """Its whole text, where that is known."""
    limits: Limits = LIMITS


def ok(code: str, shown: str) -> Program:
    """One that ends well."""
    return Program(code, ("ok",), shown)


ORDINARY = (
    ok("print(1 + 1)", "2"),
    ok("sum(range(1000))", "499500"),
    ok("x = [i * i for i in range(50)]\nx[-1]", "2401"),
    ok("open('/tmp/data.txt', 'w').write('mine')\nprint(open('/tmp/data.txt').read())", "mine"),
    ok("open('data.txt', 'w').write('mine')\nimport os\nos.listdir('.')", "['data.txt']"),
    ok("import numpy as np\nint(np.arange(10).sum())", "45"),
    ok("import sympy\nx = sympy.Symbol('x')\nprint(sympy.solve(x**2 - 5 * x + 6, x))", "[2, 3]"),
    ok("import time\ntime.sleep(0.1)\n'slept'", "'slept'"),
    ok("import threading\nt = threading.Thread(target=print, args=(0,))\nt.start()\nt.join()", "0"),
    ok(
        "from multiprocessing import Pool\ndef f(x): return x * x\nwith Pool(2) as p: r = p.map(f, range(4))\nr",
        "[0, 1, 4, 9]",
    ),
    ok("import subprocess, sys\nsubprocess.check_output([sys.executable, '-c', 'print(7)'])", "b'7\\n'"),
    Program("1 / 0", ("error",), "Cell In[1], line 1\n    1 / 0\nZeroDivisionError: division by zero"),
    Program("import sys\nsys.exit(3)", ("error",)),
    Program("while True: pass", ("timeout",), limits=SHORT),
    Program("x = bytearray(1 << 30)", ("memory",), limits=SHORT),
)  # fmt: skip
HOSTILE = (
    Program("import os\nos.kill(os.getpid(), 40)", ("killed",)),
    Program("import os\nos.kill(-1, 9)\n1", ("ok", "killed")),
    Program(
        "import os\nwhile True:\n    try: os.fork()\n    except OSError: pass", ("timeout", "killed"), limits=SHORT
    ),
    Program("x = []\nwhile True: x.append(bytearray(1 << 22))", ("memory", "timeout"), limits=SHORT),
    Program("import os\nwhile True: os.write(1, b'x' * 65536)", ("output_limit",)),
    Program("import os\nos.closerange(0, 100)\nos._exit(0)", ("ok",)),
    Program("import os, signal\nos.kill(os.getpid(), signal.SIGSTOP)", ("timeout",), limits=SHORT),
    Program("import os\nfor n in range(10**6): open(f'/tmp/\\udcff{n}', 'w')", ("error", "timeout")),
    Program("import os\nfor _ in range(500):\n    os.mkdir('d')\n    os.chdir('d')", ("ok",)),
    Program("class E(Exception):\n    __traceback__ = property(lambda s: 1 / 0)\nraise E('x')", ("error",)),
    Program("import os\nif os.fork() == 0:\n    os.setsid()\n    import time\n    time.sleep(600)\n1", ("ok",), "1"),
    Program("import ctypes\nctypes.string_at(0)", ("killed",)),
    Program(
        "import mmap, time\nm = [mmap.mmap(-1, 100 << 20) for _ in range(2)]\nfor x in m:\n"
        "    for i in range(0, 100 << 20, 1 << 20): x[i:i + (1 << 20)] = b'x' * (1 << 20)\ntime.sleep(9)",
        ("memory", "error"),
        limits=SHORT.model_copy(update={"wall_s": 5.0}),
    ),
)  # fmt: skip
SUITE = TestSuite(cases=tuple(TestCase(input=f"{n}\n", expected=f"{n * n}\n") for n in range(4)))


class Soak:
    """One run of the soak."""

    def __init__(self, pool: Pool, seed: int) -> None:
        self.pool = pool
        self.random = random.Random(seed)
        self.counts: Counter[str] = Counter()
        self.wrong: list[str] = []
        self.faults: Counter[str] = Counter()
        self.lost = 0
        self.killed_workers = 0
        self.killed_children = 0
        discard = pool._discard

        async def counted(worker: object) -> None:
            self.lost += worker in pool._workers
            await discard(worker)  # type: ignore[arg-type]

        pool._discard = counted  # type: ignore[method-assign, assignment]

    async def one(self) -> None:
        """One execution, or one request of a few tests."""
        if self.random.randrange(10) == 0:
            report = await self.pool.run_tests("print(int(input()) ** 2)", SUITE)
            self.counts["tests"] += 1
            if report.fault:
                self.faults[report.results[-1].error] += 1
            elif not report.passed:
                self.wrong.append(repr(report)[:600])
            return
        hostile = self.random.randrange(HOSTILE_SHARE) == 0
        light = not hostile and self.random.random() < LIGHT_SHARE
        program = self.random.choice(HOSTILE if hostile else ORDINARY[:LIGHT] if light else ORDINARY)
        found = await self.pool.run([program.code], limits=program.limits)
        self.counts["hostile" if hostile else "ordinary"] += 1
        self._look(program, found)

    def _look(self, program: Program, found: Execution) -> None:
        if found.status == "fault":
            self.faults[found.text[:120]] += 1
        elif found.status not in program.statuses or (
            program.shown is not None and found.text != program.shown
        ):
            self.wrong.append(f"{program.code[:80]!r}: {found!r}"[:600])

    async def run(self, executions: int, concurrency: int) -> dict[str, int]:
        """All executions; returns what the sandboxes held when a fifth of them was over."""
        left = iter(range(executions))
        early: dict[str, int] = {}

        async def work() -> None:
            for number in left:
                if number == executions // 5:
                    early.update(held())
                await self.one()

        async with asyncio.TaskGroup() as group:
            for _ in range(concurrency):
                group.create_task(work())
        return early

    async def kill(self, every_s: float) -> None:
        """Kills waiting children and, now and then, a worker."""
        turn = 0
        while True:
            await asyncio.sleep(every_s)
            turn += 1
            if turn % WORKER_EVERY == 0:
                supervisors = [pid for pid in ours() if parent(pid) not in ours()]
                if supervisors:
                    self.killed_workers += 1
                    end(self.random.choice(supervisors))
            else:
                waiting = [pid for pid in ours() if waits(pid)]
                if waiting:
                    self.killed_children += await end_waiting(self.random.choice(waiting))


class Counted(logging.Handler):
    """Counts the last lines of what is logged."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: Counter[str] = Counter()

    def emit(self, record: logging.LogRecord) -> None:
        """Called by `logging`."""
        self.lines[record.getMessage().strip().splitlines()[-1][:100]] += 1


bases: set[bytes] = set()
"""First user ids of the workers of this process, by which their processes are known."""


def remember_bases() -> None:
    """Has every worker's first user id kept."""
    given = bubblewrap.uid_range

    def remembered(slots: int) -> int:
        base = given(slots)
        bases.add(b"--base-uid\0%d\0" % base)
        return base

    bubblewrap.uid_range = docker.uid_range = remembered


def ours() -> set[int]:
    """Processes of this process's sandboxes; others on this machine are none of its business."""
    found = set()
    for name in os.listdir("/proc"):
        try:
            if not name.isdigit():
                continue
            command = Path(f"/proc/{name}/cmdline").read_bytes()
            if any(base in command for base in bases) and not os.readlink(f"/proc/{name}/exe").endswith(
                "bwrap"
            ):
                found.add(int(name))
        except OSError:
            continue
    return found


def _field(pid: int, path: str, read: Callable[[str], str], otherwise: str) -> str:
    try:
        return read(Path(f"/proc/{pid}/{path}").read_text(errors="replace"))
    except (OSError, IndexError):
        return otherwise


def parent(pid: int) -> int:
    """Parent of a process."""
    return int(_field(pid, "stat", lambda text: text.rpartition(")")[2].split()[1], "0"))


def waits(pid: int) -> bool:
    """True for a child, of a user of its own, that has not been given a request: it reads its control socket."""
    user = int(_field(pid, "status", lambda text: text.split("Uid:")[1].split()[0], "0"))
    where = _field(pid, "wchan", str, "")
    return user >= 10_000 and "unix_stream" in where


async def end_waiting(pid: int) -> bool:
    """Kills a child that still waits: one that has got a request meanwhile has a limit of CPU time, and goes on.

    It is stopped first, so that it cannot start its request between the look and the kill.
    """
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGSTOP)
        while _field(pid, "stat", lambda text: text.rpartition(")")[2].split()[0], "X") not in "TXZ":
            await asyncio.sleep(0)
        limit = _field(pid, "limits", lambda text: text.split("Max cpu time")[1].split()[0], "gone")
        os.kill(pid, signal.SIGKILL if limit == "unlimited" else signal.SIGCONT)
        return limit == "unlimited"
    return False


def end(pid: int) -> None:
    """Kills a process, if it is still there."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def held() -> dict[str, int]:
    """Processes, descriptors and resident memory (MiB) of the sandboxes, and this process's memory."""
    found = {"processes": 0, "descriptors": 0, "sandbox_mib": 0, "host_mib": 0}
    for pid in ours():
        found["processes"] += 1
        try:
            found["descriptors"] += len(os.listdir(f"/proc/{pid}/fd"))
        except OSError:
            continue
        found["sandbox_mib"] += (
            int(_field(pid, "status", lambda t: t.split("RssAnon:")[1].split()[0], "0")) >> 10
        )
    found["host_mib"] = (
        int(_field(os.getpid(), "status", lambda t: t.split("VmRSS:")[1].split()[0], "0")) >> 10
    )
    return found


async def soak(options: argparse.Namespace) -> dict[str, float]:
    """Opens the pool and runs everything."""
    remember_bases()
    said = Counted()
    logging.getLogger("ultrainteract").addHandler(said)
    logging.getLogger("ultrainteract").propagate = not options.inject
    config = SandboxConfig(
        kind=options.backend, image=options.image, containers=1, concurrency=options.concurrency
    )
    pool = open_sandbox(config, run_id="soak")
    assert isinstance(pool, Pool)
    run = Soak(pool, options.seed)
    started = time.monotonic()
    async with pool:
        killer = asyncio.create_task(run.kill(options.kill)) if options.kill else None
        early = await run.run(options.executions, options.concurrency)
        if killer is not None:
            killer.cancel()
        await asyncio.sleep(1)
        late = held()
    for text in run.wrong[:20]:
        print("wrong:", text)
    print("log:", dict(said.lines.most_common(10)))
    print("faults:", dict(run.faults.most_common(10)))
    print("executions:", dict(run.counts), f"{time.monotonic() - started:.0f} s")
    print("killed:", run.killed_children, "waiting children,", run.killed_workers, "workers; lost:", run.lost)
    print("held early:", early, "late:", late)
    return {
        "executions": sum(run.counts.values()),
        "wrong": len(run.wrong),
        "faults": sum(run.faults.values()),
        "deaths": max(0, run.lost - run.killed_workers),
        "quarantined": pool.quarantine.count,
        **{f"growth_{name}": late[name] / max(1, early.get(name, 0)) for name in late},
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--backend", choices=("docker", "bubblewrap"), default="bubblewrap")
    parser.add_argument("--image", default=os.environ.get("ULTRAINTERACT_IMAGE", SandboxConfig().image))
    parser.add_argument("--executions", type=int, default=50_000)
    parser.add_argument("--concurrency", type=int, default=16)
    parser.add_argument("--kill", type=float, default=0.0, help="seconds between kills; 0 for none")
    parser.add_argument(
        "--inject", type=float, default=0.0, help="share of the supervisor's system calls that fail"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--check", action="store_true", help="exit with 1 below a target")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if options.inject:
            if options.backend != "bubblewrap":
                parser.error("--inject goes with --backend bubblewrap")
            program = build(Path(folder), options.inject, options.seed)
            subprocess.run(["chmod", "-R", "a+rX", folder], check=True)
            bubblewrap.program_directory = lambda: program
        found = asyncio.run(soak(options))
    targets = dict.fromkeys(("wrong", "deaths", "quarantined"), ("<=", 0.0))
    targets["faults"] = ("<=", 0.001 * options.executions if options.kill or options.inject else 0.0)
    if options.executions >= 10_000:  # a shorter run has not seen all its fork servers early on
        targets |= {
            f"growth_{name}": ("<=", 1.5) for name in ("processes", "descriptors", "sandbox_mib", "host_mib")
        }
    finish(found, targets, check=options.check)


if __name__ == "__main__":
    main()
