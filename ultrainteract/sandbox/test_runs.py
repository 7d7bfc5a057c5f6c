"""Judging one program on all its tests: compiled once, a fresh child a test, compared on the host.

The child is given a test's input and nothing else; expected outputs never leave this process, except to a
checker program, which runs in a child of its own.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from ultrainteract.config import Limits
from ultrainteract.errors import GraderError
from ultrainteract.sandbox.base import CaseResult, TestReport
from ultrainteract.sandbox.channel import Answer
from ultrainteract.sandbox.compare import load_json, load_value, same_text, same_value
from ultrainteract.sandbox.text import display, shown_output, zygote_for
from ultrainteract.schema import TestCase, TestSuite

if TYPE_CHECKING:
    from ultrainteract.sandbox.pool import Pool

AHEAD = 4
"""Tests of one program under way at once; the first failure makes the later ones void."""
_CHECK = "check"


async def run_tests(
    pool: Pool, program: str, suite: TestSuite, limits: Limits, stop_at_first_failure: bool
) -> TestReport:
    """See `Sandbox.judge`.

    Raises:
        GraderError: The suite itself is broken: a call's arguments are not JSON, the checker does not compile.
    """
    if suite.time_limit_s is not None:
        limits = limits.model_copy(update={"wall_s": suite.time_limit_s, "cpu_s": suite.time_limit_s})
    if suite.memory_limit_mb is not None:
        limits = limits.model_copy(update={"memory_mb": max(limits.memory_mb, suite.memory_limit_mb)})
    calls = [_Call(case) for case in suite.cases] if suite.kind == "call" else []
    subject = await _Program.compile(pool, program, limits)
    if isinstance(subject, Answer):
        if subject.status == "fault":
            return TestReport(results=(_fault(subject),))
        return TestReport(
            results=(), error=display(subject.parts[3]) or f"The program did not compile: {subject.detail}"
        )
    checker: _Program | None = None
    if suite.checker.kind == "program":
        compiled = await _Program.compile(pool, suite.checker.program or "", pool.config.limits)
        if isinstance(compiled, Answer):
            raise GraderError(f"The checker program does not compile: {display(compiled.parts[3])}")
        checker = compiled
    return await _Judge(pool, suite, calls, subject, checker, stop_at_first_failure).run()


class _Program:
    """A compiled program."""

    def __init__(self, source: str, code: bytes, limits: Limits) -> None:
        self.source = source
        self.code = code
        self.limits = limits
        self.zygote = zygote_for((source,))

    @classmethod
    async def compile(cls, pool: Pool, source: str, limits: Limits) -> _Program | Answer:
        """The program, or the answer that says why it does not compile."""
        fields = {"kind": "compile", "source": source}
        answer = await pool.execute(
            fields, pool.config.limits, zygote_for((source,)), output_bytes=max(1 << 20, 32 * len(source))
        )
        code = answer.parts[5]
        return cls(source, code, limits) if answer.status == "ok" and code is not None else answer

    async def run(self, pool: Pool, fields: dict[str, Any], output_bytes: int) -> Answer:
        """One execution of it."""
        return await pool.execute(
            {**fields, "source": self.source, "code": self.code},
            self.limits,
            self.zygote,
            output_bytes=output_bytes,
        )


class _Call:
    """A test of a function: its arguments and what it should return."""

    def __init__(self, case: TestCase) -> None:
        self.arguments = load_json(case.input, "input")
        self.expected = load_json(case.expected, "expected value")
        if not isinstance(self.arguments, list):
            raise GraderError(
                f"A function-call test's input is not a list of arguments: {case.input[:80]!r}."
            )


class _Judge:
    """One judge request."""

    def __init__(
        self,
        pool: Pool,
        suite: TestSuite,
        calls: list[_Call],
        subject: _Program,
        checker: _Program | None,
        stop: bool,
    ) -> None:
        self.pool = pool
        self.suite = suite
        self.calls = calls
        self.subject = subject
        self.checker = checker
        self.stop = stop
        self.missing = ""

    async def run(self) -> TestReport:
        """All tests in order, a few at once; with `stop`, nothing after the first failure is reported."""
        cases = self.suite.cases
        results: list[CaseResult | None] = [None] * len(cases)
        numbers = iter(range(len(cases)))
        first_failure = len(cases)

        async def work() -> None:
            nonlocal first_failure
            for number in numbers:
                if self.stop and number > first_failure:
                    return
                result = results[number] = await self._case(number)
                if result.passed is not True:
                    first_failure = min(first_failure, number)

        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(min(AHEAD, len(cases))):
                    group.create_task(work())
        except ExceptionGroup as group_error:
            raise group_error.exceptions[0] from None
        if self.missing:
            return TestReport(results=(), error=self.missing)
        end = first_failure + 1 if self.stop else len(cases)
        return TestReport(results=tuple(result for result in results[:end] if result is not None))

    async def _case(self, number: int) -> CaseResult:
        case = self.suite.cases[number]
        cap = max(self.subject.limits.output_bytes, 8 * len(case.expected) + 65_536)
        if self.suite.kind == "stdin":
            fields: dict[str, Any] = {"kind": "program", "stdin": case.input.replace("\r\n", "\n")}
            answer = await self.subject.run(self.pool, fields, cap)
            output = answer.parts[0] or b""
        else:
            arguments = self.calls[number].arguments
            fields = {"kind": "call", "arguments": arguments, "entry_point": self.suite.entry_point}
            answer = await self.subject.run(self.pool, fields, cap)
            output = answer.parts[2] or b""
            if answer.parts[4] == b"EntryPointMissing":
                self.missing = (display(answer.parts[3]) or "").splitlines()[-1]
        if answer.status == "fault":
            return _fault(answer)
        keep = self.subject.limits.output_bytes
        shown = shown_output(output, keep, normalised=False)
        common: dict[str, Any] = {"output": shown, "wall_s": answer.wall_s}
        if answer.status != "ok" or answer.truncated:
            error = display(answer.parts[3]) or answer.detail
            status = "output_limit" if answer.status == "ok" else answer.status
            return CaseResult(passed=False, status=status, error=error, **common)
        try:
            passed = await self._passed(number, output)
        except _CheckerFault as fault:
            return CaseResult(passed=None, status="fault", error=str(fault), **common)
        return CaseResult(passed=passed, status="ok", **common)

    async def _passed(self, number: int, output: bytes) -> bool:
        case = self.suite.cases[number]
        if self.checker is not None:
            return await self._ask_checker(case, output.decode("utf-8", "replace"))
        if self.suite.kind == "stdin":
            return same_text(self.suite.checker, case.expected, output.decode("utf-8", "replace"))
        try:
            value = load_value(output)
        except (ValueError, RecursionError):
            return False
        return same_value(self.suite.checker, self.calls[number].expected, value)

    async def _ask_checker(self, case: TestCase, output: str) -> bool:
        assert self.checker is not None
        fields = {"kind": "call", "arguments": [case.input, case.expected, output], "entry_point": _CHECK}
        answer = await self.checker.run(self.pool, fields, 4096)
        if answer.parts[2] in (b"true", b"false") and answer.status == "ok":
            return answer.parts[2] == b"true"
        if answer.status == "fault":
            raise _CheckerFault(answer.detail)
        why = display(answer.parts[3]) or answer.detail or "it returned something else than True or False"
        raise _CheckerFault(f"The checker program failed: {why}")


class _CheckerFault(Exception):
    """The checker gave no verdict."""


def _fault(answer: Answer) -> CaseResult:
    return CaseResult(passed=None, status="fault", error=answer.detail)
