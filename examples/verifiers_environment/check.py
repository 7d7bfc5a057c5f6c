"""Loads the environment with the installed `verifiers` and scores replies with it; `scripts/ci-verifiers` runs this.

python check.py EXPORT      # a folder that `export --format trl-rl` has written
"""

from __future__ import annotations

import asyncio
import json
import sys

import verifiers
import verifiers.v1 as vf


async def score(task: vf.Task, reply: str) -> float | str:
    """The reward of a reply, or the error that stands in for one."""
    recorded = vf.TraceTask(type=type(task).__name__, data=task.data)
    trace = vf.Trace(task=recorded, agent=vf.AgentInfo(config=vf.AgentConfig()), root_reply=reply)
    try:
        await task.score(trace)
    except vf.TaskError as error:
        return str(error)
    return trace.rewards["verified"].value


async def check(task: vf.Task) -> None:
    """Scores a right, a wrong and an undetermined reply."""
    gold = json.loads(task.data.problem)["gold"]
    assert await score(task, f"Answer: {gold}") == 1.0
    assert await score(task, "Answer: 1234567") == 0.0
    assert "no verdict" in str(await score(task, "I do not know."))


def main(export: str) -> None:
    """Checks every task of an export."""
    config = vf.taskset_config_type("ultrainteract-trees")(id="ultrainteract-trees", path=export)
    tasks = list(vf.load_taskset(config))
    assert tasks, "the export has no prompt"
    for task in tasks:
        asyncio.run(check(task))
    print(f"verifiers {verifiers.__version__}: {len(tasks)} tasks loaded and scored")


if __name__ == "__main__":
    main(sys.argv[1])
