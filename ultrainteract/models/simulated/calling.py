"""Simulated function calls: the right ones, or the right ones with a slip that models make."""

from __future__ import annotations

import json
from collections.abc import Sequence
from random import Random
from typing import Any

from ultrainteract.schema import Call, Instruction, Message
from ultrainteract.schema.calls import RESPONSE_TAGS, calls_text


def call_functions(instruction: Instruction, messages: Sequence[Message], rng: Random, *, right: bool) -> str:
    """A message that answers a request about functions.

    Args:
        instruction: The instruction.
        messages: What was asked.
        rng: Chooses words and slips.
        right: Whether it is to be right.
    """
    last = messages[-1]
    answered = last.role == "tool" or last.content.rstrip().endswith(RESPONSE_TAGS[1])
    if instruction.backend is not None:
        if answered:
            return _conclusion(instruction, right)
        made = "\n".join(instruction.backend.gold if right else instruction.backend.gold[:-1])
        return f"I do what was asked.\n{made}" if made else _nothing(instruction, rng, right)
    calls = [_first(json.loads(text)) for text in instruction.gold_set]
    if not calls:
        return _nothing(instruction, rng, right)
    if not right:
        at = rng.randrange(len(calls))
        calls[at] = _bent(calls[at], rng)
    names = ", ".join(dict.fromkeys(call.name for call in calls))
    return f"The request calls for {names}.\n{calls_text(calls)}"


def _conclusion(instruction: Instruction, right: bool) -> str:
    if instruction.grader == "final_state":
        return "Done."
    return f"That gives the result.\nAnswer: {instruction.gold if right else '0'}"


def _nothing(instruction: Instruction, rng: Random, right: bool) -> str:
    if right or not instruction.functions:
        return "None of the functions can do that with what is known. Can you tell me more?"
    return calls_text([Call(name=rng.choice(instruction.functions).name)])


def _first(gold: dict[str, Any]) -> Call:
    """A right call with the first value that each argument may have."""
    allowed = {
        name: values if isinstance(values, list) else [values] for name, values in gold["arguments"].items()
    }
    given = {name: [_plain(value) for value in values if value != ""] for name, values in allowed.items()}
    return Call(name=gold["name"], arguments={name: values[0] for name, values in given.items() if values})


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return _first({"name": "", "arguments": value}).arguments
    return [_plain(item) for item in value] if isinstance(value, list) else value


def _bent(call: Call, rng: Random) -> Call:
    """A call with a wrong value, or without an argument."""
    arguments = dict(call.arguments)
    if not arguments:
        return call.model_copy(update={"arguments": {"value": 1}})
    name = rng.choice(list(arguments))
    value = arguments[name]
    if isinstance(value, int | float) and not isinstance(value, bool):
        arguments[name] = value + rng.choice((1, 2, 10))
    else:
        del arguments[name]
    return call.model_copy(update={"arguments": arguments})
