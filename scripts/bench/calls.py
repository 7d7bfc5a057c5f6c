#!/usr/bin/env python3
"""What carrying function calls out costs, against the same code as notebook cells in the same run.

    scripts/bench/calls.py [--calls 1000] [--check]

Each call is one request to the sandbox: the functions' source, then the call. The peer is the same source and the same
call written as Python cells. Both run in turn, in batches, so that a change of the machine's speed hits both. One JSON
line at the end; with --check, fails above a ratio of 1.2.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import sys
import time
from collections.abc import Awaitable, Callable

from ultrainteract.config import SandboxConfig
from ultrainteract.sandbox import open_sandbox
from ultrainteract.schema import Backend, Call, Function, Instruction, Task
from ultrainteract.tree.call_cells import calls_cell, opening_cells, run_of

SOURCE = """
class Account:
    def __init__(self):
        self.balance = 100

    def pay(self, amount, to):
        self.balance -= amount
        return {"balance": self.balance, "to": to}
"""
LIMIT = 1.2
BATCH = 50


async def measure(calls: int, kind: str) -> dict[str, float]:
    instruction = Instruction(
        task=Task("Tools"), dataset="bench", prompt="", question="", grader="final_state",
        functions=(Function(name="pay"),),
        backend=Backend(source=SOURCE, setup="account = Account()", objects=("account",)),
    )  # fmt: skip
    opening = opening_cells(instruction)
    sandbox = open_sandbox(SandboxConfig.model_validate({"kind": kind, "concurrency": 4}))
    await sandbox.start()

    async def call(number: int) -> None:
        made = Call(name="pay", arguments={"amount": number, "to": "Ann"})
        execution = await sandbox.run([*opening, calls_cell(instruction, [made])])
        assert run_of(execution, 1).texts == (json.dumps({"balance": 100 - number, "to": "Ann"}),)

    async def cell(number: int) -> None:
        execution = await sandbox.run([SOURCE + "\naccount = Account()", f"account.pay({number}, to='Ann')"])
        assert execution.value == str({"balance": 100 - number, "to": "Ann"})

    async def seconds(one: Callable[[int], Awaitable[None]]) -> float:
        begun = time.perf_counter()
        await asyncio.gather(*map(one, range(BATCH)))
        return time.perf_counter() - begun

    try:
        await seconds(call), await seconds(cell)  # warm
        pairs = [(await seconds(call), await seconds(cell)) for _ in range(max(1, calls // BATCH))]
    finally:
        await sandbox.close()
    ours, theirs = (sum(side) / len(pairs) / BATCH * 1000 for side in zip(*pairs, strict=True))
    ratio = statistics.median(one / other for one, other in pairs)
    return {"calls": len(pairs) * BATCH, "ms_per_call": ours, "ms_per_cell": theirs, "ratio": ratio}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=1000)
    parser.add_argument("--sandbox", default="bubblewrap")
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    found = asyncio.run(measure(options.calls, options.sandbox))
    print(json.dumps({name: round(value, 3) for name, value in found.items()}))
    return int(options.check and found["ratio"] > LIMIT)


if __name__ == "__main__":
    sys.exit(main())
