"""The Ray executor against the ideal: trees on 1, 2 and 4 nodes of one machine, with a model server of 200 ms.

A worker may have `--connections` requests under way, which make `connections / 0.2` requests a second, ideally. Half
as many trees again are alive in it, since a tree whose record is being written has no request under way. Answers
take 100 to 300 ms, evenly spread: with a fixed latency all trees of a worker would fall into step. Rates are taken
between the first and the last fifth of the trees (start and drain do not count). The local executor runs in the same
series, under the limits that one worker has.

The driver's CPU a tree (its whole process: seeds, leases, Ray's messages, the store's writes) is that of a driver
with much to do: four workers of 128 trees each, and a server that answers at once.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.append(sys.path.pop(0))  # this file's own name must not hide the package

from _report import finish
from _server import serving

LATENCY_S = 0.2
JITTER = 0.5
NODES = (1, 2, 4)
BUSY = 86
"""Connections of each worker where the driver's CPU is measured."""


def configuration(folder: Path, url: str, trees: int, connections: int, address: str | None) -> Any:
    from ultrainteract.config import parse_config

    seeds = folder / "seeds.jsonl"
    rows = (
        {"question": f"What is {i} + {i * 7 % 1000}?", "answer": str(i + i * 7 % 1000)} for i in range(trees)
    )
    seeds.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return parse_config(
        {
            "output": str(folder / "run"),
            "seeds": [
                {"dataset": "generic", "name": "sums", "path": str(seeds), "tasks": ["Math_CoT"],
                 "grader": "math", "mapping": {"question": "question", "gold": "answer"}}
            ],
            "models": {"actor": {"model": "bench", "base_url": url, "max_concurrency": connections}},
            "growth": {
                "ladder": [{"name": "sample", "model": "actor", "samples": 20}],
                "waves": 1,
                "rejected_from": "actor",
            },
            "critic": {"model": "actor"},
            "max_inflight_trees": connections * 3 // 2,
            "executor": {"kind": "ray", "address": address} if address else "local",
            "export": {"formats": []},
        }
    )  # fmt: skip


async def timed(config: Any, trees: int) -> dict[str, float]:
    """Runs it; requests a second and this process's CPU a tree between a fifth and four fifths of the trees."""
    from ultrainteract.running import Runner
    from ultrainteract.store import RunStore

    with RunStore.resume(config.output, config) as store:
        runner = Runner(config, store)
        marks: list[tuple[float, float, int, int]] = []

        async def watch() -> None:
            for share in (0.2, 0.8):
                while runner.progress.grown < share * trees:
                    await asyncio.sleep(0.05)
                budget = runner.progress.budget
                assert budget is not None
                marks.append(
                    (time.perf_counter(), time.process_time(), budget.requests, runner.progress.grown)
                )

        watching = asyncio.create_task(watch())
        await runner.run()
        await watching
    first, last = marks
    seconds, cpu, requests, grown = (b - a for a, b in zip(first, last, strict=True))
    return {"requests": requests / seconds, "trees": grown / seconds, "ms": 1000 * cpu / grown}


def measure(workers: int, url: str, trees: int, connections: int) -> dict[str, float]:
    """One run in a process of its own; 0 workers is the local executor."""
    cluster = None
    if workers:
        from ray.cluster_utils import Cluster

        cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
        for _ in range(workers):
            cluster.add_node(num_cpus=1)
    try:
        command = [sys.executable, __file__, "--one", url, str(trees), str(connections)]
        command += [cluster.address] if cluster else []
        output = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
    finally:
        if cluster:
            cluster.shutdown()
    found: dict[str, float] = json.loads(output.splitlines()[-1])
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--connections", type=int, default=16, help="requests under way in each worker")
    parser.add_argument("--seconds", type=float, default=15, help="about how long each run takes")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--quick", action="store_true", help="short runs on 1 and 2 nodes only")
    parser.add_argument("--check", action="store_true", help="exit 1 below the targets")
    parser.add_argument("--one", nargs="+", help=argparse.SUPPRESS)
    options = parser.parse_args()
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    if options.one:
        url, trees, connections, *address = options.one
        with tempfile.TemporaryDirectory() as folder:
            config = configuration(
                Path(folder), url, int(trees), int(connections), address[0] if address else None
            )
            print(json.dumps(asyncio.run(timed(config, int(trees)))))
        return
    nodes = NODES[:2] if options.quick else NODES
    seconds = 5 if options.quick else options.seconds
    rate = options.connections / LATENCY_S
    runs: dict[int, list[dict[str, float]]] = {workers: [] for workers in (0, *nodes)}
    with serving(LATENCY_S, JITTER) as url:
        for _ in range(options.rounds):
            for workers in runs:
                trees = int(seconds * rate * max(1, workers) / 4)  # about four requests a tree
                runs[workers].append(measure(workers, url, trees, options.connections))
    with serving(0.0) as url:
        busy = measure(nodes[-1], url, 1_000 if options.quick else 5_000, BUSY)
    found = {
        workers: {key: statistics.median(run[key] for run in rounds) for key in rounds[0]}
        for workers, rounds in runs.items()
    }
    print("executor       requests/s   of ideal   trees/s   CPU ms a tree in this process")
    for workers, result in found.items():
        name = f"ray, {workers} node{'s' * (workers > 1)}" if workers else "local"
        ideal = rate * max(1, workers)
        print(
            f"{name:13} {result['requests']:11,.0f} {result['requests'] / ideal:10.3f} {result['trees']:9,.1f} "
            f"{result['ms']:8.2f}"
        )
    print(f"busy driver   {busy['requests']:11,.0f} {'':10} {busy['trees']:9,.1f} {busy['ms']:8.2f}")
    ratios = {f"{n} nodes / ideal": found[n]["requests"] / (rate * n) for n in nodes}
    ratios["driver CPU ms a tree"] = busy["ms"]
    ratios["ray with one worker / local"] = found[1]["requests"] / found[0]["requests"]
    targets = {name: (">=", 0.9) for name in ratios if name.endswith("ideal")}
    targets |= {"driver CPU ms a tree": ("<=", 1.0), "ray with one worker / local": (">=", 0.85)}
    finish(ratios, targets, check=options.check)


if __name__ == "__main__":
    main()
