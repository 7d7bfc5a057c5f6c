"""JSON Schema of types as Python and data sets write them: `List[str]`, `int | None`, `float, optional`."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from typing import Any

JSON_TYPES = ("string", "number", "integer", "boolean", "array", "object", "null")
"""Types that JSON Schema knows."""
_TYPES = {
    "dict": "object", "hashmap": "object", "map": "object", "object": "object", "mapping": "object",
    "float": "number", "double": "number", "number": "number", "long": "integer", "int": "integer",
    "integer": "integer", "str": "string", "string": "string", "bool": "boolean", "boolean": "boolean",
    "tuple": "array", "list": "array", "array": "array", "set": "array", "frozenset": "array", "sequence": "array",
    "iterable": "array", "collection": "array", "nonetype": "null", "none": "null", "null": "null",
}  # fmt: skip
_OPTIONAL = re.compile(r"(?:^|[,\s])\s*optional\b(?!\s*\[).*$", re.IGNORECASE)
_SAME = ("annotated", "required", "notrequired", "readonly", "final", "classvar")
"""Around a type, which they leave as it is."""


def type_schema(text: str) -> dict[str, Any]:
    """JSON Schema of a type, by its text; empty, which allows anything, where the type is not known.

    Args:
        text: The type; `optional` after it says nothing about it.
    """
    text = _OPTIONAL.sub("", text).strip()
    try:
        return _schema(ast.parse(text, mode="eval").body)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return _known(re.split(r"[\[(<,\s]", text, maxsplit=1)[0])


def _known(name: str) -> dict[str, Any]:
    kind = _TYPES.get(name.rpartition(".")[2].lower())
    return {"type": kind} if kind else {}


def _schema(node: ast.expr) -> dict[str, Any]:
    match node:
        case ast.Constant(value=None):
            return {"type": "null"}
        case ast.Constant(value=str() as text):
            return type_schema(text)
        case ast.BinOp(op=ast.BitOr()):
            return _union([_schema(node.left), _schema(node.right)])
        case ast.Subscript():
            inner = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
            return _generic(ast.unparse(node.value).rpartition(".")[2].lower(), inner)
        case ast.Call():
            return _known(ast.unparse(node.func))
    return _known(ast.unparse(node))


def _generic(name: str, inner: list[ast.expr]) -> dict[str, Any]:
    schema = _known(name)
    kind = schema.get("type")
    if name == "literal":
        return {"enum": [ast.literal_eval(item) for item in inner]} if all(map(_is_plain, inner)) else {}
    if name in ("union", "optional"):
        return _union([*map(_schema, inner), *([{"type": "null"}] if name == "optional" else [])])
    if name in _SAME:
        return _schema(inner[0])
    if kind == "array" and (name != "tuple" or len(inner) == 1 or ast.unparse(inner[1]) == "..."):
        return {**schema, "items": _schema(inner[0])}
    if kind == "object" and len(inner) == 2 and (value := _schema(inner[1])):
        return {**schema, "additionalProperties": value}
    return schema


def _is_plain(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and (
        node.value is None or isinstance(node.value, str | int | float)
    )


def _union(parts: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """What any of several schemas allows; types alone are one list of types."""
    flat: list[dict[str, Any]] = []
    for part in parts:
        flat += part["anyOf"] if part.keys() == {"anyOf"} else [part]
    if {} in flat:
        return {}
    kinds: list[str] = []
    for part in flat:
        if part.keys() != {"type"}:
            return {"anyOf": flat}
        kinds += part["type"] if isinstance(part["type"], list) else [part["type"]]
    kinds = list(dict.fromkeys(kinds))
    return {"type": kinds[0] if len(kinds) == 1 else kinds}
