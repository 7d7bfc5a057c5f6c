"""What reinforcement learning needs of a tree: its prompt, a ground truth that grades any answer, and how hard it is.

A row of an `rl` export carries its problem as one JSON text (`packed`), from which `unpacked` makes the very
instruction that the tree was grown from, without its solutions: `ultrainteract.rewards` grades with that and needs no
run directory.
Difficulty is measured, never guessed: the pass rate of the first turn's first step, in bands.
"""

from __future__ import annotations

import json
from typing import Any, Literal, NamedTuple

from pydantic import ValidationError

from ultrainteract.errors import DataError
from ultrainteract.grading.registry import Gold, find_grader
from ultrainteract.schema import Instruction, TestSuite, Tree

Band = Literal["unmeasured", "never", "hard", "medium", "easy", "always"]
"""Difficulty by pass rate p: never 0, hard up to 1/4, medium below 3/4, easy below 1, always 1."""
HARD, EASY = 0.25, 0.75
"""Highest pass rate of `hard`, and lowest of `easy`."""


class Difficulty(NamedTuple):
    """How often the actor solved a problem at its first turn."""

    pass_rate: float | None
    """Correct share of the judged samples; None where none was judged."""
    samples: int
    """Judged samples that it rests on."""
    band: Band
    """Its band."""


def difficulty(tree: Tree) -> Difficulty:
    """The measured difficulty of a tree's problem.

    A step that draws in waves stops at its first correct sample, so that the rate of few samples is a rough one.
    """
    turn = tree.turns[0] if tree.turns else None
    rate = turn.pass_rate if turn is not None else None
    samples = turn.steps[0].judged if turn is not None and turn.steps else 0
    return Difficulty(rate, samples, band_of(rate))


def band_of(pass_rate: float | None) -> Band:
    """The band of a pass rate.

    Example:
        >>> [band_of(rate) for rate in (None, 0.0, 0.25, 0.5, 0.75, 1.0)]
        ['unmeasured', 'never', 'hard', 'medium', 'easy', 'always']
    """
    if pass_rate is None:
        return "unmeasured"
    if pass_rate <= 0:
        return "never"
    if pass_rate >= 1:
        return "always"
    return "hard" if pass_rate <= HARD else "easy" if pass_rate >= EASY else "medium"


def is_verifiable(instruction: Instruction) -> bool:
    """Whether a machine can prove answers to an instruction right or wrong: not where only a judge can."""
    if instruction.grader == "judge":
        return False
    if instruction.grader == "tests":
        return instruction.tests is not None and bool(instruction.tests.cases)
    gold = Gold(instruction.gold or "", instruction.gold_set, instruction.choices)
    return not find_grader(instruction.grader).fault(gold)


def ground_truth(instruction: Instruction) -> str:
    """The ground truth as one text: the gold answer as an action would state it, or test cases as JSON.

    Test cases are `{"inputs": […], "outputs": […]}`, with `fn_name` where a function is called and each input then
    holding one JSON argument a line: the form of APPS, which verl's own scorer of programs reads.
    """
    if instruction.tests is not None and instruction.grader == "tests":
        return json.dumps(_test_cases(instruction.tests), ensure_ascii=False)
    gold = Gold(instruction.gold or "", instruction.gold_set, instruction.choices)
    return find_grader(instruction.grader).stated(gold)


def packed(instruction: Instruction) -> str:
    """An instruction as one JSON text, without its rationales and solutions."""
    return instruction.model_dump_json(exclude={"rationales", "solutions"}, exclude_defaults=True)


def unpacked(problem: str) -> Instruction:
    """The instruction that `packed` wrote.

    Raises:
        DataError: The text holds none.
    """
    try:
        return Instruction.model_validate_json(problem)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the text"
        raise DataError(
            f"This is no problem of an rl export ({where}: {first['msg']}): {problem[:80]!r}. Pass the column "
            "`problem` (`label` for OpenRLHF, `extra_info.problem` for verl)."
        ) from None


def _test_cases(suite: TestSuite) -> dict[str, Any]:
    called = suite.kind == "call"
    inputs = [case.input for case in suite.cases]
    if called:
        inputs = ["\n".join(json.dumps(value) for value in json.loads(text)) for text in inputs]
    found: dict[str, Any] = {"inputs": inputs, "outputs": [case.expected for case in suite.cases]}
    return found | {"fn_name": suite.entry_point} if called else found
