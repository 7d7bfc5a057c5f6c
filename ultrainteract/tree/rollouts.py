"""Rolls a model out on one item: samples and turns with feedback, and nothing that would make a tree of them.

The same as of a tree holds: a deterministic function of item, configuration and recorded calls, so that resuming is
rolling out again. All rollouts of an item take their turns in lock-step, and those with the same history draw from
one request, in order: which sample a rollout gets does not depend on which answer came first.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from ultrainteract.config import RunConfig
from ultrainteract.models.base import Purpose
from ultrainteract.prompts import Prompts
from ultrainteract.replay import Observer, Sample, Sampler, Session
from ultrainteract.schema import (
    EvaluatedItem,
    Instruction,
    Label,
    Message,
    Node,
    ReasoningSchema,
    Rollout,
    RolloutStep,
)
from ultrainteract.schema.rollout import RolloutEnd
from ultrainteract.tree.context import Context
from ultrainteract.tree.cpu import CPUQueue
from ultrainteract.tree.critique import criticise
from ultrainteract.tree.mint import MintSession
from ultrainteract.wording import ENGLISH

AGAIN = "Look at your answer again. If it is right, repeat it; if it is not, correct it."
"""The user turn where nothing may be said of an answer."""
NO_ANSWER = "No final answer was found in your message. State it in the form that was asked for."
"""The user turn after an answer that cannot be read."""
CUT_OFF = "Your message was cut off before it ended. Give a shorter answer."
"""The user turn after an answer that was cut off at the token cap."""


@dataclass
class Running:
    """A rollout that is under way."""

    ordinal: int
    budget: int
    context: Context
    steps: list[RolloutStep] = field(default_factory=list)
    ended: RolloutEnd | None = None

    def add(self, sample: Sample, node: Node, **more: object) -> None:
        """Notes a step."""
        logprobs = sample.completion.logprobs
        logprob = round(sum(logprobs), 6) if logprobs else None
        self.steps.append(RolloutStep.model_validate({"node": node, "logprob": logprob, **more}))

    def done(self) -> Rollout:
        """The record of it."""
        assert self.ended is not None
        return Rollout(ordinal=self.ordinal, budget=self.budget, steps=tuple(self.steps), ended=self.ended)


class Roller:
    """Rolls items out under one configuration: what a `Grower` is to trees.

    Args:
        config: The run's configuration, with `rollout`.
        sampler: Draws samples.
        observer: Observes actions.
    """

    def __init__(self, config: RunConfig, sampler: Sampler, observer: Observer) -> None:
        assert config.rollout is not None
        self._config = config
        self._policy = config.rollout
        self._sampler = sampler
        self._observer = observer
        self._prompts = Prompts(config.growth.prompts)
        self._cpu = CPUQueue()

    async def grow(self, instruction: Instruction) -> EvaluatedItem:
        """Takes all rollouts of an item.

        Raises:
            ProviderError: A model could not be reached; everything recorded stays valid.
            SandboxError: The sandbox failed again and again.
            BudgetExceeded: The budget is used up.
            StoreError: The record could not be written.
        """
        openings = self._openings(instruction)

        def begin(session: Session, budget: int) -> list[Running]:
            return [
                Running(
                    ordinal,
                    budget,
                    Context(
                        self._config, instruction, session, self._observer, self._prompts, self._cpu,
                        openings=openings,
                    ),
                )
                for ordinal in range(self._policy.samples)
            ]  # fmt: skip

        turns = self._policy.turns
        if self._policy.protocol == "mint":
            # A session for each k: where the k's are asked alike they are answered alike, as at temperature 0.
            by_k = [begin(self._sampler.session(instruction), k) for k in range(1, turns + 1)]
            await asyncio.gather(*map(self._play, by_k))
            running = [rollout for rollouts in by_k for rollout in rollouts]
        else:
            running = begin(self._sampler.session(instruction), turns)
            while active := [rollout for rollout in running if rollout.ended is None]:
                await self._take_turn(active)
        return EvaluatedItem(
            instruction=instruction,
            rollouts=tuple(rollout.done() for rollout in running),
            simulation=any(rollout.context.simulation for rollout in running),
        )

    async def _play(self, rollouts: list[Running]) -> None:
        for rollout in rollouts:
            rollout.ended = await MintSession(rollout, self._policy).play()

    async def solves(self, instruction: Instruction, times: int) -> bool:
        """No item is left out because it is easy."""
        return False

    def _openings(self, instruction: Instruction) -> dict[str, tuple[Message, ...]]:
        """The prompts of an item where they are not the templates'."""
        if self._policy.prompt == "template" and instruction.grader != "ifeval":
            return {}
        task = instruction.task.value.lower()
        own: tuple[Message, ...] = (Message(role="user", content=instruction.prompt),)
        if self._policy.prompt == "question" and instruction.grader != "ifeval":
            own = self._prompts.render(
                f"actor/{task}.cot", prompt=instruction.question, tools=instruction.tools
            )
        return {f"actor/{task}.{schema}": own for schema in ("cot", "modular")}

    async def _take_turn(self, active: list[Running]) -> None:
        groups: dict[tuple[Message, ...], list[Running]] = {}
        for rollout in active:
            groups.setdefault(rollout.context.actor_messages("cot"), []).append(rollout)
        await asyncio.gather(*(self._draw(messages, group) for messages, group in groups.items()))
        for (
            rollout
        ) in active:  # one after another: critiques of equal answers are drawn in the order of rollouts
            if rollout.ended is None:
                await self._respond(rollout)

    async def _draw(self, messages: tuple[Message, ...], group: list[Running]) -> None:
        """Draws the next answer of rollouts that share a history."""
        schema: ReasoningSchema = "cot"
        step, first = self._config.growth.ladder[0], group[0].context
        purpose = Purpose(role="actor", step=step.name, turn=first.turn, reasoning_schema=schema)
        drawn = await first.sampled(step.model, messages, len(group), purpose, step.sampling)
        for number, rollout in enumerate(group):
            if number >= len(drawn):
                rollout.ended = "refused"
                continue
            rollout.context.simulation = first.simulation
            rollout.add(*drawn[number])
            if drawn[number][1].verdict.label is Label.CORRECT:
                rollout.ended = "solved"
            elif len(rollout.steps) == rollout.budget:
                rollout.ended = "turn_cap"

    async def _respond(self, rollout: Running) -> None:
        """Says what the protocol says of the latest answer, which is not proved right."""
        node, context = rollout.steps[-1].node, rollout.context
        withheld = False
        said = _said(node, self._policy.feedback == "none")
        if said is not None:
            observation = node.observation.model_copy(update={"verbatim": _with_output(context, node, said)})
            node = node.model_copy(update={"observation": observation})
        elif self._policy.feedback == "critique":
            critique = await criticise(context, node)
            withheld = critique is not None and critique.guard == "redacted"
            node = node.model_copy(update={"critique": None if withheld else critique})
        context.history.append(node)
        rollout.steps[-1] = rollout.steps[-1].model_copy(update={"node": node, "withheld": withheld})


def _said(node: Node, nothing: bool) -> str | None:
    """The user turn in the place of the published one; None where that one fits."""
    if node.verdict.label is Label.WRONG:
        return AGAIN if nothing else None
    if "cut off at the token cap" in node.verdict.reason:
        return CUT_OFF
    return NO_ANSWER if node.action.answer is None and node.action.code is None else AGAIN


def _with_output(context: Context, node: Node, said: str) -> str:
    words = context.instruction.wording or ENGLISH.feedback
    output = node.observation.output
    return (
        said if output is None or context.instruction.grader == "tests" else f"{words.output}{output}\n{said}"
    )
