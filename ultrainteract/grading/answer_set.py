"""Sets of answers from tables, compared as the WikiTableQuestions evaluation does: numbers, dates and strings.

Written anew from its published rules: every distinct gold value must be given and nothing else, in any order; numbers
agree within 1e-6; strings after removing accents, citation marks, trailing parentheses and quotes. Beyond these rules,
dates in words and thousands separators are read, and what may be another spelling of a gold value is not known.
"""

from __future__ import annotations

import ast
import re
import unicodedata
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain

from ultrainteract.grading.dates import Date, parse_date, same_date
from ultrainteract.grading.extract import MAX_ANSWER, NoAnswer, candidates
from ultrainteract.grading.latex import Malformed
from ultrainteract.grading.number import NUMBER_WORDS, Finding, parse_number
from ultrainteract.grading.text import same_text
from ultrainteract.grading.units import split_unit

_CITATIONS = re.compile(r"((?<!^)\[[^\]]*\]|\[\d+\]|[•♦†‡*#+])*$")
_DETAILS = re.compile(r"(?<!^)( \([^)]*\))*$")
_QUOTED = re.compile(r'^"([^"]*)"$')
TOLERANCE = Fraction(1, 10**6)


def normalise(text: str) -> str:
    """The published normalisation of a table cell."""
    text = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    text = re.sub(r"[‘’´`]", "'", text)
    text = re.sub(r"[“”]", '"', text)
    text = re.sub(r"[‐‑‒–—−]", "-", text)
    while True:
        before = text
        text = _CITATIONS.sub("", text.strip())
        text = _DETAILS.sub("", text.strip())
        text = _QUOTED.sub(r"\1", text.strip())
        if text == before:
            break
    return " ".join(text.removesuffix(".").lower().split())


@dataclass(frozen=True)
class Value:
    """One value of a set, in all the ways it can be read."""

    text: str
    number: Fraction | None
    date: Date | None
    with_unit: bool = False


def _value(text: str) -> Value:
    plain = normalise(text)
    body, unit = split_unit(plain)
    number = parse_number(NUMBER_WORDS.get(plain, plain).replace("%", "").strip()) or (
        parse_number(body) if unit else None
    )
    return Value(plain, number.value if number else None, parse_date(plain), unit is not None)


def same_set(gold: tuple[str, ...], answer: str, *, program: bool) -> Finding:
    """Whether an answer gives exactly the gold values.

    Args:
        gold: Gold values.
        answer: The final answer as stated, or a program's output.
        program: It is a program's output.

    Raises:
        Failed: The answer is a program's error report.
    """
    right = list(dict.fromkeys(_value(text) for text in gold))
    if not right or not all(value.text for value in right):
        return Finding(None, "gold answer set is empty")
    if len(answer) > MAX_ANSWER:
        return Finding(None, f"the answer has more than {MAX_ANSWER} characters")
    try:
        found = candidates(answer, program=program)
    except (NoAnswer, Malformed) as error:
        return Finding(None, str(error))
    texts = [candidate.text for candidate in found]
    if not texts:
        return Finding(False, "no answer is given")
    doubt: Finding | None = None
    for reading in chain([[answer.strip()]], _readings(texts)):
        outcome = _match(right, list(dict.fromkeys(_value(text) for text in reading)))
        if outcome.equal:
            return outcome
        if outcome.equal is None:
            doubt = doubt or outcome
    return doubt or Finding(False, "the values differ")


def _readings(lines: list[str]) -> Iterator[list[str]]:
    """Every way to take the lines apart into values; each is complete, none drops a part."""
    text = lines[-1] if len(lines) == 1 else ""
    if len(lines) > 1:
        yield lines
        return
    if (members := _literal(text)) is not None:
        yield members
        return
    yield [text]
    if len(spaced := text.split()) > 1 and all(parse_number(part) is not None for part in spaced):
        yield spaced
    for separator in (
        r"\s*\|\s*",
        r"\s*;\s*",
        r"\s*,\s+(?:and\s+)?",
        r"\s*,\s*",
        r"\s*,\s*(?:and\s+)?|\s+and\s+",
    ):
        parts = [part for part in re.split(separator, text) if part.strip()]
        if len(parts) > 1:
            yield parts


def _literal(text: str) -> list[str] | None:
    """The members of a printed Python list, tuple or set."""
    if text[:1] not in "[({'\"":
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SyntaxWarning)
            value = ast.literal_eval(re.sub(r"\b(?:np|numpy)\.\w+\(([^()]*)\)", r"\1", text))
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return None
    if isinstance(value, list | tuple | set) and all(isinstance(v, str | int | float) for v in value):
        return [str(v) for v in value]
    return [str(value)] if isinstance(value, str) else None


def _match(gold: list[Value], given: list[Value]) -> Finding:
    if len(gold) != len(given):
        return Finding(False, f"{len(given)} values where {len(gold)} are asked for")
    doubt: Finding | None = None
    certain = 1.0
    rest = list(given)
    for value in gold:
        findings = [_same(value, other) for other in rest]
        hit = next((i for i, found in enumerate(findings) if found.equal), None)
        if hit is not None:
            certain = min(certain, findings[hit].reliability)
            del rest[hit]
        elif any(found.equal is None for found in findings):
            doubt = doubt or next(found for found in findings if found.equal is None)
        else:
            return Finding(False, "a gold value is not given")
    return doubt or Finding(True, "the same values", certain)


def _same(gold: Value, given: Value) -> Finding:
    if gold.text == given.text:
        return Finding(True, "the same text")
    if gold.number is not None and given.number is not None:
        if abs(gold.number - given.number) < TOLERANCE:
            if gold.with_unit and given.with_unit:
                return Finding(None, "the same number in another unit")
            return Finding(True, "the same number", 0.98 if gold.with_unit or given.with_unit else 1.0)
        return Finding(False, "different numbers")
    if gold.date is not None and given.date is not None:
        return same_date(gold.date, given.date)
    if {gold.text, given.text} <= _TRUTHS.keys():
        same = _TRUTHS[gold.text] == _TRUTHS[given.text]
        return Finding(same, "the same answer" if same else "the other answer", 0.98)
    return same_text(gold.text, given.text)


_TRUTHS = {"yes": True, "true": True, "no": False, "false": False}
