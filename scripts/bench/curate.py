"""1,000 samples of a pool of 100,000 trees, against reading that pool once.

The pool is a run directory with trees about as large as the paper's, about problems of 200 clusters of very different
sizes, one tree in five of them junk: unreliable, simulated, guided, broken, much too long, or nearly the problem of
another tree. Reading the pool (every tree decoded, on one core) is the peer. Peak memory is that of all processes
together.
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
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from _report import finish
from export import BASES, bases

from ultrainteract.schema import Evidence, Tree

CLUSTERS = 200
JUNK = ("unreliable", "simulated", "guided", "broken", "long", "copy")
N = 1_000


def pool(count: int) -> Iterator[Tree]:
    """Trees whose source says their cluster, and `junk` where they are."""
    rng = random.Random(1)
    common = ["".join(rng.choices("etaoinshrdlu", k=5)) for _ in range(300)]
    own = [["".join(rng.choices("bcdfgjkmpqvwxyz", k=6)) for _ in range(40)] for _ in range(CLUSTERS)]
    weights = [1 / (1 + number) for number in range(CLUSTERS)]
    originals = bases()
    last = ""
    for number in range(count):
        tree = originals[number % BASES]
        cluster = number if number < CLUSTERS else rng.choices(range(CLUSTERS), weights)[0]
        junk = rng.choice(JUNK) if number >= CLUSTERS and rng.random() < 0.2 else ""
        words = rng.choices(own[cluster], k=30) + rng.choices(common, k=30)
        rng.shuffle(words)
        question = last + " again" if junk == "copy" else " ".join(words)
        last = question
        fields = tree.instruction.model_dump()
        fields |= {
            "prompt": question,
            "question": question,
            "source": f"{cluster} {junk}",
            "tags": (str(cluster % 7),),
        }
        made = tree.model_copy(update={"instruction": type(tree.instruction).model_validate(fields)})
        yield spoiled(made, junk) if junk and junk != "copy" else made


def spoiled(tree: Tree, junk: str) -> Tree:
    """The tree with every correct action spoiled."""
    if junk == "simulated":
        return tree.model_copy(update={"simulation": True})

    def spoil(node):  # type: ignore[no-untyped-def]
        action, origin = node.action, node.provenance
        if junk == "unreliable":
            evidence = Evidence(check="equivalence", reliability=0.6)
            return node.model_copy(update={"verdict": node.verdict.model_copy(update={"evidence": evidence})})
        if junk == "guided":
            return node.model_copy(update={"provenance": origin.model_copy(update={"step": "guided"})})
        changed = {"syntax_ok": False} if junk == "broken" else {"text": action.text * 12}
        return node.model_copy(update={"action": action.model_copy(update=changed)})

    turns = tuple(
        turn.model_copy(update={"correct": spoil(turn.correct), "extra": ()}) for turn in tree.turns
    )
    return tree.model_copy(update={"turns": turns})


def make_run(folder: Path, count: int) -> None:
    from ultrainteract.config import parse_config
    from ultrainteract.store import Outcome, RunStore

    config = parse_config(
        {
            "seeds": [{"dataset": "gsm8k", "path": "none"}],
            "models": {"m": {"provider": "openai", "model": "m"}},
            "growth": {"ladder": [{"name": "sample", "model": "m"}]},
            "critic": {"model": "m"},
        }
    )

    async def fill(store: RunStore) -> None:
        stream = pool(count)
        while batch := list(islice(stream, 500)):
            await store.put_outcomes(
                [(Outcome(key=t.id, state=t.state, dataset="MATH", source=""), t) for t in batch]
            )

    with RunStore.create(folder, config) as store:
        asyncio.run(fill(store))


def curate(run: Path, out: Path, jobs: int) -> dict[str, float]:
    from ultrainteract import api
    from ultrainteract.curation import CurationRule

    begin = time.perf_counter()
    report = api.curate(run, output=out, rule=CurationRule(n=N), jobs=jobs)
    seconds = time.perf_counter() - begin
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    if jobs > 1:  # every worker counted at the largest one's size
        memory += jobs * resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    from ultrainteract.dataset.tree_table import read_trees

    found: Counter[str] = Counter()
    clusters = set()
    questions = set()
    for tree in read_trees(out / "curated"):
        cluster, _, junk = tree.instruction.source.partition(" ")
        clusters.add(cluster)
        found[junk] += 1
        questions.add(tree.instruction.question.removesuffix(" again"))
    junk = sum(count for name, count in found.items() if name not in ("", "copy"))
    doubled = found.total() - len(questions)  # a copy whose original is there too
    return {
        "seconds": seconds, "memory": memory, "samples": found.total(), "junk": (junk + doubled) / found.total(),
        "clusters": len(clusters) / CLUSTERS, "covered": report.sets["curated"].nearest,
        "random_covered": report.sets["random"].nearest,
    }  # fmt: skip


def read(run: Path) -> dict[str, float]:
    from ultrainteract.store import RunStore

    begin = time.perf_counter()
    with RunStore.open(run) as store:
        count = sum(1 for _ in store.trees())
    return {"seconds": time.perf_counter() - begin, "trees": count}


def child(*arguments: object) -> dict[str, float]:
    command = [sys.executable, __file__, "--child", *map(str, arguments)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trees", type=int, default=100_000)
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=min(8, os.cpu_count() or 1))
    parser.add_argument("--run", type=Path, help="keep the pool here, and use it if it is there")
    parser.add_argument("--check", action="store_true", help="exit 1 where a target is missed")
    parser.add_argument("--child", nargs="+")
    options = parser.parse_args()
    if options.child:
        kind, run, *rest = options.child
        result: dict[str, float] = {}
        if kind == "make":
            make_run(Path(run), int(rest[0]))
        elif kind == "curate":
            result = curate(Path(run), Path(rest[0]), int(rest[1]))
        else:
            result = read(Path(run))
        print(json.dumps(result))
        return
    with tempfile.TemporaryDirectory(prefix="bench-curate-") as folder:
        run = options.run or Path(folder, "run")
        if not run.exists():
            child("make", run, options.trees)
        ours, theirs, files = [], [], []
        for number in range(options.repeats):
            out = Path(folder, f"out-{number}")
            ours.append(child("curate", run, out, options.jobs))
            theirs.append(child("read", run))
            files.append([path.read_bytes() for path in sorted(out.rglob("*.parquet"))])
            print(
                f"{theirs[-1]['trees']:,.0f} trees: {ours[-1]['samples']:,.0f} samples in {ours[-1]['seconds']:.1f} s, "
                f"{ours[-1]['memory']:,.0f} MiB; reading alone {theirs[-1]['seconds']:.1f} s on one core"
            )
        same = all(one == files[0] for one in files)
    seconds = statistics.median(one["seconds"] for one in ours)
    finish(
        {
            "seconds": seconds,
            "of_reading": seconds / statistics.median(one["seconds"] for one in theirs),
            "peak_mib": max(one["memory"] for one in ours),
            "junk": ours[0]["junk"],
            "clusters": ours[0]["clusters"],
            "nearest": ours[0]["covered"],
            "random_nearest": ours[0]["random_covered"],
            "same_bytes": float(same),
        },
        {
            "of_reading": ("<=", 2.0), "peak_mib": ("<=", 1024), "junk": ("<=", 0.01), "clusters": (">=", 1.0),
            "same_bytes": (">=", 1.0),
        },
        check=options.check,
    )  # fmt: skip


if __name__ == "__main__":
    main()
