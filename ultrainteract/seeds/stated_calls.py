"""Right calls that a data set states as Python text, read without running them."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from typing import Any

from ultrainteract.readers.rows import Unusable, shorten
from ultrainteract.schema import Call, Function
from ultrainteract.seeds.functions import plain


def stated_call(text: str, functions: Sequence[Function], *, named: bool = False) -> Call | None:
    """A right call as a model would make it.

    Args:
        text: A Python call; arguments without names are in the order of the schema.
        functions: Functions on offer.
        named: Every argument must have its name: a server takes no others.

    Returns:
        The call; None where an argument is no plain value, so that it is known when it runs.

    Raises:
        Unusable: It is no call of a function on offer, or its arguments do not fit the function.
    """
    shown = shorten(text)
    try:
        node = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise Unusable(f"the right call '{shown}' is no Python expression") from None
    if not isinstance(node, ast.Call):
        raise Unusable(f"'{shown}' calls no function")
    name = ast.unparse(node.func)
    function = next((function for function in functions if function.name == name), None)
    if function is None:
        raise Unusable(f"the right call '{shown}' calls '{shorten(name)}', which is not among the functions")
    if any(isinstance(item, ast.Starred) for item in node.args) or any(
        item.arg is None for item in node.keywords
    ):
        return None
    if named and node.args:
        raise Unusable(
            f"the right call '{shown}' has an argument without a name, which a server does not take"
        )
    names = list(function.properties)
    given = [*names[: len(node.args)], *(str(item.arg) for item in node.keywords)]
    if not function.is_open:
        if len(node.args) > len(names):
            raise Unusable(f"the right call '{shown}' has too many arguments")
        if unknown := [one for one in given if one not in names]:
            raise Unusable(
                f"the right call '{shown}' has an argument {unknown[0]}, which {name} does not take"
            )
    elif len(node.args) > len(names):
        return None
    if twice := [one for one in given if given.count(one) > 1]:
        raise Unusable(f"the right call '{shown}' gives argument {twice[0]} twice")
    if missing := [one for one in function.required if one not in given]:
        raise Unusable(f"the right call '{shown}' lacks argument {missing[0]}")
    try:
        values = [ast.literal_eval(item) for item in (*node.args, *(item.value for item in node.keywords))]
        return Call(name=name, arguments=plain(dict(zip(given, map(plain_value, values), strict=True))))
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError, Unusable):
        return None


def plain_value(value: Any) -> Any:
    """A value as JSON has it.

    Raises:
        ValueError: JSON has no such value.
    """
    if isinstance(value, list | tuple):
        return [plain_value(item) for item in value]
    if isinstance(value, Mapping) and all(isinstance(key, str) for key in value):
        return {key: plain_value(item) for key, item in value.items()}
    if value is None or isinstance(value, str | int | float):
        return value
    raise ValueError("no plain value")
