"""What a program's test report proves about the action.

A failed test proves a program wrong only by what the problem states: its outputs, its limits, the kind of error that
it allows. Passed tests prove it right as far as they are hidden: a test that the prompt shows can be passed by
repeating it, and a program that never looks at its input proves nothing.
"""

from __future__ import annotations

import re
from fractions import Fraction

from ultrainteract.errors import GraderError
from ultrainteract.grading.dependence import ignores_input
from ultrainteract.grading.reliability import reliability_of_tests
from ultrainteract.sandbox.base import CaseResult, TestReport
from ultrainteract.sandbox.compare import load_json, load_value, same_text, same_value
from ultrainteract.schema import Checker, TestCase, TestSuite, Verdict

_ENDS = {
    "timeout": "ran out of time",
    "memory": "ran out of memory",
    "output_limit": "printed too much",
    "killed": "was killed",
    "error": "crashed",
}
NOISE = 1e-9
"""Relative difference that is floating-point noise, whatever the statement says."""


def verdict_from_tests(suite: TestSuite, report: TestReport, program: str | None = None) -> Verdict:
    """The verdict on a program, from what it did on its tests.

    A program that crashes, gives a wrong output or exceeds a limit that the problem states is wrong. A limit that the
    problem does not state proves nothing, nor does an output that differs from the expected one in case alone or by
    rounding alone, nor (where several outputs are right and no checker is known) any other output.

    Args:
        suite: The tests.
        report: What the program did on them; shorter than the suite only where it stopped at a failure.
        program: The program's source, to see whether it looks at its input; not checked if None.

    Returns:
        Correct with a reliability that follows from the number of hidden tests, wrong, or undetermined.
    """
    if not suite.cases:
        return Verdict.undetermined("gold tests are missing")
    if report.error:
        return Verdict.wrong("tests", f"no test was run: {_line(report.error)}", reliability_of_tests(None))
    total = len(suite.cases)
    doubts: list[str] = []
    for number, (case, result) in enumerate(zip(suite.cases, report.results, strict=False), 1):
        if result.passed is not False:
            continue
        if doubt := _doubt(suite, case, result):
            doubts.append(f"test {number} of {total}: {doubt}")
        else:
            return Verdict.wrong(
                "tests", f"test {number} of {total}: {_how(result)}", reliability_of_tests(None)
            )
    if doubts:
        return Verdict.undetermined(doubts[0])
    if report.fault:
        return Verdict.undetermined("the sandbox failed on a test")
    if len(report.results) < total:
        return Verdict.undetermined(f"only {len(report.results)} of {total} tests were run")
    if program is not None and suite.kind != "asserts" and ignores_input(program, suite):
        return Verdict.undetermined("the tests passed, but the program does not look at its input")
    hidden = sum(not case.public for case in suite.cases)
    return Verdict.correct(
        "tests", f"all {total} tests passed, {hidden} of them hidden", reliability_of_tests(hidden)
    )


def _doubt(suite: TestSuite, case: TestCase, result: CaseResult) -> str:
    """Why a failed test proves nothing; empty where it does."""
    match result.status:
        case "error":
            return ""
        case "timeout":
            return "" if suite.time_limit_s else "ran out of time, and the problem states no limit"
        case "memory":
            return "" if suite.memory_limit_mb else "ran out of memory, and the problem states no limit"
        case "output_limit" | "killed":
            return f"{_ENDS[result.status]}, which the problem says nothing of"
    if suite.any_answer:
        return "several outputs may be right"
    return _close_output(suite, case, result)


def _close_output(suite: TestSuite, case: TestCase, result: CaseResult) -> str:
    """In what trifle an output differs from the expected one; empty where it is another output."""
    if suite.kind == "call":
        try:
            expected, value = load_json(case.expected, "expected value"), load_value(result.output.encode())
        except (GraderError, ValueError, RecursionError):  # an output that was cut, or is no value
            return ""
        return (
            "differs by rounding only"
            if any(same_value(c, expected, value) for c in _looser(suite.checker))
            else ""
        )
    if any(same_text(checker, case.expected, result.output) for checker in _looser(suite.checker)):
        return "differs by rounding only"
    pairs = list(zip(case.expected.split(), result.output.split(), strict=False))
    if len(case.expected.split()) != len(result.output.split()):
        return ""
    given = set(re.findall(r"\w+", case.input.casefold()))
    if all(a == b or (a.casefold() == b.casefold() and a.casefold() not in given) for a, b in pairs):
        return "differs in case only"
    if suite.checker.kind in ("exact", "tokens") and all(a == b or _rounded(a, b) for a, b in pairs):
        return "differs by rounding only"
    return ""


def _looser(checker: Checker) -> list[Checker]:
    """Checkers that allow what proves nothing: noise, and twice the error that the statement allows.

    The expected output is itself only within that error of the true one.
    """
    noise = Checker(kind="floats", tolerance=NOISE, error="relative")
    if checker.kind != "floats":
        return [noise] if checker.kind in ("exact", "tokens") else []
    return [noise, checker.model_copy(update={"tolerance": 2 * checker.tolerance})]


_DECIMAL = re.compile(r"[-+]?\d*\.(\d+)")


def _rounded(expected: str, output: str) -> bool:
    """True for two decimals of which one is the other, rounded or cut off after its last digit."""
    places = [len(found[1]) if (found := _DECIMAL.fullmatch(text)) else None for text in (expected, output)]
    if None in places or len(expected) > 400 or len(output) > 400:
        return False
    fewest = min(place for place in places if place is not None)
    return abs(Fraction(expected) - Fraction(output)) < Fraction(1, 10**fewest)


def _how(result: CaseResult) -> str:
    end = _ENDS.get(result.status, "gave the wrong output")
    return f"{end}: {_line(result.error)}" if result.error else end


def _line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1][:200] if lines else ""
