"""Export of a run about as large as the paper's data, against a bare pyarrow writer that is handed the finished rows.

The export reads the run directory, makes the rows of the `sft`, `pair` and `trees` splits, and writes them; the bare
writer is timed only while it turns the same rows into Arrow and Parquet. Each measurement is a process of its own; the
two alternate. Peak memory is that of all processes of the export together, at two sizes.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from _report import finish

FORMATS = ("sft", "pair", "trees")
BASES = 500
"""Different trees; the others are copies about other problems."""
BARE_TREES = 2_000
"""Trees whose rows the bare writer is handed at a time."""


# ---------------------------------------------------------------------------------------------- the trees


def bases() -> list[Any]:
    """Trees with about the paper's lengths and numbers of turns, one in eight with two additional pairs."""
    from ultrainteract.schema import (
        Action,
        Critique,
        Instruction,
        Node,
        Observation,
        Pair,
        Provenance,
        SamplingParams,
        StepStats,
        Task,
        Tree,
        Turn,
        Verdict,
    )

    rng = random.Random(0)
    words = ["".join(rng.choices("etaoinshrdlucmfwyp", k=rng.randint(2, 9))) for _ in range(8_000)]

    def text(count: int) -> str:
        return " ".join(rng.choices(words, k=count))

    def node(right: bool, critique: bool = False) -> Node:
        origin = Provenance(
            model="actor-8b" if right else "other-7b", provider="openai", sampling=SamplingParams(), step="sample",
            ordinal=rng.randrange(20), prompt_tokens=400, completion_tokens=250, cost=0.0004,
        )  # fmt: skip
        code = "\n".join(f"value_{n} = {rng.randrange(10**6)}  # Step {n}: {text(6)}" for n in range(1, 9))
        thought = f"Step 1: {text(40)}\nStep 2: {text(30)}\n```python\n{code}\n```"
        return Node(
            action=Action(raw=thought, reasoning_schema="cot", text=thought, code=code),
            observation=Observation(output=text(6)),
            verdict=Verdict.correct("equivalence") if right else Verdict.wrong("equivalence"),
            critique=Critique(text=text(70), provenance=origin) if critique else None,
            provenance=origin,
        )

    steps = (StepStats(step="sample", model="actor-8b", drawn=20, judged=19, correct=4),)
    trees = []
    for number in range(BASES):
        depth = rng.choices([1, 2, 3, 4, 5], weights=[10_440, 4_122, 1_898, 904, 5_564])[0]
        question = text(60)
        extra = (
            tuple(Pair(chosen=node(True), rejected=node(False)) for _ in range(2)) if number % 8 == 0 else ()
        )
        trees.append(
            Tree(
                instruction=Instruction(
                    task=Task.MATH_POT, dataset="MATH", prompt=f"Tool available:\n[1] Python interpreter\n{question}",
                    question=question, grader="math", gold="4", rationales=(text(60),), tools=("python",),
                ),
                turns=tuple(
                    Turn(
                        correct=node(True), incorrect=node(False, turn < depth), paired=True, first_correct=False,
                        extra=extra if turn == 1 else (), steps=steps,
                    )
                    for turn in range(1, depth + 1)
                ),
                ended="solved",
            )
        )  # fmt: skip
    return trees


def make_run(folder: Path, count: int) -> None:
    """Writes a run directory with `count` finished trees."""
    from ultrainteract.config import parse_config
    from ultrainteract.schema import Tree
    from ultrainteract.store import Outcome, RunStore

    config = parse_config(
        {
            "seeds": [{"dataset": "gsm8k", "path": "none"}],
            "models": {"m": {"provider": "simulated", "model": "m"}},
            "growth": {"ladder": [{"name": "sample", "model": "m"}]},
            "critic": {"model": "m"},
        }
    )
    originals = bases()

    def trees() -> Iterator[Tree]:
        for number in range(count):
            tree = originals[number % BASES]
            fields = tree.instruction.model_dump()
            for name in ("prompt", "question"):
                fields[name] += f" ({number})"
            yield tree.model_copy(update={"instruction": type(tree.instruction).model_validate(fields)})

    async def fill(store: RunStore) -> None:
        stream = trees()
        while batch := list(islice(stream, 500)):
            await store.put_outcomes(
                [(Outcome(key=t.id, state=t.state, dataset="MATH", source=""), t) for t in batch]
            )

    with RunStore.create(folder, config) as store:
        asyncio.run(fill(store))


# -------------------------------------------------------------------------------------------- measurements


def export(run: Path, out: Path, jobs: int) -> dict[str, float]:
    """Exports a run: rows, seconds, and peak memory of this process and its workers, MiB."""
    from ultrainteract.config import ExportConfig
    from ultrainteract.dataset.source import Repeatable
    from ultrainteract.exporting import RunInfo, export_trees
    from ultrainteract.store import RunStore

    with RunStore.open(run) as store:
        begin = time.perf_counter()
        rows = export_trees(
            Repeatable.of_run(store),
            out,
            ExportConfig(formats=FORMATS),
            RunInfo(name="bench", fingerprint=""),
            jobs=jobs,
        )
        seconds = time.perf_counter() - begin
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    if jobs > 1:  # every worker counted at the largest one's size
        memory += jobs * resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    return {"rows": sum(rows.values()), "seconds": seconds, "memory": memory}


def bare(run: Path, out: Path) -> dict[str, float]:
    """Hands the same rows to pyarrow, and times nothing else."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    from ultrainteract.config import ExportConfig
    from ultrainteract.exporting import known_exporters
    from ultrainteract.exporting.columns import arrow_schema
    from ultrainteract.store import RunStore

    config, known = ExportConfig(), known_exporters()
    schemas = {name: arrow_schema(known[name].columns) for name in FORMATS}
    out.mkdir(parents=True, exist_ok=True)
    writers = {
        name: pq.ParquetWriter(out / f"{name}.parquet", schema, compression="zstd", compression_level=3)
        for name, schema in schemas.items()
    }
    seconds, count = 0.0, 0
    with RunStore.open(run) as store:
        trees = store.trees()
        while chunk := list(islice(trees, BARE_TREES)):
            for name, writer in writers.items():
                rows = [row for tree in chunk for row in known[name].rows(tree, config)]
                count += len(rows)
                begin = time.perf_counter()
                writer.write_table(pa.Table.from_pylist(rows, schema=schemas[name]))
                seconds += time.perf_counter() - begin
    begin = time.perf_counter()
    for writer in writers.values():
        writer.close()
    return {"rows": count, "seconds": seconds + time.perf_counter() - begin}


def child(*arguments: object) -> dict[str, float]:
    command = [sys.executable, __file__, "--child", *map(str, arguments)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trees", type=int, default=100_000)
    parser.add_argument("--small", type=int, default=10_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=min(8, os.cpu_count() or 1))
    parser.add_argument("--quick", action="store_true", help="4,000 and 2,000 trees, once")
    parser.add_argument("--check", action="store_true", help="exit 1 where a target is missed")
    parser.add_argument("--child", nargs="+")
    options = parser.parse_args()
    if options.child:
        kind, run, out, *rest = options.child
        if kind == "make":
            make_run(Path(run), int(out))
            result: dict[str, float] = {}
        elif kind == "export":
            result = export(Path(run), Path(out), int(rest[0]))
        else:
            result = bare(Path(run), Path(out))
        print(json.dumps(result))
        return
    if options.quick:
        options.trees, options.small, options.repeats = 4_000, 2_000, 1
    with tempfile.TemporaryDirectory(prefix="bench-export-") as folder:
        runs = {size: Path(folder, f"run-{size}") for size in (options.small, options.trees)}
        for size, run in runs.items():
            child("make", run, size)
            print(
                f"{size:,} trees, {(run / 'store.sqlite').stat().st_size / 2**20:,.0f} MiB in the run directory"
            )
        small = child("export", runs[options.small], Path(folder, "small"), options.jobs)
        print(
            f"{options.small:,} trees: {small['rows'] / small['seconds']:,.0f} rows/s, {small['memory']:,.0f} MiB"
        )
        ours: list[dict[str, float]] = []
        theirs: list[dict[str, float]] = []
        for _ in range(options.repeats):
            ours.append(child("export", runs[options.trees], Path(folder, "large"), options.jobs))
            theirs.append(child("bare", runs[options.trees], Path(folder, "bare")))
            print(
                f"{options.trees:,} trees: export {ours[-1]['rows'] / ours[-1]['seconds']:,.0f} rows/s, "
                f"{ours[-1]['memory']:,.0f} MiB; bare writer {theirs[-1]['rows'] / theirs[-1]['seconds']:,.0f} rows/s"
            )
    rate = statistics.median(run["rows"] / run["seconds"] for run in ours)
    peer = statistics.median(run["rows"] / run["seconds"] for run in theirs)
    memory = max(run["memory"] for run in ours)
    finish(
        {
            "rows_per_s": rate,
            "bare_rows_per_s": peer,
            "of_bare_writer": rate / peer,
            "peak_mib": memory,
            "memory_growth": memory / small["memory"],
        },
        {"of_bare_writer": (">=", 0.5), "peak_mib": ("<=", 600), "memory_growth": ("<=", 1.15)},
        check=options.check,
    )


if __name__ == "__main__":
    main()
