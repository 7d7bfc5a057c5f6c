#!/usr/bin/env python3
"""Compares verdicts by final state with BFCL's own multi-turn checker, on right turns and on turns with one fault.

    scripts/compare_bfcl_dialogues.py FOLDER [--records 8] [--sandbox bubblewrap] [--write]

FOLDER is the package `bfcl_eval`. Each turn is judged after the right calls of the turns before it, here in the sandbox
and there by `multi_turn_checker`, which runs the benchmark's classes in this process. Prints each contradiction and one
JSON line with the counts; `--write` keeps how often the verdicts were the checker's: the reliability of `final_state`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import types
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from _figures import Measured, write

from ultrainteract.config import SandboxConfig, SeedConfig
from ultrainteract.grading.call_mutation import KINDS, mutations
from ultrainteract.grading.call_reading import read_message
from ultrainteract.grading.finding import Basis
from ultrainteract.sandbox import open_sandbox
from ultrainteract.sandbox.base import Sandbox
from ultrainteract.schema import Call, Instruction, Label
from ultrainteract.seeds import load_seed
from ultrainteract.tree.call_cells import CallRun, calls_cell, expressions_cell, opening_cells, run_of
from ultrainteract.tree.call_state import CHECK, RightCalls, state_verdict

CATEGORIES = ("base", "miss_func", "miss_param", "long_context")


def oracle(folder: Path) -> Any:
    """The published checker of one turn, given the right calls of the turns before it."""
    sys.path.insert(0, str(folder.parent))
    sys.modules.setdefault("bfcl_eval.constants.model_config", types.ModuleType("model_config"))
    from bfcl_eval.eval_checker.multi_turn_eval.multi_turn_checker import multi_turn_checker

    numbers = iter(range(10**9))

    def check(record: dict[str, Any], truths: list[list[str]], attempt: list[str]) -> bool:
        if not truths[-1]:
            return not attempt
        made = [[turn] if turn else [] for turn in truths[:-1]] + [[attempt] if attempt else []]
        category = record["id"].rsplit("_", 1)[0]
        found = multi_turn_checker(made, truths, record, category, f"m{next(numbers)}")
        return bool(found["valid"])

    return check


def attempts(item: Instruction) -> Iterator[tuple[str, tuple[Call, ...]]]:
    """The right calls of a turn, and each kind of fault once."""
    assert item.backend is not None
    calls: list[Call] = []
    for text in item.backend.gold:
        calls += read_message(text, item.functions)[1] or ()
    right = tuple(call.model_copy(update={"positional": 0}) for call in calls)
    yield "right", right
    for kind in KINDS:
        yield from ((kind, made) for made in mutations(item, right, kind)[:1])


async def ours(sandbox: Sandbox, item: Instruction, calls: Sequence[Call]) -> Label:
    backend = item.backend
    assert backend is not None
    opening = opening_cells(item)

    async def run(cells: Sequence[str], count: int) -> CallRun:
        return run_of(await sandbox.run(cells), count)

    async def stated(texts: Sequence[str], **opened: bool) -> CallRun:
        return await run([*opening_cells(item, **opened), expressions_cell(item, texts)], len(texts))

    right = RightCalls(
        before=await stated(backend.before, before=False),
        gold=await stated(backend.gold),
        again=await stated(backend.gold, shifted=True),
    )
    last = await run([*opening, calls_cell(item, calls, state=True)], len(calls))
    return state_verdict(item, right, calls, (), last).label


async def compare(folder: Path, records: int, kind: str, measured: Measured) -> Counter[str]:
    check, counts = oracle(folder), Counter[str]()
    sandbox = open_sandbox(SandboxConfig.model_validate({"kind": kind, "concurrency": 2}))
    await sandbox.start()
    try:
        for category in CATEGORIES:
            path = folder / "data" / f"BFCL_v4_multi_turn_{category}.json"
            rows = {row["id"]: row for row in map(json.loads, path.read_text().splitlines())}
            lines = (path.parent / "possible_answer" / path.name).read_text().splitlines()
            truths = {row["id"]: row["ground_truth"] for row in map(json.loads, lines)}
            chosen = set(list(rows)[:: max(1, len(rows) // records)][:records])
            for item in load_seed(SeedConfig(dataset="bfcl", path=str(path)), Path()):
                if not isinstance(item, Instruction):
                    counts["refused"] += 1
                    continue
                key, _, turn = item.source.rpartition("/")[2].rpartition("_turn_")
                if key not in chosen:
                    continue
                for fault, calls in attempts(item):
                    texts = [
                        f"{c.name}({', '.join(f'{k}={v!r}' for k, v in c.arguments.items())})" for c in calls
                    ]
                    theirs = check(rows[key], truths[key][: int(turn) + 1], texts)
                    label = await ours(sandbox, item, calls)
                    measured.add(CHECK, fault, label, Basis.EXACT, right=theirs)
                    agrees = label is (Label.CORRECT if theirs else Label.WRONG)
                    doubted = label is Label.UNDETERMINED
                    counts["agree" if agrees else "undetermined" if doubted else "differ"] += 1
                    counts[f"right, {label}"] += fault == "right"
                    if not agrees and not doubted:
                        said = {
                            "id": item.source,
                            "kind": fault,
                            "ours": label,
                            "theirs": theirs,
                            "calls": texts,
                        }
                        print(json.dumps(said)[:600])
    finally:
        await sandbox.close()
    return counts


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--records", type=int, default=8, help="records per category")
    parser.add_argument("--sandbox", default="bubblewrap")
    parser.add_argument("--write", action="store_true", help="write the figures into the package")
    options = parser.parse_args()
    measured = Measured()
    counts = asyncio.run(compare(options.folder.resolve(), options.records, options.sandbox, measured))
    print(json.dumps(counts))
    if options.write:
        write(calls=measured.section())
    return int(counts["differ"] > 0)


if __name__ == "__main__":
    sys.exit(main())
