"""The graders of final answers: math, number, choice, yes/no, text and answer sets.

Each answer is first settled by exact arithmetic and text alone, in this process and in well under a millisecond; only
what needs algebra goes to the worker processes. Guarantee: what cannot be known is `undetermined`, with the reason.
"""

from __future__ import annotations

import dataclasses
import functools
from collections import OrderedDict
from types import TracebackType
from typing import Any, Self

from ultrainteract.errors import GraderError
from ultrainteract.grading.algebra import NeedsAlgebra, NoAlgebra
from ultrainteract.grading.extract import Failed
from ultrainteract.grading.finding import Finding
from ultrainteract.grading.pool import WorkerLost, WorkerPool
from ultrainteract.grading.question import Question, settle
from ultrainteract.schema import Instruction, Verdict

CACHE_SIZE = 4_096
"""Answers whose verdict is remembered: many samples of one instruction say the same."""

_CHECKS = {
    "math": "equivalence", "number": "number", "choice": "choice", "boolean": "boolean", "text": "text",
    "answer_set": "answer_set", "calls": "calls",
}  # fmt: skip
_NO_ALGEBRA = NoAlgebra()


class Graders:
    """Grades final answers; use as `async with Graders() as graders`.

    Args:
        workers: Processes for algebra; they are started when the first answer needs one.
        timeout_s: Longest time of one comparison, seconds.
        memory_mb: Address space of a worker process, MiB.
    """

    def __init__(self, *, workers: int = 1, timeout_s: float = 5.0, memory_mb: int = 1024) -> None:
        self._pool = WorkerPool(workers, timeout_s, memory_mb)
        self._known: OrderedDict[tuple[Question, str], Finding] = OrderedDict()
        self._literal = functools.lru_cache(maxsize=CACHE_SIZE)(_settle_literally)

    async def start(self) -> None:
        """Begins to start the workers without waiting for them. Idempotent, and optional."""
        self._pool.start()

    async def close(self) -> None:
        """Ends the workers. Idempotent."""
        await self._pool.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def grade(self, instruction: Instruction, answer: str) -> Verdict:
        r"""Grades a final answer.

        Args:
            instruction: The problem; its grader is none of `tests` and `judge`.
            answer: The final answer as the action states it (`\boxed{…}`, `Answer: B`, a sentence), or the
                whole output of its program.

        Raises:
            GraderError: The instruction has another grader, or no worker can be started.
        """
        literal = self.grade_literal(instruction, answer)
        if literal is not None:
            return literal
        question = Question.of(instruction)
        key = (question, answer)
        if key in self._known:
            self._known.move_to_end(key)
            return _verdict(instruction, self._known[key])
        try:
            reply = await self._pool.ask({"question": dataclasses.asdict(question), "answer": answer})
            finding = Finding(reply["equal"], reply["why"], reply["reliability"])
        except WorkerLost as lost:
            finding = Finding.unknown(str(lost))
        self._known[key] = finding
        if len(self._known) > CACHE_SIZE:
            self._known.popitem(last=False)
        return _verdict(instruction, finding)

    def grade_literal(self, instruction: Instruction, answer: str) -> Verdict | None:
        """Grades by exact arithmetic and text alone: pure and fast.

        Returns:
            The verdict, or None where it takes algebra.

        Raises:
            GraderError: The instruction has another grader.
        """
        if instruction.grader not in _CHECKS:
            raise GraderError(
                f"Instruction {instruction.id[:12]} ({instruction.dataset}) is graded by '{instruction.grader}', which "
                "does not look at final answers: use verdict_from_tests or judge."
            )
        found = self._literal(Question.of(instruction), answer)
        if isinstance(found, Failed):
            return Verdict.wrong("format", str(found))
        return None if found is None else _verdict(instruction, found)


def _settle_literally(question: Question, answer: str) -> Finding | Failed | None:
    try:
        return settle(question, answer, _NO_ALGEBRA)
    except NeedsAlgebra:
        return None
    except Failed as failed:
        return failed.with_traceback(None)


def _verdict(instruction: Instruction, finding: Finding) -> Verdict:
    check: Any = _CHECKS[instruction.grader]
    if finding.is_unknown:
        return Verdict.undetermined(finding.why)
    if finding.why == "no answer is given":
        return Verdict.wrong("format", finding.why)
    make = Verdict.correct if finding.is_equal else Verdict.wrong
    return make(check, finding.why, finding.reliability)
