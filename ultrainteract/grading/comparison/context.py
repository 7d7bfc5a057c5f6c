"""What the modules of the comparison share: the setting, the algebra, and the way back to the whole comparison."""

from __future__ import annotations

from typing import Protocol

from ultrainteract.grading.algebra import Algebra
from ultrainteract.grading.finding import Finding
from ultrainteract.grading.setting import Setting
from ultrainteract.grading.shapes import Scalar, Shape


class Comparing(Protocol):
    """A comparison under way."""

    @property
    def setting(self) -> Setting:
        """What is known about the question."""
        ...

    @property
    def algebra(self) -> Algebra:
        """Decides scalars that are not plain numbers."""
        ...

    def shapes(self, gold: Shape, answer: Shape) -> Finding:
        """Compares two shapes of any kind."""
        ...

    def scalars(self, gold: Scalar, answer: Scalar) -> Finding:
        """Compares two scalars."""
        ...
