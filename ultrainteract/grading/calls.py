"""Function calls, compared with the calls that are right: by name, by argument, in any order.

A right call is stated as JSON: `{"name": …, "arguments": {argument: [allowed values]}, "order": [argument …]}`, as
the Berkeley function-calling set does; an empty text among the allowed values means that the argument may be left out.
Numbers are compared by value, texts without case, spaces and punctuation, lists in order, objects field by
field. What cannot be read as calls is undetermined.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ultrainteract.grading.number import Finding

MAX_CALLS = 20_000
"""Longest answer that is looked at."""
NO_CALL = "no call"
"""The right answer where no function fits."""

_FENCE = re.compile(r"```\w*\s*\n(.*?)```", re.DOTALL)
_MARKER = re.compile(r"^\s*(?:final\s+)?answer\s*[:=]?\s*", re.IGNORECASE)
_IGNORED = re.compile(r"[ ,./\-_*^'\"]")
_NOTHING = re.compile(
    r"(?:there is\s+|make\s+)?(?:no|none|not any)\b\W*(?:(?:function|suitable|such)\s+)*(?:call)?s?\W*",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Call:
    """A call as it was written."""

    name: str
    positional: tuple[Any, ...]
    named: Mapping[str, Any]


class Unreadable(ValueError):
    """The text is no function call; the message says why."""


def same_calls(gold: Sequence[str], answer: str) -> Finding:
    """Whether an answer makes exactly the right calls.

    Args:
        gold: The right calls, JSON each; none where no call is right.
        answer: The calls as stated: Python calls (one a line, or in a list), JSON objects, or `no call`.
    """
    if len(answer) > MAX_CALLS:
        return Finding(None, f"the answer has more than {MAX_CALLS} characters")
    try:
        right = [json.loads(text) for text in gold]
    except ValueError:
        return Finding(None, "the gold calls cannot be read")
    try:
        given = read_calls(answer)
    except Unreadable as error:
        return Finding(None, str(error))
    if len(given) != len(right):
        return Finding(False, f"{len(given)} calls where {len(right)} are right")
    # Calls are few; each right call takes the first given one that fits, which is enough as fits rarely overlap.
    left = list(given)
    why = ""
    for call in right:
        for other in left:
            difference = _difference(call, other)
            if not difference:
                left.remove(other)
                break
            why = why or difference
        else:
            return Finding(False, why or f"no call of {call['name']}")
    return Finding(True, "the calls agree")


def read_calls(answer: str) -> list[Call]:
    """The calls that an answer states.

    Raises:
        Unreadable: It states none that can be read.
    """
    blocks = _FENCE.findall(answer)
    text = _MARKER.sub("", (blocks[-1] if blocks else answer).strip()).strip("` \n")
    if _NOTHING.fullmatch(text) or text in ("[]", "()"):
        return []
    if text[:1] in "[{" and (calls := _from_json(text)) is not None:
        return calls
    try:
        body = ast.parse(text).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise Unreadable("the answer is no function call that can be read") from None
    found: list[Call] = []
    for statement in body:
        if not isinstance(statement, ast.Expr):
            raise Unreadable("the answer is more than function calls")
        value = statement.value
        items = value.elts if isinstance(value, ast.List | ast.Tuple) else [value]
        found += [_from_syntax(item) for item in items]
    if not found:
        raise Unreadable("the answer states no call")
    return found


def _from_syntax(node: ast.expr) -> Call:
    if not isinstance(node, ast.Call):
        raise Unreadable("the answer is more than function calls")
    try:
        return Call(
            ast.unparse(node.func),
            tuple(ast.literal_eval(argument) for argument in node.args),
            {str(keyword.arg): ast.literal_eval(keyword.value) for keyword in node.keywords if keyword.arg},
        )
    except (ValueError, RecursionError, MemoryError):
        raise Unreadable("an argument is no plain value") from None


def _from_json(text: str) -> list[Call] | None:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    calls = []
    for item in value if isinstance(value, list) else [value]:
        if not isinstance(item, dict):
            return None
        arguments = item.get("arguments", item.get("parameters", {}))
        name = item.get("name", item.get("function"))
        if isinstance(arguments, str):
            try:
                arguments = json.loads(arguments)
            except ValueError:
                return None
        if not isinstance(name, str) or not isinstance(arguments, dict):
            return None
        calls.append(Call(name, (), arguments))
    return calls


def _difference(right: Mapping[str, Any], given: Call) -> str:
    """What is wrong with a call; empty if nothing is."""
    if given.name != right["name"]:
        return f"calls {given.name}"
    allowed: Mapping[str, list[Any]] = right["arguments"]
    order: list[str] = right.get("order") or list(allowed)
    if len(given.positional) > len(order):
        return f"too many arguments for {given.name}"
    arguments = dict(zip(order, given.positional, strict=False))
    if repeated := set(arguments) & set(given.named):
        return f"argument {min(repeated)} is given twice"
    arguments.update(given.named)
    if unknown := set(arguments) - set(allowed):
        return f"argument {min(unknown)} is not asked for"
    for name, values in allowed.items():
        if name not in arguments:
            if "" not in values:
                return f"argument {name} is missing"
        elif not any(_same(value, arguments[name]) for value in values):
            return f"argument {name} is not right"
    return ""


def _same(right: Any, given: Any) -> bool:
    if isinstance(right, bool) or isinstance(given, bool):
        return right is given
    if isinstance(right, int | float) and isinstance(given, int | float):
        return right == given or abs(right - given) <= 1e-9 * max(abs(right), abs(given))
    if isinstance(right, str) and isinstance(given, str):
        return _plain(right) == _plain(given)
    if isinstance(right, list) and isinstance(given, list | tuple):
        return len(right) == len(given) and all(_same(a, b) for a, b in zip(right, given, strict=True))
    if isinstance(right, dict) and isinstance(given, dict):
        # The values of a right object are lists of what is allowed, as those of the call itself.
        known = all(key in right for key in given)
        return known and all(
            any(_same(value, given[key]) for value in values) if key in given else "" in values
            for key, values in right.items()
        )
    return right is None and given is None


def _plain(text: str) -> str:
    return _IGNORED.sub("", text.lower())
