"""Function calls, compared with the calls that are right: by name, by argument, in any order.

A right call is stated as JSON: `{"name": …, "arguments": {argument: [allowed values]}, "order": [argument …]}`, as
the Berkeley function-calling set does; an empty text among the allowed values means that the argument may be left out,
and so does an empty list, which says nothing of the values. Numbers are compared by value, lists in order, objects
field by field, texts without case, spaces, quotes and commas. Texts that differ in a sign (`-5`, `1.5`, `1/2`) are
never the same. What cannot be read as calls is undetermined.
"""

from __future__ import annotations

import ast
import io
import json
import keyword
import math
import re
import tokenize
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from ultrainteract.grading.assignment import assign
from ultrainteract.grading.finding import NO_ANSWER, Finding, all_equal
from ultrainteract.grading.literals import NotLiteral, parse, plain_value

MAX_CALLS = 20_000
"""Longest answer that is looked at."""
NO_CALL = "no call"
"""The right answer where no function fits."""

_FENCE = re.compile(r"```\w*\s*\n(.*?)```", re.DOTALL)
_MARKER = re.compile(r"^\s*(?:the\s+)?(?:final\s+)?answer\b\s*(?:[:=]|is\b:?)\s*", re.IGNORECASE)
_NOTHING = re.compile(
    r"(?:there is\s+|make\s+)?(?:no|none|not any)\b\W*(?:(?:function|suitable|such)\s+)*(?:call)?s?\W*",
    re.IGNORECASE,
)
_LITTLE = re.compile(r"(?<!\d),|,(?!\s*\d)|['\"`’]|_(?=[a-z])|(?<=[a-z])-(?=[a-z])|\s+")
_IGNORED = re.compile(r"[ ,./\-_*^'\"]")
_AS_NAME = "\u02b9"
"""Stands behind a keyword of Python that is the name of an argument."""
_TOLERANCE = Fraction(1, 10**9)


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
    if not answer.strip():
        return NO_ANSWER
    if len(answer) > MAX_CALLS:
        return Finding.unknown(f"the answer has more than {MAX_CALLS} characters")
    try:
        right = [_right_call(text) for text in gold]
    except (ValueError, RecursionError):
        return Finding.unknown("the gold calls cannot be read")
    try:
        given = read_calls(answer)
    except Unreadable as error:
        return Finding.unknown(str(error))
    if len(given) != len(right):
        return Finding.unequal(f"{len(given)} calls where {len(right)} are right")
    if len(right) == 1:
        return _same_call(right[0], given[0])
    return assign(right, given, _same_call, why="the calls agree", otherwise="a right call is not made")


def _right_call(text: str) -> Mapping[str, Any]:
    call = json.loads(text)
    if not isinstance(call, dict) or not isinstance(call.get("arguments"), dict) or "name" not in call:
        raise ValueError("not a call")
    return call


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
        body = parse(_keywords_as_names(text)).body
    except NotLiteral:
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


def _keywords_as_names(text: str) -> str:
    """The text with every argument that is named by a keyword of Python (`from='Bonn'`) marked, so that it parses."""
    if not any(word in text for word in keyword.kwlist):
        return text
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(text).readline))
    except (tokenize.TokenError, SyntaxError, ValueError):
        return text
    lines = text.splitlines(keepends=True)
    for before, token, after in reversed(list(zip(tokens, tokens[1:], tokens[2:], strict=False))):
        if (
            token.type == tokenize.NAME
            and keyword.iskeyword(token.string)
            and (before.string == "." or (before.string in ("(", ",") and after.string == "="))
        ):
            row, column = token.end
            lines[row - 1] = lines[row - 1][:column] + _AS_NAME + lines[row - 1][column:]
    return "".join(lines)


def _from_syntax(node: ast.expr) -> Call:
    if not isinstance(node, ast.Call):
        raise Unreadable("the answer is more than function calls")
    try:
        named: list[tuple[str, Any]] = []
        for argument in node.keywords:
            value = plain_value(argument.value)
            if argument.arg is not None:
                named.append((argument.arg.removesuffix(_AS_NAME), value))
            elif isinstance(value, dict):
                named += value.items()
            else:
                raise NotLiteral("** before something that is no dictionary")
        if len(dict(named)) != len(named):
            raise NotLiteral("an argument is given twice")
        name = ast.unparse(node.func).replace(_AS_NAME, "")
        return Call(name, tuple(plain_value(argument) for argument in node.args), dict(named))
    except NotLiteral as error:
        raise Unreadable(f"an argument is no plain value: {error}") from None


def _from_json(text: str) -> list[Call] | None:
    try:
        value = json.loads(text)
        calls = []
        for item in value if isinstance(value, list) else [value]:
            if not isinstance(item, dict):
                return None
            item = item["function"] if isinstance(item.get("function"), dict) else item
            arguments = item.get("arguments", item.get("parameters", {}))
            name = item.get("name", item.get("function"))
            if isinstance(arguments, str):
                arguments = json.loads(arguments)
            if not isinstance(name, str) or not isinstance(arguments, dict):
                return None
            calls.append(Call(name, (), arguments))
    except (ValueError, RecursionError):
        return None
    return calls


def _same_call(right: Mapping[str, Any], given: Call) -> Finding:
    """Whether a call is the right one."""
    if given.name != right["name"]:
        return Finding.unequal(f"calls {given.name}")
    allowed: Mapping[str, Any] = right["arguments"]
    order: list[str] = right.get("order") or list(allowed)
    if len(given.positional) > len(order):
        return Finding.unequal(f"too many arguments for {given.name}")
    arguments = dict(zip(order, given.positional, strict=False))
    if repeated := set(arguments) & set(given.named):
        return Finding.unequal(f"argument {min(repeated)} is given twice")
    arguments.update(given.named)
    if unknown := set(arguments) - set(allowed):
        return Finding.unequal(f"argument {min(unknown)} is not asked for")
    return all_equal(
        (_same_field(name, values, arguments) for name, values in allowed.items()), "the calls agree"
    )


def _same_field(name: str, values: Any, given: Mapping[str, Any]) -> Finding:
    """One argument, or one field of an object: `values` are those allowed, or one plain value."""
    listed = values if isinstance(values, list) else [values]
    if name not in given:
        may_miss = not listed or "" in listed
        return Finding.either(may_miss, "left out", f"argument {name} is missing")
    if not listed:
        return Finding.unknown(f"nothing says which values of {name} are right")
    found = _any(_same(value, given[name]) for value in listed)
    if found.is_unequal and isinstance(values, list) and _same(values, given[name]).is_equal:
        return Finding.unknown(f"argument {name} is the list of all that is allowed")
    return Finding.unequal(f"argument {name} is not right") if found.is_unequal else found


def _any(findings: Iterable[Finding]) -> Finding:
    doubt: Finding | None = None
    for found in findings:
        if found.is_equal:
            return found
        doubt = doubt or (found if found.is_unknown else None)
    return doubt or Finding.unequal("none of the values")


def _same(right: Any, given: Any) -> Finding:
    if isinstance(right, bool) or isinstance(given, bool):
        return Finding.either(right is given, "the same value", "another value")
    if isinstance(right, int | float) and isinstance(given, int | float):
        return _same_number(right, given)
    if isinstance(right, str) and isinstance(given, str):
        return _same_text(right, given)
    if isinstance(right, list) and isinstance(given, list | tuple):
        if len(right) != len(given):
            return Finding.unequal("another number of values")
        return all_equal(_same(a, b) for a, b in zip(right, given, strict=True))
    if isinstance(right, dict) and isinstance(given, dict):
        if any(key not in right for key in given):
            return Finding.unequal("a field that is not asked for")
        return all_equal(_same_field(key, values, given) for key, values in right.items())
    return Finding.either(right is None and given is None, "the same value", "a value of another kind")


def _same_number(right: float, given: float) -> Finding:
    """Exactly, but for the noise of floating-point numbers; infinity and NaN are no number's equal."""
    if not all(isinstance(number, int) or math.isfinite(number) for number in (right, given)):
        return Finding.unequal("not a finite number")
    exact, other = Fraction(right), Fraction(given)
    if exact == other:
        return Finding.equal("the same number")
    whole = exact.denominator == other.denominator == 1
    noise = not whole and abs(exact - other) <= _TOLERANCE * max(abs(exact), abs(other))
    return Finding.either(noise, "the same number up to floating-point error", "another number")


def _same_text(right: str, given: str) -> Finding:
    if _plain(right) == _plain(given):
        return Finding.equal("the same text")
    if _IGNORED.sub("", right.lower()) == _IGNORED.sub("", given.lower()):
        return Finding.unknown("texts that differ in a sign, such as a point or a hyphen")
    return Finding.unequal("another text")


def _plain(text: str) -> str:
    """Without case, spaces and quotes, commas outside numbers, hyphens and underscores between letters."""
    return " ".join(_LITTLE.sub(" ", text.lower()).split())
