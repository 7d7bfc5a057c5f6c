"""Gold programs made from a dataset's own formulas, kept only where they compute the gold answer.

GSM8K marks each calculation of a rationale, MathQA annotates a formula. Both become a short Python program,
which is evaluated here by a walk over its syntax tree (arithmetic only, sizes checked), never by `exec`.
"""

from __future__ import annotations

import ast
import math
import operator
import re
from collections.abc import Callable, Sequence
from fractions import Fraction

_BINARY: dict[type[ast.operator], Callable[[Fraction, Fraction], Fraction]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
}
_LIMIT = 10**30


def evaluate(expression: str, names: dict[str, Fraction] | None = None) -> Fraction | None:
    """Value of an arithmetic expression over `names`, or None where it is none or too large."""
    try:
        tree = ast.parse(expression.strip(), mode="eval")
        return _value(tree.body, names or {})
    except (SyntaxError, ValueError, ZeroDivisionError, OverflowError, RecursionError, MemoryError):
        return None


def _value(node: ast.expr, names: dict[str, Fraction]) -> Fraction:
    match node:
        case ast.Constant(value=bool()):
            raise ValueError
        case ast.Constant(value=int() | float() as number):
            if isinstance(number, float) and not math.isfinite(number):
                raise ValueError
            result = Fraction(str(number))
        case ast.Name(id=name) if name in names:
            return names[name]
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_value(operand, names)
        case ast.UnaryOp(op=ast.UAdd(), operand=operand):
            return _value(operand, names)
        case ast.BinOp(left=left, op=ast.Div(), right=right):
            result = _value(left, names) / _value(right, names)
        case ast.BinOp(left=left, op=ast.Pow(), right=right):
            base, exponent = _value(left, names), _value(right, names)
            if exponent.denominator != 1 or abs(exponent) > 64:
                raise ValueError
            result = base ** int(exponent)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _BINARY:
            result = _BINARY[type(op)](_value(left, names), _value(right, names))
        case _:
            raise ValueError
    if abs(result.numerator) > _LIMIT or result.denominator > _LIMIT:
        raise OverflowError
    return result


_NUMBER = re.compile(r"(?<![\w.])\d+(?:\.\d+)?(?![\w.])")


def calculation_program(calculations: Sequence[tuple[str, str]], gold: str) -> str | None:
    """A program of one assignment a calculation, in which earlier results are used by name.

    Args:
        calculations: (expression, result) pairs in order, as a rationale marks them.
        gold: The answer that the last calculation must give.

    Returns:
        The program, or None where the calculations are no arithmetic or do not lead to the answer.
    """
    values: dict[str, Fraction] = {}
    lines: list[str] = []
    for expression, result in calculations:
        cleaned = _clean(expression)
        stated = evaluate(_clean(result))
        value = evaluate(cleaned)
        if stated is None or value is None or abs(value - stated) > max(abs(stated) / 1000, Fraction(1, 100)):
            return None
        known = {v: name for name, v in values.items()}

        def by_name(match: re.Match[str], known: dict[Fraction, str] = known) -> str:
            return known.get(Fraction(match[0]), match[0])

        written = _NUMBER.sub(by_name, cleaned)
        exact = evaluate(written, values)
        if exact is None:
            return None
        name = f"step_{len(lines) + 1}"
        values[name] = exact if exact == value else stated
        lines.append(f"{name} = {written}")
    target = evaluate(_clean(gold))
    if not lines or target is None:
        return None
    last = f"step_{len(lines)}"
    if values[last] != target:
        return None
    shown = f"int({last})" if target.denominator == 1 and "/" in "".join(lines) else last
    return "\n".join([*lines, f"print({shown})"])


def _clean(expression: str) -> str:
    """The expression as Python: no currency, no thousands separators, `%` as a division, no leading zeros."""
    text = expression.replace("$", "").replace(",", "").replace("%", "/100").replace("^", "**")
    text = re.sub(r"(?<=[\d)])\s*[x\u00d7]\s*(?=[\d(])", "*", text)
    return re.sub(r"(?<![\d.])0+(?=\d)", "", text).strip()
