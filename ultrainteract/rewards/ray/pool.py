"""A pool of Ray actors that grade: sandboxes on all nodes of a cluster, for one trainer or several.

Each actor has graders and a sandbox of its own, on the node that it runs on; lost ones are started again by Ray.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from typing import Any

import ray
from ray.exceptions import RayActorError

from ultrainteract.rewards.attempts import Attempt, Score
from ultrainteract.rewards.function import Grading, RewardFunction
from ultrainteract.rewards.grader import ATTEMPTS, OVERDUE_S, Reply, scores_of
from ultrainteract.rewards.scorer import LATE, ScorerConfig
from ultrainteract.rewards.worker import RemoteScorer
from ultrainteract.schema import Verdict

__all__ = ["RayRewardFunction"]


class RayRewardFunction(RewardFunction):
    """Grades completions in actors of the Ray cluster that this process is connected to.

    Args:
        config: Sandbox, limits, deadline and back-pressure, of each actor.
        actors: How many; one per CPU of the cluster if None.
        options: Further options of the actors, such as `{"resources": {"sandbox": 1}}`.
    """

    def __init__(
        self,
        config: ScorerConfig | None = None,
        *,
        actors: int | None = None,
        options: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(config, workers=0)
        self._actors = actors
        self._options = options or {}

    async def _open_graders(self) -> Sequence[Grading]:
        if not ray.is_initialized():
            ray.init(log_to_driver=False)
        resources = ray.cluster_resources()  # type: ignore[no-untyped-call]
        count = self._actors or max(1, int(resources.get("CPU", 1)))
        options = {"num_cpus": 1, "scheduling_strategy": "SPREAD", "max_restarts": -1} | self._options
        kind = ray.remote(RemoteScorer).options(**options)
        config = self.config.model_dump_json()
        return [_Actor(kind.remote(config), self.config.deadline_s) for _ in range(count)]

    def __getstate__(self) -> dict[str, Any]:
        return {"config": self.config, "actors": self._actors, "options": self._options}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(state["config"], actors=state["actors"], options=state["options"])  # type: ignore[misc]


class _Actor:
    """One actor."""

    pid = None

    def __init__(self, handle: Any, deadline_s: float | None) -> None:
        self.pending = 0
        self.counts: Mapping[str, int] = {}
        self._handle, self._deadline_s = handle, deadline_s

    async def score(self, attempts: Sequence[Attempt]) -> list[Score]:
        """Has a batch graded; where its node is lost twice with it, its attempts are undetermined."""
        self.pending += len(attempts)
        limit = None if self._deadline_s is None else self._deadline_s + OVERDUE_S
        try:
            for _ in range(ATTEMPTS):
                try:
                    async with asyncio.timeout(limit):
                        future = self._handle.score.remote(list(attempts)).future()
                        reply: Reply = await asyncio.wrap_future(future)
                except RayActorError:
                    continue
                scores, self.counts = scores_of(reply)
                return scores
        except TimeoutError:
            return [Score.of(LATE)] * len(attempts)
        finally:
            self.pending -= len(attempts)
        return [Score.of(Verdict.undetermined("the grading actor was lost"))] * len(attempts)

    async def close(self, grace_s: float) -> None:
        """Ends the actor, after its sandbox."""
        with contextlib.suppress(RayActorError, TimeoutError):
            await asyncio.wait_for(asyncio.wrap_future(self._handle.close.remote().future()), grace_s)
        ray.kill(self._handle)
