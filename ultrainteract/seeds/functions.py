"""Functions and calls as data sets write them, into the one form of the schema.

BFCL, ToolACE and xLAM/APIGen describe arguments with Python's type names and in layouts of their own; here they become
JSON Schema, so that the same text goes to a server, to a trainer and to the grader.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ultrainteract.grading.call_judging import first_allowed, published_fault, violations
from ultrainteract.readers.rows import Unusable
from ultrainteract.schema import Call, Function, Message
from ultrainteract.seeds.argument_types import JSON_TYPES, type_schema

_NAMED = ("properties", "patternProperties", "$defs", "definitions", "dependentSchemas")
"""Keywords of JSON Schema that hold schemas by name."""
_LISTED = ("anyOf", "oneOf", "allOf", "prefixItems", "items")
"""Keywords that hold a list of schemas."""
_SINGLE = (
    "items", "additionalItems", "additionalProperties", "unevaluatedItems", "unevaluatedProperties", "contains",
    "propertyNames", "not", "if", "then", "else",
)  # fmt: skip
"""Keywords that hold one schema."""
_NEVER_NULL = (
    *_NAMED, *_LISTED, *_SINGLE, "description", "title", "format", "pattern", "minimum", "maximum", "minItems",
    "maxItems",
)  # fmt: skip
_MAX_DEPTH = 40


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
    text = described.get("description")
    return Function(
        name=described["name"],
        description=text if isinstance(text, str) else "",
        parameters=_parameters(described),
    )


def _parameters(described: Mapping[str, Any]) -> dict[str, Any]:
    """JSON Schema of a function's arguments: valid JSON Schema as it is, also that of an MCP server."""
    bad = Unusable(f"the arguments of function {described['name']} are no object")
    stated = (described.get(name) for name in ("parameters", "inputSchema", "input_schema"))
    parameters: Any = next((found for found in stated if found), {})
    if not isinstance(parameters, Mapping):
        raise bad
    if not _is_schema(parameters):
        if not all(isinstance(part, Mapping) for part in parameters.values()):
            raise bad
        return {
            "type": "object",
            "properties": {name: schema_of(part) for name, part in parameters.items()},
            "required": [name for name, part in parameters.items() if not _is_optional(part)],
        }
    schema = {"type": "object", **schema_of(parameters)}
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    properties = schema.get("properties", {})
    if "object" not in kinds or not (
        isinstance(properties, Mapping)
        and all(isinstance(part, Mapping | bool) for part in properties.values())
    ):
        raise bad
    return schema


def _is_schema(parameters: Mapping[str, Any]) -> bool:
    """Whether it is a schema of all arguments, and no list of them by name, in which each is described by an object."""
    properties = parameters.get("properties")
    return (
        isinstance(parameters.get("type"), str | list)
        or any(isinstance(parameters.get(name), str | list) for name in ("$ref", "anyOf", "oneOf", "allOf"))
        or (
            isinstance(properties, Mapping)
            and all(isinstance(part, Mapping | bool) for part in properties.values())
        )
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
    """JSON Schema of one argument, or of several.

    Valid JSON Schema comes out as it went in. What data sets write in its place is mended: Python's type names (see
    `argument_types`), and keywords with a value that they cannot have (`"required": true`, `"items": null`).
    """
    schema: dict[str, Any] = {}
    more: dict[str, Any] = {}
    for key, value in part.items():
        if value is None and key in _NEVER_NULL:
            continue
        if key == "type":
            more = _type_of(value)
            if "type" in more:
                schema["type"] = more["type"]
        elif key in _NAMED and isinstance(value, Mapping):
            schema[key] = {name: _subschema(inside) for name, inside in value.items()}
        elif key in _LISTED and isinstance(value, list):
            schema[key] = [_subschema(inside) for inside in value]
        elif key in _SINGLE:
            schema[key] = _subschema(value)
        elif key == "required" or key == "enum":
            if isinstance(value, list):
                schema[key] = [name for name in value if key == "enum" or isinstance(name, str)]
        else:
            schema[key] = value
    return {**more, **schema}


def _subschema(value: Any) -> Any:
    return schema_of(value) if isinstance(value, Mapping) else value


def _type_of(stated: Any) -> dict[str, Any]:
    """What a stated type means: one of JSON Schema, several, or a type as Python and data sets write it."""
    if isinstance(stated, list):
        found = [_type_of(kind).get("type") for kind in stated if isinstance(kind, str)]
        known = len(found) == len(stated) and all(isinstance(kind, str) for kind in found)
        return {"type": found} if known and found else {}
    if not isinstance(stated, str):
        return {}
    return {"type": stated} if stated in JSON_TYPES else type_schema(stated)


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
