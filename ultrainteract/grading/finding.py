"""What a comparison found: equal, different or not to be known, why, and on which kind of reasoning it rests."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import IntEnum, StrEnum
from typing import Self


class Outcome(StrEnum):
    """The three outcomes of a comparison."""

    EQUAL = "equal"
    UNEQUAL = "unequal"
    UNKNOWN = "unknown"


class Basis(IntEnum):
    """The kind of reasoning behind a finding, the strongest first; how reliable each is, is measured."""

    EXACT = 0
    """The same text, or exact arithmetic."""
    NUMERIC = 1
    """Values that agree, or differ, to many digits."""
    CONVENTION = 2
    """A reading that people commonly give the notation: a unit left out, small words, another kind of bracket."""


@dataclass(frozen=True)
class Finding:
    """What a comparison found."""

    outcome: Outcome
    why: str
    """One line for a reader."""
    basis: Basis = Basis.EXACT
    by_form: bool = False
    """The answer's form alone decided: there is none, or it is a program's error report."""

    @classmethod
    def equal(cls, why: str, basis: Basis = Basis.EXACT) -> Self:
        """The answer is the gold answer."""
        return cls(Outcome.EQUAL, why, basis)

    @classmethod
    def unequal(cls, why: str, basis: Basis = Basis.EXACT) -> Self:
        """The answer is not the gold answer."""
        return cls(Outcome.UNEQUAL, why, basis)

    @classmethod
    def unknown(cls, why: str) -> Self:
        """Nothing is known."""
        return cls(Outcome.UNKNOWN, why)

    @classmethod
    def either(cls, equal: bool, yes: str, no: str, basis: Basis = Basis.EXACT) -> Self:
        """Equal for the reason `yes`, or different for the reason `no`."""
        return cls.equal(yes, basis) if equal else cls.unequal(no, basis)

    @property
    def is_equal(self) -> bool:
        """True where the answer is the gold answer."""
        return self.outcome is Outcome.EQUAL

    @property
    def is_unequal(self) -> bool:
        """True where the answer is proved to be another one."""
        return self.outcome is Outcome.UNEQUAL

    @property
    def is_unknown(self) -> bool:
        """True where nothing is known."""
        return self.outcome is Outcome.UNKNOWN

    def resting_on(self, basis: Basis) -> Self:
        """The finding, resting on reasoning that is no stronger than `basis`."""
        return replace(self, basis=max(self.basis, basis))


NO_ANSWER = Finding(Outcome.UNEQUAL, "no answer is given", by_form=True)
"""An answer that is empty."""


def all_equal(findings: Iterable[Finding], why: str = "the same values") -> Finding:
    """Equal where all findings are, different at the first that is, else not known; takes no more than it needs."""
    basis = Basis.EXACT
    doubt: Finding | None = None
    for found in findings:
        if found.is_unequal:
            return found
        if found.is_unknown:
            doubt = doubt or found
        basis = max(basis, found.basis)
    return doubt or Finding.equal(why, basis)
