"""Prompts of a `trl-rl` export as tasks, each graded with the ground truth that it carries.

A completion without a verdict raises `vf.TaskError`: its rollout then counts as failed and has no reward, not 0.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import verifiers.v1 as vf

from ultrainteract.rewards import Attempt, RewardFunction
from ultrainteract.rewards.client import RemoteRewardFunction


@cache
def grading(server: str | None, workers: int | None) -> RewardFunction:
    """The reward function that all tasks of this process share.

    Args:
        server: Address of `ultrainteract serve`; grading is done here if None.
        workers: Grading processes, where it is done here.
    """
    return RewardFunction(workers=workers) if server is None else RemoteRewardFunction(server)


class TreesData(vf.TaskData):
    """One prompt with its ground truth."""

    problem: str
    """The problem, packed: the export's column of that name."""
    pass_rate: float | None = None
    """How often the actor of the run solved it."""
    difficulty: str | None = None
    """Band of the pass rate."""


class TreesTaskConfig(vf.TaskConfig):
    """Where completions are graded."""

    server: str | None = None
    """Address of `ultrainteract serve`; graded in processes beside this one if None."""
    workers: int | None = None
    """Grading processes; one per core if None."""


class TreesTask(vf.Task[TreesData, vf.State, TreesTaskConfig]):
    """A prompt that is answered in one turn."""

    @vf.reward(weight=1.0)
    async def verified(self, trace: vf.Trace) -> float:
        """1 where the last reply is proved correct, 0 where it is proved wrong."""
        calls = trace.calls
        cut_off = bool(calls) and calls[-1].finish_reason == "length"
        finish_reason = "length" if cut_off else "stop"
        attempt = Attempt(problem=self.data.problem, text=trace.last_reply, finish_reason=finish_reason)
        [score] = await grading(self.config.server, self.config.workers).score([attempt])
        if score.reward is None:
            raise vf.TaskError(f"no verdict, so no reward: {score.verdict.reason}")
        return score.reward


class TreesConfig(vf.TasksetConfig):
    """Which prompts."""

    path: Path = Path("data/trl-rl")
    """Folder that `ultrainteract export --format trl-rl` has written."""
    task: TreesTaskConfig = TreesTaskConfig()


class TreesTaskset(vf.Taskset[TreesTask, TreesConfig]):
    """The prompts of an export, in its order."""

    def load(self) -> Iterator[TreesTask]:
        """Yields the tasks."""
        import pyarrow.parquet as pq

        for path in sorted(Path(self.config.path).glob("train*.parquet")):
            for row in pq.read_table(path).to_pylist():
                prompt = "\n\n".join(message["content"] for message in row["prompt"])
                data = TreesData(
                    id=row["id"],
                    prompt=prompt,
                    problem=row["problem"],
                    pass_rate=row["pass_rate"],
                    difficulty=row["difficulty"],
                )
                yield TreesTask(data, self.config.task)
