"""Checks gold answers against their own graders, before money is spent on instructions that nobody could solve."""

from __future__ import annotations

from collections.abc import Iterable

from ultrainteract.grading.graders import Graders
from ultrainteract.grading.registry import Gold, find_grader
from ultrainteract.schema import Instruction, Label, Record


class SelfCheck(Record):
    """What became of the gold answers."""

    checked: int
    """Instructions with a gold answer."""
    accepted: int
    """Of these, accepted by their own grader."""
    exceptions: tuple[tuple[str, str], ...]
    """The others: where each comes from, and why its gold answer was not accepted."""
    shifted: int = 0
    """Answers of a neighbouring instruction that were graded."""
    false_accepts: tuple[tuple[str, str], ...] = ()
    """Of these, accepted although they are not the gold answer's text: the instruction, and the answer."""


def stated_gold(instruction: Instruction) -> str:
    """The gold answer as an action would state it."""
    gold = Gold(instruction.gold or "", instruction.gold_set, instruction.choices)
    return find_grader(instruction.grader).stated(gold)


async def self_check(
    instructions: Iterable[Instruction], graders: Graders, *, shift: bool = False
) -> SelfCheck:
    """Grades every gold answer against itself and, if asked, against the next instruction of the same dataset.

    Args:
        instructions: Instructions; those graded by tests or a judge are passed over.
        graders: The graders.
        shift: Also grade each gold answer as an answer to the instruction before it.
    """
    checked = accepted = shifted = 0
    exceptions: list[tuple[str, str]] = []
    false_accepts: list[tuple[str, str]] = []
    before: dict[tuple[str, str], Instruction] = {}
    for instruction in instructions:
        if find_grader(instruction.grader).compare is None:
            continue
        checked += 1
        gold = stated_gold(instruction)
        verdict = await graders.grade(instruction, gold)
        if verdict.label is Label.CORRECT:
            accepted += 1
        else:
            why = verdict.reason or (verdict.evidence.detail if verdict.evidence else "")
            exceptions.append((instruction.source or instruction.id, f"'{gold}': {verdict.label}, {why}"))
        key = (instruction.dataset, instruction.task)
        if shift and (other := before.get(key)) is not None and stated_gold(other) != gold:
            shifted += 1
            if (await graders.grade(other, gold)).label is Label.CORRECT:
                false_accepts.append((other.source or other.id, f"'{gold}' for '{stated_gold(other)}'"))
        before[key] = instruction
    return SelfCheck(
        checked=checked, accepted=accepted, exceptions=tuple(exceptions), shifted=shifted,
        false_accepts=tuple(false_accepts),
    )  # fmt: skip
