"""Self-check of datasets: every gold answer must verify against itself, another item's must not.

Answers are checked by the graders that a run uses (`grading.self_check`). A problem with tests is checked by
its reference solution, which must pass, and by the solution of the problem before it, which must not.
"""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from ultrainteract.config import Limits
from ultrainteract.errors import SandboxError
from ultrainteract.grading import Graders, SelfCheck, self_check, verdict_from_tests
from ultrainteract.grading.registry import find_grader
from ultrainteract.sandbox.base import Sandbox
from ultrainteract.schema import Instruction, Label, Record, Verdict
from ultrainteract.seeds.loading import GoldAnswers

_AT_ONCE = 8
TOLERATED = 0.05
"""Share of gold answers and reference solutions that may fail their own check."""
_WORDS = re.compile(r"[^\W\d_]{2,}")
_VALUE = re.compile(r"[\d\\=^*/+<>∞π√]")


class SolutionCheck(Record):
    """What became of reference solutions on the tests of their own and of another problem."""

    checked: int
    """Reference solutions judged on their own tests."""
    accepted: int
    """Of these, proved correct."""
    undetermined: int
    """Of these, neither: the statement allows several outputs, or the sandbox failed."""
    exceptions: tuple[tuple[str, str], ...]
    """Those not proved correct, but for problems with several right outputs: the instruction, and why."""
    shifted: int
    """Solutions judged on the tests of another problem."""
    false_accepts: tuple[tuple[str, str], ...]
    """Of these, proved correct there: the instruction, and whose solution it was."""
    expectations: Mapping[str, int]
    """Verdicts by what was expected (`pass → correct`), for the solutions something was known of."""
    disagreements: tuple[tuple[str, str], ...]
    """Solutions expected to pass that are not proved correct."""


class DatasetCheck(Record):
    """Both rates of one dataset."""

    dataset: str
    """Dataset."""
    answers: SelfCheck | None
    """Gold answers; None where it has none."""
    solutions: SolutionCheck | None
    """Reference solutions; None where it has none, or no sandbox was given."""
    conflicts: tuple[tuple[str, str], ...]
    """Problems that were read before with another gold answer: the instruction, and that answer."""
    unchecked: int
    """Instructions that nothing here can check: judged ones, and tests without a solution."""
    odd: tuple[tuple[str, str], ...] = ()
    """Gold answers that are words where the others are values: the instruction, and its gold answer."""

    @property
    def passed(self) -> bool:
        """Whether a run may begin with this dataset: the rule of `validate` and of `seeds check` alike.

        Up to 5% of gold answers and reference solutions may fail their own check, as in most published sets. Solutions
        that pass another problem's tests are no failure: easy and hard versions share solutions.
        """
        answers, solutions = self.answers, self.solutions
        golds_fail = answers is not None and answers.checked - answers.accepted > answers.checked * TOLERATED
        wrong = 0 if solutions is None else solutions.checked - solutions.accepted - solutions.undetermined
        return not (
            golds_fail
            or self.odd
            or (answers is not None and answers.false_accepts)
            or (solutions is not None and (wrong > solutions.checked * TOLERATED or solutions.disagreements))
        )


class GoldKinds:
    """Tells gold answers that are words from those that are values, while instructions are read.

    In a set of numbers, `forty` or `see above` is most often a slip of whoever wrote the file. Every answer `40` would
    then be taken for wrong, and made the rejected side of pairs.
    """

    def __init__(self) -> None:
        self._values: Counter[str] = Counter()
        self._words: dict[str, list[tuple[str, str]]] = {}

    def add(self, instruction: Instruction) -> None:
        """Notes an instruction."""
        gold = instruction.gold
        if instruction.grader not in ("math", "number") or not gold:
            return
        if _WORDS.search(gold) and not _VALUE.search(gold):
            where = instruction.source or instruction.id[:12]
            self._words.setdefault(instruction.dataset, []).append((where, gold))
        else:
            self._values[instruction.dataset] += 1

    def odd(self) -> tuple[tuple[str, str], ...]:
        """Words of the datasets in which at least four in five gold answers are values: where each is, and it."""
        return tuple(
            item
            for dataset, words in self._words.items()
            if len(words) * 4 <= self._values[dataset]
            for item in dict.fromkeys(words)
        )


async def check_dataset(
    dataset: str,
    instructions: Sequence[Instruction],
    graders: Graders,
    sandbox: Sandbox | None,
    expected: Mapping[str, str] | None = None,
    progress: Callable[[], None] = lambda: None,
    *,
    shift: bool = True,
    limits: Limits | None = None,
) -> DatasetCheck:
    """Measures both rates of a dataset: what `seeds check` and `validate` report.

    Args:
        dataset: Its name.
        instructions: Its instructions; a problem's Math_CoT and Math_PoT instruction are checked once.
        graders: The graders.
        sandbox: Where reference solutions run; they are left unchecked if None.
        expected: What is known of reference solutions, by the record's own name: `pass`, `fail`, other words.
        progress: Called after each solution that was judged.
        shift: Also try the answers and solutions of other instructions, which must not be accepted.
        limits: Limits of reference solutions; the sandbox's own if None.
    """
    golds = GoldAnswers()
    conflicts = [(i.source, why) for i in instructions if (why := golds.conflict(i)) is not None]
    distinct = list(
        {(i.question, i.gold, i.gold_set, i.source if i.tests else ""): i for i in instructions}.values()
    )
    answered = [i for i in distinct if find_grader(i.grader).compare is not None]
    tested = [i for i in distinct if i.grader == "tests" and i.solutions and sandbox is not None]
    kinds = GoldKinds()
    for instruction in distinct:
        kinds.add(instruction)
    return DatasetCheck(
        odd=kinds.odd(),
        dataset=dataset,
        answers=await self_check(answered, graders, shift=shift) if answered else None,
        solutions=await _check_solutions(tested, sandbox, expected or {}, progress, shift, limits)
        if tested and sandbox
        else None,
        conflicts=tuple(conflicts),
        unchecked=len(distinct) - len(answered) - len(tested),
    )


async def _check_solutions(
    instructions: Sequence[Instruction],
    sandbox: Sandbox,
    expected: Mapping[str, str],
    progress: Callable[[], None],
    shift: bool,
    limits: Limits | None,
) -> SolutionCheck:
    slots = asyncio.Semaphore(_AT_ONCE)

    async def judge(program: str, instruction: Instruction) -> Verdict:
        assert instruction.tests is not None  # `tests` instructions have a suite
        async with slots:
            report = await sandbox.run_tests(program, instruction.tests, limits=limits)
        progress()
        return verdict_from_tests(instruction.tests, report, program)

    neighbours = zip(instructions[1:], instructions, strict=False)
    others = [(i, other) for i, other in neighbours if shift and i.question != other.question]
    try:
        async with asyncio.TaskGroup() as group:
            own = [group.create_task(judge(i.solutions[0], i)) for i in instructions]
            foreign = [group.create_task(judge(other.solutions[0], i)) for i, other in others]
    except* SandboxError as errors:
        raise errors.exceptions[0] from None
    verdicts = [task.result() for task in own]
    expectations: Counter[str] = Counter()
    disagreements: list[tuple[str, str]] = []
    for instruction, verdict in zip(instructions, verdicts, strict=True):
        known = expected.get(instruction.source.split("/", 2)[-1])
        if known is None:
            continue
        expectations[f"{known} → {verdict.label}"] += 1
        if known == "pass" and verdict.label is not Label.CORRECT:
            disagreements.append((instruction.source, f"expected {known}, {_why(verdict)}"))
    return SolutionCheck(
        checked=len(verdicts),
        accepted=sum(verdict.label is Label.CORRECT for verdict in verdicts),
        undetermined=sum(verdict.label is Label.UNDETERMINED for verdict in verdicts),
        exceptions=tuple(
            (instruction.source, _why(verdict))
            for instruction, verdict in zip(instructions, verdicts, strict=True)
            if verdict.label is Label.WRONG
            or (verdict.label is Label.UNDETERMINED and not _any_answer(instruction))
        ),
        shifted=len(foreign),
        false_accepts=tuple(
            (instruction.source, f"solution of {other.source}")
            for (instruction, other), task in zip(others, foreign, strict=True)
            if task.result().label is Label.CORRECT
        ),
        expectations=dict(sorted(expectations.items())),
        disagreements=tuple(disagreements),
    )


def _any_answer(instruction: Instruction) -> bool:
    """Whether the statement allows several right outputs: no verdict on the reference solution is no fault then."""
    return instruction.tests is not None and instruction.tests.any_answer


def _why(verdict: Verdict) -> str:
    return f"{verdict.label}: {verdict.reason or (verdict.evidence.detail if verdict.evidence else '')}"
