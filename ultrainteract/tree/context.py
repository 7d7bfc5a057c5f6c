"""What growing one tree needs at every step: its samples, its observer, its prompts, its randomness, its counts."""

from __future__ import annotations

import logging
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from ultrainteract.config import RunConfig
from ultrainteract.dataset.call_samples import attempted, exchanged, with_results
from ultrainteract.grading.boundary import is_fault
from ultrainteract.models.base import Purpose
from ultrainteract.prompts import Prompts
from ultrainteract.replay import Observer, Sample, Session
from ultrainteract.schema import (
    Action,
    Exchange,
    Instruction,
    Label,
    Message,
    Node,
    Observation,
    ReasoningSchema,
    SamplingParams,
    Task,
    Verdict,
    content_hash,
)
from ultrainteract.schema.calls import results_text
from ultrainteract.tree.calling import read_calling, request
from ultrainteract.tree.cpu import CPUQueue
from ultrainteract.tree.guards import Counts, normalised
from ultrainteract.tree.placeholders import read_action
from ultrainteract.wording import feedback, shown_output

log = logging.getLogger(__name__)

_LONG = 2_000
"""Answers of at least this many characters are parsed on the CPU queue."""
_TRUNCATED = Verdict.undetermined("the answer was cut off at the token cap")
_FILTERED = Verdict.undetermined("the provider withheld the answer")


@dataclass
class Context:
    """State of one tree while it is grown."""

    config: RunConfig
    instruction: Instruction
    session: Session
    observer: Observer
    prompts: Prompts
    cpu: CPUQueue
    history: list[Node] = field(default_factory=list)
    """The expanded incorrect nodes of the turns so far."""
    openings: dict[str, tuple[Message, ...]] = field(default_factory=dict)
    """The actor's prompts for this instruction, by template."""
    extended: bool = False
    """True once the tree has had its extra pairs."""
    dialogue: tuple[Message, ...] | None = None
    """The instruction's dialogue with the results of its earlier calls, once they are known."""
    guards: Counts = field(default_factory=Counter)
    """What the quality guards did."""
    unread: str = ""
    """Why the first sample without a verdict has none, and how it ends."""
    simulation: bool = False
    """True once a simulated model has answered."""

    @property
    def turn(self) -> int:
        """The turn being taken, from 1."""
        return len(self.history) + 1

    @property
    def cells(self) -> list[str]:
        """Code of the earlier turns: the notebook's state."""
        return [
            code
            for node in self.history
            for code in (*(exchange.code for exchange in node.action.exchanges), node.action.code)
            if code is not None
        ]

    def rng(self, purpose: str) -> random.Random:
        """A generator of its own for each (run seed, instruction, turn, purpose)."""
        seed = content_hash([self.config.seed, self.instruction.id, self.turn, purpose])
        return random.Random(int(seed[:16], 16))

    def schema(self) -> ReasoningSchema:
        """The reasoning schema of this turn, drawn at random; chain of thought where there is no code."""
        kind = self.instruction.task.kind
        if kind is Task.MATH_COT or (kind is Task.LOGIC and not self.instruction.tools):
            return "cot"
        return "modular" if self.rng("schema").random() < self.config.growth.modular_share else "cot"

    def actor_messages(self, schema: ReasoningSchema) -> tuple[Message, ...]:
        """What the actor is asked at this turn: the task's prompt, then its earlier attempts and what came of them.

        Where functions are on offer, the prompt is left to `_sample`: it depends on the model.
        """
        if self.instruction.functions:
            turns = enumerate(self.history, 1)
            return tuple(m for turn, node in turns for m in attempted(node, self.instruction, turn))
        task = self.instruction.task
        name = f"actor/{task.value.lower()}.{'cot' if task.kind is Task.LOGIC else schema}"
        opening = self.openings.get(name)
        if opening is None:
            opening = self.openings[name] = self.prompts.render(
                name, prompt=self.instruction.prompt, tools=self.instruction.tools
            )
        messages = list(opening)
        for node in self.history:
            messages += self._exchanged(node.action.exchanges)
            messages.append(Message(role="assistant", content=node.action.raw))
            messages.append(Message(role="user", content=feedback(node, self.instruction.wording)))
        return tuple(messages)

    async def attempt(
        self,
        model: str,
        messages: tuple[Message, ...],
        n: int,
        purpose: Purpose,
        sampling: SamplingParams | None = None,
    ) -> list[Node]:
        """Draws `n` attempts, carries their tool calls out, and observes them.

        Returns:
            One node a sample, in order; fewer where the provider refuses the request.
        """
        return [node for _, node in await self.sampled(model, messages, n, purpose, sampling)]

    async def sampled(
        self,
        model: str,
        messages: tuple[Message, ...],
        n: int,
        purpose: Purpose,
        sampling: SamplingParams | None = None,
    ) -> list[tuple[Sample, Node]]:
        """As `attempt`, each node with the sample that it was read from (of a tool's user, the last one)."""
        samples = await self._sample(model, messages, n, purpose, sampling)
        if len(samples) < n:
            self.guards["request_refused"] += 1
        actions = [await self._parse(sample, purpose, ()) for sample in samples]
        samples, actions = await self._use_tools(model, messages, purpose, sampling, samples, actions)
        verdicts = [_unfinished(sample) for sample in samples]
        self.guards["truncated"] += sum(verdict is _TRUNCATED for verdict in verdicts)
        self.guards["withheld"] += sum(verdict is _FILTERED for verdict in verdicts)
        self.simulation = self.simulation or any(sample.provenance.simulated for sample in samples)
        finished = [action for action, verdict in zip(actions, verdicts, strict=True) if verdict is None]
        seen = iter(await self.observer.observe(self.instruction, self.cells, finished, self._ask_judge))
        nodes: list[tuple[Sample, Node]] = []
        for sample, action, verdict in zip(samples, actions, verdicts, strict=True):
            if verdict is None:
                observed = next(seen)
                observation, verdict = observed.observation, observed.verdict
                self.guards["no_answer"] += action.code is None and action.answer is None
            else:
                observation = Observation()
            if verdict.label is Label.UNDETERMINED:
                self.unread = self.unread or f"{verdict.reason}. It ends: {_tail(sample)}"
            node = Node(action=action, observation=observation, verdict=verdict, provenance=sample.provenance)
            nodes.append((sample, node))
        self.guards["grader_failed"] += sum(is_fault(node.verdict) for _, node in nodes)
        return nodes

    async def _sample(
        self,
        model: str,
        messages: tuple[Message, ...],
        n: int,
        purpose: Purpose,
        sampling: SamplingParams | None,
    ) -> list[Sample]:
        """Samples of an attempt, asked for in the model's form where functions are on offer."""
        if not self.instruction.functions:
            return await self.session.sample(model, messages, n, purpose, sampling)
        if self.dialogue is None:
            results = await self.observer.earlier_results(self.instruction)
            self.dialogue = with_results(self.instruction.dialogue, results)
        asked, offer = request(
            self.prompts, self.instruction, self.config.models[model], self.dialogue, messages
        )
        return await self.session.sample(model, asked, n, purpose, sampling, offer)

    async def ask(
        self, model: str, messages: tuple[Message, ...], purpose: Purpose, sampling: SamplingParams | None
    ) -> Sample | None:
        """One text for one conversation; None where the provider refuses the request."""
        samples = await self.session.sample(model, messages, 1, purpose, sampling)
        if not samples:
            self.guards["request_refused"] += 1
        self.simulation = self.simulation or any(sample.provenance.simulated for sample in samples)
        return samples[0] if samples else None

    async def _use_tools(
        self, model: str, messages: tuple[Message, ...], purpose: Purpose, sampling: SamplingParams | None,
        samples: Sequence[Sample], actions: Sequence[Action],
    ) -> tuple[list[Sample], list[Action]]:  # fmt: skip
        """Lets attempts that call a tool before they answer go on, in lock-step, until each has an answer."""
        samples, actions = list(samples), list(actions)
        for _ in range(self._rounds):
            asking = [
                number
                for number, (sample, action) in enumerate(zip(samples, actions, strict=True))
                if self._goes_on(action) and _unfinished(sample) is None
            ]
            if not asking:
                break
            made = await self._exchange([actions[n] for n in asking])
            for number, exchange in zip(asking, made, strict=True):
                exchanges = (*actions[number].exchanges, exchange)
                asked = (*messages, *self._exchanged(exchanges))
                more = await self._sample(model, asked, 1, purpose, sampling)
                if more:
                    samples[number] = more[0]
                    actions[number] = await self._parse(more[0], purpose, exchanges)
        return samples, actions

    @property
    def _rounds(self) -> int:
        """Most messages of an attempt that are no answer yet."""
        if self.instruction.functions:
            return self.config.growth.max_call_rounds if self.instruction.backend is not None else 0
        return self.config.growth.max_tool_rounds if self.instruction.task.kind is Task.LOGIC else 0

    def _goes_on(self, action: Action) -> bool:
        """Whether an action is no answer yet: something has to be carried out first."""
        if self.instruction.functions:
            return bool(action.calls)
        return action.code is not None and action.answer is None

    async def _exchange(self, actions: Sequence[Action]) -> list[Exchange]:
        """Carries out what actions ask for, and returns each with what came of it."""
        if self.instruction.functions:
            every = await self.observer.call_functions(self.instruction, actions)
            outputs = [results_text(results) for results in every]
        else:
            outputs = await self.observer.call_tools(self.instruction, self.cells, actions)
            every = [()] * len(actions)
        return [
            Exchange(
                text=action.text, raw=action.raw, reasoning=action.reasoning, code=action.code, output=output,
                calls=action.calls, results=results,
            )
            for action, output, results in zip(actions, outputs, every, strict=True)
        ]  # fmt: skip

    def _exchanged(self, exchanges: Sequence[Exchange]) -> list[Message]:
        if self.instruction.functions:
            return exchanged(exchanges, self.instruction, f"turn {self.turn}")
        messages: list[Message] = []
        for exchange in exchanges:
            messages.append(Message(role="assistant", content=exchange.raw))
            shown = shown_output(exchange.output, self.instruction.wording)
            messages.append(Message(role="user", content=shown))
        return messages

    async def _parse(self, sample: Sample, purpose: Purpose, exchanges: tuple[Exchange, ...]) -> Action:
        text = sample.completion.text

        def parse() -> Action:
            schema, reasoning = purpose.reasoning_schema, sample.completion.reasoning
            try:
                if self.instruction.functions:
                    action = read_calling(text, self.instruction, schema, exchanges, reasoning)
                else:
                    action = read_action(text, self.instruction, schema, exchanges, self.cells, reasoning)
            except Exception:  # no text may end a run: what the parser fails on says nothing
                log.exception("A completion for %s could not be parsed", self.instruction.source)
                self.guards["parse_failed"] += 1
                action = Action(
                    raw=text, reasoning_schema=schema, text=text, exchanges=exchanges, reasoning=reasoning
                )
            normalised(action)  # remembered for the comparisons to come
            return action

        return parse() if len(text) < _LONG else await self.cpu.run(parse)

    async def _ask_judge(self, messages: tuple[Message, ...], form: str) -> str:
        assert self.config.judge is not None
        purpose = Purpose(role="judge", step="judge", turn=self.turn, form=form)
        sample = await self.ask(self.config.judge.model, messages, purpose, self.config.judge.sampling)
        return sample.completion.text if sample else ""


def _unfinished(sample: Sample) -> Verdict | None:
    reason = sample.completion.finish_reason
    if reason == "length":
        return _TRUNCATED
    return None if reason == "stop" else _FILTERED


def _tail(sample: Sample) -> str:
    """The end of a sample, on one line."""
    text = " ".join(sample.completion.text[-400:].split())
    return f"…{text[-160:]}" if len(text) > 160 else text or "(it is empty)"
