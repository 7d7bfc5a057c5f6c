"""How an output is compared with the expected one. All of it happens on the host, on plain text and plain JSON."""

from __future__ import annotations

import math
import re
from collections import Counter
from typing import Any

import orjson

from ultrainteract.errors import GraderError
from ultrainteract.schema import Checker


def same_text(checker: Checker, expected: str, output: str) -> bool:
    """Compares what a program printed.

    Args:
        checker: Any kind but `program`.
        expected: Expected output.
        output: Output.
    """
    if checker.kind == "exact":
        return _lines(expected) == _lines(output)
    if checker.kind == "unordered_lines":
        return Counter(filter(None, _lines(expected))) == Counter(filter(None, _lines(output)))
    left, right = expected.split(), output.split()
    if checker.kind == "tokens" or left == right:
        return left == right
    return len(left) == len(right) and all(
        a == b
        or (not (_WHOLE.fullmatch(a) and _WHOLE.fullmatch(b)) and _close(_number(a), _number(b), checker))
        for a, b in zip(left, right, strict=True)
    )


_WHOLE = re.compile(r"[-+]?\d+")
"""A tolerance is meant for measured values: two whole numbers are the same or not."""


def _lines(text: str) -> list[str]:
    """Lines without trailing whitespace, and without empty ones at the end."""
    lines = [line.rstrip() for line in text.splitlines()]
    while lines and not lines[-1]:
        lines.pop()
    return lines


def _number(token: str) -> float | None:
    if "_" in token:
        return None
    try:
        return float(token)
    except ValueError:
        return None


def _close(a: float | None, b: float | None, checker: Checker) -> bool:
    if a is None or b is None:
        return False
    relative = 0.0 if checker.error == "absolute" else checker.tolerance
    absolute = (
        0.0 if checker.error == "relative" else checker.tolerance * (1 + 1e-9)
    )  # 0.125 is within 0.005 of 0.12
    return (
        a == b or math.isclose(a, b, rel_tol=relative, abs_tol=absolute) or (math.isnan(a) and math.isnan(b))
    )


def load_json(text: str, what: str) -> Any:
    """Parses a part of a function-call test.

    Raises:
        GraderError: It is not JSON.
    """
    import json

    try:
        return json.loads(text)
    except ValueError as error:
        raise GraderError(f"A function-call test's {what} is not JSON: {text[:80]!r} ({error}).") from error


def load_value(text: bytes) -> Any:
    """Parses the encoded return value of a program; special values become `_Set` and floats.

    Raises:
        ValueError: It is not an encoding that the child makes.
    """
    import json

    return json.loads(text, object_hook=_special)


class _Set(list[Any]):
    """The members of a set."""


def _special(item: dict[str, Any]) -> Any:
    if len(item) == 1:
        if isinstance(item.get("$set"), list):
            return _Set(item["$set"])
        if isinstance(item.get("$float"), str):
            return float(item["$float"])
    return item


def same_value(checker: Checker, expected: Any, value: Any) -> bool:
    """Compares what a function returned with the JSON of what it should return.

    A tuple equals the list of its items and a set the list of its members in any order, since JSON has
    neither; a truth value equals only itself; a number equals its equal of either type, within the tolerance
    where the checker is `floats`.
    """
    if checker.kind == "unordered_lines" and isinstance(expected, list) and isinstance(value, list):
        return _same_members(checker, expected, value)
    return _same(checker, expected, value)


def _same(checker: Checker, expected: Any, value: Any) -> bool:
    if isinstance(expected, bool) or isinstance(value, bool):
        return expected is value
    if isinstance(expected, int | float) and isinstance(value, int | float):
        if checker.kind == "floats" and not (isinstance(expected, int) and isinstance(value, int)):
            return _close(_as_float(expected), _as_float(value), checker)
        return expected == value
    if isinstance(expected, list) and isinstance(value, _Set):
        return _same_members(checker, expected, value)
    if isinstance(expected, list) and isinstance(value, list):
        return len(expected) == len(value) and all(
            _same(checker, a, b) for a, b in zip(expected, value, strict=True)
        )
    if isinstance(expected, dict) and isinstance(value, dict):
        return expected.keys() == value.keys() and all(
            _same(checker, expected[k], value[k]) for k in expected
        )
    return type(expected) is type(value) and bool(expected == value)


def _as_float(number: int | float) -> float | None:
    try:
        return float(number)
    except OverflowError:
        return None


def _same_members(checker: Checker, expected: list[Any], value: list[Any]) -> bool:
    if len(expected) != len(value):
        return False
    key = _sort_key
    return all(
        _same(checker, a, b) for a, b in zip(sorted(expected, key=key), sorted(value, key=key), strict=True)
    )


def _sort_key(item: Any) -> tuple[int, Any]:
    if isinstance(item, int | float):
        return (0, float(item))
    return (
        1,
        orjson.dumps(item, option=orjson.OPT_SORT_KEYS | orjson.OPT_PASSTHROUGH_SUBCLASS, default=list),
    )
