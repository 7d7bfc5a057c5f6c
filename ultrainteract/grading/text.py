"""Normalised text, as question-answering benchmarks compare it, and when two texts are the same answer."""

from __future__ import annotations

import re
import string
import unicodedata
from difflib import SequenceMatcher
from fractions import Fraction

from ultrainteract.grading.compound import clock
from ultrainteract.grading.dates import parse_dates, same_date
from ultrainteract.grading.finding import Basis, Finding
from ultrainteract.grading.number import Number, parse_number
from ultrainteract.grading.number_words import number_from_words, says_none
from ultrainteract.grading.quantity import Quantity, may_be_restated, quantity, worded
from ultrainteract.grading.shapes import Scalar

MAX_CHARS = 2_000
"""Longest text that is compared word by word."""
_ARTICLES = re.compile(r"(?<!\S)(?:a|an|the)(?!\S)")
_MEANS_SOMETHING = r"(?<=\d)[./:](?=\d)|(?<=[^\W_])(?:[+#]+|[-*])(?![^\s.,;:!?)\]}'\"])|(?<=[+])[+]"
_PUNCTUATION = re.compile(rf"(?!{_MEANS_SOMETHING})[{re.escape(string.punctuation)}‘’“”´`–—−…]")
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

    This is the normalisation of SQuAD and HotpotQA, except that what carries meaning stays: signs and points within a
    number, and the signs that end a word (`C++`, `C#`, `AB-`, `Na+`, `A*`).

    Args:
        text: Any text.
    """
    text = unicodedata.normalize("NFKD", text.casefold())
    text = "".join(char for char in text if not unicodedata.combining(char))
    text = re.sub(r"(?<=\d),(?=\d{3}\b)", "", text)
    text = _MINUS.sub(" minus ", text.replace("−", "-").replace("–", "-")).replace("%", " percent ")
    text = _PUNCTUATION.sub(" ", text.replace("'s", "s"))
    return " ".join(_ARTICLES.sub(" ", text).split() or text.split())


def same_text(gold: str, answer: str) -> Finding:
    """Whether two texts are the same answer.

    Equal after normalisation is the same. Sharing words, initials, or most letters is not to be known: it may be
    another name of the same thing, and so may a text in another script and a chemical formula. Anything else is
    different. Scripts that part no words by spaces are compared by characters.

    Args:
        gold: The gold text.
        answer: The answer.
    """
    if re.fullmatch(r"[A-Z]", gold.strip()) and re.match(rf"\W*{gold.strip()}\W", answer):
        return Finding.unknown("a letter with something after it")
    if max(len(gold), len(answer)) > MAX_CHARS:
        if gold.strip() == answer.strip():
            return Finding.equal("the same text")
        return Finding.unknown(f"a text has more than {MAX_CHARS} characters")
    right, given = normalise(gold), normalise(answer)
    if not right:
        if gold.strip() == answer.strip():
            return Finding.equal("the same text")
        return Finding.unknown("the gold answer has no words")
    if right == given:
        return Finding.equal("the same text")
    if right.replace(" ", "") == given.replace(" ", "") and right.replace(" ", "").isalpha():
        return Finding.equal("the same text")
    if not given:
        return Finding.unequal("no words")
    if (numbers := [_number(text) for text in (right, given)]) and None not in numbers:
        return Finding.either(numbers[0] == numbers[1], "the same number", "different numbers")
    if (places := [_ordinal(text) for text in (right, given)]) and None not in places:
        return Finding.either(places[0] == places[1], "the same place", "another place")
    if (dates := parse_dates(gold)) and (given_dates := parse_dates(answer)):
        return same_date(dates, given_dates)
    if doubt := _amounts(gold, answer):
        return Finding.unknown(doubt)
    if _content(right) == _content(given):
        return Finding.equal("the same words but for small ones", Basis.CONVENTION)
    words = [set(re.findall(r"\w+", text.casefold())) for text in (gold, answer)]
    if words[0] and words[1] and (words[0] <= words[1] or words[1] <= words[0]):
        return Finding.unknown("all words of one text are in the other")
    if "".join(re.findall(r"\w", gold.casefold())) == "".join(re.findall(r"\w", answer.casefold())):
        return Finding.unknown("the same letters, apart in another way")
    shared = (set(right.split()) & set(given.split())) - _COMMON
    if shared:
        return Finding.unknown(f"the texts share '{sorted(shared)[0]}' but are not the same")
    if _initials(right, given) or _initials(given, right):
        return Finding.unknown("one text may abbreviate the other")
    if _stems(right) & _stems(given) or right.startswith(given) or given.startswith(right):
        return Finding.unknown("the texts share the beginning of a word")
    scripts = [_scripts(text) for text in (right, given)]
    if all(scripts) and not scripts[0] & scripts[1]:
        return Finding.unknown("texts in different scripts, of which one may transcribe the other")
    if scripts[0] & scripts[1] & _UNSPACED and set(right) & set(given) - {" "}:
        return Finding.unknown("texts without spaces that share a character")
    if _FORMULA.search(gold) or _FORMULA.search(answer):
        return Finding.unknown("a formula or a code, which may name the same thing as a word does")
    if {right, given} <= _NOTHING:
        return Finding.unknown("two ways to say that there is no value")
    if not re.search(r"[^\W\d]", right + given) and re.sub(r"\d+", "0", right) == re.sub(r"\d+", "0", given):
        return Finding.unequal("different digits")
    if _spelled_alike(right, given):
        return Finding.unknown("the texts are spelled alike")
    return Finding.unequal("different texts", Basis.CONVENTION)


def _spelled_alike(right: str, given: str) -> bool:
    """Whether most letters agree in their order; of long texts, whether most letters occur in both (a bound of it)."""
    matcher = SequenceMatcher(None, right, given, autojunk=False)
    if matcher.quick_ratio() < 0.75:
        return False
    return len(right) + len(given) > _LONG or matcher.ratio() >= 0.75


_LONG = 400
"""Characters of two texts from which on they are not aligned: that takes the cube of their length."""


def _scripts(text: str) -> set[str]:
    """Names of the scripts of a text's letters, as Unicode names begin: `LATIN`, `CYRILLIC`, `CJK`."""
    return {unicodedata.name(char, "UNKNOWN").split()[0] for char in text if char.isalpha()}


_UNSPACED = {"CJK", "HIRAGANA", "KATAKANA", "THAI", "LAO", "KHMER", "MYANMAR", "TIBETAN"}
_FORMULA = re.compile(r"(?<![^\W_])(?=[^\W_]*[A-Z])(?=[^\W_]*\d)(?:[A-Z][a-z]?\d*){2,}(?![^\W_])")


def _number(text: str) -> Fraction | None:
    """The number that a normalised text is, in digits or in words."""
    number = parse_number(text.replace("minus ", "-"))
    return number.value if number else number_from_words(text)


def _amounts(gold: str, answer: str) -> str:
    """Why two texts may state the same amount although their words differ; empty where they do not."""
    right, given = _amount(gold), _amount(answer)
    if right.number and given.number:
        if may_be_restated(right.number, right.unit, given.number) or may_be_restated(
            given.number, given.unit, right.number
        ):
            return "amounts that may be the same in another unit or wording"
    elif right.number and not right.number.value:
        return "words that may say that there is nothing"
    elif given.number and not given.number.value and says_none(gold):
        return "zero, which may be what is said in words"
    return ""


def _amount(text: str) -> Quantity:
    text = text.strip().rstrip(".")
    if time := clock(text):
        return Quantity(Scalar(text), Number(time[0]), time[1])
    return quantity(worded(text) or Scalar(text))


def _ordinal(text: str) -> int | None:
    if found := re.fullmatch(r"(\d{1,9})(?:st|nd|rd|th)", text):
        return int(found[1])
    return _ORDINALS.index(text) + 1 if text in _ORDINALS else None


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
