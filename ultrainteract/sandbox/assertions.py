"""Runs a program together with a benchmark's own assertions, as HumanEval, MBPP and LeetCode check it.

Such tests are code and run beside the program, in the same child. That they ran to their end is known by a mark, drawn
at random on the host and printed behind the last of them: a program that leaves early has not passed. Their text may
hold expected values, so that no traceback of theirs is shown to anybody: an error is reported by its last line, and a
failed assertion by its name alone.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from ultrainteract.config import Limits
from ultrainteract.sandbox.base import CaseResult, TestReport
from ultrainteract.sandbox.text import display, zygote_for
from ultrainteract.schema import TestCase, TestSuite

if TYPE_CHECKING:
    from ultrainteract.sandbox.pool import Pool

_NAME = "__name__ = 'solution'\n"
"""Keeps a program's `if __name__ == '__main__'` from running, as in the benchmarks' own checkers."""
_PATIENCE = 4
"""Wall-clock time of a suite, in its time limits."""
_FAILED = "AssertionError: an assertion of the tests failed"
_LEFT = "the program ended before its tests did"


async def run_assertions(
    pool: Pool, program: str, suite: TestSuite, limits: Limits, stop_at_first_failure: bool
) -> TestReport:
    """Runs each case of an `asserts` suite in a child of its own; see `Sandbox.run_tests`."""
    if (
        suite.time_limit_s is not None
    ):  # of the processor: on a busy machine a right program may wait for long
        wall_s = _PATIENCE * suite.time_limit_s
        limits = limits.model_copy(update={"wall_s": wall_s, "cpu_s": suite.time_limit_s})
    results: list[CaseResult] = []
    for case in suite.cases:
        results.append(await _run(pool, f"{_NAME}{suite.preamble}\n{program}\n", case, limits))
        if stop_at_first_failure and results[-1].passed is not True:
            break
    return TestReport(results=tuple(results))


async def _run(pool: Pool, program: str, case: TestCase, limits: Limits) -> CaseResult:
    mark = secrets.token_hex(16)
    end = f"\nimport sys as _sys\n_sys.stdout = _sys.__stdout__\nprint(flush=True)\nprint('{mark}', flush=True)\n"
    source = program + case.input + end
    zygote = zygote_for((source,))
    answer = await pool.execute(
        {"kind": "compile", "source": source},
        pool.config.limits,
        zygote,
        output_bytes=max(1 << 20, 32 * len(source)),
    )
    if answer.status == "ok":
        fields = {"kind": "program", "stdin": "", "source": source, "code": answer.parts[5]}
        answer = await pool.execute(fields, limits, zygote, output_bytes=limits.output_bytes)
    if answer.status == "fault":
        return CaseResult(passed=None, status="fault", error=answer.detail)
    printed = (answer.parts[0] or b"").decode("utf-8", "replace").rstrip().rpartition("\n")[2]
    if answer.status == "ok" and printed == mark:
        return CaseResult(passed=True, status="ok", wall_s=answer.wall_s)
    lines = (display(answer.parts[3]) or answer.detail or "").strip().splitlines()
    error = lines[-1] if lines else _LEFT
    status = "error" if answer.status == "ok" else answer.status
    return CaseResult(
        passed=False,
        status=status,
        error=_FAILED if error.startswith("AssertionError") else error,
        wall_s=answer.wall_s,
    )
