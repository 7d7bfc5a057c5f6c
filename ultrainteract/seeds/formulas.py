"""MathQA's annotated formulas as Python programs, kept only where they compute the gold choice.

The formulas are nested calls over a small vocabulary. Many are noisy: a program is made only if every
operation is known and its value agrees with the number in the gold choice.
"""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Callable

_Operation = tuple[str, Callable[..., float]]
_OPERATIONS: dict[str, _Operation] = {
    "add": ("{0} + {1}", lambda a, b: a + b),
    "subtract": ("{0} - {1}", lambda a, b: a - b),
    "multiply": ("{0} * {1}", lambda a, b: a * b),
    "divide": ("{0} / {1}", lambda a, b: a / b),
    "power": ("{0} ** {1}", lambda a, b: _power(a, b)),
    "sqrt": ("math.sqrt({0})", math.sqrt),
    "log": ("math.log({0})", math.log),
    "factorial": ("math.factorial(int({0}))", lambda a: math.factorial(_small(a))),
    "gcd": ("math.gcd(int({0}), int({1}))", lambda a, b: math.gcd(int(a), int(b))),
    "lcm": ("math.lcm(int({0}), int({1}))", lambda a, b: math.lcm(int(a), int(b))),
    "max": ("max({0}, {1})", max),
    "min": ("min({0}, {1})", min),
    "reminder": ("{0} % {1}", lambda a, b: a % b),
    "negate": ("-{0}", lambda a: -a),
    "inverse": ("1 / {0}", lambda a: 1 / a),
    "floor": ("math.floor({0})", math.floor),
    "round": ("round({0})", round),
    "choose": ("math.comb(int({0}), int({1}))", lambda a, b: math.comb(_small(a), _small(b))),
    "combination": ("math.comb(int({0}), int({1}))", lambda a, b: math.comb(_small(a), _small(b))),
    "permutation": ("math.perm(int({0}), int({1}))", lambda a, b: math.perm(_small(a), _small(b))),
    "speed": ("{0} / {1}", lambda a, b: a / b),
    "square_area": ("{0} ** 2", lambda a: a**2),
    "square_perimeter": ("4 * {0}", lambda a: 4 * a),
    "rectangle_area": ("{0} * {1}", lambda a, b: a * b),
    "rectangle_perimeter": ("2 * ({0} + {1})", lambda a, b: 2 * (a + b)),
    "triangle_area": ("{0} * {1} / 2", lambda a, b: a * b / 2),
    "triangle_perimeter": ("{0} + {1} + {2}", lambda a, b, c: a + b + c),
    "circle_area": ("math.pi * {0} ** 2", lambda a: math.pi * a**2),
    "circumface": ("2 * math.pi * {0}", lambda a: 2 * math.pi * a),
    "diagonal": ("math.hypot({0}, {1})", math.hypot),
    "volume_cube": ("{0} ** 3", lambda a: a**3),
    "volume_rectangular_prism": ("{0} * {1} * {2}", lambda a, b, c: a * b * c),
    "volume_cylinder": ("math.pi * {0} ** 2 * {1}", lambda a, b: math.pi * a**2 * b),
    "volume_sphere": ("4 / 3 * math.pi * {0} ** 3", lambda a: 4 / 3 * math.pi * a**3),
    "surface_cube": ("6 * {0} ** 2", lambda a: 6 * a**2),
    "surface_sphere": ("4 * math.pi * {0} ** 2", lambda a: 4 * math.pi * a**2),
    "negate_prob": ("1 - {0}", lambda a: 1 - a),
}


def _power(base: float, exponent: float) -> float:
    if abs(exponent) > 64:
        raise OverflowError
    result = base**exponent
    if isinstance(result, complex):
        raise ValueError
    return float(result)


def _small(value: float) -> int:
    if not 0 <= value <= 170:
        raise OverflowError
    return int(value)


def formula_program(formula: str, gold: str) -> str | None:
    """A program with one assignment an operation, that prints the value as precisely as `gold` is written.

    Args:
        formula: Nested calls, such as `divide(72, multiply(6, 210))`.
        gold: Text of the right choice; the number in it is what the program must print.

    Returns:
        The program; None where an operation is unknown, the choice holds no plain number, or the value
        differs.
    """
    target = re.fullmatch(r"\D*?(-?\s*\d[\d,]*(?:\s*\.\s*\d+)?)\s*(?:\D*)", gold.replace("\u2013", "-"))
    if target is None or re.search(r"\d\s*[/:^]\s*\d", gold):
        return None
    number = re.sub(r"[\s,]", "", target[1])
    decimals = len(number.partition(".")[2])
    lines: list[str] = []
    known: dict[str, tuple[str, float]] = {}
    try:
        name, value = _emit(ast.parse(formula, mode="eval").body, lines, known)
        off = abs(value - float(number))
    except (SyntaxError, ValueError, TypeError, ArithmeticError, RecursionError, MemoryError):
        return None
    if not lines or not math.isfinite(value) or off > 0.5 * 10**-decimals + 1e-9:
        return None
    used_math = ["import math"] if any("math." in line for line in lines) else []
    shown = f"round({name}, {decimals})" if decimals else f"round({name})"
    return "\n".join([*used_math, *lines, f"print({shown})"])


def _emit(node: ast.expr, lines: list[str], known: dict[str, tuple[str, float]]) -> tuple[str, float]:
    """Appends the assignments that compute `node`; returns the name (or number) and the value."""
    match node:
        case ast.Constant(value=int() | float() as number):
            return repr(number), float(number)
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as number)):
            return f"({-number!r})", -float(number)
        case ast.Name(id=name) if name.startswith("const_"):
            text = name.removeprefix("const_").replace("_", ".")
            return ("math.pi", math.pi) if text == "pi" else (text, float(text))
        case ast.Call(func=ast.Name(id=operation), args=arguments) if operation in _OPERATIONS:
            template, compute = _OPERATIONS[operation]
            parts = [_emit(argument, lines, known) for argument in arguments]
            expression = template.format(*(text for text, _ in parts))
            if expression not in known:
                name = f"step_{len(known) + 1}"
                known[expression] = name, float(compute(*(value for _, value in parts)))
                lines.append(f"{name} = {expression}")
            return known[expression]
        case _:
            raise ValueError
