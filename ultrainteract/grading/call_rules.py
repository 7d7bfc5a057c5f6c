"""BFCL's rule for a call against a right one, in its order of checks, with its error names.

Reimplemented from the behaviour of the Berkeley function-calling leaderboard, version 4 (Apache-2.0), and compared with
it on right and mutated calls by `scripts/compare_bfcl.py`; docs/calls.md lists every difference. The first check that
fails names the error: function, required arguments, then each argument's name, type and value, then optional arguments.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_TYPES: dict[str, type] = {
    "string": str, "integer": int, "number": float, "boolean": bool, "array": list, "object": dict, "any": str,
}  # fmt: skip
_OMITTED = ""
"""Among the values that are allowed: the argument may be left out."""
_IGNORED = re.compile(r"[ ,./\-_*^]")


@dataclass(frozen=True)
class Fault:
    """Why a call is not the right one."""

    error: str
    """BFCL's name of the error."""
    why: str
    """One line for a reader."""

    def __str__(self) -> str:
        return f"{self.error}: {self.why}"


def type_of(schema: Any) -> str:
    """The type that a JSON Schema states; `any` where it states none, or several."""
    stated = schema.get("type") if isinstance(schema, Mapping) else None
    return stated if isinstance(stated, str) and stated in _TYPES else "any"


def call_fault(
    parameters: Mapping[str, Any],
    name: str,
    right: Mapping[str, Any],
    given_name: str,
    given: Mapping[str, Any],
) -> Fault | None:
    """The first error of a call, None where it is right.

    Args:
        parameters: JSON Schema of the function's arguments.
        name: The right function.
        right: Values that are allowed, by argument; an empty text among them means that it may be left out.
        given_name: The function that is called.
        given: Its arguments.
    """
    if given_name != name:
        return Fault("wrong_func_name", f"calls {given_name}")
    properties = parameters.get("properties") or {}
    for argument in parameters.get("required") or ():
        if argument not in given:
            return Fault("missing_required", f"argument {argument} is missing")
    for argument, value in given.items():
        if argument not in properties or argument not in right:
            return Fault("unexpected_param", f"argument {argument} is not asked for")
        fault = _argument_fault(argument, properties[argument], _listed(right[argument]), value)
        if fault is not None:
            return fault
    for argument, allowed in right.items():
        if argument not in given and _OMITTED not in _listed(allowed):
            return Fault("missing_optional", f"argument {argument} is left out")
    return None


def _listed(allowed: Any) -> list[Any]:
    return allowed if isinstance(allowed, list) else [allowed]


def _argument_fault(argument: str, schema: Any, allowed: list[Any], value: Any) -> Fault | None:
    kind = type_of(schema)
    wanted = _TYPES[kind]
    inner = _TYPES[type_of(schema.get("items"))] if kind == "array" and schema.get("items") else None
    if wanted is float and type(value) is int:
        value = _as_float(value)
    error, is_variable = _type_error(value, allowed, wanted, inner)
    if error:
        return Fault(error, f"argument {argument} is {_named(value)}, not {kind}")
    wrong: str | None
    if is_variable or wanted not in (dict, list, str):
        wrong = None if value in allowed else "value_error:others"
    elif wanted is dict:
        wrong = _object_error(value, allowed)
    elif wanted is str:
        texts = [_plain(item) for item in allowed if isinstance(item, str)]
        wrong = None if _plain(value) in texts else "value_error:string"
    elif inner is dict:
        wrong = _objects_error(value, allowed)
    else:
        lists = [[_plain(item) for item in one] for one in allowed if isinstance(one, list | str)]
        wrong = None if [_plain(item) for item in value] in lists else "value_error:list/tuple"
    return None if wrong is None else Fault(wrong, f"argument {argument} is not right")


def _as_float(value: int) -> float | int:
    try:
        return float(value)
    except OverflowError:
        return value


def _named(value: Any) -> str:
    names = {str: "string", int: "integer", float: "number", bool: "boolean", list: "array", dict: "object"}
    return names.get(type(value), "null")


def _type_error(value: Any, allowed: Any, wanted: type, inner: type | None) -> tuple[str, bool]:
    """The error of a value's type, and whether the right value is the name of a variable, not a value of the type."""
    first = next((type(item) for item in allowed if item != _OMITTED), None)
    is_variable = first is not None and first is not wanted
    if type(value) is wanted:
        if inner is None or any(_fits(value, one, inner) for one in allowed):
            return "", is_variable
        return ("type_error:nested" if first is type(value) else "type_error:simple"), False
    if first is not None and type(value) is first:
        return "", True
    return "type_error:simple", False


def _fits(values: Any, allowed: Any, inner: type) -> bool:
    """Whether the items of a list have the right type, by one list that is allowed."""
    return not isinstance(allowed, list) or not any(
        _type_error(item, allowed, inner, None)[0] for item in values
    )


def _plain(value: Any) -> Any:
    """A text as it is compared: lower case, without spaces and `,./-_*^`, one kind of quote."""
    return _IGNORED.sub("", value).lower().replace("'", '"') if isinstance(value, str) else value


def _object_error(value: Mapping[str, Any], allowed: Sequence[Any]) -> str | None:
    error: str | None = "dict_checker:unclear"
    for one in allowed:
        if one == _OMITTED or not isinstance(one, Mapping):
            continue
        error = _fields_error(value, one)
        if error is None:
            return None
    return error


def _fields_error(value: Mapping[str, Any], right: Mapping[str, Any]) -> str | None:
    error = None
    for key, item in value.items():
        if key not in right:
            error = "value_error:dict_key"
            break
        if _plain(item) not in [_plain(one) for one in _listed(right[key])]:
            error = "value_error:dict_value"
            break
    if any(key not in value and _OMITTED not in _listed(items) for key, items in right.items()):
        error = "value_error:dict_key"
    return error


def _objects_error(values: list[Any], allowed: Sequence[Any]) -> str | None:
    error: str | None = "list_dict_checker:unclear"
    for one in allowed:
        if not isinstance(one, list | str) or len(one) != len(values):
            error = "value_error:list_dict_count"
            continue
        errors = [_object_error(value, [right]) for value, right in zip(values, one, strict=True)]
        error = next((found for found in errors if found is not None), None)
        if error is None:
            return None
    return error
