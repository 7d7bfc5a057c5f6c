"""Function-call tests inside the child: finding the function, and the strict encoding of what it returns."""

from __future__ import annotations

import bisect
import collections
import functools
import heapq
import itertools
import math
import random
import re
import string
import typing
from collections.abc import Callable, Sequence
from json.encoder import encode_basestring_ascii
from typing import Any

MAX_DEPTH = 200


class EntryPointMissing(Exception):
    """The program does not define the function that the tests call."""


class NotEncodable(TypeError):
    """The function returned something that has no JSON form."""


def _prelude() -> dict[str, Any]:
    names: dict[str, Any] = {}
    for module in (typing, collections, itertools, functools, heapq, bisect, math):
        public = getattr(module, "__all__", None) or [
            name for name in vars(module) if not name.startswith("_")
        ]
        names.update({name: getattr(module, name) for name in public})
    for module in (collections, math, heapq, bisect, itertools, functools, string, re, random, typing):
        names[module.__name__] = module
    return names


PRELUDE = _prelude()
"""What judges of function-call problems import before the submitted class."""


def find_entry(namespace: dict[str, Any], name: str | None) -> Callable[..., Any]:
    """The function to call: a global one, or a method of a new `Solution`."""
    solution = namespace.get("Solution")
    if name is not None:
        if callable(namespace.get(name)) and namespace[name] is not PRELUDE.get(name):
            return namespace[name]
        if isinstance(solution, type) and callable(getattr(solution, name, None)):
            return getattr(solution(), name)
        raise EntryPointMissing(f"the program defines no function '{name}'")
    if isinstance(solution, type):
        methods = [n for n, member in vars(solution).items() if callable(member) and not n.startswith("_")]
        if len(methods) == 1:
            return getattr(solution(), methods[0])
        raise EntryPointMissing("class Solution does not have exactly one public method")
    own = [
        member
        for n, member in namespace.items()
        if not n.startswith("_") and type(member) is _Function and member.__module__ == "solution"
    ]
    if not own:
        raise EntryPointMissing("the program defines no function")
    return own[-1]


_Function = type(find_entry)


def encode(value: Any) -> str:
    """JSON text of plain data; sets are `{"$set": [...]}`, other special values likewise.

    Only exact types count: an object that imitates one by inheritance is converted by the base class's own
    methods, and anything else is refused.
    """
    parts: list[str] = []
    _encode(value, parts.append, 0)
    return "".join(parts)


def _encode(value: Any, write: Callable[[str], object], depth: int) -> None:
    if depth > MAX_DEPTH:
        raise NotEncodable("the returned value is nested too deeply")
    kind = type(value)
    if value is None or kind is bool:
        write({None: "null", True: "true", False: "false"}[value])
    elif issubclass(kind, bool):
        write("true" if value else "false")
    elif issubclass(kind, int):
        if int.bit_length(value) > 14_000:  # decimal digits may be limited in number, and are slow
            write(f'{{"$int": "{int.__format__(value, "x")}"}}')
        else:
            write(int.__repr__(value))
    elif issubclass(kind, float):
        text = float.__repr__(value)
        write(text if text[-1].isdigit() else f'{{"$float": "{text}"}}')
    elif issubclass(kind, str):
        write(encode_basestring_ascii(str.__str__(value)))
    elif issubclass(kind, dict):
        _encode_items("{", "}", list(dict.items(value)), write, depth)
    elif issubclass(kind, (list, tuple)):
        base = list if issubclass(kind, list) else tuple
        _encode_list(list(base.__iter__(value)), write, depth)
    elif issubclass(kind, (set, frozenset)):
        base_set = set if issubclass(kind, set) else frozenset
        write('{"$set": ')
        _encode_list(list(base_set.__iter__(value)), write, depth)
        write("}")
    elif kind is collections.deque or (kind.__module__ == "builtins" and kind.__name__ in _ITERABLES):
        _encode_list(list(value), write, depth)
    elif kind.__module__ == "numpy" and hasattr(value, "tolist"):
        _encode(value.tolist(), write, depth + 1)
    else:
        raise NotEncodable(f"the function returned a {kind.__name__}, which is not plain data")


_ITERABLES = frozenset({"range", "dict_keys", "dict_values", "map", "filter", "zip", "generator"})


def _encode_list(items: Sequence[Any], write: Callable[[str], object], depth: int) -> None:
    write("[")
    for position, item in enumerate(items):
        if position:
            write(", ")
        _encode(item, write, depth + 1)
    write("]")


def _encode_items(
    start: str, end: str, items: list[tuple[Any, Any]], write: Callable[[str], object], depth: int
) -> None:
    write(start)
    for position, (key, item) in enumerate(items):
        if position:
            write(", ")
        write(encode_basestring_ascii(key if type(key) is str else encode(key)))
        write(": ")
        _encode(item, write, depth + 1)
    write(end)
