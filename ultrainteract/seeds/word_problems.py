"""Arithmetic word problems of one step, made from templates: seeds that a very small language model can solve at times.

A model that solves none of its seeds, or all of them, gives no pairs. Here the operation and the largest operand set
the difficulty, so that it can be fitted to a model by measuring pass@k. Guarantees: the same arguments give the same
rows; no row occurs twice; every quantity that is asked for is a positive integer; the templates of `held-out` are not
those of `train`, so that a model trained on the one split is examined on wordings that it has not seen.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from ultrainteract.errors import ConfigError
from ultrainteract.schema import Record

Operation = Literal["add", "subtract", "multiply", "divide"]
Split = Literal["train", "held-out"]

OPERATIONS: tuple[Operation, ...] = get_args(Operation)
_SIGNS = {"add": "+", "subtract": "-", "multiply": "*", "divide": "/"}
_TRIES = 200
"""Draws without a new row after which the supply counts as exhausted."""


class WordProblem(Record):
    """One row."""

    question: str
    """The problem, without instructions on how to answer."""
    answer: int
    """The gold answer."""
    rationale: str
    """One sentence with the calculation."""
    operation: Operation
    """What has to be done with the two operands."""
    largest: int
    """Bound on the operands that the row was drawn under."""
    template: str
    """The template's name: its split and its number."""


@dataclass(frozen=True)
class _Template:
    operation: Operation
    question: str
    """With `{name}`, `{things}`, `{a}` and `{b}`; for `divide`, `{a}` is a multiple of `{b}`."""
    unit: str = "{things}"
    """What is counted in the answer."""


_TRAIN: tuple[_Template, ...] = (
    _Template("add", "{name} has {a} {things} and gets {b} more. How many {things} does {name} have now?"),
    _Template("add", "There are {a} {things} in a box and {b} {things} in a bag. How many {things} are there in all?"),
    _Template("add", "{name} found {a} {things} on Monday and {b} {things} on Tuesday. How many {things} did {name} find?"),
    _Template("add", "A shop sold {a} {things} in the morning and {b} {things} in the afternoon. How many {things} did it sell that day?"),
    _Template("subtract", "{name} has {a} {things} and gives {b} away. How many {things} does {name} have left?"),
    _Template("subtract", "There were {a} {things} on the table. {name} took {b} of them. How many {things} are still on the table?"),
    _Template("subtract", "A shop had {a} {things} and sold {b} of them. How many {things} are left in the shop?"),
    _Template("subtract", "{name} needs {a} {things} and already has {b}. How many more {things} does {name} need?"),
    _Template("multiply", "{name} has {a} bags with {b} {things} in each bag. How many {things} does {name} have?"),
    _Template("multiply", "There are {a} shelves. Each shelf holds {b} {things}. How many {things} are there in all?"),
    _Template("multiply", "One box holds {b} {things}. How many {things} do {a} boxes hold?"),
    _Template("multiply", "{name} buys {b} {things} every day. How many {things} does {name} buy in {a} days?"),
    _Template("divide", "{name} shares {a} {things} equally among {b} friends. How many {things} does each friend get?"),
    _Template("divide", "{a} {things} are packed into boxes of {b}. How many boxes are needed?", "boxes"),
    _Template("divide", "{name} puts {a} {things} into {b} equal rows. How many {things} are in each row?"),
    _Template("divide", "{name} uses {b} {things} a day and has {a} {things}. For how many days do they last?", "days"),
)  # fmt: skip
_HELD_OUT: tuple[_Template, ...] = (
    _Template("add", "{name} collected {a} {things}, and a friend collected {b}. How many {things} did they collect together?"),
    _Template("add", "A basket held {a} {things} before {name} put in {b} more. How many {things} does it hold now?"),
    _Template("subtract", "Of {a} {things}, {b} were lost. How many {things} remain?"),
    _Template("subtract", "{name} has {a} {things}, which is {b} more than a friend has. How many {things} does the friend have?"),
    _Template("multiply", "Each of {a} children brings {b} {things}. How many {things} do they bring in total?"),
    _Template("multiply", "{name} plants {a} rows of {b} {things}. How many {things} does {name} plant?"),
    _Template("divide", "A teacher hands out {a} {things} to {b} pupils, the same number to each. How many {things} does one pupil get?"),
    _Template("divide", "{name} ties {a} {things} into bundles of {b}. How many bundles are there?", "bundles"),
)  # fmt: skip
_TEMPLATES: Mapping[Split, tuple[_Template, ...]] = {"train": _TRAIN, "held-out": _HELD_OUT}
_NAMES = ("Ada", "Ben", "Clara", "David", "Emma", "Finn", "Grace", "Henry", "Iris", "Jack", "Lena", "Max",
          "Nora", "Omar", "Rosa", "Sam", "Tara", "Victor")  # fmt: skip
_THINGS = ("apples", "books", "buttons", "cards", "coins", "eggs", "flowers", "marbles", "nuts", "pencils",
           "plums", "shells", "stamps", "stickers")  # fmt: skip


def word_problems(
    count: int, *, split: Split = "train", seed: int = 0, largest: Mapping[Operation, int]
) -> Iterator[WordProblem]:
    """Makes problems, the operations in turn.

    Args:
        count: How many.
        split: Which templates.
        seed: Seed of every random choice.
        largest: Largest operand of each operation that is wanted; for `divide`, of the divisor and of the quotient.

    Yields:
        The rows, no two with the same question.

    Raises:
        ConfigError: An operand bound is too small, or there are fewer different problems than asked for.
    """
    for operation, bound in largest.items():
        if bound < 3:
            raise ConfigError(f"The largest operand of '{operation}' must be at least 3.")
    rng = random.Random(f"word problems {split} {seed}")
    numbered = list(enumerate(_TEMPLATES[split], 1))
    seen: set[str] = set()
    for number in range(count):
        operation = list(largest)[number % len(largest)]
        fitting = [(place, template) for place, template in numbered if template.operation == operation]
        for _ in range(_TRIES):
            place, template = rng.choice(fitting)
            row = _fill(template, f"{split}-{place}", largest[operation], rng)
            if row.question not in seen:
                break
        else:
            raise ConfigError(
                f"There are no {count} different problems of the split '{split}' with operands of at most "
                f"{largest[operation]} for '{operation}': ask for fewer, or allow larger operands."
            )
        seen.add(row.question)
        yield row


def _fill(template: _Template, name: str, largest: int, rng: random.Random) -> WordProblem:
    a, b = rng.randint(2, largest), rng.randint(2, largest)
    if template.operation == "subtract":
        a, b = max(a, b) + 1, min(a, b)  # something is left
    elif template.operation == "divide":
        a *= b
    answer = {"add": a + b, "subtract": a - b, "multiply": a * b, "divide": a // b}[template.operation]
    words = {"name": rng.choice(_NAMES), "things": rng.choice(_THINGS), "a": a, "b": b}
    unit = template.unit.format(**words)
    return WordProblem(
        question=template.question.format(**words),
        answer=answer,
        rationale=f"{a} {_SIGNS[template.operation]} {b} = {answer}, so the answer is {answer} {unit}.",
        operation=template.operation,
        largest=largest,
        template=name,
    )
