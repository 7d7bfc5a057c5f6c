"""Trees: actions with observations and critiques, in turns, in one of the ledger's states."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import Literal, Self

from pydantic import Field, model_validator

from ultrainteract.schema.base import ReasoningSchema, Record
from ultrainteract.schema.calls import Call
from ultrainteract.schema.instruction import Instruction
from ultrainteract.schema.messages import Exchange, Provenance
from ultrainteract.schema.verdict import Label, Verdict


class Action(Record):
    """One whole attempt by the actor at one turn."""

    raw: str
    """The completion exactly as the model wrote it."""
    reasoning_schema: ReasoningSchema
    """The schema that was asked for."""
    text: str
    """The published rendering: thought as text, code in a ```python fence, the answer as `Answer:…`."""
    code: str | None = None
    """The Python program, if the action carries one."""
    answer: str | None = None
    """The final answer as written, if the action states one."""
    syntax_ok: bool = True
    """False where `code` does not pass Python's syntax check."""
    exchanges: tuple[Exchange, ...] = ()
    """Tool calls made before the answer, within this turn."""
    reasoning: str | None = None
    """The model's reasoning before it, without its tags; no later request, critic or judge sees it."""
    calls: tuple[Call, ...] = Field(default=(), exclude_if=lambda value: not value)
    """Function calls of its last message; those before are in `exchanges`."""


class Observation(Record):
    """What the environment says of an action."""

    output: str | None = None
    """Interpreter output, traceback or test feedback, without its label; None for a tool-free
    action."""
    status: str = "ok"
    """Status of the execution (`ok`, `error`, `timeout`, `memory`, …)."""
    verbatim: str | None = None
    """The whole user turn of an imported row whose wording differs from this project's; None otherwise."""
    results: tuple[str, ...] = Field(default=(), exclude_if=lambda value: not value)
    """What each call of the action's last message gave, in order."""


class Critique(Record):
    """What a stronger model, which knows the gold answer, says of a wrong action."""

    text: str
    """The critique as published."""
    guard: Literal["clean", "asked_again", "redacted"] = "clean"
    """What the leak guard did: nothing, had it rewritten, or removed the gold answer from it."""
    provenance: Provenance
    """The critic."""


class Constitution(Record):
    """Principles that a response was written under."""

    name: str
    """Which constitution: `positive`, or the contrast's name."""
    principles: tuple[str, ...] = Field(min_length=1)
    """Its principles, each a sentence."""


class Node(Record):
    """An action with its observation, verdict and, if it is wrong and was expanded, its critique."""

    action: Action
    """What the actor did."""
    observation: Observation
    """What the environment said."""
    verdict: Verdict
    """What is known about it."""
    critique: Critique | None = None
    """What the critic said; only on an expanded node."""
    provenance: Provenance
    """The actor."""
    published_id: str | None = None
    """Id of the imported SFT row that this action comes from: it is exported under the same one."""
    constitution: Constitution | None = Field(default=None, exclude_if=lambda value: value is None)
    """The principles that the actor was given; only on unlabelled nodes."""


class Pair(Record):
    """A correct and an incorrect action at the same turn, with the same history."""

    chosen: Node
    """Proved correct."""
    rejected: Node
    """Proved wrong."""
    published_id: str | None = None
    """Id of the imported row that this pair comes from; only on the additional pairs of a turn."""

    @model_validator(mode="after")
    def _proved(self) -> Self:
        for node, label in ((self.chosen, Label.CORRECT), (self.rejected, Label.WRONG)):
            if node.verdict.label is not label:
                raise ValueError(f"a pair needs a proved-{label} action, got {node.verdict.label}")
            if node.verdict.evidence is not None and node.verdict.evidence.check == "judge":
                raise ValueError("an action decided by a judge alone goes to SFT, never into a pair")
        return self


class StepStats(Record):
    """What one ladder step, or the pool, did at one turn."""

    step: str
    """Name of the step, or `incorrect`."""
    model: str
    """The model's name."""
    drawn: int
    """Completions drawn."""
    judged: int
    """Of these, proved correct or wrong."""
    correct: int
    """Of these, proved correct."""
    undetermined: dict[str, int] = Field(default_factory=dict)
    """Of the drawn, those without a verdict, by reason."""
    example: str | None = None
    """The beginning of the first of these."""
    guided: bool | None = Field(default=None, exclude_if=lambda value: value is None)
    """Whether the step was shown the ground truth; written only where its name does not say so (`is_guided`)."""

    @property
    def is_guided(self) -> bool:
        """Whether the step was shown the ground truth. Steps had to be named `guided…` for that once."""
        return self.step.startswith("guided") if self.guided is None else self.guided


class Turn(Record):
    """One turn of a tree: up to two nodes, and further pairs for hard instructions."""

    correct: Node | None = None
    """The correct action, which ends its trajectory."""
    incorrect: Node | None = None
    """The incorrect action, which is expanded into the next turn."""
    paired: bool = False
    """True where `correct` and `incorrect` form a pair (both there, both pass the filters)."""
    extra: tuple[Pair, ...] = ()
    """Additional pairs with the same history, one for each further ground-truth solution."""
    more_correct: tuple[Node, ...] = ()
    """Further correct actions without a partner: imported datasets have them, trees grown here do not."""
    first_correct: bool | None = None
    """Verdict on the actor's own first sample, which decides the `until_solved` stop; None if
    undetermined."""
    steps: tuple[StepStats, ...] = ()
    """What was drawn, judged and correct, by step."""
    unlabelled: tuple[Node, ...] = Field(default=(), exclude_if=lambda value: not value)
    """Responses that are neither right nor wrong, by design: one for each constitution (docs/principles.md)."""
    log_likelihood: tuple[tuple[float, ...], ...] = Field(default=(), exclude_if=lambda value: not value)
    """Mean log-probability per token of response j under constitution i, nats: row i, column j of `unlabelled`; empty
    where no model computed it."""

    @model_validator(mode="after")
    def _square(self) -> Self:
        size = len(self.unlabelled)
        if self.log_likelihood and [len(row) for row in self.log_likelihood] != [size] * size:
            raise ValueError(f"log_likelihood has one row and one column for each of {size} responses")
        return self

    @property
    def pass_rate(self) -> float | None:
        """Correct share of what the turn's first step judged: a difficulty signal; None where nothing was judged."""
        first = self.steps[0] if self.steps else None
        return first.correct / first.judged if first and first.judged else None


class TreeState(StrEnum):
    """The one state each instruction ends in."""

    COMPLETE = "complete"
    SFT_ONLY = "sft_only"
    UNSOLVED = "unsolved"
    UNLABELLED = "unlabelled"
    SKIPPED = "skipped"
    FAILED = "failed"


Ended = Literal["solved", "turn_cap", "no_incorrect", "no_verdict", "no_critique", "refused", "unlabelled"]
"""Why a tree stopped: the actor solved it unaided; the turn cap was reached; no wrong action was found to expand beside
the correct one; no action of the turn was proved correct or wrong; the critic refused to comment; the provider
refused every request of a later turn; or its responses are unlabelled by design."""


class Tree(Record):
    """An instruction and its turns. The history of turn t is the incorrect nodes of the turns before it."""

    schema_version: Literal[1] = 1
    """Version of this record's format."""
    instruction: Instruction
    """The root."""
    turns: tuple[Turn, ...]
    """Turn 1 first; at most the turn cap."""
    ended: Ended
    """Why the tree stopped."""
    guards: dict[str, int] = Field(default_factory=dict)
    """How often each quality guard acted while this tree grew (see `ultrainteract.tree.guards`)."""
    unread: str = ""
    """Where no sample of the tree could be proved correct or wrong: why, and the end of the first one."""
    simulation: bool = False
    """True where a simulated model answered any request of this tree, whether its text was kept or not."""

    @property
    def id(self) -> str:
        """The instruction's id: published as `parent_id`."""
        return self.instruction.id

    @property
    def depth(self) -> int:
        """Number of turns."""
        return len(self.turns)

    @property
    def state(self) -> TreeState:
        """`complete` with a pair, `sft_only` with correct actions alone, `unlabelled` by design, else `unsolved`."""
        if any(True for _ in self.pairs()):
            return TreeState.COMPLETE
        if any(turn.correct for turn in self.turns):
            return TreeState.SFT_ONLY
        return TreeState.UNLABELLED if self.ended == "unlabelled" else TreeState.UNSOLVED

    @property
    def simulated(self) -> bool:
        """True where a simulated model had a part in the tree: it wrote a text, or answered a request in vain."""
        written = (part for _, node in self.nodes() for part in (node, node.critique) if part is not None)
        return self.simulation or any(part.provenance.simulated for part in written)

    @property
    def hard(self) -> bool:
        """True where a correct action needed the guided step."""
        return any(stats.is_guided and stats.drawn for turn in self.turns for stats in turn.steps)

    def nodes(self) -> Iterator[tuple[int, Node]]:
        """Yields (turn, node), correct before incorrect, then extra pairs and actions; turns count from 1."""
        for number, turn in enumerate(self.turns, 1):
            for node in (turn.correct, turn.incorrect):
                if node is not None:
                    yield number, node
            for pair in turn.extra:
                yield number, pair.chosen
                yield number, pair.rejected
            for node in (*turn.more_correct, *turn.unlabelled):
                yield number, node

    def pairs(self) -> Iterator[tuple[int, Pair]]:
        """Yields (turn, pair), the turn's own pair before its extra ones; turns count from 1."""
        for number, turn in enumerate(self.turns, 1):
            if turn.paired and turn.correct and turn.incorrect:
                yield number, Pair(chosen=turn.correct, rejected=turn.incorrect)
            for pair in turn.extra:
                yield number, pair

    def history(self, turn: int) -> tuple[Node, ...]:
        """The incorrect nodes expanded before `turn` (from 1): what its actions were asked with."""
        nodes = (earlier.incorrect for earlier in self.turns[: turn - 1])
        return tuple(node for node in nodes if node is not None)
