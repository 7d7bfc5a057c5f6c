"""Verdicts: correct, wrong or undetermined, each with the evidence that decided it."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Self

from pydantic import StringConstraints, model_validator

from ultrainteract.schema.base import Record

JUDGED = frozenset({"votes", "consistency", "writing"})
"""Checks that rest on judgments whose reliability was measured, where no machine can prove anything. What they
label never stands beside proved labels in one export unless that is asked for. (`principle` labels nothing: see
`Turn.unlabelled`; what the LLM judge of a run decides, `judge`, goes to SFT alone.)"""

GraderName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
"""Name of a grader; that it is registered (`ultrainteract.grading.registry`) is checked where it is used."""


class Label(StrEnum):
    """What is known about an action. Only a proved-wrong one may be rejected, only a proved-correct one chosen."""

    CORRECT = "correct"
    WRONG = "wrong"
    UNDETERMINED = "undetermined"


class Evidence(Record):
    """Which check decided a label, and how far it can be trusted."""

    check: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
    """The kind of check that decided: a registered grader's, `format` (the answer's form alone), `published` (the
    label that an imported dataset states, not checked here), or one of `JUDGED`: `votes` (of a crowd), `consistency`
    (an annotator whose preference stays the same under all conditions), `writing` (polish and distortion)."""
    detail: str = ""
    """What the check saw, in one line for a reader (never the hidden expected outputs)."""
    reliability: float = 1.0
    """Share of such verdicts that are right, between 0 and 1, as measured (see docs/grading.md)."""

    @property
    def judged(self) -> bool:
        """Whether this is a judgment with measured reliability, not a proof."""
        return self.check in JUDGED


class Verdict(Record):
    """A three-valued label with its evidence, or the reason why nothing is known."""

    label: Label
    """Correct, wrong, or undetermined."""
    evidence: Evidence | None = None
    """What decided; present exactly when the label is not undetermined."""
    reason: str = ""
    """Why nothing is known (timeout of the grader, truncated answer, sandbox fault …); undetermined only."""

    @model_validator(mode="after")
    def _evidence_or_reason(self) -> Self:
        if self.label is Label.UNDETERMINED:
            if self.evidence is not None or not self.reason:
                raise ValueError("an undetermined verdict has a reason and no evidence")
        elif self.evidence is None or self.reason:
            raise ValueError("a correct or wrong verdict has evidence and no reason")
        return self

    @classmethod
    def correct(cls, check: str, detail: str = "", reliability: float = 1.0) -> Self:
        """A proved-correct verdict, decided by `check` (see `Evidence.check`)."""
        return cls(
            label=Label.CORRECT, evidence=Evidence(check=check, detail=detail, reliability=reliability)
        )

    @classmethod
    def wrong(cls, check: str, detail: str = "", reliability: float = 1.0) -> Self:
        """A proved-wrong verdict, decided by `check` (see `Evidence.check`)."""
        return cls(label=Label.WRONG, evidence=Evidence(check=check, detail=detail, reliability=reliability))

    @classmethod
    def undetermined(cls, reason: str) -> Self:
        """A verdict that says nothing about the action, and why."""
        return cls(label=Label.UNDETERMINED, reason=reason)
