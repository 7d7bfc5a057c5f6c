#!/usr/bin/env python
"""Judges known solutions, and wrecked ones, of a CodeContests file and compares the verdicts with what is known.

    scripts/check_solutions.py PROBLEMS.jsonl CHECK.json [--backend bubblewrap] [--wreck]

PROBLEMS.jsonl has the columns of the published CodeContests set; CHECK.json maps a problem's name to `pass` where its
first Python solution is known to print the listed outputs. Every such solution must pass. With `--wreck`, versions of
it that cannot be right must fail. Exit code 1 where any verdict is wrong.
"""

from __future__ import annotations

import argparse
import asyncio
import collections
import itertools
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from ultrainteract.config import Limits, SandboxConfig
from ultrainteract.sandbox import open_sandbox
from ultrainteract.schema import TestCase, TestSuite

PYTHON3 = 3
SHIFT_OUTPUT = """\
import builtins as _b, io as _io, sys as _s
class _Shifted(_io.TextIOBase):
    def __init__(self, to):
        self.to = to
    def write(self, text):
        # Every letter and digit becomes the next one: no output stays what it was.
        return self.to.write("".join(chr(ord(c) + 1) if c.isalnum() else c for c in text))
    def flush(self):
        self.to.flush()
_s.stdout = _Shifted(_s.stdout)
"""


def problems(path: Path) -> Iterator[tuple[str, str, TestSuite]]:
    """Name, first Python 3 solution and tests of every problem that has both."""
    with open(path, encoding="utf-8") as file:
        for line in file:
            row = json.loads(line)
            cases = tuple(
                TestCase(input=given, expected=expected)
                for kind in ("public_tests", "private_tests", "generated_tests")
                for given, expected in zip(row[kind]["input"], row[kind]["output"], strict=True)
            )
            known = zip(row["solutions"]["language"], row["solutions"]["solution"], strict=True)
            source = next((text for language, text in known if language == PYTHON3), None)
            if cases and source is not None:
                yield row["name"], source, TestSuite(cases=cases)


def wrecked(source: str) -> dict[str, str]:
    """Versions of a right program that cannot pass any test."""
    return {
        "says nothing": "import sys, os\nsys.stdout = open(os.devnull, 'w')\n" + source,
        "shifted output": SHIFT_OUTPUT + source,
        "raises first": "raise ValueError\n" + source,
        "says more": "print('0 0 0')\n" + source,
        "never ends": "while True: pass\n" + source,
    }


async def main(arguments: argparse.Namespace) -> int:
    known: dict[str, str] = json.loads(arguments.check.read_text(encoding="utf-8"))
    limits, short = Limits(wall_s=arguments.seconds, cpu_s=arguments.seconds), Limits(wall_s=1, cpu_s=1)
    sandbox = open_sandbox(SandboxConfig(kind=arguments.backend, image=arguments.image))
    counts: collections.Counter[str] = collections.Counter()
    wrong: list[str] = []
    slots = asyncio.Semaphore(8)
    tenth = itertools.cycle(range(10))
    started = time.monotonic()

    async def check(name: str, what: str, source: str, suite: TestSuite, expected: bool | None) -> None:
        async with slots:
            report = await sandbox.run_tests(source, suite, limits=short if what == "never ends" else limits)
        counts[f"{what}: {'fault' if report.fault else 'passed' if report.passed else 'failed'}"] += 1
        if report.fault or (expected is not None and report.passed is not expected):
            last = report.results[-1] if report.results else None
            wrong.append(f"{name} ({what}): {report.error or last}")

    await sandbox.start()
    try:
        async with asyncio.TaskGroup() as group:
            for name, source, suite in problems(arguments.problems):
                expected = True if known.get(name) == "pass" else None
                group.create_task(check(name, f"known {known.get(name)}", source, suite, expected))
                if (
                    arguments.wreck
                    and expected
                    and any(c.isalnum() for case in suite.cases for c in case.expected)
                ):
                    wrecks = wrecked(source)
                    if next(tenth):  # each costs a second of computing, so one in ten will do
                        del wrecks["never ends"]
                    for what, text in wrecks.items():
                        group.create_task(check(name, what, text, suite, False))
    finally:
        await sandbox.close()
    for key, count in sorted(counts.items()):
        print(f"{count:5d} {key}")
    print(f"{len(wrong)} wrong verdicts in {time.monotonic() - started:.1f} s", *wrong, sep="\n  ")
    return 1 if wrong else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("problems", type=Path)
    parser.add_argument("check", type=Path)
    parser.add_argument("--backend", default="auto", choices=["auto", "docker", "bubblewrap"])
    parser.add_argument("--image", default=SandboxConfig().image)
    parser.add_argument("--seconds", type=float, default=10.0, help="limit of one test")
    parser.add_argument("--wreck", action="store_true", help="judge wrecked versions too")
    sys.exit(asyncio.run(main(parser.parse_args())))
