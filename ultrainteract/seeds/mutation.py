"""Mutated programs: small wrong versions of a gold solution, to find out how much a set of tests notices.

A mutant changes one place: a comparison, an operator, a constant by one, a condition to its opposite, the
bound of a range, `min` to `max`. Some mutants mean the same as the original; so the share that tests kill
has a ceiling below one, and is a comparison between suites, not a grade.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from copy import deepcopy
from random import Random

_COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
}  # fmt: skip
_OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Add, ast.FloorDiv: ast.Mult, ast.Div: ast.Mult,
    ast.Mod: ast.FloorDiv, ast.LShift: ast.RShift, ast.RShift: ast.LShift, ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd, ast.BitXor: ast.BitOr,
}  # fmt: skip
_CALLS = {"min": "max", "max": "min", "any": "all", "all": "any", "sorted": "list"}


def mutants(program: str, count: int, rng: Random) -> list[str]:
    """Up to `count` different mutants of a Python program, drawn evenly from all its places.

    Args:
        program: The source.
        count: Most mutants.
        rng: Where the draw comes from.

    Returns:
        Sources that compile and differ from the program; none where it does not parse.
    """
    try:
        tree = ast.parse(program)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    original = ast.unparse(tree)
    places = sum(1 for _ in _changes(tree))
    found: dict[str, None] = {}
    for place in rng.sample(range(places), places):
        if len(found) == count:
            break
        copy = deepcopy(tree)
        for number, change in enumerate(_changes(copy)):
            if number == place:
                change()
                break
        text = ast.unparse(ast.fix_missing_locations(copy))
        if text != original:
            found[text] = None
    return list(found)


class _Change:
    """Sets one attribute of one node."""

    def __init__(self, node: ast.AST, field: str, value: object) -> None:
        self.node, self.field, self.value = node, field, value

    def __call__(self) -> None:
        setattr(self.node, self.field, self.value)


def _changes(tree: ast.AST) -> Iterator[_Change]:
    """Every change of the tree, in an order that is the same for equal trees."""
    for node in ast.walk(tree):
        match node:
            case ast.Compare(ops=[operator]) if type(operator) in _COMPARISONS:
                yield _Change(node, "ops", [_COMPARISONS[type(operator)]()])
            case ast.BinOp(op=operator) if type(operator) in _OPERATORS:
                yield _Change(node, "op", _OPERATORS[type(operator)]())
            case ast.AugAssign(op=operator) if type(operator) in _OPERATORS:
                yield _Change(node, "op", _OPERATORS[type(operator)]())
            case ast.BoolOp(op=operator):
                yield _Change(node, "op", ast.Or() if isinstance(operator, ast.And) else ast.And())
            case ast.If(test=test) | ast.IfExp(test=test):
                yield _Change(node, "test", ast.UnaryOp(ast.Not(), test))
            case ast.Constant(value=bool(value)):
                yield _Change(node, "value", not value)
            case ast.Constant(value=int(value)) if abs(value) < 10**12:
                yield _Change(node, "value", value + 1)
                yield _Change(node, "value", value - 1)
            case ast.Call(func=ast.Name(id=name)) if name in _CALLS:
                yield _Change(node, "func", ast.Name(_CALLS[name], ast.Load()))
