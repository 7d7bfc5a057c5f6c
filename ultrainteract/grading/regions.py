"""Sets of reals: what notation stands for one, and one form for equal ones."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

from ultrainteract.grading.latex import Unreadable
from ultrainteract.grading.number import parse_number
from ultrainteract.grading.quantity import infinity, plain_number
from ultrainteract.grading.shapes import Interval, Items, Region, Scalar, Shape

INFINITY = Scalar(r"\infty")
MINUS_INFINITY = Scalar(r"-\infty")
REALS = Region((Interval(MINUS_INFINITY, INFINITY, True, True),))


def as_region(shape: Shape) -> Region | None:
    """The shape as a set of reals, where its notation allows that."""
    if isinstance(shape, Region):
        return shape
    if isinstance(shape, Interval):
        return Region((shape,))
    if isinstance(shape, Items) and shape.kind in ("paren", "bracket") and len(shape.items) == 2:
        low, high = shape.items
        if isinstance(low, Scalar) and isinstance(high, Scalar):
            opened = shape.kind == "paren"
            return Region((Interval(low, high, opened, opened),))
    if isinstance(shape, Items) and shape.kind in ("set", "list"):
        if shape.kind == "list" and any(isinstance(item, Items | Interval | Region) for item in shape.items):
            regions = [as_region(item) for item in shape.items]
            if all(region is not None for region in regions):
                return Region(tuple(piece for region in regions if region for piece in region.pieces))
            return None
        if all(isinstance(item, Scalar) for item in shape.items):
            return Region(tuple(item for item in shape.items if isinstance(item, Scalar)))
    return None


def punctured(points: list[Scalar]) -> Shape:
    """The reals without some points, which must be plain numbers to be ordered here."""
    keyed = []
    for point in points:
        number = parse_number(point.text)
        if number is None:
            raise Unreadable("the excluded points are not plain numbers")
        keyed.append((number.value, point))
    keyed.sort(key=lambda pair: pair[0])
    ends = [MINUS_INFINITY, *(point for _, point in keyed), INFINITY]
    return Region(tuple(Interval(a, b, True, True) for a, b in pairwise(ends)))


def merge(region: Region) -> list[Interval | Scalar] | None:
    """The region with touching pieces joined, in order; None where an end is not a plain number."""
    spans: list[tuple[float | Fraction, bool, float | Fraction, bool, Interval | Scalar]] = []
    for piece in region.pieces:
        if isinstance(piece, Scalar):
            value = _end(piece)
            if value is None:
                return None
            spans.append((value, False, value, False, piece))
        else:
            low, high = _end(piece.low), _end(piece.high)
            if low is None or high is None:
                return None
            if low > high or (low == high and (piece.low_open or piece.high_open)):
                continue
            spans.append((low, piece.low_open, high, piece.high_open, piece))
    spans.sort(key=lambda span: (span[0], span[1]))
    merged: list[tuple[float | Fraction, bool, float | Fraction, bool, Interval | Scalar]] = []
    for span in spans:
        if merged:
            low, low_open, high, high_open, piece = merged[-1]
            if span[0] < high or (span[0] == high and not (span[1] and high_open)):
                if span[2] > high or (span[2] == high and not span[3]):
                    joined = Interval(_low(piece), _high(span[4]), low_open, span[3])
                    merged[-1] = (low, low_open, span[2], span[3], joined)
                continue
        merged.append(span)
    return [
        piece.low if isinstance(piece, Interval) and low == high else piece
        for low, _, high, _, piece in merged
    ]


def _low(piece: Interval | Scalar) -> Scalar:
    return piece.low if isinstance(piece, Interval) else piece


def _high(piece: Interval | Scalar) -> Scalar:
    return piece.high if isinstance(piece, Interval) else piece


def _end(scalar: Scalar) -> float | Fraction | None:
    if sign := infinity(scalar):
        return float(sign + "inf")
    number = plain_number(scalar)
    return number.true_value if number else None
