"""Units and currencies of plain quantities: what they are, and how two of them relate.

Guarantee: a unit is split off only where it cannot be a variable, and two quantities are only converted between
units that are in the table; any other pair of different units is *unknown*, never *different*.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from ultrainteract.grading.number_words import PARTS, PLURAL_PARTS

_TABLE: dict[str, tuple[str, str]] = {
    # name -> (dimension, factor to the dimension's base)
    "nm": ("length", "1/1000000000"), "micrometer": ("length", "1/1000000"), "mm": ("length", "1/1000"),
    "millimeter": ("length", "1/1000"), "cm": ("length", "1/100"), "centimeter": ("length", "1/100"),
    "dm": ("length", "1/10"), "decimeter": ("length", "1/10"), "m": ("length", "1"), "meter": ("length", "1"),
    "mtr": ("length", "1"), "km": ("length", "1000"), "kilometer": ("length", "1000"), "in": ("length", "127/5000"),
    "inch": ("length", "127/5000"), "inche": ("length", "127/5000"), "ft": ("length", "381/1250"),
    "foot": ("length", "381/1250"), "feet": ("length", "381/1250"), "yd": ("length", "1143/1250"),
    "yard": ("length", "1143/1250"), "mi": ("length", "201168/125"), "mile": ("length", "201168/125"),
    "mg": ("mass", "1/1000"), "milligram": ("mass", "1/1000"), "g": ("mass", "1"), "gm": ("mass", "1"),
    "gram": ("mass", "1"), "kg": ("mass", "1000"), "kilogram": ("mass", "1000"), "kilo": ("mass", "1000"),
    "tonne": ("mass", "1000000"), "oz": ("mass", "45359237/1600000"), "ounce": ("mass", "45359237/1600000"),
    "lb": ("mass", "45359237/100000"), "pound": ("mass", "45359237/100000"),
    "ms": ("time", "1/1000"), "millisecond": ("time", "1/1000"), "s": ("time", "1"), "sec": ("time", "1"),
    "second": ("time", "1"), "min": ("time", "60"), "minute": ("time", "60"), "h": ("time", "3600"),
    "hr": ("time", "3600"), "hour": ("time", "3600"), "day": ("time", "86400"), "week": ("time", "604800"),
    "wk": ("time", "604800"), "month": ("months", "1"), "year": ("months", "12"), "yr": ("months", "12"),
    "decade": ("months", "120"), "century": ("months", "1200"), "centurie": ("months", "1200"),
    "ml": ("volume", "1/1000"), "milliliter": ("volume", "1/1000"), "cl": ("volume", "1/100"), "dl": ("volume", "1/10"),
    "l": ("volume", "1"), "liter": ("volume", "1"), "ltr": ("volume", "1"), "kl": ("volume", "1000"),
    "cup": ("us volume", "1"), "pint": ("us volume", "2"), "pt": ("us volume", "2"), "quart": ("us volume", "4"),
    "qt": ("us volume", "4"), "gallon": ("us volume", "16"), "gal": ("us volume", "16"),
    "tablespoon": ("us volume", "1/16"), "tbsp": ("us volume", "1/16"), "teaspoon": ("us volume", "1/48"),
    "tsp": ("us volume", "1/48"), "fluid ounce": ("us volume", "1/8"),
    "dollar": ("dollar", "1"), "usd": ("dollar", "1"), "buck": ("dollar", "1"), "cent": ("dollar", "1/100"),
    "penny": ("dollar", "1/100"), "pennie": ("dollar", "1/100"), "euro": ("euro", "1"), "eur": ("euro", "1"),
    "rupee": ("rupee", "1"), "r": ("rupee", "1"), "rs": ("rupee", "1"), "inr": ("rupee", "1"), "gbp": ("sterling", "1"),
    "yen": ("yen", "1"), "degree": ("angle", "1"), "deg": ("angle", "1"),
    "radian": ("radian", "1"), "rad": ("radian", "1"), "dozen": ("count", "12"),
    "pair": ("count", "2"), "couple": ("count", "2"), "score": ("count", "20"), "gross": ("count", "144"),
    "piece": ("count", "1"),
    "item": ("count", "1"), "percent": ("percent", "1"),
    "percentage": ("percent", "1"), "pct": ("percent", "1"),
    "mph": ("speed", "1397/3125"), "mi/h": ("speed", "1397/3125"), "mi/hr": ("speed", "1397/3125"),
    "mile/hour": ("speed", "1397/3125"), "km/h": ("speed", "5/18"), "kmph": ("speed", "5/18"), "kph": ("speed", "5/18"),
    "km/hr": ("speed", "5/18"), "kmh": ("speed", "5/18"), "kilometer/hour": ("speed", "5/18"), "m/s": ("speed", "1"),
    "m/sec": ("speed", "1"), "meter/second": ("speed", "1"), "ft/s": ("speed", "381/1250"),
    "ft/sec": ("speed", "381/1250"), "foot/second": ("speed", "381/1250"), "feet/second": ("speed", "381/1250"),
}  # fmt: skip
_SHORT = (
    {name for name in _TABLE if len(name) <= 2 and name not in ("r", "in")}
    | set("NJVWA")
    | {"Hz", "kW", "L", "mL", "kL"}
)
CURRENCIES = {"$": "dollar", "€": "euro", "£": "sterling", "₹": "rupee", "¥": "yen"}

_PREFIX = re.compile(
    r"(?P<sign>[+-]?)\s*(?:(?:US)?\s*(?P<mark>[$€£₹¥])\s*(?=[-+.\d\\(])"
    r"|(?P<word>[Rr]s|USD|EUR|INR|GBP)\s?\.?\s*(?=[-+.\d]))"
)
_TEXT_UNIT = re.compile(r"(?<=[\w})°%])\s*\\text\{([^{}]*)\}\s*(?:\^\s*(?:\{\s*([23])\s*\}|([23])))?\s*\.?$")
_WORD_UNIT = re.compile(
    r"(?<=[\d)}])\s*((?:[A-Za-z$€£₹°][A-Za-z'’.°]*)(?:(?:\s*/\s*|[\s-]+)[A-Za-z$€£]+\.?)*)\s*"
    r"(?:\^\s*(?:\{\s*([23])\s*\}|([23])))?\s*$"
)
_TEMPERATURE = re.compile(r"(?:\\text\{\s*)?°\s*(?:\\text\{\s*)?([CFK])(?:elsius|ahrenheit|elvin)?\s*\}?\.?$")
_ORDINAL = re.compile(r"(?<=\d)(?:st|nd|rd|th)$")
_SIGN_UNIT = re.compile(r"(?<=[\d)}])\s*([$€£₹¥])$")


@dataclass(frozen=True)
class Unit:
    """A unit as a name and, where it is in the table, its dimension and factor."""

    name: str
    dimension: str | None = None
    factor: Fraction = Fraction(1)


@lru_cache(maxsize=1024)
def make_unit(words: str, power: str | None = None) -> Unit | None:
    """The unit these words name; None for no words, or for `units`."""
    name = words.strip().strip(".,").lower().replace("’", "'")
    name = re.sub(r"\s+", " ", name)
    if name in CURRENCIES:
        name = CURRENCIES[name]
    exponent = int(power) if power else 1
    for prefix, value in (("square ", 2), ("sq. ", 2), ("sq ", 2), ("cubic ", 3), ("cu. ", 3), ("cu ", 3)):
        if name.startswith(prefix):
            name, exponent = name.removeprefix(prefix), value
    name = re.sub(r"\s*(?:/|\bper\b|\ban\b)\s*", "/", name)
    name = re.sub(r"\s+(?:of|in|from|for)\s+.*$", "", name).strip()
    if not name or name in ("unit", "units"):
        return Unit(f"unit^{exponent}") if exponent > 1 else None
    parts = [_singular(part.strip()) for part in name.split("/")]
    name = "/".join(parts)
    if name in ("am", "a.m", "pm", "p.m"):
        return Unit(name.replace(".", ""))
    if name in _TABLE:
        dimension, factor = _TABLE[name]
        return Unit(f"{name}^{exponent}", f"{dimension}^{exponent}", Fraction(factor) ** exponent)
    return Unit(f"{name}^{exponent}" if exponent > 1 else name)


def _singular(word: str) -> str:
    word = word.replace("metre", "meter").replace("litre", "liter")
    if word in ("inches", "boxes", "classes", "glasses", "dishes", "matches", "lunches", "branches"):
        return word[:-2]
    if len(word) > 3 and word.endswith("ies"):
        return word[:-3] + "y" if word not in ("pennies", "centuries") else word[:-1]
    if len(word) > 2 and word.endswith("s") and not word.endswith("ss"):
        return word[:-1]
    return word


def split_unit(text: str) -> tuple[str, Unit | None]:
    r"""Splits a cleaned quantity into its body and its unit or currency.

    A bare word is a unit only after a digit or a closing bracket, and a single letter only after a space: `5 m` but
    not `5m` or `2x`. `\text{…}` after an expression is always a unit.
    """
    unit: Unit | None = None
    if found := _PREFIX.match(text):
        unit = make_unit(CURRENCIES[found["mark"]] if found["mark"] else found["word"])
        text = found["sign"] + text[found.end() :]
    elif found := _SIGN_UNIT.search(text):
        return text[: found.start()].strip(), make_unit(found[1])
    text = _ORDINAL.sub("", text)
    if found := _TEMPERATURE.search(text):
        return text[: found.start()].strip(), Unit(f"°{found[1]}")
    if text.endswith("°") and not re.search(r"sin|cos|tan|cot|sec|csc", text):
        return text[:-1].strip(), make_unit("degree")
    if found := _TEXT_UNIT.search(text):
        words, power = found[1], found[2] or found[3]
        if re.fullmatch(r"\s*per ?cent(?:age)?\s*", words):
            return text[: found.start()].strip() + "%", unit
        return text[: found.start()].strip(), make_unit(words, power) or unit
    if found := _WORD_UNIT.search(text):
        words = found[1]
        if re.fullmatch(r"per ?cent(?:age)?|pct\.?", words.strip().lower()):
            return text[: found.start()].strip() + "%", unit
        if _is_unit(words, spaced=text[: found.start(1)].endswith(" ")):
            return text[: found.start()].strip(), make_unit(words, found[2] or found[3]) or unit
    return text, unit


def _is_unit(words: str, *, spaced: bool) -> bool:
    first = words.split("/")[0].strip(" .")
    if first.lower() in ("sec", "secs", "times") and "/" not in words:
        return spaced or first != "times"  # a secant or a product needs something behind it
    if "/" in words and make_unit(words) is not None and _known(words):
        return True
    if len(first) <= 2:
        return first in _SHORT and (spaced or (len(first) == 2 and first not in ("pt", "in", "min")))
    return (
        not _NO_UNITS & {first.lower(), first.lower().split()[0]}
        and (spaced or _known(words))
        and re.fullmatch(r"[A-Za-z$'’.\s/-]+", words) is not None
    )


def _known(words: str) -> bool:
    unit = make_unit(words)
    return unit is not None and unit.dimension is not None


_NO_UNITS = {
    "sin", "cos", "tan", "cot", "sec", "csc", "log", "exp", "sqrt", "and", "mod", "arcsin", "arccos",
    "arctan", "inf", "infinity", "the", "not", "but", "times", "plus", "minus", "over", "squared", "cubed",
    "divided", "more", "less", "than", "million", "thousand", "billion", "hundred", "trillion",
    "dozen", "remainder", "is", "are", "was", "were", "out", "or", "if", "when",
    "because", "since", "so", "which", "that", "to", "too", "from", "as", "factorial", "modulo", "choose",
    "few", "lot", "lots",
    *PARTS, *PLURAL_PARTS,
}  # fmt: skip


SCALES = {
    "hundred", "thousand", "million", "mio", "mln", "billion", "bn", "bln", "trillion", "trn", "lakh", "lac", "crore",
    "grand", "gross^1", "score^1", "dozen^1",
}  # fmt: skip
"""Names of units that are rather scales: `2 hundreds` and `3 crore` are neither 2 nor 3."""


_KINDRED = (
    {"time^1", "months^1"}, {"length^3", "volume^1", "us volume^1"}, {"angle^1", "radian^1"},
    {"dollar^1", "euro^1", "rupee^1", "sterling^1", "yen^1"},
)  # fmt: skip


def relation(gold: Unit | None, answer: Unit | None) -> tuple[str, Fraction]:
    """How two units relate: `same`, `missing`, `convertible` (with the factor), `kindred`, `conflict` or `unknown`.

    Kindred are units of which one can be stated in the other only roughly, by a rate, or by a factor not in the table.
    """
    if gold == answer:
        return "same", Fraction(1)
    if gold is None or answer is None:
        return "missing", Fraction(1)
    if gold.dimension and answer.dimension:
        if gold.dimension == answer.dimension:
            return "convertible" if gold.factor != answer.factor else "same", answer.factor / gold.factor
        kindred = any({gold.dimension, answer.dimension} <= dimensions for dimensions in _KINDRED)
        return "kindred" if kindred else "conflict", Fraction(1)
    if _head(gold) & _head(answer) and gold.name.partition("/")[2] == answer.name.partition("/")[2]:
        return "same", Fraction(1)
    return "unknown", Fraction(1)


def kelvin(value: Fraction, unit: Unit | None) -> Fraction | None:
    """A temperature in kelvin; None where the unit is no temperature's."""
    match unit.name if unit else "":
        case "°C":
            return value + Fraction("273.15")
        case "°F":
            return (value - 32) * Fraction(5, 9) + Fraction("273.15")
        case "°K":
            return value
    return None


def _head(unit: Unit) -> set[str]:
    """The words of a unit before `per`."""
    return set(unit.name.partition("/")[0].split())


def conversion_factors(unit: Unit) -> set[Fraction]:
    """Every factor by which a quantity in this unit may be restated in another unit of its dimension."""
    if unit.dimension is None:
        return set()
    dimension, _, power = unit.dimension.partition("^")
    return {
        unit.factor / Fraction(factor) ** int(power or 1)
        for other, factor in _TABLE.values()
        if other == dimension
    } - {Fraction(1)}
