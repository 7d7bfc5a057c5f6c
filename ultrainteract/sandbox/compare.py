"""How an output is compared with the expected one. All of it happens on the host, on plain text and plain JSON.

No comparison raises, whatever a program returned: what cannot be compared is not equal.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from decimal import Decimal, InvalidOperation
from typing import Any

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
        a == b or (not (_WHOLE.fullmatch(a) and _WHOLE.fullmatch(b)) and _close_tokens(a, b, checker))
        for a, b in zip(left, right, strict=True)
    )


_WHOLE = re.compile(r"[-+]?\d+")
"""A tolerance is meant for measured values: two whole numbers are the same or not."""


def _lines(text: str) -> list[str]:
    """Lines without trailing whitespace, and without empty ones at the end.

    Only a line feed ends a line: what else Unicode calls a line end may be part of an output.
    """
    lines = [line.rstrip() for line in text.split("\n")]
    while lines and not lines[-1]:
        lines.pop()
    return lines


def _close_tokens(left: str, right: str, checker: Checker) -> bool:
    if "_" in left or "_" in right:
        return False
    try:
        a, b = float(left), float(right)
        if math.isinf(a) or math.isinf(b):  # of two numbers beyond a float's range nothing is left to compare
            return Decimal(left) == Decimal(right)
    except (ValueError, InvalidOperation):
        return False
    return _close(a, b, checker)


def _close(a: float, b: float, checker: Checker) -> bool:
    relative = 0.0 if checker.error == "absolute" else checker.tolerance
    # 0.125 is within 0.005 of 0.12
    absolute = 0.0 if checker.error == "relative" else checker.tolerance * (1 + 1e-9)
    return (
        a == b or math.isclose(a, b, rel_tol=relative, abs_tol=absolute) or (math.isnan(a) and math.isnan(b))
    )


def load_json(text: str, what: str) -> Any:
    """Parses a part of a function-call test. Integers may have any number of digits.

    Raises:
        GraderError: It is not JSON.
    """
    try:
        return json.loads(text, parse_int=_integer)
    except (ValueError, RecursionError) as error:
        raise GraderError(f"A function-call test's {what} is not JSON: {text[:80]!r} ({error}).") from error


def load_value(text: bytes) -> Any:
    """Parses the encoded return value of a program; special values become `_Set`, floats and integers.

    Raises:
        ValueError: It is not an encoding that the child makes.
        RecursionError: It is nested more deeply than the child encodes.
    """
    return json.loads(text, object_hook=_special, parse_int=_integer)


def _integer(digits: str) -> int:
    """Reads an integer of any length: Python's own conversion refuses more than 4,300 digits."""
    return int(digits) if len(digits) < 4000 else int(Decimal(digits))


class _Set(list[Any]):
    """The members of a set."""


def _special(item: dict[str, Any]) -> Any:
    if len(item) == 1:
        if isinstance(item.get("$set"), list):
            return _Set(item["$set"])
        if isinstance(item.get("$float"), str):
            return float(item["$float"])
        if isinstance(item.get("$int"), str):
            return int(item["$int"], 16)
    return item


CALL_TOLERANCE = 1e-9
"""Relative and absolute error of a float in a function's result where the problem allows no larger one: the last
digits depend on the order of additions.
"""
_CALL = Checker(kind="floats", tolerance=CALL_TOLERANCE)
_MAX_PAIRED = 200
"""Members of a set that are compared each with each where their order decides nothing."""


def same_value(checker: Checker, expected: Any, value: Any) -> bool:
    """Compares what a function returned with the JSON of what it should return.

    A tuple equals the list of its items and a set the list of its members in any order, since JSON has neither; a truth
    value equals only itself; an integer equals only its equal; where a float is expected, a number equals it within
    `CALL_TOLERANCE`, and every number within the checker's tolerance where that is `floats`.
    """
    try:
        if checker.kind == "unordered_lines" and isinstance(expected, list) and isinstance(value, list):
            return _same_members(checker, expected, value)
        return _same(checker, expected, value)
    except RecursionError:  # the expected value is nested more deeply than any that is encoded
        return False


def _same(checker: Checker, expected: Any, value: Any) -> bool:
    if isinstance(expected, bool) or isinstance(value, bool):
        return expected is value
    if isinstance(expected, int | float) and isinstance(value, int | float):
        return _same_number(checker, expected, value)
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


def _same_number(checker: Checker, expected: float, value: float) -> bool:
    if expected == value or (isinstance(expected, int) and isinstance(value, int)):
        return expected == value
    try:
        a, b = float(expected), float(value)
    except OverflowError:
        return False
    if checker.kind == "floats" and _close(a, b, checker):
        return True
    return isinstance(expected, float) and _close(a, b, _CALL)


def _same_members(checker: Checker, expected: list[Any], value: list[Any]) -> bool:
    """Compares in any order: first as sorted.

    Nearly equal floats may have come in another order: then each expected member is looked for among those left.
    """
    if len(expected) != len(value):
        return False
    left, right = sorted(expected, key=_sort_key), sorted(value, key=_sort_key)
    if all(_same(checker, a, b) for a, b in zip(left, right, strict=True)):
        return True
    if len(left) > _MAX_PAIRED:
        return False
    for member in left:
        found = next((at for at, other in enumerate(right) if _same(checker, member, other)), None)
        if found is None:
            return False
        del right[found]
    return True


def _sort_key(item: Any) -> tuple[int, Any]:
    """An order of all values that can be returned; equal ones, 1 and 1.0 among them, stand together."""
    if isinstance(item, int | float) and not isinstance(item, bool):
        return (0, item) if item == item else (1, 0)
    return (2, _text(item))


def _text(item: Any) -> str:
    if isinstance(item, list):
        parts = [_text(part) for part in item]
        return f"[{','.join(sorted(parts) if isinstance(item, _Set) else parts)}]"
    if isinstance(item, dict):
        return f"{{{','.join(sorted(f'{key!r}:{_text(part)}' for key, part in item.items()))}}}"
    if isinstance(item, float) and item.is_integer():
        item = int(item)
    if isinstance(item, int) and not isinstance(item, bool):
        return hex(item)  # not limited in length
    return repr(item)
