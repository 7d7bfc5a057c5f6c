"""Expressions for the worker processes: from cleaned text to sympy, unevaluated, with sizes checked before anything is.

Plain algebra and Python's notation are read by Python's parser, the rest of LaTeX by math-verify's. Runs in a process
that may be killed at any moment.
"""

from __future__ import annotations

import ast
import math
import re
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise
from typing import Any

import sympy
from latex2sympy2_extended.latex2sympy2 import ConversionConfig, latex2sympy

from ultrainteract.grading.latex import Malformed, Unreadable
from ultrainteract.grading.latex_algebra import as_python
from ultrainteract.grading.number import parse_number
from ultrainteract.grading.shapes import Scalar

MAX_MAGNITUDE = 4_000
"""Largest power of ten a value may reach."""
MAX_FACTORIAL = 1_000
MAX_NODES = 2_000


class TooLarge(ValueError):
    """An expression is too large to evaluate."""


@lru_cache(maxsize=4096)
def parse(scalar: Scalar) -> Any:
    """The sympy expression of a scalar, unevaluated.

    Raises:
        Malformed: It is not an expression.
        Unreadable: It is outside of what is read.
        TooLarge: Evaluating it would take too long.
    """
    if number := parse_number(scalar.text):
        return sympy.Rational(number.true_value)
    expression = _from_python(scalar.text) if scalar.python else _from_latex(scalar.text)
    _check_size(expression)
    return expression


_LONG = re.compile(r"\d{1001,}")
_FUNCTION = re.compile(
    r"(?<![\\A-Za-z])(sin|cos|tan|cot|sec|csc|arcsin|arccos|arctan|log|ln|exp|sqrt|pi)(?![A-Za-z])"
)
_MIXED = re.compile(r"(?<![\w^_}.)])(\d+)\s*\\frac\{(\d+)\}\{(\d+)\}")
_DEGREES = re.compile(r"(\d+(?:\.\d+)?)\s*°")
_REFUSED = re.compile(
    r"[%?…'\"@#&~`:;€£$]|\\text|\\ldots|\\dots|\.\.|\d\s+\d|\\mathbb|\\overline|\\begin|\\pm|\\mp|,|<|>|=|!!|\d\.\d+\."
    r"|\d\s*[A-Za-z]\s*\d"
)
_SUBSCRIPT = re.compile(r"_\{[^{}]*\}")
_AMBIGUOUS = re.compile(
    r"/\s*(?:\d+(?:\.\d+)?\s*(?=[A-Za-z(\\])|[A-Za-z]\s*(?=[A-Za-z(\\]))(?!\\cdot|\\times|\\right|\)|\})"
)
_PROSE = re.compile(r"[A-Za-z]{4,}|[A-Za-z]{2,}\s+(?:[A-Za-z]{2,}|\d)")
_RUN = re.compile(r"(?<![\\A-Za-z])[a-z]{3}(?![A-Za-z])")
_COMMAND = re.compile(r"\\[A-Za-z]+")
_KNOWN_COMMANDS = {
    "frac", "sqrt", "pi", "cdot", "times", "sin", "cos", "tan", "cot", "sec", "csc", "arcsin", "arccos", "arctan",
    "sinh", "cosh", "tanh", "log", "ln", "exp", "binom", "theta", "alpha", "beta", "gamma", "delta", "lambda", "mu",
    "omega", "phi", "varphi", "rho", "sigma", "tau", "epsilon", "lfloor", "rfloor", "lceil", "rceil", "infty", "sum",
    "prod", "int", "lim", "to", "circ", "gcd", "lcm", "max", "min", "Re", "Im", "psi", "eta", "xi", "zeta", "kappa",
    "Gamma", "Delta", "Omega", "Theta", "Phi", "ell",
}  # fmt: skip


def _from_latex(text: str) -> Any:
    if _LONG.search(text):
        raise TooLarge("a number has more than 1000 digits")
    text = re.sub(r"(?<=\d),(?=\d{3}(?!\d))", "", text)
    text = _FUNCTION.sub(lambda m: rf"\{m[1]} ", text)
    text = re.sub(r"\\sqrt\s*\(([^()]*)\)", r"\\sqrt{\1}", text)
    text = _DEGREES.sub(r"(\1 \\cdot \\frac{\\pi}{180})", _MIXED.sub(r"(\1+\\frac{\2}{\3})", text))
    text = re.sub(r"\^\s*(-\s*\w|[A-Za-z])", r"^{\1}", text)
    text = re.sub(r"_\s*(\w)(?=\s)", r"_{\1}", text.replace("**", "^"))
    if found := _REFUSED.search(_SUBSCRIPT.sub("", text)):
        raise Unreadable(f"'{found[0].strip() or 'spaced digits'}' is not read inside an expression")
    for command in _COMMAND.findall(text):
        if command[1:] not in _KNOWN_COMMANDS:
            raise Unreadable(f"{command} is not read")
    if _PROSE.search(_COMMAND.sub(" + ", text)) or any(not _alphabetic(run) for run in _RUN.findall(text)):
        raise Unreadable("words in an expression")
    if _AMBIGUOUS.search(text):
        raise Unreadable("a division whose extent is ambiguous")
    for found_binomial in re.finditer(r"\\binom\{([^{}]*)\}|(\d+)\s*!", text):
        size = re.sub(r"\D", "", found_binomial[1] or found_binomial[2] or "")
        if size and int(size) > MAX_FACTORIAL:
            raise TooLarge("a factorial or binomial is too large to evaluate")
    if (plain := as_python(text)) is not None:
        return _from_python(plain)
    try:
        expression = latex2sympy(text, normalization_config=None, conversion_config=_CASE_MATTERS)
    except RecursionError as error:
        raise TooLarge("the expression is nested too deeply") from error
    except Exception as error:  # the parser raises bare Exception for what it does not accept
        raise Malformed("the expression is malformed") from error
    if not isinstance(expression, sympy.Expr):
        raise Unreadable("not a single expression")
    _check_size(expression)  # replacing symbols evaluates what is around them
    return expression.xreplace(
        {s: sympy.Symbol(re.sub(r"[{}]", "", s.name)) for s in expression.free_symbols if "{" in s.name}
    )


def _alphabetic(letters: str) -> bool:
    """True for `abc` and `xyz`, which are products and not words."""
    return all(ord(b) - ord(a) == 1 for a, b in pairwise(letters))


_CASE_MATTERS = ConversionConfig(lowercase_symbols=False)
_CONSTANTS = {"pi": sympy.pi, "E": sympy.E, "e": sympy.E, "I": sympy.I, "oo": sympy.oo, "inf": sympy.oo,
              "GoldenRatio": sympy.GoldenRatio}  # fmt: skip
_ROOTS = {"sqrt": 2, "cbrt": 3}
_CALLS = {
    "sin": sympy.sin, "cos": sympy.cos, "tan": sympy.tan,
    "cot": sympy.cot, "sec": sympy.sec, "csc": sympy.csc, "asin": sympy.asin, "acos": sympy.acos, "atan": sympy.atan,
    "arcsin": sympy.asin, "arccos": sympy.acos, "arctan": sympy.atan, "sinh": sympy.sinh, "cosh": sympy.cosh,
    "tanh": sympy.tanh, "log": sympy.log, "ln": sympy.log, "exp": sympy.exp, "Abs": sympy.Abs, "abs": sympy.Abs,
    "floor": sympy.floor, "ceiling": sympy.ceiling, "ceil": sympy.ceiling, "re": sympy.re, "im": sympy.im,
    "conjugate": sympy.conjugate, "sign": sympy.sign, "Max": sympy.Max, "Min": sympy.Min, "max": sympy.Max,
    "min": sympy.Min,
}  # fmt: skip


def _from_python(text: str) -> Any:
    if _LONG.search(text):
        raise TooLarge("a number has more than 1000 digits")
    try:
        return _convert(ast.parse(text, mode="eval").body)
    except (SyntaxError, TypeError, ValueError, ZeroDivisionError) as error:
        if isinstance(error, Unreadable | Malformed | TooLarge):
            raise
        raise Malformed("the expression is malformed") from error
    except (RecursionError, MemoryError) as error:
        raise TooLarge("the expression is nested too deeply") from error


def _convert(node: ast.expr) -> Any:
    match node:
        case ast.Constant(value=int(number)):
            return sympy.Integer(number)
        case ast.Constant(value=float(number)):
            if not math.isfinite(number):
                raise Unreadable("not a finite number")
            return sympy.Rational(Fraction(repr(number)))
        case ast.Constant(value=complex(imag=imag)):
            return sympy.Mul(sympy.Rational(Fraction(repr(imag))), sympy.I)
        case ast.Constant(value=str(string)):
            return sympy.Rational(Fraction(string))
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return _CONSTANTS.get(name) or sympy.Symbol(name)
        case ast.UnaryOp(op=operator, operand=operand):
            value = _convert(operand)
            return -value if isinstance(operator, ast.USub) else value
        case ast.BinOp(left=left, op=operator, right=right):
            return _operation(_convert(left), operator, _convert(right))
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name), args=arguments):
            return _call(name, [_convert(argument) for argument in arguments])
    raise Unreadable("not an expression that is read")


def _operation(left: Any, operator: ast.operator, right: Any) -> Any:
    match operator:
        case ast.Add():
            return sympy.Add(left, right, evaluate=False)
        case ast.Sub():
            return sympy.Add(left, -right, evaluate=False)
        case ast.Mult():
            return sympy.Mul(left, right, evaluate=False)
        case ast.Div():
            if right == 0:
                raise Malformed("a division by zero")
            return sympy.Mul(left, sympy.Pow(right, -1, evaluate=False), evaluate=False)
        case ast.Pow():
            return sympy.Pow(left, right, evaluate=False)
    raise Unreadable("not an operator that is read")


def _call(name: str, arguments: list[Any]) -> Any:
    if name in ("Rational", "Fraction") and len(arguments) == 2:
        if arguments[1] == 0:
            raise Malformed("a division by zero")
        return arguments[0] / arguments[1]
    if (
        name in ("Rational", "Fraction", "Integer", "Float", "Decimal", "mpf", "float", "int", "float64", "S")
        and len(arguments) == 1
    ):
        return arguments[0]
    if name in ("Pow", "pow") and len(arguments) == 2:
        return sympy.Pow(*arguments, evaluate=False)
    if (name in _ROOTS and len(arguments) == 1) or (name == "root" and len(arguments) == 2):
        degree = arguments[1] if name == "root" else sympy.Integer(_ROOTS[name])
        return sympy.Pow(arguments[0], sympy.Pow(degree, -1), evaluate=False)
    if name in ("Add", "Mul"):
        return getattr(sympy, name)(*arguments, evaluate=False)
    if name in ("factorial", "binomial", "comb"):
        if any(a.is_Integer is True and abs(a) > MAX_FACTORIAL for a in arguments):
            raise TooLarge("a factorial or binomial is too large to evaluate")
        return (sympy.factorial if name == "factorial" else sympy.binomial)(*arguments, evaluate=False)
    if name not in _CALLS or not arguments:
        raise Unreadable(f"{name} is not read")
    return _CALLS[name](*arguments, evaluate=False)


# ------------------------------------------------------------------------------------------------- sizes


def _check_size(expression: Any) -> None:
    """Raises TooLarge before anything is evaluated that would not end in time."""
    if sum(1 for _ in sympy.preorder_traversal(expression)) > MAX_NODES:
        raise TooLarge("the expression has too many parts")
    magnitude(expression)


def magnitude(node: Any) -> float:
    """An upper bound of log10 of the absolute value, variables being below 10."""
    if isinstance(node, sympy.Integer):
        return math.log10(abs(int(node)) + 1)
    if isinstance(node, sympy.Rational):
        return max(math.log10(abs(int(node.p)) + 1), math.log10(int(node.q) + 1))
    if isinstance(node, sympy.Float):
        return abs(float(sympy.log(abs(node) + 1, 10)))
    parts = [magnitude(argument) for argument in node.args]
    if isinstance(node, sympy.Pow):
        bound = max(parts[0], 0.5) * 10 ** min(parts[1], 12)
        if node.exp.is_Rational:
            bound = max(parts[0], 0.5) * max(abs(float(node.exp)), 1)
    elif isinstance(node, sympy.exp):
        bound = 10 ** min(parts[0], 12)
    elif isinstance(node, sympy.factorial | sympy.binomial | sympy.gamma):
        bound = 10 ** min(max(parts), 12) * 4
    elif isinstance(node, sympy.Mul):
        bound = sum(parts)
    else:
        bound = max(parts, default=1.0) + math.log10(len(parts) + 1)
    if bound > MAX_MAGNITUDE:
        raise TooLarge("a value is too large to evaluate")
    return bound
