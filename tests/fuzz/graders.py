"""Targets: every grader, the verdict on tests, and what statements say."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

from tests.fuzz.registry import target
from tests.fuzz.texts import texts
from tests.grading.collection import cases
from ultrainteract.grading import find_grader, graders, verdict_from_tests
from ultrainteract.grading.algebra import NeedsAlgebra, NoAlgebra
from ultrainteract.grading.number_words import number_from_words
from ultrainteract.grading.question import Question
from ultrainteract.grading.registry import settle
from ultrainteract.grading.setting import Setting
from ultrainteract.sandbox.base import CaseResult, TestReport
from ultrainteract.schema import TestCase, TestSuite
from ultrainteract.seeds.coding import is_shown
from ultrainteract.seeds.statements import examples, is_interactive, judging

CORPUS = sorted(
    {text for case in cases() if case.group != "bombs" for text in (case.answer, case.instruction.gold or "")}
)
CALLS = (
    "f(a=1)", "f(from='x')", "[f(1), g(b='y')]", '{"name": "f", "arguments": {"a": 1}}', "f(**{'a': 1})", "no call",
    '{"name": "f", "arguments": {"a": [1, 2], "b": [""]}, "order": ["a", "b"]}', "f(a={'x': [1]})",
)  # fmt: skip
FIELDS = ("grader", "gold", "gold_set", "choices", "program", "question", "answer")


def _inputs(name: str) -> st.SearchStrategy[Any]:
    text = texts(CALLS if name == "calls" else CORPUS)
    some = st.lists(text, max_size=4)
    return st.fixed_dictionaries(
        {
            "gold": text,
            "gold_set": some if name in ("calls", "answer_set") else st.just([]),
            "choices": some if name == "choice" else st.just([]),
            "program": st.booleans(),
            "question": st.sampled_from(
                ["Find it.", "What percent, approximately?", "In which order? Give the interval."]
            ),
            "answer": text,
        }
    )


def _grade(name: str, given: Any) -> list[Any]:
    setting = Setting.of(given["question"], program=given["program"], unit=None)
    question = Question(name, given["gold"], tuple(given["gold_set"]), tuple(given["choices"]), setting)
    try:
        found = settle(question, given["answer"], NoAlgebra())
    except NeedsAlgebra:
        return ["needs algebra"]
    except Exception as error:
        if type(error).__name__ == "Failed":  # the answer is an error report
            return ["failed", str(error)]
        raise
    return [found.outcome.value, found.why, int(found.basis)]


for _name, _entry in graders().items():
    if _entry.compare is not None:
        target(f"graders.{_name}", lambda n=_name: _inputs(n))(lambda given, n=_name: _grade(n, given))


@target(
    "graders.tests",
    lambda: st.tuples(texts(), texts(), texts(), st.sampled_from(["stdin", "call"]), st.booleans()),
)
def tests_of_programs(given: Any) -> Any:
    """The verdict on one failed or passed test, with a program to look at."""
    expected, output, program, kind, passed = given
    suite = TestSuite(kind=kind, entry_point="f", cases=(TestCase(input="[1]", expected=expected),))
    report = TestReport(results=(CaseResult(passed=passed, status="ok", output=output),))
    return verdict_from_tests(suite, report, program).model_dump(mode="json")


STATEMENTS = (
    "Print the answer with 5 digits after the decimal point.", "Input\n\nEach is given with two decimals.\n\nOutput\n\nThe sum.",
    "The absolute or relative error must not exceed 10^{-6}.", "Print YES in any case.", "Example\n\nInput\n\n1 2\n\nOutput\n\n3\n",
)  # fmt: skip


@target("seeds.statements", lambda: st.tuples(texts(STATEMENTS), texts(), texts()))
def statements(given: Any) -> Any:
    """What a statement says of its outputs."""
    statement, one, other = given
    checker, several = judging(statement)
    shown = [
        is_shown(one, other, statement),
        is_shown(json.dumps([one]), json.dumps(other), statement, call=True),
    ]
    return [checker.model_dump(mode="json"), several, shown, is_interactive(statement), examples(statement)]


@target(
    "graders.number_words",
    lambda: texts(("twenty-one", "two and a half", "minus one point five", "three quarters")),
)
def number_words(given: Any) -> Any:
    """Numbers in words."""
    return str(number_from_words(given))


assert find_grader("math").compare is not None
