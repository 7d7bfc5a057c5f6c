"""Function calls against the right ones, in two strictnesses, and calls against their schemas.

`bfcl_calls` is BFCL's published rule. `function_calls`, the default, asks a second, careful reading as well: only what
both call right is right, only what both call wrong is wrong, and where they differ (`5.0` for an integer, arguments
without names, texts that differ in a sign that the rule ignores) nothing is known. The evidence begins with BFCL's name
of the error.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ultrainteract.grading import calls as careful_reading
from ultrainteract.grading.call_rules import Fault, call_fault
from ultrainteract.grading.finding import Finding
from ultrainteract.schema import Call, Function

ANY_CALL = '{"any": true}'
"""A gold that knows only that some function fits (BFCL's `live_relevance`)."""
NO_MATCH = "cannot_find_match"
"""BFCL's name where several calls are right and one of them is not made."""


def judge_calls(schemas: str, gold: Sequence[str], answer: str, *, careful: bool) -> Finding:
    """Whether calls are the right ones.

    Args:
        schemas: Functions on offer, as JSON (`Instruction.schemas`).
        gold: Right calls, JSON each (see `ultrainteract.grading.calls`); none where no function fits; or `ANY_CALL`.
        answer: The calls, as JSON (`ultrainteract.schema.calls_json`).
        careful: Ask the careful reading too.
    """
    try:
        given = [_plain_call(item) for item in json.loads(answer)]
        right = [_plain_call(json.loads(text)) for text in gold if text != ANY_CALL]
        parameters = _parameters(schemas)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return Finding.unknown("the calls, or the right ones, cannot be read")
    if ANY_CALL in gold:
        if not given:
            return Finding.unequal("no_call_where_one_fits: no function is called, though one fits")
        if careful:
            return Finding.unknown("only that some function fits is known, not which call is right")
        return Finding.equal("a function is called")
    if not right:
        return Finding.either(
            not given, "no function is called, and none fits",
            f"call_where_none_fits: calls {given[0]['name'] if given else ''}",
        )  # fmt: skip
    fault = published_fault(parameters, right, given)
    if not careful:
        return Finding.equal("the calls agree") if fault is None else Finding.unequal(str(fault))
    if given and fault is not None and fault.error == "wrong_count":
        return Finding.unequal(str(fault))
    second = careful_reading.same_calls(list(gold), _without_names(given)) if given else None
    if fault is None:
        if second is not None and second.is_equal:
            return Finding.equal("the calls agree", second.basis)
        return Finding.unknown(f"right by the published rule alone: {second.why if second else ''}")
    if second is None or second.is_unequal:
        return Finding.unequal(str(fault))
    return Finding.unknown(f"wrong by the published rule alone: {fault}")


def published_fault(
    parameters: Mapping[str, Mapping[str, Any]],
    right: Sequence[Mapping[str, Any]],
    given: Sequence[Mapping[str, Any]],
) -> Fault | None:
    """The error of some calls by BFCL's rule, None where they are right.

    Several right calls may be made in any order: each in turn takes the first call that fits.

    Args:
        parameters: JSON Schemas of arguments by function.
        right: Right calls; `arguments` are lists of allowed values.
        given: The calls.
    """
    if not given:
        return Fault("no_call_where_one_fits", "no function is called, though one fits")
    if len(given) != len(right):
        return Fault("wrong_count", f"{len(given)} calls where {len(right)} are right")
    left = list(given)
    for wanted in right:
        faults: list[Fault] = []
        for call in left:
            fault = _fault(parameters, wanted, call)
            if fault is None:
                left.remove(call)
                break
            faults.append(fault)
        else:
            if len(right) == 1:
                return faults[0]
            near = next((f for f in faults if f.error != "wrong_func_name"), faults[0])
            return Fault(NO_MATCH, f"a right call of {wanted['name']} is not made ({near})")
    return None


def _fault(
    parameters: Mapping[str, Mapping[str, Any]], wanted: Mapping[str, Any], call: Mapping[str, Any]
) -> Fault | None:
    name = wanted["name"]
    named = dict(list(call["arguments"].items())[call.get("positional", 0) :])
    return call_fault(parameters.get(name, {}), name, wanted["arguments"], call["name"], named)


def _plain_call(item: Any) -> dict[str, Any]:
    """A call as JSON has it.

    Raises:
        ValueError: It is none.
    """
    if (
        not isinstance(item, dict)
        or not isinstance(item.get("name"), str)
        or not isinstance(item["arguments"], dict)
    ):
        raise ValueError("not a call")
    return item


def _without_names(given: Sequence[Mapping[str, Any]]) -> str:
    """Calls as the careful reading takes them."""
    return json.dumps([{"name": call["name"], "arguments": call["arguments"]} for call in given])


@functools.lru_cache(maxsize=512)
def _parameters(schemas: str) -> dict[str, dict[str, Any]]:
    return {item["name"]: item["parameters"] for item in json.loads(schemas or "[]")}


def first_allowed(text: str) -> Call:
    """One right way to make a call: each argument with its first allowed value, left out where it has none.

    Args:
        text: A right call, as JSON.

    Raises:
        ValueError: It is none.
    """
    call = json.loads(text)
    if not isinstance(call, dict) or not isinstance(call.get("arguments"), dict) or "name" not in call:
        raise ValueError("not a call")
    return Call(name=call["name"], arguments=_chosen(call["arguments"]))


def _chosen(arguments: Mapping[str, Any]) -> dict[str, Any]:
    given = (
        (name, [value for value in _listed(values) if value != ""]) for name, values in arguments.items()
    )
    return {name: _first(values[0]) for name, values in given if values}


def _first(value: Any) -> Any:
    """A plain value of an allowed one: in objects, the fields again hold lists of what is allowed."""
    if isinstance(value, dict):
        return _chosen(value)
    return [_first(item) for item in value] if isinstance(value, list) else value


def _listed(values: Any) -> list[Any]:
    return values if isinstance(values, list) else [values]


# ------------------------------------------------------------------------------------------------ schemas


def violations(calls: Iterable[Call], functions: Sequence[Function]) -> list[str]:
    """What each call has against its function's schema, empty where nothing: what a server would answer.

    Args:
        calls: The calls.
        functions: Functions on offer.
    """
    known = {function.name: function for function in functions}
    found = []
    for call in calls:
        function = known.get(call.name)
        if function is None:
            found.append(f"there is no function '{call.name}'")
        else:
            found.append("; ".join(_violations(function, call)))
    return found


def _violations(function: Function, call: Call) -> list[str]:
    from jsonschema.exceptions import SchemaError, UnknownType

    schema = {"type": "object", **function.parameters}
    if not function.is_open:
        schema["additionalProperties"] = False
    try:
        errors = sorted(
            _validator(json.dumps(schema)).iter_errors(call.arguments), key=lambda error: error.json_path
        )
    except (SchemaError, UnknownType, TypeError, RecursionError):  # a schema of the data set is at fault
        return []
    return [f"{error.json_path.removeprefix('$.')}: {error.message}"[:200] for error in errors[:3]]


@functools.lru_cache(maxsize=512)
def _validator(schema: str) -> Any:
    from jsonschema import Draft202012Validator

    return Draft202012Validator(json.loads(schema))
