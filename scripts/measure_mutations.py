#!/usr/bin/env python3
"""How often a right call that was given one fault is proved wrong, by kind of fault.

    scripts/measure_mutations.py FOLDER [--most 200]

FOLDER holds BFCL's single-turn files (`bfcl_eval/data`). Per kind, one mutation of each of up to 200 records that admit
it, spread over all files, is graded as a tree grades it. Prints a line per kind and one JSON line; fails where fewer
than 99 % of a kind are proved wrong.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections import Counter, defaultdict
from pathlib import Path

from ultrainteract.config import SeedConfig
from ultrainteract.grading.call_judging import first_allowed, judge_calls
from ultrainteract.grading.call_mutation import KINDS, Calls, mutations
from ultrainteract.schema import Instruction, calls_json
from ultrainteract.seeds import load_seed

_SKIPPED = ("multi_turn", "memory", "web_search", "format", "java", "relevance.json")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--most", type=int, default=200, help="records per kind")
    options = parser.parse_args()
    found: defaultdict[str, list[tuple[Instruction, Calls]]] = defaultdict(list)
    for path in sorted(options.folder.resolve().glob("BFCL_v4_*.json")):
        if any(word in path.name for word in _SKIPPED) and "irrelevance" not in path.name:
            continue
        for item in load_seed(SeedConfig(dataset="bfcl", path=str(path)), Path()):
            if isinstance(item, Instruction):
                calls = tuple(first_allowed(gold) for gold in item.gold_set)
                for kind in KINDS:
                    if made := mutations(item, calls, kind):
                        found[kind].append((item, random.Random(item.id + kind).choice(made)))
    figures: dict[str, dict[str, int]] = {}
    for kind in KINDS:
        admitted = found[kind]
        step = max(1, len(admitted) // options.most)
        counts: Counter[str] = Counter()
        for item, made in admitted[::step][: options.most]:
            verdict = judge_calls(item.schemas, item.gold_set, calls_json(made), careful=True)
            counts[verdict.outcome.value] += 1
            if not verdict.is_unequal:
                print(f"{kind}: {item.source}: {verdict.outcome}, {verdict.why}: {calls_json(made)}"[:400])
        figures[kind] = {"admit it": len(admitted), "graded": counts.total(), **counts}
        print(kind, figures[kind])
    print(json.dumps(figures))
    return int(any(f["graded"] and f.get("unequal", 0) < 0.99 * f["graded"] for f in figures.values()))


if __name__ == "__main__":
    sys.exit(main())
