"""How quick the viewer's server is over a large run, and what memory it takes.

    python scripts/bench/view.py [--trees 100000] [--run FOLDER] [--check]

The run is made of synthetic trees of about 4 kB of text each, which takes minutes: `--run` keeps it, or uses it again. Bounds are absolute: they are what a reader feels.
"""

# ruff: noqa: E501
from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from random import Random
from urllib.parse import quote
from urllib.request import urlopen

from _report import finish
from _synthetic import synthetic_instructions

from ultrainteract.config import parse_config
from ultrainteract.schema import (
    Action,
    Critique,
    Label,
    Node,
    Observation,
    Provenance,
    SamplingParams,
    StepStats,
    Tree,
    Turn,
    Verdict,
)
from ultrainteract.store import RunStore, pack

WORDS = [
    a + b + c
    for a in ("lam", "tor", "vel", "qui", "san")
    for b in ("a", "e", "i", "o")
    for c in ("bert", "dine", "rix", "mond", "sel", "tan")
]
_MODELS = ("actor-8b", "actor-70b", "pool-a", "pool-b", "critic-large")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trees", type=int, default=100_000)
    parser.add_argument("--run", type=Path, help="where the run is kept; made if it is not there")
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        run = options.run or Path(scratch) / "run"
        if not run.exists():
            make_run(run, options.trees)
        finish(measured(run, options.trees), TARGETS, check=options.check)


TARGETS = {
    "first_list_s": ("<=", 1.0), "list_ms": ("<=", 100.0), "facet_ms": ("<=", 100.0), "search_ms": ("<=", 300.0),
    "tree_ms": ("<=", 100.0), "memory_mb": ("<=", 200.0),
}  # fmt: skip


def make_run(folder: Path, count: int) -> None:
    """A run directory with `count` trees."""
    config = parse_config({
        "output": str(folder), "seeds": [{"dataset": "gsm8k", "path": "unused.jsonl"}],
        "models": {"actor": {"provider": "simulated", "model": "actor"}},
        "growth": {"ladder": [{"name": "sample", "model": "actor", "samples": 8}], "pool": []}, "critic": {"model": "actor"},
    })  # fmt: skip
    rng = Random(5)

    def text(words: int) -> str:
        return " ".join(rng.choices(WORDS, k=words))

    def node(label: Label, step: str) -> Node:
        origin = Provenance(
            model=rng.choice(_MODELS),
            provider="x",
            sampling=SamplingParams(),
            step=step,
            ordinal=0,
            completion_tokens=200,
        )
        said = text(110)
        verdict = (
            Verdict.correct("equivalence", "same", 0.999)
            if label is Label.CORRECT
            else Verdict.wrong("tests", "other", rng.choice((0.9, 0.999)))
        )
        critique = Critique(text=text(60), provenance=origin) if label is Label.WRONG else None
        return Node(
            action=Action(raw=said, text=said, reasoning_schema="cot", answer="1"),
            observation=Observation(),
            verdict=verdict,
            critique=critique,
            provenance=origin,
        )

    with RunStore.create(folder, config) as store:
        connection = store.connection()
        connection.execute("PRAGMA synchronous=OFF")
        connection.execute("BEGIN")
        for instruction in synthetic_instructions(count):
            turns = []
            for _ in range(rng.choice((1, 1, 2, 3))):
                correct = rng.randint(1, 7)
                steps = (StepStats(step="sample", model="actor-8b", drawn=8, judged=8, correct=correct),)
                turns.append(
                    Turn(
                        correct=node(Label.CORRECT, "sample"),
                        incorrect=node(Label.WRONG, "incorrect"),
                        paired=True,
                        steps=steps,
                    )
                )
            tree = Tree(instruction=instruction, turns=tuple(turns), ended="solved")
            row = (
                tree.id,
                tree.state.value,
                instruction.dataset,
                instruction.source,
                tree.depth,
                pack(tree.model_dump_json().encode()),
            )
            connection.execute(
                "INSERT OR REPLACE INTO outcomes (key, state, reason, dataset, source, depth, tree, tallies) VALUES (?, ?, '', ?, ?, ?, ?, '{}')",
                row,
            )
        connection.execute("COMMIT")
        connection.close()


def measured(run: Path, count: int) -> dict[str, float]:
    """Latencies as a reader meets them: the 95th percentile, over HTTP."""
    command = [sys.executable, "-m", "ultrainteract", "view", str(run), "--port", "0", "--no-browser"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        start = time.perf_counter()
        for path in ("", "viewer.js", "viewer.css", "api/library", "api/0/trees?limit=50"):
            fetch(address, path)
        first = time.perf_counter() - start
        while not (found := json.loads(fetch(address, "api/0/trees?limit=50")))["whole"]:
            time.sleep(0.5)
        indexing = time.perf_counter() - start
        assert found["matched"] == count
        rng = Random(1)
        keys = [line["key"] for line in found["lines"]]
        times = {
            "list_ms": [timed(address, f"api/0/trees?limit=50&offset={rng.randrange(count)}") for _ in range(30)],
            "facet_ms": [
                timed(address, f"api/0/trees?limit=50&depth={rng.randint(1, 3)}&evidence=tests&sort=-pass_rate&model={quote(rng.choice(_MODELS))}")
                for _ in range(30)
            ],
            "search_ms": [timed(address, f"api/0/trees?limit=50&q={quote(' '.join(rng.sample(WORDS, 2)))}") for _ in range(30)],
            "tree_ms": [timed(address, f"api/0/tree/{rng.choice(keys)}") for _ in range(30)],
        }  # fmt: skip
        status = Path(f"/proc/{process.pid}/status").read_text()
        memory = int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))) / 1024
        process.terminate()
    ratios = {name: statistics.quantiles(values, n=20)[-1] for name, values in times.items()}
    return {"first_list_s": first, **ratios, "memory_mb": memory, "indexing_s": indexing, "trees": count}


def fetch(address: str, path: str) -> bytes:
    with urlopen(address + path) as answer:
        return answer.read()


def timed(address: str, path: str) -> float:
    start = time.perf_counter()
    fetch(address, path)
    return 1000 * (time.perf_counter() - start)


if __name__ == "__main__":
    main()
