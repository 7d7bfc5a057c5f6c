"""Simulated writers of test inputs: variations of the example a problem shows, or of how its solution reads."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from random import Random

from ultrainteract.schema import Instruction, Message

_KINDS = ("basic", "edge", "large")
_ASKED = re.compile(r'(\d+) of kind "(basic|edge|large)"')
_EXAMPLE = re.compile(
    r"^(?:Sample )?Input[ \t]*:?[ \t]*\n+(.+?)\n+(?:Sample )?Output\b", re.MULTILINE | re.DOTALL
)
_PROSE = re.compile(r"[a-z]{2,} [a-z]{2,} [a-z]{2,}")
_INTEGER = re.compile(r"(?<![\w.])-?\d+(?![\w.])")
_LARGE = {"basic": 20, "edge": 3, "large": 1000}


def test_inputs(messages: Sequence[Message], instruction: Instruction, rng: Random) -> str:
    """A JSON list of inputs, as many of each kind as the request names (four where it names none)."""
    asked = {kind: int(count) for count, kind in _ASKED.findall(messages[-1].content if messages else "")}
    function = re.search(r"defines the function `(\w+)`", messages[-1].content if messages else "")
    entry_point = (
        instruction.tests.entry_point if instruction.tests else function.group(1) if function else None
    )
    items = []
    for kind in _KINDS:
        for number in range(asked.get(kind, 4)):
            made = (
                _arguments(instruction, kind, rng)
                if entry_point
                else _standard_input(instruction, kind, number, rng)
            )
            items.append({"kind": kind, "input": made})
    return "```json\n" + json.dumps(items, ensure_ascii=False) + "\n```"


def _standard_input(instruction: Instruction, kind: str, number: int, rng: Random) -> str:
    examples = [match.strip("\n") for match in _EXAMPLE.findall(instruction.question)]
    examples = [example for example in examples if not _PROSE.search(example)]
    if examples:
        example = examples[number % len(examples)]
        head, newline, rest = example.partition("\n")
        # The first line mostly says how much follows: it stays, unless it is all there is.
        return f"{head}\n{_varied(rest, kind, rng)}\n" if newline else f"{_varied(head, kind, rng)}\n"
    source = instruction.solutions[0] if instruction.solutions else ""
    count = 1 if kind == "edge" else rng.randint(3, 8 if kind == "basic" else 200)
    values = " ".join(str(rng.randint(1, _LARGE[kind])) for _ in range(count))
    return f"{count}\n{values}\n" if "split" in source else f"{rng.randint(1, _LARGE[kind])}\n"


def _varied(text: str, kind: str, rng: Random) -> str:
    """The text with its integers changed, none beyond the largest it holds but for large cases."""
    numbers = [int(number) for number in _INTEGER.findall(text)]
    if not numbers:
        lines = text.split("\n")
        rng.shuffle(lines)
        return "\n".join(lines)
    low, high = min(1, *numbers), max(numbers)
    if kind == "edge":
        same = str(rng.choice((max(low, 1), high)))
        return _INTEGER.sub(same, text)
    return _INTEGER.sub(lambda _: str(rng.randint(max(low, 1), max(high, 1))), text)


def _arguments(instruction: Instruction, kind: str, rng: Random) -> list[object]:
    """Arguments like those of a known test, else one list of integers."""
    known = instruction.tests.cases if instruction.tests else ()
    try:
        example = json.loads(known[0].input) if known else None
    except ValueError:
        example = None
    if not isinstance(example, list):
        example = [[1, 2, 3]]
    return [_like(value, kind, rng) for value in example]


def _like(value: object, kind: str, rng: Random) -> object:
    match value:
        case bool():
            return rng.random() < 0.5
        case int():
            return rng.randint(0 if kind == "edge" else 1, _LARGE[kind])
        case float():
            return round(rng.uniform(0, _LARGE[kind]), 2)
        case str():
            letters = sorted(set(value)) or ["a"]
            return "".join(
                rng.choices(letters, k=1 if kind == "edge" else len(value) * (10 if kind == "large" else 1))
            )
        case list():
            count = 1 if kind == "edge" else len(value) * (10 if kind == "large" else 1)
            return [_like(value[n % len(value)], kind, rng) for n in range(count)] if value else []
    return value
