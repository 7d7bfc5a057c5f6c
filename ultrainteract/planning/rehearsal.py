"""A rehearsal: the real growth policy over drawn pass rates instead of models, to know what a run will ask for.

The grower is the one that runs use; only the answers are coins. So the completions counted here are those
that the configured ladder, waves, pool and stop policy would really draw.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from ultrainteract.config import RunConfig
from ultrainteract.models.base import Completion, Offer, Purpose
from ultrainteract.replay import Ask, Observed, Sample
from ultrainteract.schema import (
    Action,
    Instruction,
    Message,
    Observation,
    Provenance,
    SamplingParams,
    Task,
    Tree,
    Verdict,
)
from ultrainteract.tree import Grower


@dataclass(frozen=True)
class PassRates:
    """How often models are right: what a rehearsal draws its coins from."""

    alpha: float = 0.7
    """The actor's pass rate on an instruction is drawn from Beta(alpha, beta)."""
    beta: float = 1.0
    """See `alpha`."""
    beyond: float = 0.0
    """Share of instructions that the actor never solves by itself."""
    stronger: float = 2.0
    """Each further step of the ladder fails as rarely as this many more tries of the one before it."""
    pool: float = 0.6
    """The pool's pass rate, as a share of the actor's."""
    guided: float = 0.9
    """Pass rate of a guided step."""

    @classmethod
    def with_mean(cls, mean: float) -> PassRates:
        """The shape of the default with another mean."""
        mean = min(max(mean, 0.01), 0.99)
        return cls(alpha=1.7 * mean, beta=1.7 * (1 - mean))

    def rate(self, instruction: Instruction, config: RunConfig, model: str, purpose: Purpose) -> float:
        """Pass rate of `model` in `purpose` on `instruction`."""
        if purpose.role == "guided":
            return self.guided
        rng = random.Random(f"rate {instruction.id}")
        own, beyond = rng.betavariate(self.alpha, self.beta), rng.random() < self.beyond
        if purpose.role == "incorrect":
            return 0.0 if beyond else own * self.pool
        position = [step.name for step in config.growth.ladder].index(purpose.step)
        if position == 0:
            return 0.0 if beyond else own
        tries: float = self.stronger**position
        return float(1 - (1 - own) ** tries)


class Asked(NamedTuple):
    """One request of a tree."""

    role: str
    model: str
    """Name in the configuration."""
    turn: int
    samples: int


@dataclass
class Rehearsal:
    """What was drawn."""

    requests: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    """Requests by (role, step, model)."""
    completions: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    """Completions by (role, step, model)."""
    turns: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    """Sum of the turn numbers of the requests: prompts grow with the turn."""
    executions: Counter[Task] = field(default_factory=Counter)
    """Programs that the sandbox would run, by task."""
    asked: list[list[Asked]] = field(default_factory=list)
    """The requests of each tree, in their order."""
    trees: list[Tree] = field(default_factory=list)
    """The trees that grew."""

    @property
    def pairs(self) -> int:
        """Pairs in the trees."""
        return sum(1 for tree in self.trees for _ in tree.pairs())


def rehearse(config: RunConfig, instructions: Iterable[Instruction], rates: PassRates) -> Rehearsal:
    """Grows the trees of `instructions` over coins.

    Args:
        config: The policy.
        instructions: What to grow; only the ids, tasks and ground truths matter.
        rates: Pass rates.
    """
    found = Rehearsal()
    grower = Grower(config, _CoinSampler(config, rates, found), _CoinObserver(found))

    async def grow() -> None:
        for instruction in instructions:
            found.asked.append([])
            found.trees.append(await grower.grow(instruction))

    asyncio.run(grow())
    return found


class _CoinSampler:
    """Sessions whose samples are right or wrong by a coin."""

    def __init__(self, config: RunConfig, rates: PassRates, found: Rehearsal) -> None:
        self.config = config
        self.rates = rates
        self.found = found

    def session(self, instruction: Instruction) -> _CoinSession:
        return _CoinSession(self, instruction)


class _CoinSession:
    refusal = ""

    def __init__(self, sampler: _CoinSampler, instruction: Instruction) -> None:
        self._config, self._rates, self._found = sampler.config, sampler.rates, sampler.found
        self._instruction = instruction
        self._taken: Counter[tuple[str, tuple[tuple[str, str], ...]]] = Counter()

    async def sample(
        self,
        model: str,
        messages: tuple[Message, ...],
        n: int,
        purpose: Purpose,
        sampling: SamplingParams | None = None,
        offer: Offer | None = None,
    ) -> list[Sample]:
        sampling = sampling or self._config.models[model].sampling
        key = (model, tuple((message.role, message.content) for message in messages))
        first = self._taken[key]
        self._taken[key] += n
        where = (purpose.role, purpose.step, model)
        self._found.requests[where] += 1
        self._found.completions[where] += n
        self._found.turns[where] += purpose.turn
        self._found.asked[-1].append(Asked(purpose.role, model, purpose.turn, n))
        task = self._instruction.task
        rate = 1.0
        if purpose.role in ("actor", "incorrect", "guided"):
            rate = self._rates.rate(self._instruction, self._config, model, purpose)
        samples = []
        for ordinal in range(first, first + n):
            # One coin for each sample, whatever was said before: two policies over the same instructions differ
            # by what they draw alone.
            coin = f"{self._instruction.id} {model} {purpose.step} {purpose.turn} {ordinal}"
            right = random.Random(coin).random() < rate
            answer = f"{'right' if right else 'wrong'} {model} {ordinal}"
            code = f"<execute>'{answer}'</execute>" if task.runs_program else ""
            text = f"<thought>{answer}</thought>{code}<solution>{answer}</solution>"
            provenance = Provenance(
                model=self._config.models[model].model, provider="rehearsal", sampling=sampling, step=purpose.step,
                ordinal=ordinal, simulated=True,
            )  # fmt: skip
            samples.append(Sample(completion=Completion(text=text), provenance=provenance))
        return samples


class _CoinObserver:
    def __init__(self, found: Rehearsal) -> None:
        self._found = found

    async def observe(
        self,
        instruction: Instruction,
        cells: Sequence[str],
        actions: Sequence[Action],
        ask: Ask | None = None,
    ) -> list[Observed]:
        self._found.executions[instruction.task] += sum(action.code is not None for action in actions)
        return [
            Observed(
                observation=Observation(),
                verdict=Verdict.correct("equivalence")
                if "right" in action.text
                else Verdict.wrong("equivalence"),
            )
            for action in actions
        ]

    async def call_tools(
        self, instruction: Instruction, cells: Sequence[str], actions: Sequence[Action]
    ) -> list[str]:
        return [""] * len(actions)

    async def call_functions(
        self, instruction: Instruction, actions: Sequence[Action]
    ) -> list[tuple[str, ...]]:
        return [("",) * len(action.calls) for action in actions]

    async def earlier_results(self, instruction: Instruction) -> tuple[str, ...]:
        return ()
