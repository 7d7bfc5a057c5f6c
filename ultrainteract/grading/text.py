"""Normalised text, as question-answering benchmarks compare it, and when two texts are the same answer."""

from __future__ import annotations

import re
import string
import unicodedata
from difflib import SequenceMatcher
from fractions import Fraction

from ultrainteract.grading.dates import parse_date, same_date
from ultrainteract.grading.number import NUMBER_WORDS, Finding, parse_number

_ARTICLES = re.compile(r"\b(?:a|an|the)\b")
_PUNCTUATION = re.compile(rf"(?!(?<=\d)[./:](?=\d))[{re.escape(string.punctuation)}‘’“”´`–—−…]")
_MINUS = re.compile(r"(?<![\w.,])[-−–]\s*(?=[$€£]?\s*\.?\d)")
_COMMON = {
    "of",
    "in",
    "on",
    "at",
    "about",
    "circa",
    "to",
    "and",
    "or",
    "is",
    "was",
    "by",
    "for",
    "with",
    "it",
    "from",
    "s",
}
_NOTHING = {
    "undefined", "not defined", "does not exist", "dne", "no solution", "no solutions", "none", "no limit", "infinite",
    "diverges", "divergent", "no real solution", "no real solutions", "nothing", "no such number", "not possible",
    "impossible", "infinitely many", "unbounded", "no value", "cannot be determined", "indeterminate", "inconsistent",
}  # fmt: skip


def normalise(text: str) -> str:
    """Lower case, without accents, punctuation, articles and extra spaces.

    This is the normalisation of SQuAD and HotpotQA, except that signs and points that belong to a number stay.

    Args:
        text: Any text.
    """
    text = unicodedata.normalize("NFKD", text.casefold())
    text = "".join(char for char in text if not unicodedata.combining(char))
    text = re.sub(r"(?<=\d),(?=\d{3}\b)", "", text)
    text = _MINUS.sub(" minus ", text).replace("%", " percent ")
    text = _PUNCTUATION.sub(" ", text.replace("'s", "s"))
    return " ".join(_ARTICLES.sub(" ", text).split() or text.split())


def same_text(gold: str, answer: str) -> Finding:
    """Whether two texts are the same answer.

    Equal after normalisation is the same. Sharing words, initials, or most letters is not to be known: it may be
    another name of the same thing. Anything else is different.

    Args:
        gold: The gold text.
        answer: The answer.
    """
    if re.fullmatch(r"[A-Z]", gold.strip()) and re.match(rf"\W*{gold.strip()}\W", answer):
        return Finding(None, "a letter with something after it")
    right, given = normalise(gold), normalise(answer)
    if not right:
        return Finding(gold.strip() == answer.strip() or None, "the gold answer has no words")
    if right == given:
        return Finding(True, "the same text")
    if right.replace(" ", "") == given.replace(" ", "") and right.replace(" ", "").isalpha():
        return Finding(True, "the same text")
    if not given:
        return Finding(False, "no words")
    if (numbers := [_number(text) for text in (right, given)]) and None not in numbers:
        return Finding(
            numbers[0] == numbers[1], "the same number" if numbers[0] == numbers[1] else "different numbers"
        )
    if (places := [_ordinal(text) for text in (right, given)]) and None not in places:
        return Finding(
            places[0] == places[1], "the same place" if places[0] == places[1] else "another place"
        )
    if (one := parse_date(gold)) and (other := parse_date(answer)) and (found := same_date(one, other)):
        return found
    if _content(right) == _content(given):
        return Finding(True, "the same words but for small ones", 0.98)
    words = [set(re.findall(r"\w+", text.casefold())) for text in (gold, answer)]
    if words[0] and words[1] and (words[0] <= words[1] or words[1] <= words[0]):
        return Finding(None, "all words of one text are in the other")
    if "".join(re.findall(r"\w", gold.casefold())) == "".join(re.findall(r"\w", answer.casefold())):
        return Finding(None, "the same letters, apart in another way")
    shared = (set(right.split()) & set(given.split())) - _COMMON
    if shared:
        return Finding(None, f"the texts share '{sorted(shared)[0]}' but are not the same")
    if _initials(right, given) or _initials(given, right):
        return Finding(None, "one text may abbreviate the other")
    if _stems(right) & _stems(given) or right.startswith(given) or given.startswith(right):
        return Finding(None, "the texts share the beginning of a word")
    if {right, given} <= _NOTHING:
        return Finding(None, "two ways to say that there is no value")
    if not re.search(r"[^\W\d]", right + given) and re.sub(r"\d+", "0", right) == re.sub(r"\d+", "0", given):
        return Finding(False, "different digits")
    if SequenceMatcher(None, right, given, autojunk=False).ratio() >= 0.75:
        return Finding(None, "the texts are spelled alike")
    return Finding(False, "different texts", 0.97)


def _number(text: str) -> Fraction | None:
    words, _, scale = text.rpartition(" ")
    factor = _SCALES.get(scale) if words else None
    text = words if factor else text
    number = parse_number(NUMBER_WORDS.get(text, text.replace("minus ", "-")))
    return number.value * (factor or 1) if number else None


def _ordinal(text: str) -> int | None:
    if found := re.fullmatch(r"(\d{1,9})(?:st|nd|rd|th)", text):
        return int(found[1])
    return _ORDINALS.index(text) + 1 if text in _ORDINALS else None


_SCALES = {"hundred": 100, "thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}
_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth", "eleventh",
             "twelfth")  # fmt: skip


def _stems(text: str) -> set[str]:
    return {word[:5] for word in text.split() if len(word) > 5}


def _content(text: str) -> list[str]:
    words = [word for word in text.split() if word not in _COMMON]
    return words or text.split()


def _initials(short: str, long: str) -> bool:
    letters, words = short.replace(" ", ""), long.split()
    first = "".join(word[0] for word in words)
    return len(words) > 1 and len(letters) > 1 and (first.startswith(letters) or letters.startswith(first))
