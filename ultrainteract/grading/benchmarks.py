"""Graders that follow a benchmark's own metric, where that is not equality: their verdicts are for evaluation alone.

A metric that allows a tolerance or a substring proves nothing about an action, so that its evidence carries no more
reliability than the convention that it is. Sources: TheoremQA (arXiv 2305.12524) and MINT (arXiv 2309.10691) with
their released checks, IFEval (arXiv 2311.07911).
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterable
from fractions import Fraction
from typing import Any

from ultrainteract.grading.algebra import Algebra, NeedsAlgebra, NoAlgebra
from ultrainteract.grading.choice import same_boolean, same_choice
from ultrainteract.grading.equivalence import decide
from ultrainteract.grading.extract import NoAnswer, candidates
from ultrainteract.grading.finding import NO_ANSWER, Basis, Finding
from ultrainteract.grading.latex import Malformed, clean
from ultrainteract.grading.literals import NotLiteral, parse_expression, plain_value
from ultrainteract.grading.number import Number
from ultrainteract.grading.quantity import quantity, worded
from ultrainteract.grading.question import Question
from ultrainteract.grading.registry import grader
from ultrainteract.grading.shapes import Scalar
from ultrainteract.grading.units import SCALES, conversion_factors

THEOREMQA_TOLERANCE = Fraction(4, 100)
"""Relative tolerance of TheoremQA's decimal answers."""
MINT_TOLERANCE = Fraction(5, 100)
"""Relative tolerance of MINT's numbers."""
_AROUND = re.compile(r"\\(?:text|mathrm|left|right|,|;|!| )|[$`°]")


@grader("theoremqa")
def theoremqa(question: Question, answer: str, algebra: Algebra) -> Finding:
    r"""TheoremQA's answer by its type: decimals within 4 %, whole numbers rounded, lists in any order.

    A unit is left out; scale, constants and percent sign count (`2 million`, `2 \pi`, `25%`). A percentage is read as
    the grader `math` reads it, so that it is not known where the number fits with the sign or without it alone.
    """
    setting = question.setting
    try:
        gold = _typed(question.gold)
    except NotLiteral as error:
        return Finding.unknown(f"the gold answer cannot be read: {error}")
    if isinstance(gold, bool):
        return same_boolean("yes" if gold else "no", answer, program=setting.program)
    if isinstance(gold, str):
        return same_choice(gold, (), answer, setting, algebra)
    try:
        found = candidates(answer, program=setting.program)
        if not found:
            return NO_ANSWER
        said = clean(found[-1].text).strip().rstrip(".")
    except (NoAnswer, Malformed) as error:
        return Finding.unknown(str(error))
    golds, texts = ([gold], [said]) if not isinstance(gold, list) else (gold, _members(said))
    numbers = [_number(text, algebra) for text in texts]
    if not numbers or any(number is None for number in numbers):
        exact = decide(question.gold, answer, setting, algebra)
        return exact if exact.is_equal else Finding.unknown("the answer is no plain number")
    known = [number for number in numbers if number]
    finding = _within_tolerance(golds, known, asks_percent=setting.asks_percent)
    restated = len(golds) == 1 and any(_close(golds[0], known[0].value * factor) for factor in _factors(said))
    return Finding.unknown("close, if it is in another unit") if finding.is_unequal and restated else finding


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


@grader("unanswerable")
def unanswerable(question: Question, answer: str, algebra: Algebra) -> Finding:
    """Whether an answer says that the problem cannot be answered, as GSM-Plus expects of problems that lack a datum.

    Saying so is right: that something is not known, not given or not enough, or cannot be found, and no number beside
    it. A plain value is wrong. Anything else (an expression, a condition, a value within a sentence) is not known.
    """
    try:
        found = candidates(answer, program=question.setting.program)
    except (NoAnswer, Malformed):
        return _says_unanswerable(answer, algebra)
    if not found:
        return NO_ANSWER
    findings = [_says_unanswerable(found[-1].text, algebra)]
    if not found[-1].marked:
        findings += [_says_unanswerable(candidate.text, algebra) for candidate in found[:-1]]
    if len({finding.outcome for finding in findings}) > 1 or (found[-1].sentence and findings[0].is_unequal):
        return Finding.unknown("a value among words that may be about something else")
    return findings[0]


@grader("ifeval", whole=True)
def ifeval(question: Question, answer: str, algebra: Algebra) -> Finding:
    """IFEval's checks on the whole response, loosely read; the finding says how many instructions are kept."""
    if isinstance(algebra, NoAlgebra):  # the checkers load language data: in the worker process, once
        raise NeedsAlgebra
    from ultrainteract.grading.instructions import followed

    loose, strict = followed(json.loads(question.gold), answer)
    counts = f"loose {sum(loose)}/{len(loose)}, strict {sum(strict)}/{len(strict)}"
    return Finding.either(all(loose), counts, counts)


def _says_unanswerable(text: str, algebra: Algebra) -> Finding:
    plain = _TEXT.sub(r"\1", text).strip().strip(".$").replace("’", "'").replace("\\", "")
    try:
        scalar = worded(plain) or Scalar(clean(text.strip().rstrip(".")))
    except Malformed:
        return Finding.unknown("the answer is not well formed")
    has_digits = re.search(r"\d", plain) is not None
    if _UNANSWERABLE.search(plain):
        if has_digits:
            return Finding.unknown("a number beside a statement that there is none")
        return Finding.equal("the problem cannot be answered", Basis.CONVENTION)
    if quantity(scalar).number is not None or (has_digits and algebra.constant(scalar) is not None):
        return Finding.unequal("a value, where there is none")
    return Finding.unknown("neither a value nor a statement that there is none")


_TEXT = re.compile(r"\\(?:text|mathrm|textbf|mathbf)\s*\{([^{}]*)\}")
_GAP = r"(?:\W+\w+){0,3}\W+"
_INFORMATION = r"(?:information|info|data|details?|facts?|context)"
_UNANSWERABLE = re.compile(
    r"^(?:none|null|n/?a|impossible)$"
    r"|\b(?:un(?:known|determin\w+|answerable|solvable|specified|certain|clear)|in(?:determin\w+|calculable|solvable))\b"
    # cannot be found
    rf"|\b(?:cannot|can't|can not|could not|couldn't|unable|impossible|not possible|no way|not able){_GAP}"
    r"(?:determin|calculat|comput|solv|answer|find|found|know|tell|say|conclu|deduc|infer|deriv|establish|work)\w*"
    # is not known or not given
    r"|\b(?:not|never|\w+n't)(?:\W+\w+){0,2}\W+(?:known?|given|specif(?:y|ied)|stated?|provided?|mention(?:ed)?|clear"
    r"|certain|sure|possible|determin\w+|answerable|solvable|computable|say|tell)\b"
    # there is not enough to go by
    rf"|\b(?:no|not|\w+n't|without|insufficient|inadequate|incomplete|missing|lack\w*|more|additional|further){_GAP}{_INFORMATION}\b"
    rf"|\b{_INFORMATION}(?:\W+\w+){{0,5}}\W+(?:missing|insufficient|inadequate|incomplete|lacking|unavailable)\b"
    r"|\bno (?:\w+ )?(?:answer|solution)\b",
    re.IGNORECASE,
)


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


def _members(text: str) -> list[str]:
    """The members of a list, in any brackets or none."""
    parts = re.split(r"[,;]|\band\b", text.strip("[](){}\\ "))
    return [part.strip(" ()[]{}") for part in parts if part.strip()]


def _number(text: str, algebra: Algebra) -> Number | None:
    """The number that a text states, with its scale and without its unit; None where it states none."""
    text = re.split(r"=|\\approx(?![A-Za-z])|≈", text)[-1].strip()
    stated = quantity(Scalar(text))
    if stated.number is not None:
        return None if stated.unit is not None and stated.unit.name in SCALES else stated.number
    if found := _SYMBOL.search(text):
        return _number(text[: found.start()], algebra)
    value = algebra.constant(Scalar(text)) if text else None
    return None if value is None else Number(value)


def _factors(text: str) -> set[Fraction]:
    """Factors by which a quantity may be restated in another unit, of which the gold answer may be."""
    unit = quantity(Scalar(text)).unit
    if unit is not None and unit.dimension is not None:
        return conversion_factors(unit)
    return (
        {Fraction(10) ** power for power in (-9, -6, -3, 3, 6, 9)} if unit or _SYMBOL.search(text) else set()
    )


_PREFIXED = (
    r"(?:[fpnµukMGTmcd]|\\mu ?)?(?:m|g|s|A|K|mol|Hz|N|Pa|J|W|C|V|F|S|Wb|T|H|eV|VA|VAR|L|l|bits?|B|dB|cal|bar|sr|Ω"
    r"|\\Omega)"
)
_POWER = r"(?:\^\{?-?\d\}?)?"
_SYMBOL = re.compile(
    rf"(?<=[\d)}}])\s+{_PREFIXED}{_POWER}(?:(?:\s*(?:/|\*|\\cdot)\s*|\s+){_PREFIXED}{_POWER})*$"
)


def _within_tolerance(golds: list[float], numbers: list[Number], *, asks_percent: bool) -> Finding:
    """Numbers against the gold numbers, in any order; a percentage is read as the grader `math` reads it."""

    def same(values: Iterable[Fraction], close: Callable[[float, Fraction], bool] = _close) -> bool:
        given = sorted(values)
        return len(golds) == len(given) and all(map(close, sorted(golds), given))

    bare, by_value = (n.value for n in numbers), (n.true_value for n in numbers)
    equal = Finding.equal("the number within the metric's tolerance", Basis.CONVENTION)
    if any(number.percent for number in numbers):
        alike = same(bare), same(by_value, _close_share)
        if any(alike):
            certain = alike[0] if asks_percent else alike[1]
            return equal if certain else Finding.unknown("close, if it is a percentage or if it is none")
    elif same(bare):
        return equal
    elif asks_percent and any(same(n.value * factor for n in numbers) for factor in (100, Fraction(1, 100))):
        return Finding.unknown("close but for a factor of 100, and the question asks for a percentage")
    return Finding.unequal("another number", Basis.CONVENTION)


def _close(gold: float, number: Fraction) -> bool:
    if isinstance(gold, int):
        return round(number) == gold
    return abs(Fraction(gold) - number) <= abs(Fraction(gold)) * THEOREMQA_TOLERANCE


def _close_share(gold: float, share: Fraction) -> bool:
    """Whether a percentage taken as a share is the gold number; a share is not rounded to a whole number."""
    return share == gold if isinstance(gold, int) else _close(gold, share)


def _decimal(text: str) -> Fraction | None:
    try:
        return Fraction(float(text))
    except (ValueError, OverflowError):
        return None
