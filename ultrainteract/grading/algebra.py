"""What decides when exact arithmetic does not suffice: the boundary between the literal path and sympy."""

from __future__ import annotations

from fractions import Fraction
from typing import Protocol

from ultrainteract.grading.finding import Finding
from ultrainteract.grading.shapes import Relation, Scalar


class NeedsAlgebra(Exception):
    """The literal path cannot decide this."""


class Algebra(Protocol):
    """Decides what needs more than exact arithmetic."""

    def scalars(self, gold: Scalar, answer: Scalar, *, program: bool) -> Finding:
        """Whether two expressions are equal."""
        ...

    def equations(self, gold: Relation, answer: Relation) -> Finding:
        """Whether two equations or inequalities say the same."""
        ...

    def constant(self, scalar: Scalar) -> Fraction | None:
        """The real value of an expression, to 30 digits; None where it has none or may have several."""
        ...


class NoAlgebra:
    """The literal path: gives up by raising `NeedsAlgebra`."""

    def scalars(self, gold: Scalar, answer: Scalar, *, program: bool) -> Finding:
        """Raises NeedsAlgebra."""
        raise NeedsAlgebra

    def equations(self, gold: Relation, answer: Relation) -> Finding:
        """Raises NeedsAlgebra."""
        raise NeedsAlgebra

    def constant(self, scalar: Scalar) -> Fraction | None:
        """Raises NeedsAlgebra."""
        raise NeedsAlgebra
