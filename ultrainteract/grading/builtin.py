"""The graders that come with the package, and those two that do not look at final answers."""

from __future__ import annotations

import re

from ultrainteract.grading.algebra import Algebra
from ultrainteract.grading.answer_set import same_set
from ultrainteract.grading.call_judging import ANY_CALL, first_allowed, judge_calls
from ultrainteract.grading.calls import same_calls
from ultrainteract.grading.choice import same_boolean, same_choice, truth
from ultrainteract.grading.equivalence import decide
from ultrainteract.grading.extract import NoAnswer, candidates
from ultrainteract.grading.finding import Finding
from ultrainteract.grading.latex import Malformed
from ultrainteract.grading.number import is_number
from ultrainteract.grading.number_readings import unless_read_otherwise
from ultrainteract.grading.question import Question
from ultrainteract.grading.registry import GRADERS, Gold, Grader, grader, text_is_missing
from ultrainteract.grading.text import same_text
from ultrainteract.schema import Call, calls_json


def _shortened(text: str) -> str:
    return text if len(text) <= 60 else text[:59] + "…"


def _no_expression(gold: Gold) -> str:
    if re.search(r"\w|\\[A-Za-z]", gold.text):
        return ""
    return text_is_missing(gold) or f"gold answer '{_shortened(gold.text)}' is no expression"


def _no_number(gold: Gold) -> str:
    if is_number(gold.text):
        return ""
    return text_is_missing(gold) or f"gold answer '{_shortened(gold.text)}' is no number"


def _no_choice(gold: Gold) -> str:
    count = len(gold.choices)
    if not gold.text:
        return text_is_missing(gold)
    if not count:
        return "there are no answer choices (in a mapping, `choices` names the field that holds them)"
    if count < 2 or not all(gold.choices):
        return "there are fewer than two answer choices, or an empty one"
    if len(gold.text) == 1 and 0 <= ord(gold.text) - ord("A") < min(count, 26):
        return ""
    return f"gold answer '{_shortened(gold.text)}' names none of {count} choices"


def _neither_yes_nor_no(gold: Gold) -> str:
    if gold.text in ("yes", "no"):
        return ""
    return text_is_missing(gold) or f"gold answer '{_shortened(gold.text)}' is neither yes nor no"


@grader("math", check="equivalence", fault=_no_expression)
def math(question: Question, answer: str, algebra: Algebra) -> Finding:
    """Mathematical equivalence."""
    return decide(question.gold, answer, question.setting, algebra)


@grader("number", fault=_no_number)
def number(question: Question, answer: str, algebra: Algebra) -> Finding:
    """A number, with or without its unit."""
    return decide(question.gold, answer, question.setting, algebra)


@grader("choice", fault=_no_choice)
def choice(question: Question, answer: str, algebra: Algebra) -> Finding:
    """One of several choices, by letter or by text."""
    return same_choice(question.gold, question.choices, answer, question.setting, algebra)


@grader("boolean", fault=_neither_yes_nor_no)
def boolean(question: Question, answer: str, algebra: Algebra) -> Finding:
    """Yes or no."""
    return same_boolean(question.gold, answer, program=question.setting.program)


@grader("text")
def text(question: Question, answer: str, algebra: Algebra) -> Finding:
    """A short text, after normalisation."""
    program = question.setting.program
    if truth(question.gold) is not None:
        return same_boolean(question.gold, answer, program=program)
    try:
        found = candidates(answer, program=program)
    except (NoAnswer, Malformed) as error:
        return Finding.unknown(str(error))
    whole = same_text(question.gold, answer)
    if whole.is_equal or not found:
        return whole
    final = same_text(question.gold, found[-1].text)
    if len(found) > 1 and not found[-1].marked:
        if final.is_equal:
            return Finding.unknown("several lines, of which the last is the gold answer")
        if any(not same_text(question.gold, candidate.text).is_unequal for candidate in found[:-1]):
            return Finding.unknown("several lines, of which another may be the answer")
    if final.is_unequal:
        return unless_read_otherwise(final, question.gold, found[-1].text, same_text)
    return final


@grader(
    "answer_set",
    fault=lambda gold: "" if gold.values and all(gold.values) else "the gold answer is missing",
    stated=lambda gold: gold.values[0] if len(gold.values) == 1 else repr(list(gold.values)),
)
def answer_set(question: Question, answer: str, algebra: Algebra) -> Finding:
    """Several values, each of which must be given, in any order."""
    return same_set(question.gold_set or (question.gold,), answer, program=question.setting.program)


@grader("calls")
def calls(question: Question, answer: str, algebra: Algebra) -> Finding:
    """Function calls, or none."""
    return same_calls(question.gold_set, answer)


def _stated_calls(gold: Gold) -> str:
    return calls_json(Call(name="any") if text == ANY_CALL else first_allowed(text) for text in gold.values)


def _no_calls(gold: Gold) -> str:
    try:
        for text in gold.values:
            if text != ANY_CALL:
                first_allowed(text)
    except (ValueError, RecursionError):
        return "a right call cannot be read"
    return ""


@grader("function_calls", fault=_no_calls, stated=_stated_calls)
def function_calls(question: Question, answer: str, algebra: Algebra) -> Finding:
    """Function calls by schema and value: what the published rule and a careful reading both say."""
    return judge_calls(question.functions, question.gold_set, answer, careful=True)


@grader("bfcl_calls", fault=_no_calls, stated=_stated_calls)
def bfcl_calls(question: Question, answer: str, algebra: Algebra) -> Finding:
    """Function calls by schema and value: the published rule of BFCL alone."""
    return judge_calls(question.functions, question.gold_set, answer, careful=False)


for _name in ("tests", "judge", "final_state"):
    GRADERS.add(_name, Grader(_name, _name, None, fault=lambda gold: "", stated=lambda gold: ""))
