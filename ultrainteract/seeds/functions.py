"""Functions and calls as data sets write them, into the one form of the schema.

BFCL, ToolACE and xLAM/APIGen describe arguments with Python's type names and in layouts of their own; here they become
JSON Schema, so that the same text goes to a server, to a trainer and to the grader.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ultrainteract.grading.call_judging import first_allowed, published_fault, violations
from ultrainteract.readers.rows import Unusable
from ultrainteract.schema import Call, Function, Message

_TYPES = {
    "dict": "object", "hashmap": "object", "map": "object", "object": "object", "float": "number", "double": "number",
    "number": "number", "long": "integer", "int": "integer", "integer": "integer", "str": "string", "string": "string",
    "bool": "boolean", "boolean": "boolean", "tuple": "array", "list": "array", "array": "array", "set": "array",
    "nonetype": "null", "null": "null",
}  # fmt: skip
_KEPT = (
    "description",
    "enum",
    "default",
    "format",
    "pattern",
    "minimum",
    "maximum",
    "title",
    "minItems",
    "maxItems",
)
_MAX_DEPTH = 40
_OPTIONAL = re.compile(r",?\s*optional\b.*$", re.IGNORECASE)
_ITEMS = re.compile(r"(?i)^(?:list|array|set|sequence)\s*\[(.*)\]$")


def plain(value: Any, depth: int = 0) -> Any:
    """A value of a record that can be written as JSON: whole texts, finite numbers.

    Raises:
        Unusable: It holds infinity or NaN, or is nested too deeply.
    """
    match value:
        case str():
            return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        case float() if not math.isfinite(value):
            raise Unusable("a value is not a finite number")
        case _ if depth > _MAX_DEPTH:
            raise Unusable("a value is nested too deeply")
        case Mapping():
            return {str(plain(str(key))): plain(item, depth + 1) for key, item in value.items()}
        case list() | tuple():
            return [plain(item, depth + 1) for item in value]
    return value


def function_of(described: Any) -> Function:
    """A function as a data set describes it: plainly, or wrapped as for a chat API.

    Raises:
        Unusable: It has no name, or its arguments are described in no known way.
    """
    described = plain(described)
    if isinstance(described, Mapping) and isinstance(described.get("function"), Mapping):
        described = described["function"]
    if (
        not isinstance(described, Mapping)
        or not isinstance(described.get("name"), str)
        or not described["name"]
    ):
        raise Unusable("a function has no name")
    parameters = described.get("parameters") or {}
    if not isinstance(parameters, Mapping):
        raise Unusable(f"the arguments of function {described['name']} are no object")
    flat = "properties" not in parameters and all(isinstance(part, Mapping) for part in parameters.values())
    properties = parameters if flat else parameters.get("properties")
    if not isinstance(properties, Mapping) or not all(
        isinstance(part, Mapping) for part in properties.values()
    ):
        raise Unusable(f"the arguments of function {described['name']} are no object")
    if flat:
        required = [name for name, part in properties.items() if not _is_optional(part)]
    else:
        stated = parameters.get("required")
        required = [name for name in stated if name in properties] if isinstance(stated, list) else []
    schema = {
        "type": "object",
        "properties": {name: schema_of(part) for name, part in properties.items()},
        "required": required,
    }
    text = described.get("description")
    return Function(
        name=described["name"], description=text if isinstance(text, str) else "", parameters=schema
    )


def functions_of(listed: Any) -> tuple[Function, ...]:
    """The functions of a record, by a list or its JSON text.

    Raises:
        Unusable: There are none, two have one name, or one cannot be read.
    """
    if isinstance(listed, str):
        try:
            listed = json.loads(listed)
        except ValueError:
            raise Unusable("its list of functions is no JSON") from None
    if not isinstance(listed, list) or not listed:
        raise Unusable("there is no list of functions")
    found = [function_of(item) for item in listed]
    distinct = {function.name: function for function in found}
    if any(distinct[function.name] != function for function in found):
        raise Unusable("two of its functions have the same name")
    return tuple(distinct.values())


def _is_optional(part: Mapping[str, Any]) -> bool:
    return "optional" in str(part.get("type", "")).lower() or part.get("default") not in (None, "")


def schema_of(part: Mapping[str, Any]) -> dict[str, Any]:
    """JSON Schema of one argument."""
    schema: dict[str, Any] = {}
    kind = part.get("type")
    if isinstance(kind, str):
        kind = _OPTIONAL.sub("", kind).strip()
        inner = _ITEMS.match(kind)
        known = "array" if inner else _TYPES.get(re.split(r"[\[(]", kind, maxsplit=1)[0].strip().lower())
        if known:
            schema["type"] = known
        if inner and "items" not in part:
            item = _TYPES.get(inner[1].split("[")[0].strip().lower())
            schema["items"] = {"type": item} if item else {}
    schema |= {name: part[name] for name in _KEPT if part.get(name) is not None}
    if isinstance(part.get("items"), Mapping):
        schema["items"] = schema_of(part["items"])
    if isinstance(part.get("properties"), Mapping) and all(
        isinstance(p, Mapping) for p in part["properties"].values()
    ):
        schema["properties"] = {name: schema_of(inside) for name, inside in part["properties"].items()}
        if isinstance(part.get("required"), list):
            schema["required"] = [name for name in part["required"] if isinstance(name, str)]
    return schema


def dialogue_of(messages: Any, names: Mapping[str, str] | None = None) -> tuple[Message, ...]:
    """A conversation as `role`/`content` objects, with its roles.

    Args:
        messages: The messages.
        names: Roles by the data set's names for them.

    Raises:
        Unusable: It is no such conversation, or does not end with the user.
    """
    found = []
    for message in messages if isinstance(messages, list) else ():
        role = message.get("role") if isinstance(message, Mapping) else None
        role = (names or {}).get(str(role), role)
        if role not in ("system", "user", "assistant") or not isinstance(message.get("content"), str):
            raise Unusable("a message has no text, or an unknown role")
        found.append(Message(role=role, content=plain(message["content"]).strip()))
    if not found or found[-1].role != "user":
        raise Unusable("the conversation does not end with a request")
    return tuple(found)


def published(functions: Sequence[Function], dialogue: Sequence[Message]) -> str:
    """Functions and conversation as the text of a published instruction."""
    listed = [json.dumps(function.tool(), ensure_ascii=False) for function in functions]
    talk = [message for message in dialogue if message.content or message.calls]
    alone = len(talk) == 1
    said = [message.content if alone else f"{message.role}: {_said(message)}" for message in talk]
    return "\n".join(["<tools>", *listed, "</tools>", *said])


def _said(message: Message) -> str:
    return "\n".join(part for part in (message.content, *(call.json() for call in message.calls)) if part)


def right_call(call: Call, function: Function | None = None) -> str:
    """A right call as the gold of an instruction, where only its values are known to be right.

    Arguments that it leaves out may be left out, or given with the default that the function states.
    """
    allowed: dict[str, list[Any]] = {name: [value] for name, value in call.arguments.items()}
    if function is not None:
        for name, part in function.properties.items():
            if name not in allowed and "default" in part and name not in function.required:
                allowed[name] = [part["default"], ""]
    return gold_of(call.name, allowed)


def check_golds(functions: Sequence[Function], golds: Sequence[str], *, by_schema: bool = False) -> None:
    """Refuses right calls that fail their own check: every right answer would be called wrong.

    Args:
        functions: Functions on offer.
        golds: The right calls.
        by_schema: Their values must fit the schemas; BFCL's rule takes one of another type for a variable's name.

    Raises:
        Unusable: They do.
    """
    try:
        calls = [first_allowed(gold) for gold in golds]
        given = [{"name": call.name, "arguments": call.arguments} for call in calls]
        parameters = {function.name: function.parameters for function in functions}
        fault: object = (
            published_fault(parameters, [json.loads(gold) for gold in golds], given) if golds else None
        )
        if fault is None and by_schema:
            fault = next(filter(None, violations(calls, functions)), None)
    except (ValueError, TypeError, AttributeError):
        raise Unusable("its right calls cannot be read") from None
    if fault is not None:
        raise Unusable(f"its right calls fail their own check: {fault}")


def gold_of(name: str, allowed: Mapping[str, Any]) -> str:
    """A right call as JSON, by the values that each argument may have.

    Raises:
        Unusable: A value cannot be written.
    """
    call = {"name": plain(name), "arguments": plain(allowed)}
    return json.dumps(call, ensure_ascii=False, sort_keys=True)


def shown_calls(calls: Iterable[Call]) -> str:
    """Calls for a reader, Python with named arguments; `no call` where there are none."""
    made = [f"{call.name}({', '.join(f'{k}={v!r}' for k, v in call.arguments.items())})" for call in calls]
    return "\n".join(made) or "no call"
