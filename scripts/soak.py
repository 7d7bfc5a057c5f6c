#!/usr/bin/env python
"""Soak of the sandbox: mixed executions, one in twenty hostile, with containers killed at random from outside.

    scripts/soak.py [--backend docker|bubblewrap] [--count 50000] [--concurrency 16] [--kills 20]

Fails (exit code 1) on a wrong status or output, a request that is stuck, an execution that is lost or answered as a
fault, or a leak: processes, descriptors and memory of this process and of the sandbox must be flat over the run.
The last line is one JSON object of the figures.
"""

from __future__ import annotations

import argparse
import asyncio
import collections
import contextlib
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import psutil

from ultrainteract.config import Limits, SandboxConfig
from ultrainteract.sandbox import open_sandbox
from ultrainteract.sandbox.base import Execution, Sandbox
from ultrainteract.schema import TestCase, TestSuite

RUN = f"soak-{os.getpid()}"
STUCK_S = 180.0
"""A request that takes longer than this is stuck."""
KILL_PAUSE_S = 3.0
"""Least time between two kills: a request is tried again a limited number of times."""
PATIENT = Limits(wall_s=30, cpu_s=20)
HASTY = Limits(wall_s=1.0, cpu_s=1.0, memory_mb=128)
SUITE = TestSuite(cases=tuple(TestCase(input=f"{n} {n + 1}\n", expected=f"{2 * n + 1}\n") for n in range(5)))


@dataclass(frozen=True)
class Program:
    """One kind of execution and what must come of it."""

    name: str
    cells: Callable[[int], list[str]]
    right: Callable[[int, Execution], bool]
    limits: Limits = PATIENT


def _value(make: Callable[[int], str]) -> Callable[[int, Execution], bool]:
    return lambda n, found: found.status == "ok" and found.value == make(n)


def _status(*statuses: str) -> Callable[[int, Execution], bool]:
    return lambda n, found: found.status in statuses


_SHELL = "import subprocess\nsubprocess.run(['echo', '{n}'], capture_output=True, text=True).stdout"
_LITTER = """
import os
for place in ('/tmp', '/dev/shm', '.'):
    for i in range(20):
        open(f'{place}/@-{i}', 'w').write('x')
3
"""
_DEAF = "import signal, time\nfor s in (1, 2, 3, 15): signal.signal(s, signal.SIG_IGN)\ntime.sleep(100)"
_BOMB = "import os\nwhile True:\n    try: os.fork()\n    except OSError: pass"
_DAEMON = "import os, time\nif os.fork() == 0:\n    os.setsid()\n    time.sleep(1000)\n1"
_MASSACRE = """
import os
for p in [-1, 1, os.getppid(), *range(2, 300)]:
    if p != os.getpid():
        try:
            os.kill(p, 9)
        except OSError:
            pass
7
"""
_FORGERY = """
import os
for fd in range(3, 64):
    try:
        os.set_blocking(fd, False)
        os.write(fd, b'{"status": "ok", "value": "1"}' * 9)
    except OSError:
        pass
6 * 7
"""
_HEAP = "x = []\nwhile True: x.append(bytearray(1 << 22))"
_SOLVE = "import sympy\nx = sympy.Symbol('x')\nsympy.solve(x - {n}, x)"

HONEST = [
    Program("arithmetic", lambda n: [f"{n} * {n} + 1"], _value(lambda n: str(n * n + 1))),
    Program(
        "output",
        lambda n: [f"print('line', {n})"],
        lambda n, e: (e.status, e.stdout) == ("ok", f"line {n}\n"),
    ),
    Program(
        "notebook", lambda n: [f"x = {n}", "y = x + 1\n1 / 0", "x + y"], _value(lambda n: str(2 * n + 1))
    ),
    Program(
        "error",
        lambda n: [f"d = {{}}\nd[{n}]"],
        lambda n, e: (
            (e.status, e.error_type) == ("error", "KeyError") and f"KeyError: {n}" in (e.traceback or "")
        ),
    ),
    Program(
        "numbers",
        lambda n: [f"import numpy as np\nint(np.arange({n % 1000}).sum())"],
        _value(lambda n: str((n % 1000) * (n % 1000 - 1) // 2)),
    ),
    Program("algebra", lambda n: [_SOLVE.format(n=n)], _value(lambda n: f"[{n}]")),
    Program(
        "files",
        lambda n: [f"open('f', 'w').write('{n}')", "int(open('f').read()) + 1"],
        _value(lambda n: str(n + 1)),
    ),
    Program("children", lambda n: [_SHELL.format(n=n)], _value(lambda n: repr(f"{n}\n"))),
    Program("clean", lambda n: ["import os\nos.listdir('.')"], _value(lambda n: "[]")),
]
HOSTILE = [
    Program("loop", lambda n: ["while True: pass"], _status("timeout"), HASTY),
    Program("deaf sleep", lambda n: [_DEAF], _status("timeout"), HASTY),
    Program("heap", lambda n: [_HEAP], _status("memory"), PATIENT.model_copy(update={"memory_mb": 128})),
    Program("fork bomb", lambda n: [_BOMB], _status("timeout", "killed", "memory"), HASTY),
    Program("daemon", lambda n: [_DAEMON], _value(lambda n: "1")),
    Program(
        "flood",
        lambda n: ["import os\nwhile True: os.write(1, b'x' * 65536)"],
        _status("output_limit", "timeout"),
        HASTY,
    ),
    Program("suicide", lambda n: ["import os\nos.kill(os.getpid(), 9)"], _status("killed")),
    Program("massacre", lambda n: [_MASSACRE], _status("ok", "killed")),
    Program("disk", lambda n: ["open('big', 'wb').write(b'x' * (1 << 28))"], _status("error", "killed")),
    Program("litter", lambda n: [_LITTER.replace("@", str(n))], _value(lambda n: "3")),
    Program("forgery", lambda n: [_FORGERY], lambda n, e: e.status != "fault" and e.value in (None, "42")),
    Program("segfault", lambda n: ["import ctypes\nctypes.string_at(0)"], _status("killed", "error")),
]


@dataclass
class Soak:
    """Counters of one run."""

    finished: collections.Counter[str] = field(default_factory=collections.Counter)
    wrong: list[str] = field(default_factory=list)
    killed: int = 0
    marks: list[dict[str, float]] = field(default_factory=list)


def docker(*arguments: str) -> list[str]:
    """Lines that the Docker command line answers with; none where it fails (a container may just be gone)."""
    ran = subprocess.run(["docker", *arguments], capture_output=True, text=True, timeout=60)
    return ran.stdout.split("\n")[:-1] if ran.returncode == 0 else []


def containers() -> list[str]:
    """Ids of this soak's containers."""
    return docker("ps", "--all", "--quiet", "--filter", f"label=ultrainteract.running={RUN}")


def kill_one(kind: str, chance: random.Random) -> bool:
    """Kills a container, or a bubblewrap worker, from outside. True if there was one."""
    if kind == "docker":
        found = containers()
        return bool(found) and bool(docker("kill", chance.choice(found)))
    workers = [child for child in psutil.Process().children() if child.name() == "bwrap"]
    if workers:
        chance.choice(workers).kill()
    return bool(workers)


def mark(kind: str) -> dict[str, float]:
    """What may leak, now: taken while nothing runs."""
    own = psutil.Process()
    figures = {
        "rss_mb": own.memory_info().rss / 2**20,
        "descriptors": float(own.num_fds()),
        "threads": float(own.num_threads()),
    }
    tree = own.children(recursive=True)
    if kind == "docker":
        found = containers()
        figures["containers"] = len(found)
        pids = docker("inspect", "--format", "{{.State.Pid}}", *found) if found else []
        roots = [psutil.Process(int(pid)) for pid in pids if pid != "0"]
        tree = [process for root in roots for process in (root, *root.children(recursive=True))]
    figures["processes"] = len(tree)
    private = 0
    for process in tree:
        with contextlib.suppress(psutil.NoSuchProcess):
            private += process.memory_full_info().uss
    figures["sandbox_mb"] = private / 2**20
    return figures


async def one(sandbox: Sandbox, number: int, soak: Soak, chance: random.Random) -> None:
    """One execution, checked."""
    if number % 20 == 7:
        program = chance.choice(HOSTILE)
    elif number % 50 == 11:
        await judged(sandbox, number, soak)
        return
    else:
        program = chance.choice(HONEST)
    try:
        async with asyncio.timeout(STUCK_S):
            found = await sandbox.run(program.cells(number), limits=program.limits)
    except TimeoutError:
        soak.wrong.append(f"{number} {program.name}: stuck")
        return
    soak.finished[program.name] += 1
    if not program.right(number, found):
        soak.wrong.append(f"{number} {program.name}: {found!r}"[:600])


async def judged(sandbox: Sandbox, number: int, soak: Soak) -> None:
    """One judge request, right or wrong by turns, checked."""
    right = number % 100 == 11
    source = "a, b = map(int, input().split())\nprint(a + b)" if right else "input()\nprint(1)"
    try:
        async with asyncio.timeout(STUCK_S):
            report = await sandbox.run_tests(source, SUITE, limits=PATIENT)
    except TimeoutError:
        soak.wrong.append(f"{number} judge: stuck")
        return
    soak.finished["judge"] += 1
    if report.fault or report.passed is not right:
        soak.wrong.append(f"{number} judge: {report!r}"[:600])


async def soak_all(arguments: argparse.Namespace) -> Soak:
    """Runs everything, in ten parts; between parts, when nothing runs, takes the measure of what may leak."""
    chance = random.Random(arguments.seed)
    soak = Soak()
    config = SandboxConfig(
        kind=arguments.backend, image=arguments.image, containers=2, concurrency=arguments.concurrency
    )
    sandbox = open_sandbox(config, run_id=RUN)
    await sandbox.start()
    numbers = iter(range(arguments.count))
    per_part = arguments.count // 10

    async def worker(until: int) -> None:
        for number in numbers:
            await one(sandbox, number, soak, chance)
            if number >= until:
                return

    async def killer(rest: list[int]) -> None:
        while rest:
            await asyncio.sleep(0.1)
            if sum(soak.finished.values()) >= rest[0]:
                rest.pop(0)
                soak.killed += await asyncio.to_thread(kill_one, sandbox.kind, chance)
                await asyncio.sleep(KILL_PAUSE_S)

    moments = sorted(
        chance.randrange(arguments.count // 20, arguments.count * 19 // 20) for _ in range(arguments.kills)
    )
    started = time.monotonic()
    try:
        killing = asyncio.create_task(killer(moments))
        for part in range(10):
            async with asyncio.TaskGroup() as group:
                for _ in range(arguments.concurrency):
                    group.create_task(worker((part + 1) * per_part - 1))
            await asyncio.sleep(1.5)
            soak.marks.append(await asyncio.to_thread(mark, sandbox.kind))
            rate = sum(soak.finished.values()) / (time.monotonic() - started)
            figures = ", ".join(f"{name} {value:.0f}" for name, value in soak.marks[-1].items())
            state = f"{sum(soak.finished.values()):6d} done, {rate:.0f}/s, {soak.killed} killed"
            print(f"{state}, {len(soak.wrong)} wrong; {figures}", flush=True)
            if len(soak.wrong) > 50:
                break
        killing.cancel()
    finally:
        await sandbox.close()
    await asyncio.sleep(0.5)
    left = (
        len(await asyncio.to_thread(containers))
        if sandbox.kind == "docker"
        else len(psutil.Process().children(recursive=True))
    )
    if left:
        soak.wrong.append(f"{left} containers or processes are left after close()")
    return soak


def leaks(soak: Soak) -> list[str]:
    """What grew: the peak of the second half of the parts against that of the first."""
    allowed = {
        "rss_mb": 40,
        "descriptors": 8,
        "threads": 4,
        "containers": 1,
        "processes": 8,
        "sandbox_mb": 120,
    }
    half = len(soak.marks) // 2
    peaks = {name: [max(m[name] for m in marks) for marks in (soak.marks[:half], soak.marks[half:])] for name in allowed
             if half and name in soak.marks[0]}  # fmt: skip
    return [
        f"{name} grew from {before:.0f} to {after:.0f}"
        for name, (before, after) in peaks.items()
        if after - before > allowed[name]
    ]


def main() -> int:
    """Runs the soak and prints what was found."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--backend", default="auto", choices=["auto", "docker", "bubblewrap"])
    parser.add_argument("--image", default=SandboxConfig().image)
    parser.add_argument("--count", type=int, default=50_000)
    parser.add_argument("--concurrency", type=int, default=16)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        tempfile.tempdir = folder
        soak = asyncio.run(soak_all(arguments))
        left = os.listdir(folder)
    found = [*soak.wrong, *leaks(soak)]
    if left:
        found.append(f"temporary files are left: {left}")
    print(*(f"{count:6d} {name}" for name, count in sorted(soak.finished.items())), sep="\n")
    print(*found, sep="\n")
    done = sum(soak.finished.values())
    elapsed = time.monotonic() - started
    figures = {"executions": done, "seconds": round(elapsed, 1), "killed": soak.killed, "wrong": len(found)}
    print(
        json.dumps(
            figures | {"rate": round(done / elapsed, 1), "first": soak.marks[0], "last": soak.marks[-1]}
        )
    )
    return 1 if found or done != arguments.count else 0


if __name__ == "__main__":
    sys.exit(main())
