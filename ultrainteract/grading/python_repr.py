"""Reads what a Python program prints for a value: numbers, tuples, sympy and numpy `repr`s.

Nothing is evaluated: the text is parsed to a syntax tree, of which only literals, arithmetic and a closed list of
constructors are understood.
"""

from __future__ import annotations

import ast
import re
import warnings

from ultrainteract.grading.latex import MAX_CHARS
from ultrainteract.grading.regions import REALS
from ultrainteract.grading.shapes import (
    Interval,
    Items,
    Matrix,
    Named,
    Region,
    Relation,
    Scalar,
    Shape,
    Words,
)

_NUMPY_ROW = re.compile(r"(?<=[\d.])\s+(?=[-+.\d\[])|(?<=\])\s+(?=\[)")
_PREFIXED = re.compile(r"0([box])([0-9a-f]+)")
_PREFIXES = {"b": 2, "o": 8, "x": 16}
_WRAPPERS = {"float64", "float32", "int64", "int32", "float", "int", "mpf", "Decimal", "Integer", "Float", "complex128",
             "str_", "str", "S", "sympify", "mpq", "Symbol"}  # fmt: skip
_MATRICES = {
    "Matrix",
    "ImmutableMatrix",
    "ImmutableDenseMatrix",
    "MutableDenseMatrix",
    "array",
    "matrix",
    "asarray",
}
_POINTS = {"Point", "Point2D", "Point3D", "Tuple"}
_FUNCTIONS = {
    "sqrt", "cbrt", "root", "sin", "cos", "tan", "cot", "sec", "csc", "asin", "acos", "atan", "arcsin",
    "arccos", "arctan", "sinh", "cosh", "tanh", "log", "ln", "exp", "Abs", "abs", "factorial", "binomial",
    "comb", "Rational", "Fraction", "Pow", "Mul", "Add", "floor", "ceiling", "ceil", "re", "im", "conjugate",
    "sign", "Max", "Min", "gcd", "lcm", "perm", "pow", "max", "min",
}  # fmt: skip
_RELATIONS: dict[type[ast.cmpop], str] = {
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.NotEq: "!=",
}
_SIGNS = re.compile(r"\*\*|\*|\b[A-Za-z_][\w.]*\(|^[\[({]|\d[jJ]\b|\boo\b|\d[eE][+-]?\d|^-?(?:nan|inf)$")


def looks_like_python(text: str) -> bool:
    """True where plain notation has marks of Python: `**`, `*`, a call, a bracketed literal; never with LaTeX."""
    return "\\" not in text and _SIGNS.search(text) is not None


def read_python(text: str) -> Shape | None:
    """The shape of a printed value, or None where it is not understood.

    Args:
        text: One printed value.
    """
    text = text.strip()
    if len(text) > MAX_CHARS or re.search(r"\d_\d", text):
        return None
    if found := _PREFIXED.fullmatch(text):
        return Scalar(f"{found[2].upper()}_{{{_PREFIXES[found[1]]}}}")
    if text.startswith("[") and "," not in text:
        text = _NUMPY_ROW.sub(", ", text)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SyntaxWarning)
            tree = ast.parse(text.replace("^", "**"), mode="eval")
        return _shape(tree.body)
    except (SyntaxError, ValueError, RecursionError, MemoryError, _Unknown):
        return None


class _Unknown(ValueError):
    """A construct outside the closed list."""


def _shape(node: ast.expr) -> Shape:
    match node:
        case ast.Constant(value=str(text)):
            shape = read_python(text) if any(char.isdigit() for char in text) else None
            return shape or Words(text)
        case ast.Constant(value=bool(value)):
            return Words(str(value))
        case ast.Constant(value=None):
            return Words("None")
        case ast.Tuple(elts=elements):
            return Items("paren", _shapes(elements))
        case ast.List(elts=elements):
            return _list(elements)
        case ast.Set(elts=elements):
            return Items("set", _shapes(elements))
        case ast.Dict(keys=keys, values=values):
            return _mapping(keys, values)
        case ast.Name(id="Reals"):
            return REALS
        case ast.Name(id="EmptySet" | "NaN" | "nan" as name):
            return Items("set", ()) if name == "EmptySet" else Words(name)
        case ast.Call():
            return _call(node)
        case ast.Compare():
            return _compare(node)
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            return _region_union([_shape(left), _shape(right)])
        case ast.BinOp(left=left, op=ast.BitAnd(), right=right):
            return _both(_shape(left), _shape(right))
        case _:
            return _scalar(node)


def _shapes(nodes: list[ast.expr]) -> tuple[Shape, ...]:
    return tuple(_shape(node) for node in nodes)


def _scalar(node: ast.expr) -> Scalar:
    _check(node)
    return Scalar(ast.unparse(node), python=True)


def _check(node: ast.expr) -> None:
    """Raises unless the expression is arithmetic over literals, names and known functions."""
    match node:
        case ast.Constant(value=bool()):
            raise _Unknown
        case ast.Constant(value=int() | float() | complex()) | ast.Name():
            return
        case ast.UnaryOp(op=ast.UAdd() | ast.USub(), operand=operand):
            _check(operand)
        case ast.BinOp(left=left, op=ast.Add() | ast.Sub() | ast.Mult() | ast.Div() | ast.Pow(), right=right):
            _check(left)
            _check(right)
        case ast.Call(func=func, args=arguments, keywords=[]) if _name(func) in _FUNCTIONS | _WRAPPERS:
            for argument in arguments:
                if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                    if not re.fullmatch(r"[-+.\w/]+", argument.value):
                        raise _Unknown
                else:
                    _check(argument)
        case ast.Attribute(value=ast.Name(id="math" | "np" | "numpy" | "sympy" | "sp" | "S")):
            return
        case _:
            raise _Unknown


def _name(func: ast.expr) -> str:
    match func:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=ast.Name(id="np" | "numpy" | "sympy" | "sp" | "math" | "mpmath"), attr=name):
            return name
        case ast.Attribute(value=ast.Name(id="Interval"), attr=name):
            return f"Interval.{name}"
        case _:
            raise _Unknown


def _list(elements: list[ast.expr]) -> Shape:
    rows = _shapes(elements)
    if rows and all(isinstance(row, Items) and row.kind == "bracket" for row in rows):
        cells = [row.items for row in rows if isinstance(row, Items)]
        if cells[0] and all(len(row) == len(cells[0]) for row in cells):
            return Matrix(tuple(cells))
    return Items("bracket", rows)


def _mapping(keys: list[ast.expr | None], values: list[ast.expr]) -> Shape:
    if not keys:
        return Items("set", ())
    named = []
    for key, value in zip(keys, values, strict=True):
        if not isinstance(key, ast.Name):
            raise _Unknown
        named.append(Named(key.id, _shape(value)))
    return named[0] if len(named) == 1 else Items("list", tuple(named))


def _call(node: ast.Call) -> Shape:
    name = _name(node.func)
    if name in _MATRICES:
        inner = _shape(node.args[0]) if node.args else None
        if isinstance(inner, Items) and name not in ("array", "asarray"):
            return Matrix(tuple((item,) for item in inner.items))
        if inner is None or not isinstance(inner, Items | Matrix):
            raise _Unknown
        return inner
    if name in _POINTS:
        return Items("paren", _shapes(node.args))
    if name in ("FiniteSet", "set", "frozenset", "EmptySet"):
        if len(node.args) == 1 and isinstance(node.args[0], ast.List | ast.Set | ast.Tuple):
            return Items("set", _shapes(node.args[0].elts))
        return Items("set", _shapes(node.args))
    if name.startswith("Interval"):
        return _interval(name, node.args)
    if name == "Union":
        return _region_union(list(_shapes(node.args)))
    if name == "Eq" and len(node.args) == 2:
        left, right = node.args
        if isinstance(left, ast.Name):
            return Named(left.id, _shape(right))
        return Relation("=", _scalar(left), _scalar(right))
    if name in ("list", "tuple") and len(node.args) == 1:
        return _shape(node.args[0])
    if name in _WRAPPERS and len(node.args) == 1:
        return _shape(node.args[0])
    return _scalar(node)


def _interval(name: str, arguments: list[ast.expr]) -> Shape:
    if len(arguments) < 2:
        raise _Unknown
    flags = [isinstance(a, ast.Constant) and a.value is True for a in arguments[2:4]] + [False, False]
    low_open, high_open = {
        "Interval.open": (True, True),
        "Interval.Lopen": (True, False),
        "Interval.Ropen": (False, True),
    }.get(name, (flags[0], flags[1]))
    low, high = _scalar(arguments[0]), _scalar(arguments[1])
    return Region((Interval(low, high, low_open or _infinite(low), high_open or _infinite(high)),))


def _infinite(scalar: Scalar) -> bool:
    return scalar.text.lstrip("-+").strip() in (
        "oo",
        "inf",
        "math.inf",
        "np.inf",
        "S.Infinity",
        "S.NegativeInfinity",
    )


def _region_union(shapes: list[Shape]) -> Region:
    pieces: list[Interval | Scalar] = []
    for shape in shapes:
        if isinstance(shape, Region):
            pieces.extend(shape.pieces)
        elif isinstance(shape, Items) and shape.kind == "set":
            pieces.extend(item for item in shape.items if isinstance(item, Scalar))
        else:
            raise _Unknown
    return Region(tuple(pieces))


def _compare(node: ast.Compare) -> Shape:
    operators = [_RELATIONS.get(type(op)) for op in node.ops]
    sides = [node.left, *node.comparators]
    if len(sides) == 2 and operators[0] is not None and operators[0] != "!=":
        left, right = (_scalar(side) for side in sides)
        symbol = operators[0]
        if isinstance(sides[1], ast.Name) and sides[1].id != "oo" and not isinstance(sides[0], ast.Name):
            left, right = right, left
            symbol = symbol.translate(str.maketrans("<>", "><"))
        if not re.fullmatch(r"[A-Za-z]\w*", left.text) or re.search(rf"\b{left.text}\b", right.text):
            return Relation(symbol, left, right)
        opened = len(symbol) == 1
        if symbol[0] == "<":
            return Region((Interval(Scalar("-oo", True), right, True, opened or _infinite(right)),))
        return Region((Interval(right, Scalar("oo", True), opened or _infinite(right), True),))
    raise _Unknown


def _both(left: Shape, right: Shape) -> Shape:
    """Two half-lines joined by `&`: sympy prints intervals as `(1 < x) & (x < 2)`."""
    if not (
        isinstance(left, Region) and isinstance(right, Region) and len(left.pieces) == len(right.pieces) == 1
    ):
        raise _Unknown
    a, b = left.pieces[0], right.pieces[0]
    if not (isinstance(a, Interval) and isinstance(b, Interval)):
        raise _Unknown
    lows = [piece for piece in (a, b) if not _infinite(piece.low)]
    highs = [piece for piece in (a, b) if not _infinite(piece.high)]
    if not lows and not highs:
        return REALS
    if len(lows) > 1 or len(highs) > 1:
        raise _Unknown
    low, high = (lows or [a])[0], (highs or [b])[0]
    return Region((Interval(low.low, high.high, low.low_open, high.high_open),))
