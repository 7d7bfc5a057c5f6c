"""Graders that follow a benchmark's own metric, where that is not equality: their verdicts are for evaluation alone.

A metric that allows a tolerance or a substring proves nothing about an action, so that its evidence carries no more
reliability than the convention that it is. Sources: TheoremQA (arXiv 2305.12524) and MINT (arXiv 2309.10691) with
their released checks, IFEval (arXiv 2311.07911).
"""

from __future__ import annotations

import json
import math
import re
from fractions import Fraction
from typing import Any

from ultrainteract.grading.algebra import Algebra, NeedsAlgebra, NoAlgebra
from ultrainteract.grading.choice import truth
from ultrainteract.grading.equivalence import decide
from ultrainteract.grading.extract import Candidate, NoAnswer, candidates
from ultrainteract.grading.finding import NO_ANSWER, Basis, Finding
from ultrainteract.grading.latex import Malformed
from ultrainteract.grading.literals import NotLiteral, parse_expression, plain_value
from ultrainteract.grading.number import parse_number
from ultrainteract.grading.question import Question
from ultrainteract.grading.registry import grader

THEOREMQA_TOLERANCE = Fraction(4, 100)
"""Relative tolerance of TheoremQA's decimal answers."""
MINT_TOLERANCE = Fraction(5, 100)
"""Relative tolerance of MINT's numbers."""
_OPTION = re.compile(r"\(?([a-d]) ?\)|^([a-d])$", re.IGNORECASE)
_AROUND = re.compile(r"\\(?:text|mathrm|left|right|,|;|!| )|[$`°]")


@grader("theoremqa")
def theoremqa(question: Question, answer: str, algebra: Algebra) -> Finding:
    """TheoremQA's answer by its type: decimals within 4 %, whole numbers rounded, lists in any order."""
    try:
        found = candidates(answer, program=question.setting.program)
    except (NoAnswer, Malformed) as error:
        return Finding.unknown(str(error))
    if not found:
        return NO_ANSWER
    try:
        gold, said = _typed(question.gold), _said(found)
    except NotLiteral as error:
        return Finding.unknown(f"the gold answer cannot be read: {error}")
    if isinstance(gold, bool):
        value = truth(said)
        if value is None:
            return Finding.unknown("the answer is neither true nor false")
        return Finding.either(value == gold, "the same truth value", "the other truth value")
    if isinstance(gold, str):
        option = _OPTION.search(said)
        if option is None:
            return Finding.unknown("the answer names no option")
        return Finding.either(
            f"({(option[1] or option[2]).lower()})" == gold, "the same option", "another option"
        )
    if isinstance(gold, list):
        return _same_list(gold, said)
    number = _number(said)
    if number is None:
        exact = decide(question.gold, answer, question.setting, algebra)
        return exact if exact.is_equal else Finding.unknown("the answer is no plain number")
    return Finding.either(_close(gold, number), "the number within the metric's tolerance", "another number",
                          Basis.CONVENTION)  # fmt: skip


@grader("mint")
def mint(question: Question, answer: str, algebra: Algebra) -> Finding:
    """MINT's answer: a number within 5 %, or the reference anywhere in the answer (lenient, as published)."""
    gold, said = question.gold.strip().lower(), answer.strip().lower()
    right, given = _decimal(gold), _decimal(said)
    if right is not None and given is not None:
        close = abs(right - given) <= MINT_TOLERANCE * abs(right)
        return Finding.either(close, "the number within 5 %", "another number", Basis.CONVENTION)
    return Finding.either(gold in said, "the reference occurs in the answer", "the reference does not occur",
                          Basis.CONVENTION)  # fmt: skip


@grader("brackets")
def brackets(question: Question, answer: str, algebra: Algebra) -> Finding:
    """A sequence of brackets, however it is spaced."""
    said = "".join(_AROUND.sub("", answer).split())
    if not said or set(said) - set("()[]{}<>"):
        return Finding.unknown("the answer is no sequence of brackets")
    return Finding.either(said == "".join(question.gold.split()), "the same brackets", "other brackets")


@grader("ifeval", whole=True)
def ifeval(question: Question, answer: str, algebra: Algebra) -> Finding:
    """IFEval's checks on the whole response, loosely read; the finding says how many instructions are kept."""
    if isinstance(algebra, NoAlgebra):  # the checkers load language data: in the worker process, once
        raise NeedsAlgebra
    from ultrainteract.grading.instructions import followed

    loose, strict = followed(json.loads(question.gold), answer)
    counts = f"loose {sum(loose)}/{len(loose)}, strict {sum(strict)}/{len(strict)}"
    return Finding.either(all(loose), counts, counts)


def _typed(gold: str) -> Any:
    """A gold answer by its type, as `seeds.datasets.theoremqa.typed_gold` writes it.

    Raises:
        NotLiteral: It is something else.
    """
    value: Any = gold if gold.startswith("(") else plain_value(parse_expression(gold))
    if isinstance(value, bool | str) or all(map(_is_finite, value if isinstance(value, list) else [value])):
        return value
    raise NotLiteral("it is neither a truth value, an option, a number nor a list of numbers")


def _is_finite(value: Any) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, int) and not isinstance(value, bool)


def _said(found: list[Candidate]) -> str:
    return _AROUND.sub("", found[-1].text).strip().rstrip(".")


def _number(text: str) -> Fraction | None:
    text = text.rpartition("=")[2].rpartition("≈")[2].strip()
    found = parse_number(text) or parse_number(re.sub(r"(?<=\d)\s+[^\d\s]+$", "", text))
    return found.value if found else None


def _close(gold: float, number: Fraction) -> bool:
    if isinstance(gold, int):
        return round(number) == gold
    return abs(Fraction(gold) - number) <= abs(Fraction(gold)) * THEOREMQA_TOLERANCE


def _same_list(gold: list[float], said: str) -> Finding:
    parts = [part for part in re.split(r"[,;]", said.strip("[](){}\\ ")) if part.strip()]
    numbers = [_number(part.strip(" ()[]{}")) for part in parts]
    if not numbers or any(number is None for number in numbers):
        return Finding.unknown("the answer is no list of numbers")
    pairs = zip(sorted(gold), sorted(number for number in numbers if number is not None), strict=False)
    same = len(gold) == len(numbers) and all(_close(right, given) for right, given in pairs)
    return Finding.either(same, "the same numbers", "other numbers", Basis.CONVENTION)


def _decimal(text: str) -> Fraction | None:
    try:
        return Fraction(float(text))
    except (ValueError, OverflowError):
        return None
