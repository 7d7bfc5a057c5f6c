"""Functions that a model may call, the calls it makes, and what came of them.

A function is described as every chat API describes one: name, description, JSON Schema of its arguments. A call is the
same whichever way it was written: natively, in Hermes tags, as Python or as JSON.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

from pydantic import Field

from ultrainteract.schema.base import Record, content_hash


class Function(Record):
    """A function on offer."""

    name: str
    """Name, as the dataset spells it; dots are allowed (servers that forbid them are sent another spelling)."""
    description: str = ""
    """What it does, for the model."""
    parameters: dict[str, Any] = Field(default_factory=dict)
    """JSON Schema of its arguments: an object with `properties` and `required`."""

    @property
    def properties(self) -> dict[str, Any]:
        """Schemas of its arguments, by name; one that allows anything (`true`) or nothing (`false`) is empty."""
        found = self.parameters.get("properties") or {}
        return {name: part if isinstance(part, dict) else {} for name, part in found.items()}

    @property
    def required(self) -> tuple[str, ...]:
        """Arguments that every call must have."""
        return tuple(self.parameters.get("required") or ())

    @property
    def is_open(self) -> bool:
        """Whether it takes arguments that `properties` does not list: the schema says so, or lists them elsewhere."""
        elsewhere = {"$ref", "allOf", "anyOf", "oneOf", "patternProperties", "if"} & self.parameters.keys()
        listed = "properties" in self.parameters
        return bool(elsewhere) or self.parameters.get("additionalProperties", not listed) is not False

    def tool(self, name: str | None = None) -> dict[str, Any]:
        """The function as chat APIs take it.

        Args:
            name: Another spelling of its name.
        """
        described = {
            "name": name or self.name,
            "description": self.description,
            "parameters": self.parameters or {"type": "object", "properties": {}},
        }
        return {"type": "function", "function": described}


class Call(Record):
    """A call of a function."""

    name: str
    """The function."""
    arguments: dict[str, Any] = Field(default_factory=dict)
    """Its arguments, by name."""
    id: str = ""
    """What the message with the result repeats; empty where nothing refers to it."""
    positional: int = Field(default=0, exclude_if=lambda value: not value)
    """How many of its arguments, the first ones, were written without their name, as Python allows."""

    def json(self) -> str:  # type: ignore[override]
        """The call as one line of JSON: name and arguments."""
        return json.dumps({"name": self.name, "arguments": self.arguments}, ensure_ascii=False)


class Backend(Record):
    """Python that answers the calls of an instruction; it runs in the sandbox alone.

    Functions are found by name among the public methods of `objects`, then among what `source` and `setup` define.
    """

    source: str
    """Program that defines functions, or classes with a state."""
    setup: str = ""
    """Run after it: makes the objects in their first state."""
    objects: tuple[str, ...] = ()
    """Variables whose public methods are functions, and whose attributes are the state that is compared; without any,
    that is the program's global variables."""
    before: tuple[str, ...] = ()
    """Python calls that lead from the first state to that of this instruction: earlier turns of a dialogue."""
    gold: tuple[str, ...] = ()
    """Right calls, in Python; what they return and the state after them is what `final_state` compares with."""


def calls_json(calls: Iterable[Call]) -> str:
    """Calls as the one text that graders read: a JSON list of `{"name", "arguments"}`."""
    return json.dumps(
        [
            {"name": call.name, "arguments": call.arguments}
            | ({"positional": call.positional} if call.positional else {})
            for call in calls
        ],
        ensure_ascii=False,
    )


TAGS = ("<tool_call>", "</tool_call>")
"""Around a call in a text, as Hermes models write it."""
RESPONSE_TAGS = ("<tool_response>", "</tool_response>")
"""Around the result of a call in a text."""


def calls_text(calls: Iterable[Call]) -> str:
    """Calls in Hermes tags, one below the other."""
    return "\n".join(f"{TAGS[0]}\n{call.json()}\n{TAGS[1]}" for call in calls)


def results_text(results: Iterable[str]) -> str:
    """Results of calls in Hermes tags, one below the other."""
    return "\n".join(f"{RESPONSE_TAGS[0]}\n{result}\n{RESPONSE_TAGS[1]}" for result in results)


def api_names(functions: Iterable[Function]) -> dict[str, str]:
    """The spelling of each function's name in APIs that allow letters, digits, `_` and `-` alone, 64 of them.

    Two names that would be spelled alike are told apart by a number.
    """
    spelled: dict[str, str] = {}
    for function in functions:
        plain = spelling = re.sub(r"[^A-Za-z0-9_-]", "_", function.name)[:64] or "_"
        number = 2
        while spelling in spelled.values():
            spelling = f"{plain[:60]}_{number}"
            number += 1
        spelled[function.name] = spelling
    return spelled


def numbered(calls: Iterable[Call], where: str) -> tuple[Call, ...]:
    """Calls with ids, nine letters and digits as the strictest servers want, the same at every replay.

    Args:
        calls: The calls of one message.
        where: What tells the message apart from others of its conversation.
    """
    return tuple(
        call.model_copy(update={"id": content_hash([where, number])[:9]}) for number, call in enumerate(calls)
    )
