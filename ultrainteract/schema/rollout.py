"""Rollouts: attempts at a problem with no tree around them, as an evaluation takes them."""

from __future__ import annotations

from typing import Literal

from ultrainteract.schema.base import Record
from ultrainteract.schema.instruction import Instruction
from ultrainteract.schema.tree import Node
from ultrainteract.schema.verdict import Label

RolloutEnd = Literal["solved", "turn_cap", "proposals", "refused"]
"""Why a rollout stopped: it was solved, its steps or its proposed solutions were used up, or the provider refused."""


class RolloutStep(Record):
    """One step of a rollout: a message of the model and what came of it."""

    kind: Literal["answer", "tool", "invalid"] = "answer"
    """`answer`: judged; in MINT's protocol also `tool` (a program that was run) and `invalid` (neither)."""
    node: Node
    """The action with its observation, verdict and, where the model was shown one, critique."""
    logprob: float | None = None
    """Sum of the log-probabilities of its tokens; None where the server gave none."""
    withheld: bool = False
    """Whether a critique was withheld because it gave the answer away again and again."""


class Rollout(Record):
    """One attempt at a problem, of one step or several."""

    ordinal: int
    """Which of the samples of its item, from 0; sample k is drawn with the seed + k where there is one."""
    budget: int
    """Maximum steps: in MINT's protocol the k of its run."""
    steps: tuple[RolloutStep, ...]
    """In order; empty where the provider refused the first request."""
    ended: RolloutEnd
    """Why it stopped."""

    @property
    def solved_at(self) -> int | None:
        """The step that was proved correct, from 1; None where none was."""
        labels = [step.node.verdict.label for step in self.steps]
        return labels.index(Label.CORRECT) + 1 if Label.CORRECT in labels else None


class EvaluatedItem(Record):
    """An item of a benchmark with all rollouts on it: what an evaluation stores in the place of a tree."""

    schema_version: Literal[1] = 1
    """Version of this record's format."""
    instruction: Instruction
    """The item."""
    rollouts: tuple[Rollout, ...]
    """By budget, then by ordinal."""
    simulation: bool = False
    """True where a simulated model answered any request."""

    @property
    def id(self) -> str:
        """The instruction's id."""
        return self.instruction.id
