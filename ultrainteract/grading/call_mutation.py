"""Right calls with exactly one fault each, by kind of error: what is rejected where no sampled action is wrong.

A mutation keeps the calls readable and natural; whether it is wrong is decided by the grader afterwards, never here.
The kinds follow the errors that BFCL's check tells apart and the three ways to go wrong with no call at all.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from ultrainteract.schema import Call, Function, Instruction

KINDS = (
    "wrong_function", "sibling_value", "type", "enum", "format", "missing", "invented", "too_few", "too_many",
    "call_where_none_fits", "no_call", "needless_question",
)  # fmt: skip
"""All kinds of faults."""

Calls = tuple[Call, ...]
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
_WORDS = re.compile(r"\b[A-Z][a-z]{2,}(?: [A-Z][a-z]+)*\b")
_DATE = re.compile(r"\b(\d{4})-(\d{2})-(\d{2})\b")
_UNITS = {
    "celsius": "fahrenheit", "fahrenheit": "celsius", "km": "miles", "miles": "km", "kilometers": "miles",
    "meters": "feet", "feet": "meters", "kg": "pounds", "pounds": "kg", "metric": "imperial", "imperial": "metric",
    "usd": "eur", "eur": "usd", "hours": "minutes", "minutes": "hours", "days": "weeks",
}  # fmt: skip
_INVENTED = ("verbose", "language", "priority", "timeout", "note")
_NOTHING = "None of the functions can do that."


def mutations(instruction: Instruction, calls: Calls, kind: str) -> list[Calls]:
    """The ways to give right calls one fault of a kind; none where the kind does not apply.

    Args:
        instruction: The instruction.
        calls: Right calls, none where no call is right.
        kind: One of `KINDS`.
    """
    found = list(_MAKERS[kind](instruction, calls))
    return [item for number, item in enumerate(found) if item != calls and item not in found[:number]]


def words_for(instruction: Instruction, kind: str) -> str:
    """What a message says that makes no call, by kind of fault."""
    if kind != "needless_question" or not instruction.functions:
        return _NOTHING
    gold = next(iter(instruction.functions))
    names = [name.replace("_", " ") for function in (gold,) for name in function.required]
    asked = f" Which {names[0]} do you mean?" if names else ""
    return f"Before I do that I need to know more.{asked}"


def _each(calls: Calls, change: Callable[[Call], Iterator[dict[str, Any]]]) -> Iterator[Calls]:
    """Calls with one of them changed."""
    for number, call in enumerate(calls):
        for fields in change(call):
            yield (*calls[:number], call.model_copy(update=fields), *calls[number + 1 :])


def _values(
    instruction: Instruction, calls: Calls, change: Callable[[Any, dict[str, Any], Call], Iterator[Any]]
) -> Iterator[Calls]:
    """Calls with one value changed; `change` is given the value, its schema and its call."""
    properties = {function.name: function.properties for function in instruction.functions}

    def changed(call: Call) -> Iterator[dict[str, Any]]:
        for name, value in call.arguments.items():
            for other in change(value, properties.get(call.name, {}).get(name, {}), call):
                if type(other) is not type(value) or other != value:
                    yield {"arguments": {**call.arguments, name: other}}

    return _each(calls, changed)


def _wrong_function(instruction: Instruction, calls: Calls) -> Iterator[Calls]:
    def other(call: Call) -> Iterator[dict[str, Any]]:
        for function in instruction.functions:
            if function.name != call.name:
                kept = {name: value for name, value in call.arguments.items() if name in function.properties}
                missing = {name: _filler(function, name) for name in function.required if name not in kept}
                yield {"name": function.name, "arguments": kept | missing}

    return _each(calls, other)


def _sibling_value(instruction: Instruction, calls: Calls) -> Iterator[Calls]:
    """A value of the same kind from the request, or of another argument of the call."""
    said = " ".join(message.content for message in instruction.dialogue if message.role == "user")
    numbers = [float(text) if "." in text else int(text) for text in _NUMBER.findall(said)]
    words = _WORDS.findall(said)

    def change(value: Any, schema: dict[str, Any], call: Call) -> Iterator[Any]:
        if isinstance(value, bool):
            yield not value
            return
        siblings = [other for other in call.arguments.values() if type(other) is type(value)]
        if isinstance(value, int | float):
            wanted = int if schema.get("type") == "integer" else (int, float)
            yield from (
                number for number in (*siblings, *numbers) if isinstance(number, wanted) and number != value
            )
            yield value * 10 if value else value + 1
        elif isinstance(value, str) and not schema.get("enum"):
            yield from (word for word in (*siblings, *words) if not _alike(word, value))
        elif isinstance(value, list) and len(value) > 1:
            yield value[:-1]

    return _values(instruction, calls, change)


def _type(instruction: Instruction, calls: Calls) -> Iterator[Calls]:
    def change(value: Any, schema: dict[str, Any], call: Call) -> Iterator[Any]:
        if isinstance(value, bool):
            yield str(value).lower()
        elif isinstance(value, int | float):
            yield str(value)
        elif isinstance(value, str):
            yield int(value) if value.isdecimal() and not value.startswith("0") else None
        elif isinstance(value, list) and value:
            yield ", ".join(map(str, value))
        elif isinstance(value, dict):
            yield str(value)

    return _values(instruction, calls, change)


def _enum(instruction: Instruction, calls: Calls) -> Iterator[Calls]:
    def change(value: Any, schema: dict[str, Any], call: Call) -> Iterator[Any]:
        listed = schema.get("enum")
        if isinstance(listed, list) and not isinstance(value, list):
            yield from (other for other in listed if other != value)
            if isinstance(value, str):
                yield f"other_{value}"

    return _values(instruction, calls, change)


def _format(instruction: Instruction, calls: Calls) -> Iterator[Calls]:
    """Another unit, or a date with day and month exchanged or in words."""

    def change(value: Any, schema: dict[str, Any], call: Call) -> Iterator[Any]:
        if not isinstance(value, str):
            return
        other = _UNITS.get(value.lower())
        if other is not None:
            yield other.capitalize() if value[:1].isupper() else other
        if found := _DATE.search(value):
            year, month, day = found.groups()
            yield value.replace(found[0], f"{day}.{month}.{year[2:]}")

    return _values(instruction, calls, change)


def _missing(instruction: Instruction, calls: Calls) -> Iterator[Calls]:
    required = {function.name: function.required for function in instruction.functions}

    def without(call: Call) -> Iterator[dict[str, Any]]:
        for name in required.get(call.name, ()):
            if name in call.arguments:
                yield {"arguments": {k: value for k, value in call.arguments.items() if k != name}}

    return _each(calls, without)


def _invented(instruction: Instruction, calls: Calls) -> Iterator[Calls]:
    known = {function.name: function.properties for function in instruction.functions}

    def more(call: Call) -> Iterator[dict[str, Any]]:
        name = next((name for name in _INVENTED if name not in known.get(call.name, {})), None)
        if name is not None:
            yield {"arguments": {**call.arguments, name: True if name == "verbose" else "default"}}

    return _each(calls, more)


def _too_few(instruction: Instruction, calls: Calls) -> Iterator[Calls]:
    if len(calls) > 1:
        yield from ((*calls[:n], *calls[n + 1 :]) for n in range(len(calls)))


def _too_many(instruction: Instruction, calls: Calls) -> Iterator[Calls]:
    yield from ((*calls, call) for call in calls)


def _call_where_none_fits(instruction: Instruction, calls: Calls) -> Iterator[Calls]:
    if not calls:
        for function in instruction.functions:
            yield (Call(name=function.name, arguments={n: _filler(function, n) for n in function.required}),)


def _no_call(instruction: Instruction, calls: Calls) -> Iterator[Calls]:
    if calls:
        yield ()


_MAKERS: dict[str, Callable[[Instruction, Calls], Iterator[Calls]]] = {
    "wrong_function": _wrong_function, "sibling_value": _sibling_value, "type": _type, "enum": _enum,
    "format": _format, "missing": _missing, "invented": _invented, "too_few": _too_few, "too_many": _too_many,
    "call_where_none_fits": _call_where_none_fits, "no_call": _no_call, "needless_question": _no_call,
}  # fmt: skip


def _filler(function: Function, name: str) -> Any:
    """A value that fits an argument's schema."""
    schema = function.properties.get(name, {})
    if schema.get("default") is not None:
        return schema["default"]
    if schema.get("enum"):
        return schema["enum"][0]
    values: dict[str, Any] = {"integer": 1, "number": 1.5, "boolean": True, "array": [], "object": {}}
    return values.get(str(schema.get("type")), name.replace("_", " "))


def _alike(one: str, other: str) -> bool:
    plain: Sequence[str] = [re.sub(r"\W+", "", text).lower() for text in (one, other)]
    return plain[0] in plain[1] or plain[1] in plain[0]
