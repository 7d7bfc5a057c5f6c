"""Mathematical equivalence of a stated answer and a gold answer, for any algebra.

`decide` is the one place where an answer is taken apart, read and compared. Without an algebra it is the literal path;
the worker processes call the same function with sympy behind it.
"""

from __future__ import annotations

import re
from functools import lru_cache

from ultrainteract.grading.algebra import Algebra, NeedsAlgebra
from ultrainteract.grading.comparison import compare
from ultrainteract.grading.extract import Candidate, Failed, NoAnswer, candidates
from ultrainteract.grading.finding import NO_ANSWER, Finding
from ultrainteract.grading.latex import Malformed, Unreadable
from ultrainteract.grading.number import parse_number
from ultrainteract.grading.number_readings import unless_read_otherwise
from ultrainteract.grading.python_repr import looks_like_python, read_python
from ultrainteract.grading.setting import Setting
from ultrainteract.grading.shapes import Items, Scalar, Shape
from ultrainteract.grading.structure import read


def decide(gold: str, answer: str, setting: Setting, algebra: Algebra) -> Finding:
    """Whether `answer` states the gold answer, in every way in which commas and points can be read.

    Args:
        gold: The gold answer as the dataset gives it.
        answer: The final answer as stated, or a program's whole output.
        setting: What is known about the question.
        algebra: Decides what exact arithmetic cannot.

    Returns:
        The finding; `equal` is None wherever it cannot be known.

    Raises:
        NeedsAlgebra: The algebra is that of the literal path, and cannot decide.
        Failed: The answer is a program's error report.
    """
    found = _decide(gold, answer, setting, algebra)
    if not found.is_unequal or found.by_form:
        return found
    return unless_read_otherwise(found, gold, answer, lambda g, a: _decide(g, a, setting, algebra))


def _decide(gold: str, answer: str, setting: Setting, algebra: Algebra) -> Finding:
    try:
        right = read_gold(gold)
    except (Malformed, Unreadable, NoAnswer) as error:
        return _unreadable(gold, answer, error, setting.program)
    try:
        found = candidates(answer, program=setting.program)
    except (NoAnswer, Malformed) as error:
        return Finding.unknown(str(error))
    if not found:
        return NO_ANSWER
    if len(found) == 1:
        return _one(right, found[0], setting, algebra)
    return _several(right, found, setting, algebra)


@lru_cache(maxsize=2048)
def read_gold(gold: str) -> Shape:
    """The shape of a gold answer.

    Raises:
        Malformed: It is not well formed.
        Unreadable: Its notation is not read.
    """
    found = candidates(gold, program=False)
    if len(found) != 1 or found[0].sentence:
        return read(gold.strip())
    return read(found[0].text)


def _unreadable(gold: str, answer: str, error: ValueError, program: bool) -> Finding:
    """The gold answer has no known shape: literal equality is all that can be found, and only if it is well formed."""
    if isinstance(error, Unreadable):
        try:
            found = candidates(answer, program=program)
        except (NoAnswer, Malformed, Failed):
            found = []
        if len(found) == 1 and _squeeze(found[0].text) == _squeeze(gold):
            return Finding.equal("the same text")
    return Finding.unknown(f"gold answer cannot be read: {error}")


def _squeeze(text: str) -> str:
    return re.sub(r"[\s$]|\\left|\\right|\\[,;!:]", "", text)


def _one(gold: Shape, candidate: Candidate, setting: Setting, algebra: Algebra) -> Finding:
    try:
        shape = read_answer(candidate.text, setting.program)
    except (Malformed, Unreadable) as error:
        return Finding.unknown(str(error))
    found = compare(gold, shape, setting, algebra)
    if candidate.sentence and found.is_unequal:
        return Finding.unknown("a sentence that may hold another value as the answer")
    return found


def read_answer(text: str, program: bool) -> Shape:
    """The shape of one candidate answer.

    Args:
        text: The expression.
        program: It is a program's output.

    Raises:
        Malformed: It is not well formed.
        Unreadable: Its notation is not read.
    """
    if parse_number(text) is not None:
        return Scalar(text)
    if program or looks_like_python(text):
        shape = read_python(text) if _python_first(text, program) else None
        if shape is not None:
            return shape
    if program and re.search(r"(?<!\\)\b[A-Za-z_][\w.]{2,}\(", text):
        raise Unreadable("a printed value of a kind that is not read")
    if program and (numbers := _spaced_numbers(text)):
        return numbers
    return read(text)


def _python_first(text: str, program: bool) -> bool:
    """A bracketed literal outside a program's output is mathematical notation: `[1, 2]` is an interval there."""
    return "\\" not in text and (program or not text.lstrip().startswith(("[", "(", "{")) or "**" in text)


def _spaced_numbers(text: str) -> Shape | None:
    """Several numbers printed with spaces between them."""
    parts = text.split()
    if 1 < len(parts) <= 60 and all(parse_number(part) is not None for part in parts):
        return Items("list", tuple(Scalar(part) for part in parts))
    return None


def _several(gold: Shape, found: list[Candidate], setting: Setting, algebra: Algebra) -> Finding:
    """Several lines: the last is meant, unless it is one of several values that nothing tells apart."""
    last = found[-1]
    final = _one(gold, last, setting, algebra)
    if isinstance(gold, Items) and not final.is_equal:
        values = [candidate for candidate in found if not candidate.sentence]
        try:
            together = compare(
                gold,
                Items("list", tuple(read_answer(v.text, setting.program) for v in values)),
                setting,
                algebra,
            )
        except (Malformed, Unreadable):
            together = Finding.unknown("a line that cannot be read")
        if not together.is_unequal:
            return together
    if last.marked:
        return final
    others = [_one(gold, candidate, setting, algebra) for candidate in found[:-1]]
    if final.is_equal:
        bare = [other for candidate, other in zip(found[:-1], others, strict=True) if not candidate.labelled]
        if all(other.is_equal for other in bare):
            return final
        return Finding.unknown("several values, of which the last is the gold answer")
    if any(not other.is_unequal for other in others):
        return Finding.unknown("several lines, of which another may be the answer")
    return final


__all__ = ["Failed", "NeedsAlgebra", "decide", "read_answer", "read_gold"]
