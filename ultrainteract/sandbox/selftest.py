"""What `ultrainteract sandbox check` and `sandbox shell` do."""

from __future__ import annotations

import sys
from collections.abc import Callable

from ultrainteract.config import Limits, SandboxConfig
from ultrainteract.sandbox import open_sandbox
from ultrainteract.sandbox.backends import explain
from ultrainteract.sandbox.base import Execution
from ultrainteract.schema import TestCase, TestSuite

_QUICK = Limits(wall_s=2, cpu_s=2, memory_mb=256)
_PROGRAMS: tuple[tuple[str, str, Callable[[Execution], bool]], ...] = (
    ("a last expression is echoed", "x = 20\nx * 2 + 2", lambda e: e.value == "42"),
    (
        "an error has a notebook traceback",
        "y = = 2",
        lambda e: (e.traceback or "").startswith("Cell In[1], line 1"),
    ),
    ("numpy", "import numpy\nint(numpy.arange(5).sum())", lambda e: e.value == "10"),
    ("sympy", "import sympy\nsympy.solve(sympy.Symbol('x') ** 2 - 4)", lambda e: e.value == "[-2, 2]"),
    ("pandas", "import pandas\npandas.Series([1, 2]).sum().item()", lambda e: e.value == "3"),
    ("an endless loop is a timeout", "while True: pass", lambda e: e.status == "timeout"),
    ("too much memory is told apart", "x = bytearray(10**10)", lambda e: e.status == "memory"),
    ("endless output is cut", "while True: print('x' * 1000)", lambda e: e.status == "output_limit"),
    (
        "no network",
        "import socket\nsocket.create_connection(('1.1.1.1', 53), 1)",
        lambda e: e.status == "error",
    ),
    ("nothing can be written outside", "open('/usr/x', 'w')", lambda e: e.status == "error"),
    (
        "no process outlives its run",
        "import os, time\nif os.fork() == 0: time.sleep(60)",
        lambda e: e.status == "ok",
    ),
)


async def selftest(config: SandboxConfig, unsafe: bool, say: Callable[[str], object]) -> int:
    """Runs small programs and says what came of each.

    Returns:
        How many did not behave.
    """
    sandbox = open_sandbox(config, run_id="selftest", unsafe=unsafe)
    failed = 0
    try:
        await sandbox.start()
        for line in explain(config, sandbox.kind):
            say(line)
        for name, program, expected in _PROGRAMS:
            result = await sandbox.run([program], limits=_QUICK)
            good = expected(result)
            failed += not good
            say(
                f"{'ok  ' if good else 'FAIL'} {name}"
                + ("" if good else f": {result.status} {result.text[:200]!r}")
            )
        suite = TestSuite(cases=tuple(TestCase(input=f"{n}\n", expected=f"{n * n}\n") for n in range(5)))
        report = await sandbox.run_tests("print(int(input()) ** 2)", suite)
        failed += not report.passed
        say(f"{'ok  ' if report.passed else 'FAIL'} test cases are judged")
    finally:
        await sandbox.close()
    return failed


async def shell(config: SandboxConfig, unsafe: bool) -> None:
    """Reads cells from standard input, each ended by an empty line, and shows what a notebook would."""
    sandbox = open_sandbox(config, run_id="shell", unsafe=unsafe)
    cells: list[str] = []
    try:
        await sandbox.start()
        print(f"{sandbox.kind}; an empty line runs the cell, end of file leaves", file=sys.stderr)
        lines: list[str] = []
        for line in sys.stdin:
            if line.strip():
                lines.append(line)
                continue
            if lines:
                cells.append("".join(lines))
                lines = []
                print((await sandbox.run(cells)).text, flush=True)
        if lines:
            print((await sandbox.run([*cells, "".join(lines)])).text)
    finally:
        await sandbox.close()
