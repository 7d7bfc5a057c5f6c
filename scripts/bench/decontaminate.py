"""Decontamination against a plain set-based loop, in the same run.

Both find, for every instruction, whether it shares a word n-gram with a test item of its task. The plain loop
keeps the items' n-grams in a set of strings for each task, and looks up every n-gram of an instruction.
The two must agree on which instructions are contaminated, or the benchmark fails.

    python scripts/bench/decontaminate.py [BENCHMARKS SEEDS] [--check]

BENCHMARKS and SEEDS are folders of benchmark files and of seed files (`gsm8k`, `math`, `mathqa` …, one folder
a dataset). Without them, 13,000 items and 6,000 instructions are put together from the words of the demo seeds.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from ultrainteract.config import SeedConfig  # noqa: E402
from ultrainteract.schema import Instruction, Task  # noqa: E402
from ultrainteract.seeds import load_seed  # noqa: E402
from ultrainteract.seeds.selection.benchmarks import TestItem, read_benchmark  # noqa: E402
from ultrainteract.seeds.selection.decontaminate import Decontaminator  # noqa: E402
from ultrainteract.seeds.selection.ngrams import normalise  # noqa: E402

TARGET = 20_000
N = 8
BATCH = 512
SOURCES = (
    ("gsm8k", "gsm8k"), ("MATH", "math/train.jsonl"), ("mathqa", "mathqa/dev.json"), ("numglue", "numglue"),
    ("tabmwp", "tabmwp"), ("codecontest", "codecontests/train.jsonl"),
    ("TACO", "taco/train_layout_from_apps.jsonl"),
    ("wiki_table_questions", "wikitablequestions"), ("reclor", "reclor"), ("hotpotqa", "hotpotqa"),
    ("strategyqa", "strategyqa"), ("lsat_lr", "agieval_lsat_lr"),
    ("magicoder_evol_instruct", "code_alpaca_standin/magicoder_layout.jsonl"),
)  # fmt: skip


def instructions(folder: Path) -> list[Instruction]:
    """All instructions of the sources that are there."""
    found = []
    for dataset, path in SOURCES:
        if (folder / path).exists():
            seed = SeedConfig(dataset=dataset, path=path)
            found += [item for item in load_seed(seed, folder) if isinstance(item, Instruction)]
    return found


def put_together() -> tuple[list[Instruction], list[TestItem]]:
    """Instructions and test items from the demo seeds' words; one in twenty holds an item."""
    rng = Random(0)
    real = instructions(ROOT / "data")
    words = {task: " ".join(i.question for i in real if i.task is task).split() for task in Task}
    items = []
    for number in range(13_000):
        task = rng.choice(list(Task))
        text = " ".join(rng.choices(words[task], k=rng.randint(5, 120)))
        items.append(
            TestItem("made", str(number), text, (task,), "substring" if number % 50 == 0 else "ngram")
        )
    chosen = []
    for _ in range(6_000):
        source = rng.choice(real)
        text = " ".join(rng.choices(words[source.task], k=rng.randint(20, 130)))
        if rng.random() < 0.05:
            text += f" {rng.choice(items).text}"
        chosen.append(source.model_copy(update={"question": text}))
    return chosen, items


def plain_index(items: Sequence[TestItem]) -> dict[Task, tuple[set[str], list[str]]]:
    """For each task the set of n-grams, and the items that must be contained whole."""
    index: dict[Task, tuple[set[str], list[str]]] = {task: (set(), []) for task in Task}
    for item in items:
        text = normalise(item.text).decode()
        words = text.split()
        for task in item.tasks:
            grams, whole = index[task]
            if item.match == "substring" and len(words) >= N:
                whole.append(f" {text} ")
            elif len(words) < N:
                grams.add(text + "$")
            else:
                grams.update(" ".join(words[k : k + N]) for k in range(len(words) - N + 1))
    return index


def plain(index: dict[Task, tuple[set[str], list[str]]], chosen: Sequence[Instruction]) -> list[bool]:
    """The plain loop."""
    found = []
    for instruction in chosen:
        grams, whole = index[instruction.task]
        text = normalise(instruction.question).decode()
        words = text.split()
        hit = text + "$" in grams
        hit = hit or any(" ".join(words[k : k + N]) in grams for k in range(len(words) - N + 1))
        found.append(hit or any(item in f" {text} " for item in whole))
    return found


def ours(decontaminator: Decontaminator, chosen: Sequence[Instruction]) -> list[bool]:
    """This package, in batches as the stream does it."""
    found: list[bool] = []
    for start in range(0, len(chosen), BATCH):
        found += [match is not None for match in decontaminator.check(chosen[start : start + BATCH])]
    return found


def timed(work: Callable[[], list[bool]]) -> tuple[float, list[bool]]:
    start = time.process_time()
    result = work()
    return time.process_time() - start, result


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("benchmarks", nargs="?", type=Path)
    parser.add_argument("seeds", nargs="?", type=Path, default=ROOT / "data")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument(
        "--check", action="store_true", help="exit 1 below the target, or where the two disagree"
    )
    arguments = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})  # one core
    if arguments.benchmarks is None:
        chosen, items = put_together()
    else:
        chosen = instructions(arguments.seeds)
        items = list(read_benchmark(str(arguments.benchmarks.resolve()), Path()))
    start = time.process_time()
    decontaminator = Decontaminator(items, N)
    built = time.process_time() - start
    index = plain_index(items)
    characters = statistics.mean(len(i.question) for i in chosen)
    print(
        f"{len(chosen):,} instructions of {characters:,.0f} characters on average, {len(items):,} test items"
    )
    print(f"index built in {built:.2f} s")
    ours(decontaminator, chosen), plain(index, chosen)  # warm
    rates: list[tuple[float, float]] = []
    agree = True
    for _ in range(arguments.rounds):
        fast, found = timed(lambda: ours(decontaminator, chosen))
        slow, expected = timed(lambda: plain(index, chosen))
        agree = agree and found == expected
        rates.append((len(chosen) / fast, len(chosen) / slow))
        print(
            f"ours {rates[-1][0]:>10,.0f}/s   plain loop {rates[-1][1]:>10,.0f}/s   ratio {slow / fast:.1f}"
        )
    mine, theirs = statistics.median(a for a, _ in rates), statistics.median(b for _, b in rates)
    print(f"contaminated: {sum(found):,}; the two {'agree' if agree else 'DISAGREE'}")
    ratios = {
        "instructions_per_s": round(mine),
        "plain_per_s": round(theirs),
        "ratio": round(mine / theirs, 2),
        "of_target": round(mine / TARGET, 2),
        "agree": agree,
        "test_items": len(items),
    }
    print(json.dumps(ratios))
    return int(arguments.check and (not agree or mine < TARGET))


if __name__ == "__main__":
    sys.exit(main())
