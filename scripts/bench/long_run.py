"""A long run for real, killed on the way: 100,000 simulated instructions in one run directory.

Memory and CPU a tree must not grow with what is done already, and a run that is killed (SIGKILL) at four fifths must
grow trees again within seconds. Prints both ratios, the seconds until the first new tree after the kill, and the
store's size a tree, before and after `compact`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

from _report import finish

RESUME_S = 5.0
"""Within this long a killed run grows again."""


def child(count: int, folder: Path) -> None:
    """Runs `count` instructions; prints a line at the first tree and one at each tenth."""
    from _synthetic import synthetic_instructions

    from ultrainteract.config import parse_config
    from ultrainteract.running import Runner
    from ultrainteract.running import admission as module
    from ultrainteract.store import RunStore

    models = {name: {"provider": "simulated", "model": name} for name in ("actor", "critic")}
    config = parse_config(
        {
            "seeds": [{"dataset": "gsm8k", "path": "synthetic"}],
            "models": models,
            "growth": {
                "ladder": [{"name": "sample", "model": "actor", "samples": 8}],
                "waves": 2,
                "rejected_from": "actor",
                "max_turns": 3,
            },
            "critic": {"model": "critic"},
        }
    )
    module.stream_instructions = lambda config, base: synthetic_instructions(count, seed=0)  # type: ignore[assignment]

    async def run() -> None:
        with RunStore.resume(folder, config) as store:
            runner = Runner(config, store)
            add, done = runner.progress.add, runner.progress.settled

            def say() -> None:
                peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
                figures = {
                    "settled": done + runner.progress.grown,
                    "cpu": time.process_time(),
                    "peak_mb": peak,
                }
                print(json.dumps(figures), flush=True)

            def counted(*arguments: Any) -> None:
                add(*arguments)
                grown = runner.progress.grown
                if grown == 1 or (done + grown) % (count // 10) == 0:
                    say()

            runner.progress.add = counted  # type: ignore[method-assign]
            await runner.run()

    asyncio.run(run())


def watch(count: int, folder: Path, until: int) -> list[dict[str, float]]:
    """Starts the run, kills it when `until` trees are settled (never, if it is `count`), returns what it printed."""
    command = [sys.executable, __file__, "--child", str(count), "--folder", str(folder)]
    started = time.monotonic()
    lines = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            lines.append({**json.loads(line), "at": time.monotonic() - started})
            print(
                f"{lines[-1]['settled']:9,} trees, peak {lines[-1]['peak_mb']:.0f} MB, {lines[-1]['at']:.1f} s",
                flush=True,
            )
            if until <= lines[-1]["settled"] < count:
                os.killpg(process.pid, signal.SIGKILL)
                break
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--quick", action="store_true", help="5,000 instructions")
    parser.add_argument("--check", action="store_true", help="exit 1 below the targets")
    parser.add_argument("--child", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        child(options.child, options.folder)
        return
    count = 5_000 if options.quick else options.count
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch, "run")
        first = watch(count, folder, count * 8 // 10)
        print("killed (SIGKILL); started again:")
        second = watch(count, folder, count)

        from ultrainteract.store import RunStore, compact

        with RunStore.open(folder, readonly=False) as store:
            assert sum(store.counts().values()) == store.inputs() == count
            before, after = compact(store)
    print(f"store: {before / count / 1024:.1f} KiB a tree, {after / count / 1024:.1f} KiB after compact")
    tenths = [mark for mark in first if mark["settled"] >= count // 10]
    cpu = [b["cpu"] - a["cpu"] for a, b in pairwise(tenths)]
    ratios = {
        "peak memory at 4/5 to that at 1/5": tenths[-1]["peak_mb"] / tenths[1]["peak_mb"],
        "CPU a tree, last three tenths to first": sum(cpu[-3:]) / sum(cpu[:3]),
        "seconds to grow again / 5": second[0]["at"] / RESUME_S,
        "store KiB a tree": before / count / 1024,
        "store KiB a tree, compacted": after / count / 1024,
    }
    targets = {
        "peak memory at 4/5 to that at 1/5": ("<=", 1.1),
        "CPU a tree, last three tenths to first": ("<=", 1.1),
        "seconds to grow again / 5": ("<=", 1.0),
    }
    finish(ratios, targets, check=options.check)


if __name__ == "__main__":
    main()
