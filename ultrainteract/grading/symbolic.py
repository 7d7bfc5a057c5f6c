"""Algebra for the worker processes: expressions are parsed by math-verify's parser and compared as numbers.

Two expressions are equal when they agree to 25 digits at every one of several fixed points, and different when they
differ at every one; anything in between, and anything too large to evaluate, is not known. Where no point can be
evaluated (an unknown function, a symbolic sum), math-verify's own comparison may still find them equal.

Runs in a process that may be killed at any moment; it must never be used where that would hurt.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import sympy
from math_verify import verify

from ultrainteract.grading.expressions import TooLarge, magnitude, parse
from ultrainteract.grading.finding import Basis, Finding
from ultrainteract.grading.latex import Malformed, Unreadable
from ultrainteract.grading.number import Number, parse_number, same_number
from ultrainteract.grading.shapes import Relation, Scalar

DIGITS = 40
"""Working precision of a comparison, decimal digits."""
AGREE = sympy.Float("1e-25", 15)
"""Relative difference up to which two values are the same."""


# Generic points: no simple relation holds between their coordinates. The last two are partly negative.
_POINTS = (
    ("1.37", "2.11", "0.83", "1.71", "2.53", "0.59", "3.07", "1.13"),
    ("4.19", "0.47", "3.61", "2.83", "0.91", "5.23", "1.49", "2.27"),
    ("0.29", "7.31", "1.93", "0.67", "6.11", "2.39", "0.73", "8.53"),
    ("-2.17", "1.31", "-0.89", "3.37", "-1.61", "0.97", "-4.43", "2.71"),
    ("1.79", "-3.13", "2.57", "-0.71", "1.03", "-2.99", "0.37", "-1.87"),
)
_WHOLE = (("3", "5", "2", "7", "4", "11", "6", "9"), ("4", "3", "7", "2", "10", "5", "8", "6"))


class SympyAlgebra:
    """Decides scalars and equations with sympy."""

    def scalars(self, gold: Scalar, answer: Scalar, *, program: bool) -> Finding:
        """Whether two expressions are equal."""
        try:
            right = parse(gold)
        except (Malformed, Unreadable, TooLarge) as error:
            return Finding.unknown(f"gold answer cannot be read: {error}")
        try:
            given = parse(answer)
            return _same(right, given, gold, answer, program)
        except (Malformed, Unreadable, TooLarge) as error:
            return Finding.unknown(str(error))

    def equations(self, gold: Relation, answer: Relation) -> Finding:
        """Whether two equations or inequalities have the same solutions."""
        try:
            right = sympy.Add(parse(gold.left), -parse(gold.right), evaluate=False)
            given = sympy.Add(parse(answer.left), -parse(answer.right), evaluate=False)
            return _same_equation(right, given, gold.operator, answer.operator)
        except (Malformed, Unreadable, TooLarge) as error:
            return Finding.unknown(str(error))

    def constant(self, scalar: Scalar) -> Fraction | None:
        """The real value of an expression without variables; None too where angles or logarithms are ambiguous."""
        try:
            expression = parse(scalar)
        except (Malformed, Unreadable, TooLarge):
            return None
        if expression.free_symbols or _bare_logarithm(scalar) or _BARE_ANGLE.search(scalar.text):
            return None
        value = _value(expression, {})
        return None if value is None or value[1] else Fraction(str(sympy.Float(value[0], 30)))


# ------------------------------------------------------------------------------------------- comparisons


def _same(right: Any, given: Any, gold: Scalar, answer: Scalar, program: bool) -> Finding:
    if right == given:
        return Finding.equal("the same expression")
    names = sorted({s.name for s in right.free_symbols | given.free_symbols} - {"i"})
    if not names:
        return _same_constant(right, given, gold, answer, program)
    tolerance = _tolerance(answer, program)
    outcomes = [_compare_values(_value(right, p), _value(given, p), tolerance) for p in _points(names)]
    known = [outcome for outcome in outcomes if outcome is not None]
    if len(known) < 2:
        return _by_math_verify(right, given)
    if all(known):
        return Finding.equal("equal at every point tried", Basis.NUMERIC)
    if any(known):
        return Finding.unknown("equal at some points only")
    wholes = ({name: sympy.Rational(v) for name, v in zip(names, values, strict=False)} for values in _WHOLE)
    if all(_compare_values(_value(right, whole), _value(given, whole), tolerance) for whole in wholes):
        return Finding.unknown("equal for whole numbers only")
    if _renamed(right, given):
        return Finding.unknown("equal if the variables are renamed")
    if _bare_logarithm(gold) != _bare_logarithm(answer):
        return Finding.unknown("a logarithm whose base is not stated")
    return Finding.unequal("different expressions")


def _same_constant(right: Any, given: Any, gold: Scalar, answer: Scalar, program: bool) -> Finding:
    digits = DIGITS + int(max(magnitude(right), magnitude(given)))
    a, b = _value(right, {}, digits), _value(given, {}, digits)
    if a is None or b is None:
        return _by_math_verify(right, given)
    outcome = _compare_values(a, b, sympy.Float(10, 15) ** (15 - digits))
    if outcome:
        return Finding.equal("the same value")
    if _bare_logarithm(gold) != _bare_logarithm(answer):
        return Finding.unknown("a logarithm whose base is not stated")
    if not program and (_BARE_ANGLE.search(gold.text) or _BARE_ANGLE.search(answer.text)):
        return Finding.unknown("an angle whose unit is not stated")
    if (a[1] == 0) != (b[1] == 0) and (_root_of_negative(right) or _root_of_negative(given)):
        return Finding.unknown("a root that may be real or complex")
    numbers = parse_number(gold.text), parse_number(answer.text)
    if (numbers[0] is None) == (numbers[1] is None) or a[1] or b[1]:
        if program and _compare_values(a, b, _tolerance(answer, program)):
            return Finding.equal("the same value up to floating-point error", Basis.NUMERIC)
        if outcome is None:
            return Finding.unknown("values too close to tell apart")
        return Finding.unequal("different values")
    exact = [n or Number(Fraction(str(sympy.Float(v[0], 60)))) for n, v in zip(numbers, (a, b), strict=True)]
    found = same_number(exact[0], exact[1], program=program)
    if found.is_equal and not program:
        return Finding.unknown("a decimal that approximates an exact value")
    return found


_BARE_ANGLE = re.compile(
    r"(?:sin|cos|tan|cot|sec|csc)\s*(?:\^\s*\{?\s*\d+\s*\}?\s*)?[({]?\s*\d+(?:\.\d+)?(?![\d.])\s*(?!°|\\|\*|pi)"
)


def _root_of_negative(expression: Any) -> bool:
    return any(
        power.exp.is_Integer is not True and power.base.evalf(15).is_negative is True
        for power in expression.atoms(sympy.Pow)
    )


def _tolerance(answer: Scalar, program: bool) -> Any:
    floating = program and re.search(r"\d\.\d{5,}|\de-\d", answer.text)
    return sympy.Float("1e-9", 15) if floating else AGREE


def _points(names: list[str]) -> Iterator[dict[str, Any]]:
    if len(names) > len(_POINTS[0]):
        raise Unreadable("too many variables")
    for values in _POINTS:
        yield {name: sympy.Rational(value) for name, value in zip(names, values, strict=False)}


def _value(expression: Any, point: dict[str, Any], digits: int = DIGITS) -> tuple[Any, Any] | None:
    """Real and imaginary part at a point, or None where there is no finite value."""
    values = {
        s: sympy.I if s.name == "i" and "i" not in point else point[s.name] for s in expression.free_symbols
    }
    try:
        number = expression.evalf(digits, subs=values)
        if not number.is_number or not number.is_finite:
            number = expression.subs(values).doit().evalf(digits)
        if not number.is_number or not number.is_finite:
            return None
        parts = number.as_real_imag()
    except (TypeError, ValueError, ArithmeticError, AttributeError, NotImplementedError, RecursionError):
        return None
    if any(not isinstance(part, sympy.Float | sympy.Rational) for part in parts):
        return None
    return _settled(parts[0]), _settled(parts[1])


def _settled(part: Any) -> Any:
    """Zero for what sympy could not tell from zero."""
    return sympy.S.Zero if isinstance(part, sympy.Float) and part._prec <= 10 else part


def _compare_values(a: tuple[Any, Any] | None, b: tuple[Any, Any] | None, tolerance: Any) -> bool | None:
    if a is None or b is None:
        return None
    gap = max(abs(a[0] - b[0]), abs(a[1] - b[1]))
    scale = max(abs(a[0]), abs(a[1]), abs(b[0]), abs(b[1]))
    if gap <= tolerance * scale:
        return True
    return False if gap >= sympy.Float("1e-15", 15) * scale or tolerance < AGREE else None


def _renamed(right: Any, given: Any) -> bool:
    left, other = (
        sorted((s.name for s in e.free_symbols if s.name != "i"), key=str.lower) for e in (right, given)
    )
    if len(left) != len(other) or left == other or len(left) > len(_POINTS[0]):
        return False
    for values in _POINTS[:3]:
        a = _value(right, {name: sympy.Rational(v) for name, v in zip(left, values, strict=False)})
        b = _value(given, {name: sympy.Rational(v) for name, v in zip(other, values, strict=False)})
        if not _compare_values(a, b, AGREE):
            return False
    return True


def _bare_logarithm(scalar: Scalar) -> bool:
    return re.search(r"\\log(?!\s*_|[A-Za-z])", scalar.text) is not None


def _by_math_verify(right: Any, given: Any) -> Finding:
    if verify(right, given, timeout_seconds=None):
        return Finding.equal("math-verify finds them equal", Basis.CONVENTION)
    return Finding.unknown("the expressions cannot be evaluated")


def _same_equation(right: Any, given: Any, gold_operator: str, operator: str) -> Finding:
    names = sorted({s.name for s in right.free_symbols} - {"i"})
    if names != sorted({s.name for s in given.free_symbols} - {"i"}):
        return Finding.unknown("equations in different variables")
    ratios = []
    for point in _points(names):
        a, b = _value(right, point), _value(given, point)
        if a is None or b is None or a[1] or b[1] or b[0] == 0:
            continue
        ratios.append(a[0] / b[0])
    if len(ratios) < 3:
        return Finding.unknown("the equations cannot be evaluated")
    constant = all(abs(ratio - ratios[0]) <= AGREE * abs(ratios[0]) for ratio in ratios) and ratios[0] != 0
    if gold_operator != "=" or operator != "=":
        flipped = operator.translate(str.maketrans("<>", "><"))
        if constant and gold_operator == (operator if ratios[0] > 0 else flipped):
            return Finding.equal("the same inequality", Basis.NUMERIC)
        return Finding.unknown("inequalities that are not multiples of each other")
    if constant:
        return Finding.equal("the same equation", Basis.NUMERIC)
    try:
        parts = [
            sympy.Poly(e.doit(), *sorted(e.free_symbols, key=lambda s: s.name)).sqf_part()
            for e in (right, given)
        ]
    except sympy.PolynomialError:
        return Finding.unknown("equations that may have the same solutions")
    same = parts[0].monic().as_dict() == parts[1].monic().as_dict()
    return Finding.either(same, "the same equation", "different equations")
