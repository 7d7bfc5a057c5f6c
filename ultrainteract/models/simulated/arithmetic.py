"""Arithmetic of gold rationales, understood well enough to redo it, or to get it wrong, without running anything.

Equations are found where they stand in a text, so that the text can be rewritten with a slip that carries through.
An equation counts only if it is true: what was read wrongly is dropped, never guessed.
"""

# ruff: noqa: RUF001 (texts use other signs than Python for the same operations)

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from random import Random
from typing import Literal, NamedTuple

Operator = Literal["+", "-", "*", "/"]

_LARGEST = 10**18
_TOKEN = re.compile(
    r"(?P<number>\d[\d,]*(?:\.\d+)?|\.\d+)(?P<percent>\s?\\?%)?"
    r"|(?P<op>\\times|\\cdot|\\div|[-+*/×÷−–·]|(?<![A-Za-z])x(?![A-Za-z]))|(?P<open>\()|(?P<close>\))"
    r"|(?P<word>[A-Za-z]+(?:['’][a-z]+)?)|(?P<skip>[$\s]+)|(?P<other>.)",
    re.DOTALL,
)
_RESULT = re.compile(
    r"\s*(?P<dollar>\\?\$?)\s*(?:\\boxed\{)?\$?(?P<number>-?(?:\d[\d,]*(?:\.\d+)?|\.\d+))(?P<tail>\s?\\?%)?"
)
_OPERATORS: dict[str, Operator] = {
    "\\times": "*", "\\cdot": "*", "\\div": "/", "×": "*", "·": "*", "÷": "/", "−": "-", "–": "-", "x": "*",
    "+": "+", "-": "-", "*": "*", "/": "/",
}  # fmt: skip


class Token(NamedTuple):
    """A piece of an expression: a number (with its value), an operator, a parenthesis, or a reference."""

    kind: Literal["number", "op", "(", ")", "ref"]
    text: str
    """The number as Python writes it, the operator, or the parenthesis."""
    value: Fraction = Fraction(0)
    """Of a number."""
    ref: int = -1
    """Of a reference: index of the calculation whose result stands here."""
    start: int = -1
    """Where it stands in the text it was read from."""
    end: int = -1
    """Where it ends there."""


@lru_cache(4096)
def read_number(text: str) -> Fraction | None:
    """The value of a plain number: sign, digits, thousands commas, decimal point, a simple fraction, `$`, `%`."""
    bare = text.strip().replace("\\$", "").replace("$", "").replace(",", "").strip()
    scale = 1
    if bare.endswith("%"):
        bare, scale = bare[:-1].rstrip("\\ "), 100
    if len(bare) > 30 or not re.fullmatch(r"-?(?:\d+(?:\.\d*)?|\.\d+)(?:/\d+)?", bare):
        return None
    top, _, bottom = bare.partition("/")
    if bottom and int(bottom) == 0:
        return None
    return Fraction(top if top[-1] != "." else top[:-1]) / (int(bottom) if bottom else 1) / scale


def write_number(value: Fraction) -> str:
    """A number as people write it: an integer, or a decimal of at most four places."""
    if value.denominator == 1:
        return str(value.numerator)
    rounded = f"{float(value):.4f}" if 10**4 % value.denominator == 0 else f"{float(value):.2f}"
    return rounded.rstrip("0").rstrip(".")


def evaluate(tokens: Sequence[Token], results: Sequence[Fraction] = ()) -> Fraction | None:
    """Value of an expression by the usual precedence; None where it is none, divides by zero, or is too large."""
    position = 0

    def peek() -> str:
        return tokens[position].kind if position < len(tokens) else ""

    def operator(which: str) -> str | None:
        if peek() == "op" and tokens[position].text in which:
            return tokens[position].text
        return None

    def total() -> Fraction:
        nonlocal position
        value = product()
        while (sign := operator("+-")) is not None:
            position += 1
            value = value + product() if sign == "+" else value - product()
        return value

    def product() -> Fraction:
        nonlocal position
        value = atom()
        while (sign := operator("*/")) is not None:
            position += 1
            value = value * atom() if sign == "*" else value / atom()
        return value

    def atom() -> Fraction:
        nonlocal position
        sign = operator("+-")
        kind = peek()
        if not kind:
            raise ValueError
        token = tokens[position]
        position += 1
        if sign is not None:
            return -atom() if sign == "-" else atom()
        if kind == "number":
            return token.value
        if kind == "ref":
            return results[token.ref]
        if kind != "(":
            raise ValueError
        value = total()
        if peek() != ")":
            raise ValueError
        position += 1
        return value

    if len(tokens) > 60:
        return None
    try:
        value = total()
    except (ValueError, ZeroDivisionError):
        return None
    if position != len(tokens) or abs(value.numerator) > _LARGEST or value.denominator > _LARGEST:
        return None
    return value


def read_expression(text: str) -> list[Token]:
    """The tokens of an expression, units and currency signs left out; not checked to be well-formed."""
    return [token for token in _tokens(text) if token is not None]


def _tokens(text: str) -> Iterator[Token | None]:
    """Tokens from left to right; None where something stands that no expression can reach across."""
    matches = list(_TOKEN.finditer(text))
    for number, match in enumerate(matches):
        start, end = match.span()
        if match["number"] is not None:
            value = read_number(match["number"] + ("%" if match["percent"] else ""))
            if value is None:
                yield None
            else:
                python = match["number"].replace(",", "")
                if match["percent"]:
                    python = write_number(value) if 10**4 % value.denominator == 0 else f"{python}/100"
                yield Token("number", python_number(python), value, start=start, end=end)
        elif match["op"] is not None:
            after = matches[number + 1] if number + 1 < len(matches) else None
            if match["op"] == "/" and after is not None and after["word"]:
                continue  # a unit such as miles/hour
            yield Token("op", _OPERATORS[match["op"]], start=start, end=end)
        elif match["open"] is not None or match["close"] is not None:
            yield Token("(" if match["open"] else ")", match.group(), start=start, end=end)
        elif match["other"] is not None:
            yield None


def python_number(text: str) -> str:
    """A plain number as Python writes it: without leading zeros."""
    whole, point, rest = text.partition(".")
    return (whole.lstrip("0") or "0") + point + rest


# --------------------------------------------------------------------------------------------- slips


def other_operator(tokens: Sequence[Token], rng: Random) -> list[Token]:
    """The expression with one operator mistaken for another."""
    places = [n for n, token in enumerate(tokens) if token.kind == "op" and n > 0]
    if not places:
        return list(tokens)
    place = rng.choice(places)
    likely = {"+": "-*", "-": "+/", "*": "/+", "/": "*-"}[tokens[place].text]
    return [t._replace(text=rng.choice(likely)) if n == place else t for n, t in enumerate(tokens)]


def other_number(tokens: Sequence[Token], given: Sequence[Fraction], rng: Random) -> list[Token]:
    """One number misread: one off, another number of the problem, or its digits swapped."""
    places = [n for n, token in enumerate(tokens) if token.kind == "number"]
    if not places:
        return list(tokens)
    place = rng.choice(places)
    old = tokens[place].value
    candidates = [old + 1, *(value for value in given if value != old)]
    if old.denominator == 1:
        swapped = int(str(abs(old.numerator))[::-1])
        candidates += [Fraction(n) for n in (old.numerator - 1, swapped) if n > 0 and n != old]
    value = rng.choice(candidates)
    return [
        t._replace(text=write_number(value), value=value) if n == place else t for n, t in enumerate(tokens)
    ]


def differs(value: Fraction, gold: Fraction) -> bool:
    """Whether neither rounding nor reading it as a percentage makes a value pass for the gold answer."""
    if value.denominator == 1 and gold.denominator == 1 and value not in (gold, gold * 100, gold / 100):
        return True
    close = max(Fraction(1, 5), abs(gold)) / 100
    return all(abs(value * scale - gold) > close for scale in (1, 100, Fraction(1, 100)))


# --------------------------------------------------------------------------------- equations within a text


@dataclass(frozen=True)
class Equation:
    """A true equation where it stands in a line of text."""

    tokens: tuple[Token, ...]
    """Left side."""
    value: Fraction
    """Right side."""
    start: int
    """Where the left side begins."""
    result: tuple[int, int]
    """Where the number on the right side stands."""
    unit: str
    """Word that says what the result counts; empty if there is none."""


_UNIT = re.compile(r"\s*\}?\$?\s*(?:(?:total|more|fewer|whole|new|of the)\s+)?([A-Za-z]{3,14})\b")
_NO_UNIT = frozenset(
    [
        ".", "a", "altogether", "an", "and", "are", "away", "back", "because", "but", "could", "did", "does",
        "during", "each", "every", "for", "from", "get", "gets", "had", "has", "have", "he", "her", "his",
        "how", "into", "its", "left", "less", "make", "makes", "more", "not", "off", "one", "out", "over",
        "per", "remaining", "she", "since", "so", "sold", "spent", "still", "than", "that", "the", "their",
        "then", "there", "therefore", "they", "this", "thus", "total", "was", "were", "which", "while", "will",
        "with", "would",
    ]
)  # fmt: skip


def equations(line: str) -> list[Equation]:
    """The true arithmetic equations of a line, from left to right."""
    found: list[Equation] = []
    for match in re.finditer(r"(?<![<>!=≤≥])=(?!=)", line):
        result = _RESULT.match(line, match.end())
        if result is None:
            continue
        value = read_number(result["number"] + ("%" if result["tail"] else ""))
        if value is None:
            continue
        floor = found[-1].result[1] if found else 0
        tokens = _left_side(line[: match.start()], value, floor)
        if tokens is None and result["tail"]:  # "(75/100)*100 = 75%": the sign names the unit
            value = value * 100
            tokens = _left_side(line[: match.start()], value, floor)
        if tokens is None:
            continue
        unit = _UNIT.match(line, result.end())
        name = "dollars" if "$" in result["dollar"] and "\\" not in line else ""
        if unit and unit.group(1).lower() not in _NO_UNIT:
            name = unit.group(1).lower()
        found.append(Equation(tuple(tokens), value, tokens[0].start, result.span("number"), name))
    return found


def _left_side(text: str, value: Fraction, floor: int) -> list[Token] | None:
    """The longest expression at the end of `text`, from `floor` on, that is worth `value`."""
    tokens: list[Token] = []
    for token in _tokens(text):
        if token is None:
            tokens.clear()
        elif token.start >= floor:
            tokens.append(token)
    for start, token in enumerate(tokens):
        side = tokens[start:]
        if token.kind not in ("number", "(") or not any(t.kind == "op" for t in side):
            continue
        if evaluate(side) == value:
            return side
    return None
