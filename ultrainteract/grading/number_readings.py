"""Numbers as other countries write them: `3,14` for 3.14, `1.234,5` and `1'234.5` for 1234.5.

Guarantee: a comma or point that may be either is never used to call an answer wrong.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from ultrainteract.grading.finding import Finding


def unless_read_otherwise(
    found: Finding, gold: str, answer: str, compare_texts: Callable[[str, str], Finding]
) -> Finding:
    """A finding that two texts differ, or not known where they agree once a comma is read as a decimal point.

    Args:
        found: The finding, unequal.
        gold: The gold answer.
        answer: The answer.
        compare_texts: Compares two texts.
    """
    golds, answers = number_readings(gold), number_readings(answer)
    for right, given in ((g, a) for g in golds for a in answers if (g, a) != (gold, answer)):
        if not compare_texts(right, given).is_unequal:
            return Finding.unknown("a comma or point that may part decimals or thousands")
    return found


def number_readings(text: str) -> list[str]:
    """The text, and the text with each number read as in countries that write `1.234,5` for 1234.5."""
    readings = [text]
    if len(text) > 200 or _BRACKETED.search(_BOX_OPENING.sub("", text)):
        return readings
    european = _EUROPEAN.sub(_in_english, text)
    return readings if european == text else [text, european]


def _in_english(found: re.Match[str]) -> str:
    whole, decimals = re.sub(r"[.']", "", found[1]), found[2]
    if decimals and len(decimals) == 3 and decimals[-1] == "0" and len(whole) <= 3 and whole != "0":
        return found[0]  # `5,000`: thousands, since nobody writes decimals that end so
    return f"{whole}.{decimals}" if decimals else whole


_BOX_OPENING = re.compile(r"\\boxed\s*\{|\\text\s*\{")
_BRACKETED = re.compile(r"[(\[{]|\\[A-Za-z]")
_EUROPEAN = re.compile(r"(?<![\d.,'])(\d{1,3}(?:[.']\d{3})+|\d+(?=,))(?:,(\d+))?(?![\d,']|\.\d)")
