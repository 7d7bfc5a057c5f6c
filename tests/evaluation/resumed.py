"""An evaluation as a process that can be killed: two samples per item, three turns, critiques, a slow scripted model."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from tests.builders import Scripted
from tests.evaluation.helpers import configured, evaluated, items_of
from ultrainteract.models.base import ChatRequest, Reply


class Slow(Scripted):
    """A scripted model that takes a while."""

    async def sample(self, request: ChatRequest) -> Reply:
        await asyncio.sleep(0.02)
        return await super().sample(request)


def main(output: Path) -> None:
    settings = configured(
        output, "svamp", tasks=("Math_CoT",), max_inflight_items=4,
        rollout={"protocol": "rollout", "samples": 2, "max_turns": 3, "feedback": "critique"},
        critic={"provider": "simulated", "model": "critic"},
    )  # fmt: skip
    golds = {item.question: (number, item.gold) for number, item in enumerate(items_of(settings))}

    def answer(request: ChatRequest, ordinal: int) -> str:
        assert request.purpose.instruction is not None
        number, gold = golds[request.purpose.instruction.question]
        right = (number + ordinal) % 4 < request.purpose.turn - 1
        return f"Answer: {gold}" if right else f"Answer: {1000 + number + ordinal}"

    actor = Slow("actor", answer)
    critic = Slow("critic", lambda request, ordinal: f"Look at the second step again. ({ordinal})")
    evaluated(settings, actor, critic=critic)
    print(actor.drawn + critic.drawn)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
