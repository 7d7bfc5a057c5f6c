"""Numbers written in words: `twenty-one`, `a million`, `two and a half`, `three quarters`, `minus one point five`."""

from __future__ import annotations

import re
from fractions import Fraction

_UP_TO_TWENTY = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty",
)  # fmt: skip
_TENS = ("thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
NUMBER_WORDS = {word: value for value, word in enumerate(_UP_TO_TWENTY)} | {
    word: value for value, word in zip(range(30, 100, 10), _TENS, strict=True)
}
"""Whole numbers as single words."""
SCALES = {"thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}
PARTS = {
    "half": 2, "third": 3, "quarter": 4, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7, "eighth": 8, "ninth": 9,
    "tenth": 10, "hundredth": 100, "thousandth": 1000,
}  # fmt: skip
PLURAL_PARTS = {"halves": 2} | {f"{name}s": value for name, value in PARTS.items() if name != "half"}
_TOKEN = re.compile(r"\d[\d,]*(?:\.\d+)?|[a-z]+")
_SHAPE = re.compile(r"(?:\d[\d,]*(?:\.\d+)?|[a-z]+)(?:[\s-]+(?:\d[\d,]*(?:\.\d+)?|[a-z]+)|,\s+[a-z]+){0,30}")
_KNOWN = {
    *NUMBER_WORDS,
    *SCALES,
    *PARTS,
    *PLURAL_PARTS,
    "hundred",
    "dozen",
    "and",
    "a",
    "an",
    "point",
    "minus",
    "negative",
}
MAX_CHARS = 300
"""Longest text that is looked at."""


def number_from_words(text: str) -> Fraction | None:
    """The number that a text names in words, or None; a number in digits alone is not words.

    Args:
        text: Any text.
    """
    if len(text) > MAX_CHARS:
        return None
    text = text.lower().strip().rstrip(".")
    if not any(char.isalpha() for char in text) or not _SHAPE.fullmatch(text):
        return None
    tokens = _TOKEN.findall(text)
    if not all(token[0].isdigit() or token in _KNOWN for token in tokens):
        return None
    if tokens[0] in ("minus", "negative"):
        value = _positive(tokens[1:])
        return None if value is None else -value
    return _positive(tokens)


def in_digits(text: str) -> str | None:
    """The text with its numbers in words written in digits, or None where there are none.

    `twelve dollars and fifty cents` is `12 dollars and 50 cents`, `an hour and a half` is `3/2 hour`, and `half an
    hour` is `1/2 hour`.

    Args:
        text: Any text.
    """
    if len(text) > MAX_CHARS:
        return None
    plain = " ".join(text.lower().strip().rstrip(".").split())
    found = _NUMBER_PHRASE.sub(_digits, _PART_OF_ONE.sub(r"\1 ", plain))
    found = _UNIT_AND_PART.sub(lambda m: f"{Fraction(m[1]) + Fraction(m[3])} {m[2]}", found)
    return None if found == plain else found


def _digits(found: re.Match[str]) -> str:
    if found[0] in ("a", "an"):  # the article of a word, and no variable
        first = found.start() == 0 or found.string[: found.start()].endswith("and ")
        return "1" if first and re.match(r" [a-z]{3}", found.string[found.end() :]) else found[0]
    value = number_from_words(found[0])
    return found[0] if value is None else str(value)


_NUMBER = rf"(?:\d[\d,]*(?:\.\d+)?|{'|'.join(sorted(_KNOWN - {'and'}, key=len, reverse=True))})"
_NUMBER_PHRASE = re.compile(rf"\b{_NUMBER}(?:[\s-]+(?:and\s+)?{_NUMBER})*\b")
_PART_OF_ONE = re.compile(
    rf"\b({'|'.join([*PARTS, *PLURAL_PARTS])})\s+(?:of\s+)?an?\s+(?!dozen|hundred|{'|'.join(SCALES)})"
)
_UNIT_AND_PART = re.compile(r"(\d+) ([a-z]+) and (\d+/\d+)")


def says_none(text: str) -> bool:
    """True where a text holds a word that denies, so that it may say that there is nothing of what is counted."""
    return _DENIAL.search(text.lower()) is not None


_DENIAL = re.compile(r"\b(?:no|none|not|nothing|nobody|never|neither|nil|without)\b")


def _positive(tokens: list[str]) -> Fraction | None:
    if not tokens:
        return None
    halved = [token for token in tokens if token != "a"]
    if halved[:1] == ["half"] and len(halved) == 2:  # `half a dozen`, `a half dozen`
        whole = _whole(halved[1:])
        return None if whole is None or tokens[-1] in NUMBER_WORDS else whole / 2
    if "point" in tokens:
        at = tokens.index("point")
        digits = [NUMBER_WORDS.get(token, 10) for token in tokens[at + 1 :]]
        before = _whole(tokens[:at]) if at else Fraction(0)
        if before is None or not digits or any(digit > 9 for digit in digits):
            return None
        return before + Fraction(int("".join(map(str, digits))), 10 ** len(digits))
    if tokens[-1] in PARTS or tokens[-1] in PLURAL_PARTS:
        return _with_part(tokens[:-1], tokens[-1])
    return _whole(tokens)


def _with_part(tokens: list[str], part: str) -> Fraction | None:
    """`three` + `quarters`, `two and a` + `half`; `twenty` + `third` is an ordinal and no number."""
    size = PARTS.get(part) or PLURAL_PARTS[part]
    if not tokens:
        return Fraction(1, 2) if part == "half" else None
    whole = Fraction(0)
    if "and" in tokens:
        at = len(tokens) - 1 - tokens[::-1].index("and")
        before = _whole(tokens[:at])
        if before is None or tokens[at - 1] in {*SCALES, "hundred", "dozen"}:
            return None  # `a million and a half`: of a million, or of one
        whole, tokens = before, tokens[at + 1 :]
    count = Fraction(1) if tokens in ([], ["a"], ["an"], ["one"]) else _whole(tokens)
    if count is None or (count == 1) == (part in PLURAL_PARTS):
        return None
    return whole + count / size


def _whole(tokens: list[str]) -> Fraction | None:
    total, current = Fraction(0), None
    limit = None
    for number, token in enumerate(tokens):
        if token in ("a", "an"):
            if number or len(tokens) == 1 or tokens[1] not in {*SCALES, "hundred", "dozen"}:
                return None
            current = Fraction(1)
        elif token == "and":
            if number in (0, len(tokens) - 1) or tokens[number - 1] not in {*SCALES, "hundred"}:
                return None
        elif token[0].isdigit():
            if current is not None:
                return None
            current = Fraction(token.replace(",", ""))
        elif token in NUMBER_WORDS:
            value = NUMBER_WORDS[token]
            if current is not None and not _fits(current, value):
                return None
            current = (current or Fraction(0)) + value
        elif token == "hundred":
            if current is not None and current >= 100:
                return None
            current = (Fraction(1) if current is None else current) * 100
        elif token == "dozen":
            current = (Fraction(1) if current is None else current) * 12
        elif token in SCALES:
            if limit is not None and SCALES[token] >= limit:
                return None
            limit = SCALES[token]
            total += (Fraction(1) if current is None else current) * limit
            current = None
        else:
            return None
    if current is None and limit is None:
        return None
    return total + (current or 0)


def _fits(before: Fraction, value: int) -> bool:
    """True where a word may follow what stands before it: `twenty one`, `hundred five`; not `two five`."""
    if before.denominator != 1 or not before:
        return False
    rest = int(before) % 100
    return (rest == 0 and before >= 100) or (rest >= 20 and rest % 10 == 0 and 0 < value < 10)
