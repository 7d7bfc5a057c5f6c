"""The one boundary around graders: whatever one raises becomes a finding that says so.

An odd answer, a fault in a grader or in a plugin must cost one verdict and never a run.
"""

from __future__ import annotations

from ultrainteract.grading.algebra import Algebra, NeedsAlgebra
from ultrainteract.grading.extract import Failed
from ultrainteract.grading.finding import Basis, Finding, Outcome
from ultrainteract.grading.question import Question
from ultrainteract.grading.registry import settle
from ultrainteract.grading.reliability import reliability
from ultrainteract.schema import Verdict

BY_FORM = "format"
"""Check of verdicts that the answer's form alone decides."""
_FAULT = "the grader failed"


def settle_safely(question: Question, answer: str, algebra: Algebra) -> Finding:
    """Whether an answer is right; not known, with the reason, where the grader raises.

    Args:
        question: The question; its grader looks at final answers.
        answer: The final answer as stated, or a program's whole output.
        algebra: Decides what exact reasoning cannot.

    Raises:
        NeedsAlgebra: The algebra is that of the literal path, and cannot decide.
        MemoryError: The process ran out of memory, so that the caller may have to end it.
    """
    try:
        found = settle(question, answer, algebra)
    except (NeedsAlgebra, MemoryError):
        raise
    except Failed as failed:
        return Finding(Outcome.UNEQUAL, str(failed), by_form=True)
    except (Exception, SystemExit, GeneratorExit) as error:
        return fault_of(error)
    if not isinstance(found, Finding):
        return Finding.unknown(f"{_FAULT}: it returned a {type(found).__name__} instead of a finding")
    return found


def fault_of(error: BaseException) -> Finding:
    """The finding that a raised error leaves."""
    message = (str(error).splitlines() or [""])[0][:200]
    return Finding.unknown(f"{_FAULT}: {type(error).__name__}{': ' if message else ''}{message}")


def wrong_by_form(why: str) -> Verdict:
    """The verdict on an action whose form alone decides: it states nothing, or its program raised an error."""
    return Verdict.wrong(BY_FORM, why, reliability(BY_FORM, Basis.EXACT, False))


def is_fault(verdict: Verdict) -> bool:
    """True where a verdict is undetermined because its grader raised."""
    return verdict.reason.startswith(_FAULT)
