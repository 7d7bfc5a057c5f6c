"""What became of each answer: right, wrong, or not gradable, and why; faults of the infrastructure count nowhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum

from ultrainteract.grading.boundary import is_fault
from ultrainteract.grading.extract import NoAnswer, candidates
from ultrainteract.grading.latex import Malformed
from ultrainteract.grading.number import parse_number
from ultrainteract.schema import EvaluatedItem, Instruction, Label, Node, Record, Rollout, RolloutStep


class Outcome(StrEnum):
    """What became of one answer."""

    RIGHT = "right"
    WRONG = "wrong"
    NO_ANSWER = "no_answer"
    """A failure of format: neither an answer nor a program was found."""
    CUT_OFF = "cut_off"
    """The answer was cut off at the token cap."""
    UNGRADABLE = "ungradable"
    """There is an answer, and nothing is known about it."""
    REFUSED = "refused"
    """The provider refused the request, or withheld the answer."""
    FAULT = "fault"
    """A fault of the infrastructure: counts nowhere."""


class Attempt(Record):
    """One rollout, judged."""

    ordinal: int
    """Which sample."""
    budget: int
    """Maximum steps."""
    outcome: Outcome
    """What became of its last answer."""
    solved_at: int | None
    """The step that was right."""
    steps: tuple[str, ...]
    """Per step its outcome; `tool` and `invalid` for what was no answer."""
    answer: str | None = None
    """The last answer in a normal form, in which equal answers are equal texts; None for programs that tests check."""
    logprob: float | None = None
    """Log-probability of the last message."""
    reward: float | None = None
    """What a reward model says of the conversation."""
    reason: str = ""
    """Why nothing is known of it, or what the check saw."""
    critiques: int = 0
    """Critiques that the model was shown."""
    withheld: int = 0
    """Critiques that were withheld."""
    tokens: int = 0
    """Completion tokens of the rollout."""


class JudgedItem(Record):
    """One item with its attempts: a line of `items.jsonl`."""

    id: str
    """Id of the instruction."""
    benchmark: str
    """Dataset."""
    task: str
    """Task."""
    source: str
    """Where it comes from."""
    level: str | None = None
    """The dataset's own level."""
    tags: tuple[str, ...] = ()
    """The dataset's own categories."""
    attempts: tuple[Attempt, ...]
    """Its rollouts."""

    @property
    def counted(self) -> tuple[Attempt, ...]:
        """The attempts that count."""
        return tuple(attempt for attempt in self.attempts if attempt.outcome is not Outcome.FAULT)


def judged(item: EvaluatedItem) -> JudgedItem:
    """The attempts at an item with their outcomes."""
    instruction = item.instruction
    return JudgedItem(
        id=item.id,
        benchmark=instruction.dataset,
        task=instruction.task.value,
        source=instruction.source,
        level=instruction.difficulty,
        tags=instruction.tags,
        attempts=tuple(_attempt(instruction, rollout) for rollout in item.rollouts),
    )


def _attempt(instruction: Instruction, rollout: Rollout) -> Attempt:
    answers = [step for step in rollout.steps if step.kind == "answer"]
    last = answers[-1] if answers else None
    outcome = Outcome.REFUSED if rollout.ended == "refused" and last is None else Outcome.NO_ANSWER
    if last is not None:
        outcome = outcome_of(last.node)
    verdict = last.node.verdict if last is not None else None
    return Attempt(
        ordinal=rollout.ordinal,
        budget=rollout.budget,
        outcome=outcome,
        solved_at=rollout.solved_at,
        steps=tuple(_steps(rollout.steps)),
        answer=normal_answer(instruction, last.node) if last is not None else None,
        logprob=rollout.steps[-1].logprob if rollout.steps else None,
        reason=(verdict.reason or (verdict.evidence.detail if verdict.evidence else "")) if verdict else "",
        critiques=sum(step.node.critique is not None for step in rollout.steps),
        withheld=sum(step.withheld for step in rollout.steps),
        tokens=sum(step.node.provenance.completion_tokens for step in rollout.steps),
    )


def _steps(steps: tuple[RolloutStep, ...]) -> Iterator[str]:
    for step in steps:
        yield outcome_of(step.node).value if step.kind == "answer" else step.kind


def outcome_of(node: Node) -> Outcome:
    """What became of a judged action."""
    verdict = node.verdict
    if verdict.label is not Label.UNDETERMINED:
        return Outcome.RIGHT if verdict.label is Label.CORRECT else Outcome.WRONG
    if is_fault(verdict) or "sandbox failed" in verdict.reason:
        return Outcome.FAULT
    if "cut off at the token cap" in verdict.reason:
        return Outcome.CUT_OFF
    if "withheld the answer" in verdict.reason:
        return Outcome.REFUSED
    missing = node.action.answer is None and node.action.code is None
    return Outcome.NO_ANSWER if missing or "no program was found" in verdict.reason else Outcome.UNGRADABLE


def normal_answer(instruction: Instruction, node: Node) -> str | None:
    """The answer of an action in a form in which equal answers are, mostly, equal texts.

    Numbers are compared by value, all else by its text without case and spaces. Where tests check a program there is
    no answer to compare.
    """
    if instruction.grader in ("tests", "judge", "ifeval"):
        return None
    program = instruction.task.runs_program and node.action.code is not None
    text = node.observation.output if program else node.action.answer
    if not text or not text.strip():
        return None
    try:
        found = candidates(text, program=program)
    except (NoAnswer, Malformed, ValueError):
        found = []
    said = found[-1].text if found else text
    number = parse_number(said.replace("$", "").strip().rstrip("."))
    if number is not None:
        return str(number.true_value)
    if instruction.grader == "choice" and (letter := re.match(r"\(?([A-Z])\b", said.strip())):
        return letter[1]
    return "".join(said.casefold().split()) or None
