"""Multiple choice and yes/no: what was chosen, by letter, by number or by the choice's own text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction

from ultrainteract.grading.algebra import Algebra
from ultrainteract.grading.comparison import compare
from ultrainteract.grading.equivalence import read_answer, read_gold
from ultrainteract.grading.extract import NoAnswer, candidates, denies
from ultrainteract.grading.finding import NO_ANSWER, Finding, Outcome
from ultrainteract.grading.latex import Malformed, Unreadable, clean
from ultrainteract.grading.number import Number
from ultrainteract.grading.number_readings import unless_read_otherwise
from ultrainteract.grading.quantity import plain_number
from ultrainteract.grading.setting import Setting
from ultrainteract.grading.shapes import Scalar
from ultrainteract.grading.text import normalise, same_text

_TEXT = re.compile(r"\\(?:text|textbf|mathrm|mathbf|textit)\s*\{([^{}]*)\}")
_LETTER = re.compile(
    r"(?:(?:choice|option)\s*)?[(\[]?\s*([A-Za-z])\s*(?:[)\]]|(?=[.:,\s]|$))\s*[.:,)]?\s*(.*)", re.I | re.S
)
_BRACKETED = re.compile(r"(?<![A-Za-z])([A-Za-z])\s*[)\]]")
_DASH = re.compile(r"[-–—]\s+")
_BEFORE_DASH = re.compile(r"[A-Za-z]\s*[-–—]\s")
_NUMBERED = re.compile(r"(?:option|choice)\s*\(?(\d)\)?\s*[.:)]?\s*(.*)", re.I | re.S)


def same_choice(
    gold: str, choices: Sequence[str], answer: str, setting: Setting, algebra: Algebra
) -> Finding:
    """Whether an answer picks the gold choice.

    Args:
        gold: The gold choice: its letter, `Option 2`, or its text.
        choices: Texts of the choices, A first; may be empty where only letters matter.
        answer: The final answer as stated, or a program's output.
        setting: What is known about the question.
        algebra: Decides choices that are expressions.

    Raises:
        NeedsAlgebra: The algebra is that of the literal path, and cannot decide.
        Failed: The answer is a program's error report.
    """
    index = _gold_index(gold, choices)
    if index is None:
        return Finding.unknown("gold answer is none of the choices")
    if (exact := _quoted(answer, index, choices)) is not None:
        return exact
    try:
        found = candidates(answer, program=setting.program)
    except (NoAnswer, Malformed) as error:
        return Finding.unknown(str(error))
    if not found:
        return NO_ANSWER
    final = _picked(_TEXT.sub(r"\1", found[-1].text), index, choices, setting, algebra)
    if len(found) > 1 and not found[-1].marked:
        others = [_picked(_TEXT.sub(r"\1", c.text), index, choices, setting, algebra) for c in found[:-1]]
        if any(not other.is_unknown and other.is_equal != final.is_equal for other in others):
            return Finding.unknown("several lines that pick different choices")
    if final.is_unequal and found[-1].sentence:
        return Finding.unknown("a sentence that may hold another value as the answer")
    return final


def _gold_index(gold: str, choices: Sequence[str]) -> int | None:
    texts = [normalise(choice) for choice in choices]
    if texts.count(normalise(gold)) == 1:
        return texts.index(normalise(gold))
    return _index(gold.strip(), len(choices))


def _index(text: str, count: int) -> int | None:
    if found := _NUMBERED.fullmatch(text):
        index = int(found[1]) - 1
    elif (found := _LETTER.fullmatch(text)) and not found[2]:
        index = ord(found[1].upper()) - ord("A")
    else:
        return None
    return index if 0 <= index < (count or 26) else None


def _quoted(text: str, gold: int, choices: Sequence[str]) -> Finding | None:
    """The verdict on a text that is one of the choices, word for word."""
    plain = _plain(text)
    fits = [i for i, choice in enumerate(choices) if _plain(choice) == plain]
    if not fits or len(plain) == 1:
        return None
    if gold in fits:
        return Finding.equal("the choice's text")
    if _equal_numbers(choices[gold], choices[fits[0]]):
        return Finding.unknown("the text of another choice of the same value")
    return Finding.unequal("the text of another choice")


def _equal_numbers(text: str, other: str) -> bool:
    numbers = [plain_number(Scalar(_spaced(one))) for one in (text, other)]
    values = {number.true_value if number else None for number in numbers}
    return len(values) == 1 and None not in values


def _plain(text: str) -> str:
    return " ".join(text.casefold().split()).rstrip(".").strip()


def _picked(text: str, gold: int, choices: Sequence[str], setting: Setting, algebra: Algebra) -> Finding:
    text = text.strip().rstrip(".")
    if (exact := _quoted(text, gold, choices)) is not None:
        return exact
    for pattern in (_NUMBERED, _LETTER):
        found = pattern.fullmatch(text)
        if not found:
            continue
        index = int(found[1]) - 1 if pattern is _NUMBERED else ord(found[1].upper()) - ord("A")
        rest = found[2].strip()
        if not 0 <= index < (len(choices) or 26):
            break
        if not rest:
            named = [i for i, choice in enumerate(choices) if normalise(choice) == normalise(text)]
            if named and index not in named:
                return Finding.unknown("a letter that is also the text of another choice")
            return _verdict(index, gold, choices)
        marked = pattern is _NUMBERED or not text[:1].isalpha() or text[1:2] in (")", ".", ":")
        marked = marked or _BEFORE_DASH.match(text) is not None
        if choices:
            if any(_of_text(r, index, choices, setting, algebra).is_equal for r in _without_dash(rest)):
                return _verdict(index, gold, choices)
            if marked or text[:2].lower() not in ("a ", "i "):
                return Finding.unknown("a letter and a text that do not belong together")
        elif marked:
            if any(other.upper() != chr(65 + index) for other in _BRACKETED.findall(rest)) or denies(rest):
                return Finding.unknown("a letter with other letters or a denial behind it")
            return _verdict(index, gold, choices)
    if not choices:
        return Finding.unknown("the answer names no choice")
    return _of_text(text, gold, choices, setting, algebra)


def _without_dash(text: str) -> list[str]:
    """The text behind a letter, where a dash may be its sign or part it from the letter."""
    return [text, text[found.end() :]] if (found := _DASH.match(text)) else [text]


def _verdict(index: int, gold: int, choices: Sequence[str]) -> Finding:
    if index == gold:
        return Finding.equal(f"choice {chr(65 + gold)}")
    if choices and normalise(choices[index]) == normalise(choices[gold]):
        return Finding.equal("a choice with the same text")
    if choices and _equal_numbers(choices[index], choices[gold]):
        return Finding.unknown("another choice of the same value")
    return Finding.unequal(f"choice {chr(65 + index)} instead of {chr(65 + gold)}")


def _of_text(text: str, gold: int, choices: Sequence[str], setting: Setting, algebra: Algebra) -> Finding:
    """Whether a text states the value of choice `gold`, and of no choice that differs from it."""
    findings = [_same_value(choice, text, setting, algebra) for choice in choices]
    right = findings[gold]
    others = [i for i, found in enumerate(findings) if found.is_equal and i != gold]
    if right.is_equal:
        if all(_same_value(choices[i], choices[gold], setting, algebra).is_equal for i in others):
            return right
        return Finding.unknown("a text that fits several choices")
    if others:
        return Finding.unequal("the value of another choice", findings[others[0]].basis)
    if not right.is_unequal:
        return right
    if _may_round(text, gold, choices, setting):
        return Finding.unknown("the answer is nearest to the gold choice, and one of them may be rounded")
    if "none of" in choices[gold].lower():
        return Finding.unknown("the gold choice is that none of the others is right")
    if not any(char.isdigit() for char in text):
        return Finding.unknown("the text is none of the choices")
    return unless_read_otherwise(
        right, choices[gold], text, lambda one, other: _same_value(one, other, setting, algebra)
    )


def _may_round(text: str, gold: int, choices: Sequence[str], setting: Setting) -> bool:
    """True where a number that is none of the choices may be what the gold choice rounds, or the other way round.

    It is nearest to the gold choice, and within two percent of it, or within a unit of the last digit of either, or
    (where the question asks for a rounded value) nearer to it than half the way to the next choice.
    """
    answer = _number_in(text)
    values = [_number_in(choice) for choice in choices]
    right = values[gold]
    if answer is None or right is None:
        return False
    gap = abs(answer.value - right.value)
    apart = [abs(value.value - right.value) for i, value in enumerate(values) if value and i != gold]
    apart = [distance for distance in apart if distance]
    if apart and gap > min(apart) / 2:
        return False
    if setting.rounds:
        return bool(apart) or gap <= abs(right.value) / 10
    if answer.value.denominator == right.value.denominator == 1:
        return False
    unit = max(Fraction(1, 10 ** (number.places or 0)) for number in (answer, right) if _is_decimal(number))
    return gap <= abs(right.value) / 50 or gap < unit


def _is_decimal(number: Number) -> bool:
    return number.places is not None or number.value.denominator == 1


def _number_in(text: str) -> Number | None:
    """The plain number of a choice, whatever its unit."""
    try:
        return plain_number(Scalar(clean(_spaced(text))))
    except Malformed:
        return None


def _same_value(choice: str, text: str, setting: Setting, algebra: Algebra) -> Finding:
    if normalise(choice) == normalise(text) and normalise(text):
        return Finding.equal("the choice's text")
    if not any(char.isdigit() for char in choice):
        return same_text(choice, text)
    try:
        return compare(
            read_gold(_spaced(choice)), read_answer(_spaced(text), setting.program), setting, algebra
        )
    except (Malformed, Unreadable, NoAnswer):
        return same_text(choice, text)


def _spaced(text: str) -> str:
    """Closes the gaps that tokenised datasets leave in numbers: `5 1 / 4`, `$ 180`, `- 2`, `1 , 250`."""
    text = re.sub(r"(?<=\d)\s*([/:])\s*(?=\d)", r"\1", text.strip())
    text = re.sub(r"(?<=\d) , (?=\d{3}\b)", ",", text)
    return re.sub(r"^([-–$])\s+(?=\d)", r"\1", text)


# ------------------------------------------------------------------------------------------------- yes/no

_YES = {"yes", "true", "correct", "yeah", "yep"}
_NO = {"no", "false", "incorrect", "nope"}
_FIRST = re.compile(r"[\"'(*]*([A-Za-z]+)\b[\"')*]*\s*(?:[.,;:!—–-].*|because\b.*|since\b.*)?", re.DOTALL)


def same_boolean(gold: str, answer: str, *, program: bool) -> Finding:
    """Whether an answer says yes or no as the gold answer does.

    Args:
        gold: `yes`, `no`, `true` or `false`.
        answer: The final answer as stated, or a program's output.
        program: It is a program's output.

    Raises:
        Failed: The answer is a program's error report.
    """
    right = truth(gold)
    if right is None:
        return Finding.unknown("gold answer is neither yes nor no")
    try:
        found = candidates(answer, program=program)
    except (NoAnswer, Malformed) as error:
        return Finding.unknown(str(error))
    if not found:
        return NO_ANSWER
    said = [truth(_TEXT.sub(r"\1", candidate.text)) for candidate in found]
    if said[-1] is None:
        return Finding.unknown("the answer is neither yes nor no")
    if not found[-1].marked and any(other is not None and other != said[-1] for other in said):
        return Finding.unknown("the answer says both yes and no")
    return Finding(Outcome.EQUAL if said[-1] == right else Outcome.UNEQUAL, "yes" if said[-1] else "no")


def truth(text: str) -> bool | None:
    """True for yes, False for no, None for anything else."""
    found = _FIRST.fullmatch(text.strip())
    word = found[1].lower() if found else ""
    if word not in _YES | _NO:
        return None
    rest = set(re.findall(r"[a-z]+", text.lower())[1:])
    if {"yes", "no"} & rest and not {word} >= ({"yes", "no"} & rest):
        return None
    return word in _YES
