"""What a loader says of a record, and how it becomes instructions: one for each task.

A loader yields a `Problem`: the statement, the ground truth, the check. This module adds what is the same for
every dataset: the published prompt of each task, the tools, the licence, the source id, and the refusal of a
problem whose ground truth could never verify an answer.
"""

from __future__ import annotations

from typing import Self

from ultrainteract.grading.registry import Gold, find_grader
from ultrainteract.readers.rows import MAX_TEXT, Unusable
from ultrainteract.schema import (
    Backend,
    FeedbackWording,
    Function,
    GraderName,
    Instruction,
    Message,
    Record,
    Task,
    TestSuite,
    Tool,
)
from ultrainteract.tools import described
from ultrainteract.wording import ENGLISH, Wording

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


class Problem(Record):
    """One record, understood."""

    question: str
    """The bare problem."""
    grader: GraderName
    """The check that decides."""
    body: str | None = None
    """What the prompt shows below its preamble, where that is more than the question (such as choices)."""
    prompt: str | None = None
    """The whole prompt, where it does not follow the published pattern of its task."""
    gold: str | None = None
    """Gold answer; for `choice` the letter."""
    gold_set: tuple[str, ...] = ()
    """Gold answers of `answer_set`."""
    unit: str | None = None
    """Unit of a numeric answer."""
    choices: tuple[str, ...] = ()
    """Answer choices, the first is A."""
    tests: TestSuite | None = None
    """Tests."""
    entry_point: str | None = None
    """Function to call, for a coding problem without tests whose tests are to be made."""
    rationales: tuple[str, ...] = ()
    """Gold rationales without dataset markup."""
    solutions: tuple[str, ...] = ()
    """Gold programs; for a mathematics problem they belong to its Math_PoT instruction alone."""
    tools: tuple[Tool, ...] = ()
    """Tools on offer. Math_PoT always has the interpreter and Math_CoT has none, whatever stands here."""
    simplify: bool = True
    """Whether a Math_PoT prompt asks to simplify the answer (published for MATH, absent for mathqa)."""
    difficulty: str | None = None
    """The dataset's own level."""
    tags: tuple[str, ...] = ()
    """The dataset's own categories."""
    record_id: str | None = None
    """The record's own id; its place in the file if None."""
    functions: tuple[Function, ...] = ()
    """Functions on offer (task `Tools`)."""
    dialogue: tuple[Message, ...] = ()
    """The conversation up to the request."""
    backend: Backend | None = None
    """What answers the calls."""
    task: Task | None = None
    """The one task that it is for; all of its dataset's if None."""
    whole: Instruction | None = None
    """The instruction that the record is already: it is taken as it stands, whatever stands beside it here."""

    @classmethod
    def of(cls, instruction: Instruction) -> Self:
        """The problem of a record that is an instruction already, with nothing of it lost."""
        shared = (name for name in cls.model_fields if name in Instruction.model_fields)
        return cls(whole=instruction, **{name: getattr(instruction, name) for name in shared})

    def instruction(
        self,
        task: Task,
        dataset: str,
        source: str,
        licence: str | None,
        *,
        tested: bool = True,
        wording: Wording = ENGLISH,
    ) -> Instruction:
        """The instruction of this problem for `task`.

        Args:
            task: The task.
            dataset: Published dataset name.
            source: Source id.
            licence: Licence of the data.
            tested: Whether a coding problem must have tests; without them it can only be given some.
            wording: Published words of the seed set.

        Raises:
            Unusable: The statement is empty or too long, or the ground truth cannot verify anything.
        """
        _check(self, tested)
        if self.whole is not None:
            own = wording == ENGLISH
            words = _feedback(wording.feedback, calls=bool(self.functions))
            return self.whole if own else self.whole.model_copy(update={"wording": words})
        tools: tuple[Tool, ...] = self.tools
        if task.kind is Task.MATH_POT:
            tools = ("python",)
        elif task.kind is Task.MATH_COT:
            tools = ()
        body = self.question if self.body is None else self.body
        return Instruction(
            task=task,
            dataset=dataset,
            prompt=self.prompt
            if self.prompt is not None
            else wording.render(task, body, described(tools), self.simplify),
            question=self.question,
            grader=self.grader,
            gold=self.gold,
            gold_set=self.gold_set,
            unit=self.unit,
            choices=self.choices,
            tests=self.tests,
            rationales=tuple(dict.fromkeys(text for text in self.rationales if text)),
            solutions=()
            if task.kind is Task.MATH_COT
            else tuple(dict.fromkeys(s for s in self.solutions if s)),
            tools=tools,
            difficulty=self.difficulty,
            tags=self.tags,
            licence=licence,
            source=source,
            wording=_feedback(wording.feedback, calls=bool(self.functions)),
            functions=self.functions,
            dialogue=self.dialogue,
            backend=self.backend,
        )


def _feedback(words: FeedbackWording, *, calls: bool) -> FeedbackWording | None:
    """The words of an instruction's feedback; results of calls have tags of their own and no label."""
    words = words.model_copy(update={"output": ""}) if calls else words
    return None if words == ENGLISH.feedback else words


def _check(problem: Problem, tested: bool) -> None:
    if not problem.question:
        raise Unusable("the problem statement is empty")
    if len(problem.body or problem.question) > MAX_TEXT:
        raise Unusable(f"the prompt would have more than {MAX_TEXT:,} characters")
    if problem.grader == "tests" and tested and (problem.tests is None or not problem.tests.cases):
        raise Unusable("there is no test case; `ultrainteract seeds tests` makes some")
    fault = find_grader(problem.grader).fault(Gold(problem.gold or "", problem.gold_set, problem.choices))
    if fault:
        raise Unusable(fault)
