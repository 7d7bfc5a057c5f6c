"""Instructions: problems with a ground truth that a machine can check."""

from __future__ import annotations

import json
from functools import cached_property
from typing import Literal

from pydantic import Field

from ultrainteract.schema.base import Record, Tool, content_hash
from ultrainteract.schema.calls import Backend, Function
from ultrainteract.schema.messages import Message
from ultrainteract.schema.tasks import Task
from ultrainteract.schema.verdict import GraderName


class TestCase(Record):
    """One test of a program. Its expected output is never visible to the program."""

    __test__ = False

    input: str
    """Standard input; for a function-call suite a JSON list of positional arguments; for `asserts` the code of the
    tests."""
    expected: str
    """Expected standard output; for a function-call suite the JSON of the expected return value."""
    public: bool = False
    """True where the instruction's text shows this case, so that feedback may quote its expected output."""


class Checker(Record):
    """How a program's output is compared with the expected one. Comparison happens outside the program."""

    kind: Literal["exact", "tokens", "floats", "unordered_lines", "program"] = "tokens"
    """exact: but for trailing whitespace; tokens: whitespace-separated tokens; floats: tokens, numbers within
    `tolerance`; unordered_lines: the multiset of lines; program: `program` decides."""
    tolerance: float = 1e-6
    """Tolerance of `floats`; between two whole numbers there is none."""
    error: Literal["either", "absolute", "relative"] = "either"
    """The kind of error that `tolerance` bounds; `either`: one of the two is enough."""
    program: str | None = None
    """Python source defining `check(input: str, expected: str, output: str) -> bool`; runs in the sandbox."""


class TestSuite(Record):
    """All tests of one coding problem."""

    __test__ = False

    kind: Literal["stdin", "call", "asserts"] = "stdin"
    """stdin: the program reads standard input and prints; call: a function is called and its value
    compared; asserts: code behind the program raises where it is wrong (benchmarks that ship such code)."""
    entry_point: str | None = None
    """Function (or method of `class Solution`) to call; `call` suites only."""
    cases: tuple[TestCase, ...]
    """The tests, in order."""
    checker: Checker = Checker()
    """How outputs are compared."""
    any_answer: bool = False
    """The statement allows several right outputs and no checker program is known: passing all tests proves an
    action correct, failing one leaves it undetermined unless the program crashed or ran out of time."""
    time_limit_s: float | None = None
    """Per-test time limit stated by the problem, in seconds."""
    memory_limit_mb: int | None = None
    """The problem's own memory limit, MiB."""
    preamble: str = Field(default="", exclude_if=lambda value: not value)
    """Code before the program, such as the imports and helpers that the problem shows; `asserts` suites only."""


class FeedbackWording(Record):
    """Published words of the user turn after an action."""

    correct: str
    """Says that the action is correct."""
    wrong: str
    """Says that the action is wrong."""
    output: str
    """Stands before what the program printed."""


class Instruction(Record):
    """A problem with a ground truth that a machine can check: the root of one tree."""

    task: Task
    """Published task name."""
    dataset: str
    """Published dataset name, such as `gsm8k` or `codecontest`."""
    prompt: str
    """The whole published instruction text: tool preamble, task sentence, problem."""
    question: str
    """The bare problem, without preamble."""
    grader: GraderName
    """The check that decides whether an action is correct."""
    gold: str | None = None
    """Gold final answer: an expression, a number, a choice letter, `yes`/`no`, a text."""
    gold_set: tuple[str, ...] = ()
    """Gold answers of the `answer_set` grader, all of which must be given, in any order."""
    unit: str | None = None
    """Unit of a numeric answer, where the dataset states one."""
    choices: tuple[str, ...] = ()
    """Texts of the answer choices; the first is choice A."""
    tests: TestSuite | None = None
    """Test cases of a coding problem."""
    rationales: tuple[str, ...] = ()
    """Gold rationales (text), without dataset markup."""
    solutions: tuple[str, ...] = ()
    """Gold solution programs (Python)."""
    tools: tuple[Tool, ...] = ()
    """Tools on offer to the actor."""
    difficulty: str | None = None
    """The dataset's own difficulty or level, as text."""
    tags: tuple[str, ...] = ()
    """The dataset's own categories."""
    licence: str | None = None
    """Licence of the seed data (SPDX id where there is one)."""
    source: str = ""
    """Where the record comes from: `dataset/split/record id`."""
    published_id: str | None = None
    """Id under which an imported instruction was published; takes the place of the content hash."""

    context: tuple[Message, ...] = Field(default=(), exclude_if=lambda value: not value)
    """The conversation before the prompt, where the prompt is a later turn of one."""
    wording: FeedbackWording | None = Field(default=None, exclude_if=lambda value: value is None)
    """Words of the feedback, where the seed set has its own (`ultrainteract.wording`)."""
    functions: tuple[Function, ...] = Field(default=(), exclude_if=lambda value: not value)
    """Functions that the actor may call (task `Tools`)."""
    dialogue: tuple[Message, ...] = Field(default=(), exclude_if=lambda value: not value)
    """The conversation up to the request, which is its last message; of earlier turns' calls, those that are right."""
    backend: Backend | None = Field(default=None, exclude_if=lambda value: value is None)
    """What answers the calls; None where nothing does, and they are judged by their arguments alone."""

    @cached_property
    def schemas(self) -> str:
        """The functions as one JSON text; empty where there are none."""
        shown = [
            {"name": f.name, "description": f.description, "parameters": f.parameters} for f in self.functions
        ]
        return json.dumps(shown, ensure_ascii=False) if shown else ""

    @cached_property
    def id(self) -> str:
        """Content hash of what makes the problem: task, dataset, prompt, gold and context (64 hex digits)."""
        parts = [self.task, self.dataset, self.prompt, self.gold, self.gold_set]
        return self.published_id or content_hash([*parts, self.context] if self.context else parts)
