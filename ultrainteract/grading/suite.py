"""What a program's test report proves about the action."""

from __future__ import annotations

from ultrainteract.sandbox.base import CaseResult, TestReport
from ultrainteract.schema import TestSuite, Verdict

_ENDS = {
    "timeout": "ran out of time",
    "memory": "ran out of memory",
    "output_limit": "printed too much",
    "killed": "was killed",
    "error": "crashed",
}


def verdict_from_tests(suite: TestSuite, report: TestReport) -> Verdict:
    """The verdict on a program, from what it did on its tests.

    A program that runs out of its time or memory on a test is wrong: the problem's limits say so. Where the statement
    allows several right outputs and no checker is known, failing a test by its output alone proves nothing.

    Args:
        suite: The tests.
        report: What the program did on them; shorter than the suite only where it stopped at a failure.
    """
    if not suite.cases:
        return Verdict.undetermined("gold tests are missing")
    if report.error:
        return Verdict.wrong("tests", f"no test was run: {_line(report.error)}")
    total = len(suite.cases)
    failed = [(i, result) for i, result in enumerate(report.results, 1) if result.passed is False]
    proofs = [(i, result) for i, result in failed if not suite.any_answer or result.status in _ENDS]
    if proofs:
        index, result = proofs[0]
        return Verdict.wrong("tests", f"test {index} of {total}: {_how(result)}")
    if failed:
        return Verdict.undetermined(f"test {failed[0][0]} of {total}: several outputs may be right")
    if report.fault:
        return Verdict.undetermined("the sandbox failed on a test")
    if len(report.results) < total:
        return Verdict.undetermined(f"only {len(report.results)} of {total} tests were run")
    return Verdict.correct("tests", f"all {total} tests passed")


def _how(result: CaseResult) -> str:
    end = _ENDS.get(result.status, "gave the wrong output")
    return f"{end}: {_line(result.error)}" if result.error else end


def _line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1][:200] if lines else ""
