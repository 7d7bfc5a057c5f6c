"""Python values in an answer or a printed output, read from their syntax and never evaluated.

Guarantee: whether a text is read does not depend on the process: what is nested more deeply than a fixed depth is
refused before any recursion limit can matter, and no value is ever hashed.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

MAX_DEPTH = 100
"""Deepest syntax tree that is read; Python's own limits are far above it."""
MAX_DIGITS = 1_000
"""Longest integer that is read."""


class NotLiteral(ValueError):
    """The text is not a plain value; the message says why."""


def parse(text: str) -> ast.Module:
    """The syntax tree of a text.

    Raises:
        NotLiteral: It is not Python, or nested too deeply.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SyntaxWarning)
            tree = ast.parse(text)
    except (RecursionError, MemoryError):
        raise NotLiteral("it is nested too deeply") from None
    except (SyntaxError, ValueError):
        raise NotLiteral("it is not Python") from None
    layer: list[ast.AST] = [tree]
    for _ in range(MAX_DEPTH):
        layer = [child for node in layer for child in ast.iter_child_nodes(node)]
        if not layer:
            return tree
    raise NotLiteral("it is nested too deeply")


def parse_expression(text: str) -> ast.expr:
    """The syntax tree of a text that is one expression.

    Raises:
        NotLiteral: It is not.
    """
    body = parse(text.strip()).body
    if len(body) != 1 or not isinstance(body[0], ast.Expr):
        raise NotLiteral("it is not one expression")
    return body[0].value


def plain_value(node: ast.expr) -> Any:
    """A text, number, truth value, None, list, tuple or dictionary with texts as keys; a set is read as a list.

    Args:
        node: A tree from `parse`.

    Raises:
        NotLiteral: It is something else.
    """
    match node:
        case ast.Constant(value=bool() | None | str() | float()):
            return node.value
        case ast.Constant(value=int(number)):
            if number.bit_length() > MAX_DIGITS * 3.33:
                raise NotLiteral("an integer is too long")
            return number
        case ast.UnaryOp(op=ast.USub() | ast.UAdd() as sign, operand=operand):
            value = plain_value(operand)
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise NotLiteral("a sign before something that is no number")
            return -value if isinstance(sign, ast.USub) else value
        case ast.List(elts=elements) | ast.Set(elts=elements):
            return [plain_value(element) for element in elements]
        case ast.Tuple(elts=elements):
            return tuple(plain_value(element) for element in elements)
        case ast.Dict(keys=keys, values=values):
            names = [key.value if isinstance(key, ast.Constant) else None for key in keys]
            if not all(isinstance(name, str) for name in names):
                raise NotLiteral("a dictionary whose keys are not texts")
            return dict(zip(names, map(plain_value, values), strict=True))
    raise NotLiteral("it is not a plain value")


_WRAPPERS = {
    "array", "asarray", "Index", "Int64Index", "Series", "list", "tuple", "set", "frozenset", "dict_values",
    "dict_keys", "deque", "DatetimeIndex", "RangeIndex",
}  # fmt: skip


def members(node: ast.expr) -> list[str] | None:
    """The members of a printed collection as texts, or None where it is none.

    Args:
        node: A tree from `parse_expression`.

    Raises:
        NotLiteral: A member is no value that is read.
    """
    match node:
        case ast.List(elts=elements) | ast.Tuple(elts=elements) | ast.Set(elts=elements):
            return list(_flat(elements))
        case ast.Call(func=func, args=[inner, *_]) if _called(func) in _WRAPPERS:
            return members(inner)
        case ast.Call(func=func, args=[]) if _called(func) in _WRAPPERS:
            return []
    return None


def _flat(nodes: list[ast.expr]) -> Iterator[str]:
    """The members, where a member of one value (a row of one column) stands for its value."""
    for node in nodes:
        while isinstance(node, ast.Tuple | ast.List) and len(node.elts) == 1:
            node = node.elts[0]
        yield member(node)


def member(node: ast.expr) -> str:
    """One printed value as a text: `'Spain'`, `np.int64(3)`, `Timestamp('2020-12-25 00:00:00')`, `date(2020, 12, 25)`.

    Raises:
        NotLiteral: It is no value that is read.
    """
    if isinstance(node, ast.Name) and node.id in ("nan", "NaN", "NaT", "inf"):
        return node.id
    if isinstance(node, ast.Call) and not node.keywords:
        name, arguments = _called(node.func), [plain_value(argument) for argument in node.args]
        whole = all(isinstance(argument, int) for argument in arguments)
        if name in ("date", "datetime") and len(arguments) >= 3 and whole:
            return "-".join(f"{part:02d}" for part in arguments[:3])
        if name == "Fraction" and len(arguments) == 2 and whole and arguments[1]:
            return str(Fraction(*arguments))
        if len(arguments) == 1 and not isinstance(arguments[0], list | tuple | dict):
            return str(arguments[0])
        raise NotLiteral("a printed value of a kind that is not read")
    value = plain_value(node)
    if isinstance(value, list | tuple | dict):
        raise NotLiteral("a collection within a collection")
    return str(value)


def _called(func: ast.expr) -> str:
    if isinstance(func, ast.Attribute):
        return func.attr
    return func.id if isinstance(func, ast.Name) else ""
