"""Words, against words or against a value."""

from __future__ import annotations

import re

from ultrainteract.grading.comparison.context import Comparing
from ultrainteract.grading.finding import Basis, Finding
from ultrainteract.grading.number_words import NUMBER_WORDS, says_none
from ultrainteract.grading.quantity import plain_number, quantity, worded
from ultrainteract.grading.shapes import Items, Matrix, Region, Scalar, Shape, Words
from ultrainteract.grading.text import same_text


def words(c: Comparing, gold: Shape, answer: Shape) -> Finding:
    """Two answers of which at least one is in words.

    A number in words that is the other number is not known to be meant so. Nothing and none can be said in many ways
    (`none`, `no apples`, `free`), so that against a gold answer of zero words that name no number are not known.
    """
    texts = [shape.text if isinstance(shape, Words | Scalar) else None for shape in (gold, answer)]
    if texts[0] is None or texts[1] is None:
        if isinstance(answer, Words) and isinstance(gold, Region | Items):
            return Finding.unknown("words against a set or list")
        if isinstance(gold, Words) and any(char.isdigit() for char in gold.text):
            return Finding.unknown("words against a value")
        if isinstance(gold, Matrix | Region | Items):
            return Finding.unequal("words against a value")
        return Finding.unknown("words against a value")
    if (
        isinstance(gold, Words)
        and re.fullmatch(r"[A-Z]", gold.text)
        and not re.fullmatch(r"[A-Za-z]", texts[1])
    ):
        return Finding.unknown("the gold answer is the letter of a choice")
    plain = [text.strip().lower().rstrip(".") for text in texts if text is not None]
    if plain[0] in _YES_NO and plain[1] in _YES_NO:
        same = _YES_NO[plain[0]] == _YES_NO[plain[1]]
        return Finding.either(same, "the same answer", "the other answer")
    if plain[0] in _YES_NO:
        return Finding.unknown("neither yes nor no")
    numeric = [isinstance(shape, Scalar) and quantity(shape).number is not None for shape in (gold, answer)]
    if any(numeric):
        other = plain[0] if numeric[1] else plain[1]
        if (named := worded(other)) is not None:
            return _named_number(c, *((gold, named) if numeric[0] else (named, answer)))
        number = plain_number(gold if numeric[0] else answer)
        if number and not number.value and (numeric[0] or says_none(other)):
            return Finding.unknown("words that may say that there is nothing")
        if other == "none":
            return Finding.unequal("no value")
        if re.fullmatch(r"[ivxlcdm]{2,}", other):
            return Finding.unknown("words that may be a Roman numeral")
        if any(char.isdigit() for char in other) or _COUNTING & set(re.split(r"[\s-]+", other)):
            return Finding.unknown("words that hold a number")
        return Finding.unequal("words against a number")
    if not all(isinstance(shape, Words) or re.fullmatch(r"[A-Za-z ]+", shape.text) for shape in (gold, answer)
               if isinstance(shape, Words | Scalar)):  # fmt: skip
        return Finding.unknown("words against an expression")
    return same_text(texts[0], texts[1])


def _named_number(c: Comparing, gold: Shape, answer: Shape) -> Finding:
    """A number in words against one in digits: the same value is no proof that the same is meant."""
    found = c.shapes(gold, answer)
    if found.is_equal:
        return Finding.unknown("a number in words")
    return found.resting_on(Basis.CONVENTION)


_YES_NO = {"yes": "yes", "true": "yes", "no": "no", "false": "no"}
_COUNTING = {
    "half", "quarter", "third", "dozen", "hundred", "thousand", "million", "billion", "none", "double", "twice",
    "thrice", "both", "few", "several", "many", "some", "lot", "lots",
    *NUMBER_WORDS,
}  # fmt: skip
