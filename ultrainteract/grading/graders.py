"""Grades final answers by the registered graders.

Each answer is first settled by exact arithmetic and text alone, in this process and in well under a millisecond; only
what needs algebra goes to the worker processes. Guarantee: what cannot be known is `undetermined`, with the reason, and
no answer and no fault of a grader raises.
"""

from __future__ import annotations

import dataclasses
import functools
import re
from collections import OrderedDict
from types import TracebackType
from typing import Self

from ultrainteract.errors import GraderError
from ultrainteract.grading.algebra import NeedsAlgebra, NoAlgebra
from ultrainteract.grading.boundary import BY_FORM, fault_of, settle_safely, wrong_by_form
from ultrainteract.grading.finding import Basis, Finding, Outcome
from ultrainteract.grading.pool import WorkerLost, WorkerPool
from ultrainteract.grading.question import Question
from ultrainteract.grading.registry import find_grader
from ultrainteract.grading.reliability import reliability
from ultrainteract.schema import Instruction, Label, Verdict

CACHE_SIZE = 4_096
"""Answers whose verdict is remembered: many samples of one instruction say the same."""

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
        return _verdict(instruction, await self.find(instruction, answer))

    async def find(self, instruction: Instruction, answer: str) -> Finding:
        """What a comparison of an answer with the gold answer finds: see `grade`."""
        question = _question(instruction)
        answer = answer.encode("utf-8", "replace").decode()  # lone surrogates cannot be sent to a worker
        literal = self._literal(question, answer)
        if literal is not None:
            return literal
        key = (question, answer)
        if key in self._known:
            self._known.move_to_end(key)
            return self._known[key]
        try:
            reply = await self._pool.ask({"question": dataclasses.asdict(question), "answer": answer})
            finding = Finding(
                Outcome(reply["outcome"]), reply["why"], Basis(reply["basis"]), reply["by_form"]
            )
        except WorkerLost as lost:
            finding = Finding.unknown(str(lost))
        self._known[key] = finding
        if len(self._known) > CACHE_SIZE:
            self._known.popitem(last=False)
        return finding

    async def grade_output(self, instruction: Instruction, stdout: str, value: str | None) -> Verdict:
        """Grades what a program showed: its printed lines and its last value together.

        Where the two disagree, neither proves the program wrong: the last value may be what `write` or `setdefault`
        returns, and the lines may be a report of progress.

        Args:
            instruction: The problem; see `grade`.
            stdout: What was printed.
            value: `repr` of the last expression's value; None where there is none.

        Raises:
            GraderError: See `grade`.
        """
        shown = [text.rstrip() for text in (stdout, value or "") if text.strip()]
        if len(shown) == 2 and _NOTHING_BUT_NONE.fullmatch(shown[1]):
            shown.pop()  # the values of calls that print
        if not shown:
            return wrong_by_form("the program showed no result")
        verdict = await self.grade(instruction, "\n".join(shown))
        if verdict.label is Label.WRONG and len(shown) == 2:
            parts = [await self.grade(instruction, text) for text in shown]
            if any(part.label is not Label.WRONG for part in parts):
                return Verdict.undetermined("the printed lines and the last value state different answers")
        return verdict

    def grade_literal(self, instruction: Instruction, answer: str) -> Verdict | None:
        """Grades by exact arithmetic and text alone: pure and fast.

        Returns:
            The verdict, or None where it takes algebra.

        Raises:
            GraderError: The instruction has another grader.
        """
        found = self._literal(_question(instruction), answer)
        return None if found is None else _verdict(instruction, found)


def _question(instruction: Instruction) -> Question:
    if find_grader(instruction.grader).compare is None:
        raise GraderError(
            f"Instruction {instruction.id[:12]} ({instruction.dataset}) is graded by '{instruction.grader}', which "
            "does not look at final answers: use verdict_from_tests or judge."
        )
    return Question.of(instruction)


_NOTHING_BUT_NONE = re.compile(r"[\[({][\s,()\[\]{}]*(?:None[\s,()\[\]{}]*)+")


def _settle_literally(question: Question, answer: str) -> Finding | None:
    try:
        return settle_safely(question, answer, _NO_ALGEBRA)
    except NeedsAlgebra:
        return None
    except MemoryError as error:
        return fault_of(error)


def _verdict(instruction: Instruction, finding: Finding) -> Verdict:
    if finding.is_unknown:
        return Verdict.undetermined(finding.why)
    check = BY_FORM if finding.by_form else find_grader(instruction.grader).check
    trust = reliability(check, finding.basis, finding.is_equal)
    make = Verdict.correct if finding.is_equal else Verdict.wrong
    return make(check, finding.why, trust)
