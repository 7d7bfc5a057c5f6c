"""What a final answer can be: a scalar, words, a collection, an interval, a matrix, a relation.

The shapes hold cleaned text at their leaves; what a scalar is worth is not decided here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias


@dataclass(frozen=True)
class Scalar:
    """One value, as cleaned LaTeX or as a Python expression."""

    text: str
    python: bool = False


@dataclass(frozen=True)
class Words:
    """A word or phrase."""

    text: str


@dataclass(frozen=True)
class Items:
    """Several values. `list` is unordered and without brackets; `paren` and `bracket` are ordered."""

    kind: Literal["list", "set", "paren", "bracket", "ratio"]
    items: tuple[Shape, ...]
    mixed: bool = False
    """A list whose parts came from one `±`."""


@dataclass(frozen=True)
class Interval:
    """All reals between two ends."""

    low: Scalar
    high: Scalar
    low_open: bool
    high_open: bool


@dataclass(frozen=True)
class Region:
    """A union of intervals and single points of the real line."""

    pieces: tuple[Interval | Scalar, ...]


@dataclass(frozen=True)
class Matrix:
    """Rows of equal length."""

    rows: tuple[tuple[Shape, ...], ...]


@dataclass(frozen=True)
class Named:
    """`name = value`."""

    name: str
    value: Shape


@dataclass(frozen=True)
class Relation:
    """An equation or inequality that gives no name a value."""

    operator: str
    left: Scalar
    right: Scalar


Shape: TypeAlias = Scalar | Words | Items | Interval | Region | Matrix | Named | Relation
"""Any of them."""
