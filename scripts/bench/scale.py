"""Memory and time a tree do not grow with the seed set: simulated runs of two sizes, each in a process of its own.

Prints the ratio of peak memory at the larger size to that at the smaller, and of the time a tree in the last and
the first part of the larger run (so that a slower machine in between does not count).
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from _report import finish


def child(count: int, folder: Path) -> None:
    """Runs `count` synthetic instructions; prints peak memory and the CPU seconds a tree of each tenth."""
    import asyncio
    import time

    from _synthetic import synthetic_instructions

    from ultrainteract.config import parse_config
    from ultrainteract.running import Runner
    from ultrainteract.running import admission as module
    from ultrainteract.schema import TreeState
    from ultrainteract.store import RunStore

    models = {
        name: {"provider": "simulated", "model": name} for name in ("actor", "strong", "pool", "critic")
    }
    config = parse_config(
        {
            "seeds": [{"dataset": "gsm8k", "path": "synthetic"}],
            "models": models,
            "growth": {
                "ladder": [{"name": "sample", "model": "actor"}, {"name": "stronger", "model": "strong"}],
                "pool": ["pool"],
            },
            "critic": {"model": "critic"},
        }
    )
    module.stream_instructions = lambda config, base: synthetic_instructions(count, seed=0)  # type: ignore[assignment]

    async def run() -> list[float]:
        with RunStore.resume(folder, config) as store:
            runner = Runner(config, store)
            marks: list[float] = []
            add = runner.progress.add

            def counted(state: TreeState, tallies: Mapping[str, float]) -> None:
                add(state, tallies)
                if runner.progress.grown % (count // 10) == 0:
                    marks.append(time.process_time())

            runner.progress.add = counted  # type: ignore[method-assign]
            started = time.process_time()
            await runner.run()
            return [later - earlier for earlier, later in zip([started, *marks], marks, strict=False)]

    spans = asyncio.run(run())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"peak_mb": peak, "ms_a_tree": [1000 * span / (count / 10) for span in spans]}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", type=int, default=2_000)
    parser.add_argument("--large", type=int, default=20_000)
    parser.add_argument("--check", action="store_true", help="exit 1 above the targets")
    parser.add_argument("--child", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        child(arguments.child, arguments.folder)
        return
    found = {}
    for count in (arguments.small, arguments.large):
        with tempfile.TemporaryDirectory() as folder:
            command = [sys.executable, __file__, "--child", str(count), "--folder", f"{folder}/run"]
            output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            found[count] = json.loads(output.splitlines()[-1])
        spans = ", ".join(f"{span:.2f}" for span in found[count]["ms_a_tree"])
        print(
            f"{count:,} instructions: peak {found[count]['peak_mb']:.0f} MB; CPU ms a tree by tenth: {spans}"
        )
    spans = found[arguments.large]["ms_a_tree"]
    ratios = {
        "peak_memory": found[arguments.large]["peak_mb"] / found[arguments.small]["peak_mb"],
        "time_a_tree": sum(spans[-3:]) / sum(spans[1:4]),
    }
    finish(ratios, {"peak_memory": ("<=", 1.15), "time_a_tree": ("<=", 1.15)}, check=arguments.check)


if __name__ == "__main__":
    main()
