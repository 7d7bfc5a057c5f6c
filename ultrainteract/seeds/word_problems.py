"""Arithmetic word problems of one step, made from templates: seeds that a very small language model can solve at times.

A model that solves none of its seeds, or all of them, gives no pairs. Here the operation and the largest operand set
the difficulty, so that it can be fitted to a model by measuring pass@k. Guarantees: the same arguments give the same
rows; no question occurs twice; every answer is a positive integer; the templates of `held-out` are not those of
`train`, so that a model trained on the one split is examined on wordings that it has not seen.
"""

from __future__ import annotations

import functools
import random
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, get_args

import yaml

from ultrainteract.errors import ConfigError
from ultrainteract.schema import Record

Operation = Literal["add", "subtract", "multiply", "divide"]
Split = Literal["train", "held-out"]

OPERATIONS: tuple[Operation, ...] = get_args(Operation)
SPLITS: tuple[Split, ...] = get_args(Split)
_SIGNS = {"add": "+", "subtract": "-", "multiply": "*", "divide": "/"}
_TRIES = 200
"""Draws without a new question after which the supply counts as exhausted."""


class WordProblem(Record):
    """One row."""

    question: str
    """The problem, without instructions on how to answer."""
    answer: str
    """The gold answer, a positive integer."""
    rationale: str
    """The calculation."""
    operation: Operation
    """What has to be done with the two operands."""
    largest: int
    """Bound on the operands that the row was drawn under."""
    template: str
    """The template's name: split, operation, and number from 1."""


def word_problems(
    count: int, largest: Mapping[Operation, int], *, split: Split = "train", seed: int = 0
) -> Iterator[WordProblem]:
    """Makes problems, the operations in turn.

    Args:
        count: How many.
        largest: The operations wanted, each with its largest operand; for `divide` that bounds divisor and quotient.
        split: Which templates.
        seed: Seed of every random choice.

    Yields:
        The rows.

    Raises:
        ConfigError: A bound is too small, or there are fewer different problems than asked for.
    """
    for operation, bound in largest.items():
        if bound < 3:
            raise ConfigError(f"The largest operand of '{operation}' must be at least 3.")
    rng = random.Random(f"word problems {split} {seed}")
    operations, seen = list(largest), set[str]()
    for number in range(count):
        operation = operations[number % len(operations)]
        for _ in range(_TRIES):
            row = _draw(rng, split, operation, largest[operation])
            if row.question not in seen:
                break
        else:
            raise ConfigError(
                f"There are no {count} different problems of the split '{split}' with operands of at most "
                f"{largest[operation]} for '{operation}': ask for fewer, or allow larger operands."
            )
        seen.add(row.question)
        yield row


@functools.cache
def _templates() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8"))
    return found


def _draw(rng: random.Random, split: Split, operation: Operation, largest: int) -> WordProblem:
    templates = _templates()
    number, template = rng.choice(list(enumerate(templates[split][operation], 1)))
    a, b = rng.randint(2, largest), rng.randint(2, largest)
    if operation == "subtract":
        a, b = max(a, b) + 1, min(a, b)  # something is left
    elif operation == "divide":
        a *= b
    answer = {"add": a + b, "subtract": a - b, "multiply": a * b, "divide": a // b}[operation]
    name, things = rng.choice(templates["names"]), rng.choice(templates["things"])
    return WordProblem(
        question=template.format(name=name, things=things, a=a, b=b),
        answer=str(answer),
        rationale=f"{a} {_SIGNS[operation]} {b} = {answer}, so the answer is {answer}.",
        operation=operation,
        largest=largest,
        template=f"{split} {operation} {number}",
    )
