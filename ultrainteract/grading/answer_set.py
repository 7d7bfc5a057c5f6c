"""Sets of answers from tables, compared as the WikiTableQuestions evaluation does: numbers, dates and strings.

Written anew from its published rules: every distinct gold value must be given and nothing else, in any order; numbers
agree within 1e-6; strings after removing accents, citation marks, trailing parentheses and quotes. Beyond these rules,
dates in words and thousands separators are read, and what may be another spelling of a gold value is not known.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain

from ultrainteract.grading.assignment import assign
from ultrainteract.grading.dates import Date, parse_dates, same_date
from ultrainteract.grading.extract import MAX_ANSWER, NoAnswer, candidates
from ultrainteract.grading.finding import NO_ANSWER, Basis, Finding
from ultrainteract.grading.latex import Malformed
from ultrainteract.grading.literals import NotLiteral, member, members, parse_expression
from ultrainteract.grading.number import parse_number
from ultrainteract.grading.number_readings import number_readings
from ultrainteract.grading.number_words import number_from_words
from ultrainteract.grading.text import same_text
from ultrainteract.grading.units import split_unit

_CITATIONS = re.compile(r"((?<!^)\[[^\]]*\]|\[\d+\]|[•♦†‡*#+])*$")
_DETAILS = re.compile(r"(?<!^)( \([^)]*\))*$")
_SIGNS = re.compile(r"(?<=\w)([+#]+|[-−])$")
"""Citation marks by the published rules, and yet what tells `C++`, `C#`, `A+` and `AB-` apart."""
_QUOTED = re.compile(r'^"([^"]*)"$')
TOLERANCE = Fraction(1, 10**6)
MAX_MARKS = 50
"""Citation marks and remarks at the end of one cell that are taken off: no table has so many."""


def normalise(text: str) -> str:
    """The published normalisation of a table cell."""
    text = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    text = re.sub(r"[‘’´`]", "'", text)
    text = re.sub(r"[“”]", '"', text)
    text = re.sub(r"[‐‑‒–—−]", "-", text)
    for _ in range(MAX_MARKS):
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
    dates: tuple[Date, ...]
    with_unit: bool = False
    signs: str = ""
    """Signs that were stripped and may carry meaning: the plus signs of `C++`."""
    details: str = ""
    """What stood in parentheses at the end, which the rules strip."""


def _value(text: str) -> Value:
    plain = normalise(text)
    body, unit = split_unit(plain)
    number = parse_number(plain.replace("%", "").strip()) or (parse_number(body) if unit else None)
    value = number.value if number else number_from_words(plain)
    signs = _SIGNS.search(text.strip())
    return Value(
        plain, value, parse_dates(plain), unit is not None, signs[1] if signs else "", _details(text)
    )


def _details(text: str) -> str:
    found = re.search(r"\(([^()]*)\)\W*$", text)
    return " ".join(found[1].lower().split()) if found else ""


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
        return Finding.unknown("gold answer set is empty")
    if not answer.strip():
        return NO_ANSWER
    if len(answer) > MAX_ANSWER:
        return Finding.unknown(f"the answer has more than {MAX_ANSWER} characters")
    try:
        found = candidates(answer, program=program)
    except (NoAnswer, Malformed) as error:
        return Finding.unknown(str(error))
    texts = [candidate.text for candidate in found]
    if not texts:
        return NO_ANSWER
    doubt: Finding | None = None
    for reading in chain([[answer.strip()]], _readings(texts)):
        outcome = _match(right, list(dict.fromkeys(_value(text) for text in reading)))
        if outcome.is_equal:
            return outcome
        if outcome.is_unknown:
            doubt = doubt or outcome
    if doubt is not None:
        return doubt
    if any(not candidate.marked and candidate.text.endswith(":") for candidate in found):
        return Finding.unknown("a heading above the values")
    if program and _ALIGNED.search(answer):
        return Finding.unknown("printed columns, which may have a heading")
    for other in number_readings(answer.strip())[1:]:
        if not same_set(gold, other, program=program).is_unequal:
            return Finding.unknown("a comma or point that may part decimals or thousands")
    return Finding.unequal("the values differ")


_ALIGNED = re.compile(r"^ {2,}\S", re.MULTILINE)


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
    """The members of a printed Python list, tuple, set or array, or the text that a printed text is."""
    if not _LITERAL.match(text):
        return None
    try:
        node = parse_expression(text)
        found = members(node)
        return [member(node)] if found is None else found
    except NotLiteral:
        return None


_LITERAL = re.compile(r"[\[({'\"]|[A-Za-z_][\w.]*\(")


def _match(gold: list[Value], given: list[Value]) -> Finding:
    if len(gold) != len(given):
        return Finding.unequal(f"{len(given)} values where {len(gold)} are asked for")
    return assign(gold, given, _same, why="the same values", otherwise="a gold value is not given")


def _same(gold: Value, given: Value) -> Finding:
    if gold.text == given.text:
        if gold.signs != given.signs:
            return Finding.unknown("the texts differ in a sign behind them")
        if gold.details and given.details and gold.details != given.details:
            return Finding.unknown("the texts differ in parentheses behind them")
        return Finding.equal("the same text")
    if gold.number is not None and given.number is not None:
        if abs(gold.number - given.number) < TOLERANCE:
            if gold.with_unit and given.with_unit:
                return Finding.unknown("the same number in another unit")
            loose = gold.with_unit or given.with_unit
            return Finding.equal("the same number", Basis.CONVENTION if loose else Basis.EXACT)
        return Finding.unequal("different numbers")
    if gold.dates and given.dates:
        return same_date(gold.dates, given.dates)
    if {gold.text, given.text} <= _TRUTHS.keys():
        same = _TRUTHS[gold.text] == _TRUTHS[given.text]
        return Finding.either(same, "the same answer", "the other answer", Basis.CONVENTION)
    return same_text(gold.text + gold.signs, given.text + given.signs)


_TRUTHS = {"yes": True, "true": True, "no": False, "false": False}
