r"""Finds the final answer in what an action states: a box, a marked line, a short sentence, or a program's output.

Guarantee: nothing is ever searched *for*: the gold answer is not known here, so that an answer that merely contains
the right value somewhere is not taken for right.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ultrainteract.grading.latex import Malformed, closing
from ultrainteract.grading.printed import is_table, rewritten_series, with_commas

MAX_ANSWER = 20_000
"""Longest answer that is looked at."""
MAX_LINES = 60
"""Most lines of output that are looked at."""


class NoAnswer(ValueError):
    """The text states no answer, or not in a way that can be read; the message says why."""


class Failed(ValueError):
    """The text is a program's error report."""


@dataclass(frozen=True)
class Candidate:
    """A possible final answer."""

    text: str
    """The expression, without marker, label and math delimiters."""
    marked: bool = False
    """It is boxed or introduced as the answer."""
    labelled: bool = False
    """Words introduce it."""
    sentence: bool = False
    """It was found inside a sentence: good enough to agree with the gold answer, not to contradict it."""


_BOX = re.compile(r"\\(?:boxed|fbox)\s*(?=\{)|\\boxed\s+(?=[^\s{])")
_BOXED_PARTS = re.compile(
    r"\\boxed\{([\d.,]+)\}[\s$]*([A-Za-z]+)[\s,]*(?:and\b)?[\s$]*\\boxed\{([\d.,]+)\}[\s$]*([A-Za-z]+)"
)
"""A quantity in two parts of which each number has a box of its own."""
_MARKER = re.compile(
    r"(?:^|(?<=[\s.*>#:;,(]))(?:therefore|thus|so|hence|then|and)?,?\s*(?:(?:the|my|our)\s+)?"
    r"(?:final\s+|correct\s+|right\s+|best\s+)?(?:answer|result|solution|option|choice)s?(?:\s+choice|\s+option)?\**\s*"
    r"(?:(?:to|of|for)\s+[^.:=\n]{0,80}?)?\s*(?:is\s*:|are\s*:|:\s*\**|=|is|are|equals)\s*",
    re.IGNORECASE,
)
_HASHES = re.compile(r"####\s*")
_OUT = re.compile(r"Out(?:\[\d+\])?:\s*")
_VERB = (
    r"is|are|was|were|be|equals|equal to|gives|has|have|had|needs?|costs?|gets?|got|pays?|paid|earns?|earned"
    r"|makes?|made|takes?|took|weighs?|spends?|spent|saves?|saved|sold|sells?|bought|buys?|contains?|receives?"
    r"|received|travels?|drives?|drove|runs?|ran|walks?|walked|eats?|ate|owes?|scored|scores?|reads?|wins?|won"
    r"|requires?"
)
_SENTENCE = re.compile(
    rf"[A-Za-z][^0-9=\\$]{{0,160}}?\b(?:{_VERB})\s+"
    r"(?:a total of |only |exactly |about |approximately |now |left |equal to |worth )*"
    r"(?P<body>[-+$€£\\(\[{.0-9√πx].{0,200}?)[.!]*",
    re.DOTALL,
)
_LABEL = re.compile(r"(?P<label>[A-Za-z][^:=\n]{1,80}?)\s*(?::|=(?!=))\s*(?P<body>\S.*)", re.DOTALL)
_NEGATION = re.compile(
    r"\b(?:not|no|never|cannot|can't|isn't|aren't|wasn't|weren't|neither|without|incorrect|wrong|if|unless|at least"
    r"|at most|less than|more than|fewer than|greater than|between|either|maybe|perhaps|might)\b",
    re.IGNORECASE,
)
_CHOICE_LABEL = re.compile(r"(?:option|choice)\s*\(?\w\)?", re.IGNORECASE)
_HOPE = re.compile(r"[.\s]*I hope (?:it|this) is correct\.?$")
_ABOUT = re.compile(
    r"^(?:(?:approximately|approx\.?|about|around|roughly|exactly|\\approx|is)(?![A-Za-z])|≈|~|=|:)\s*(?=\S)",
    re.IGNORECASE,
)
_EMPHASIS = re.compile(r"(?<![\w)\]}*\\])(\*\*|__|\*)(?=[^\s*_])([^*\n]+?)(?<=[^\s*_])\1(?![\w(*{])")
_NEXT_QUESTION = re.compile(
    r"^[\s#*]*(?:(?:next|new)\s+)?(?:question|problem|instruction|exercise|example|human|user|input|q)\b\W{0,4}\d*\s*\**\s*:",
    re.IGNORECASE | re.MULTILINE,
)
_STATED = re.compile(r"####\s*\S|\\boxed|\banswer\b\W{0,6}(?:is\b|:)", re.IGNORECASE)
_DELIMITERS = (("$$", "$$"), ("\\[", "\\]"), ("\\(", "\\)"), ("**", "**"), ("`", "`"), ('"', '"'))
_TRACEBACK = re.compile(r"^(?:\w+\.)*(\w*(?:Error|Exception|Interrupt|Exit|Warning))\b(?::|$)")


def candidates(answer: str, *, program: bool) -> list[Candidate]:
    r"""What the answer may be, in the order in which it is written; the last one is meant, unless lines disagree.

    Args:
        answer: The final answer as stated, or a program's whole output.
        program: It is a program's output.

    Raises:
        NoAnswer: Nothing is stated that can be read.
        Failed: It is a program's error report.
        Malformed: A box is not closed.
    """
    if len(answer) > MAX_ANSWER:
        raise NoAnswer(f"the answer has more than {MAX_ANSWER} characters")
    if program:
        if is_table(answer):
            raise NoAnswer("a printed table, of which any cell may be meant")
        answer = rewritten_series(answer)
    else:
        answer = _EMPHASIS.sub(r"\2", _own_part(answer))
    text = answer.strip()
    if boxes := _boxes(text):
        return boxes
    lines = _logical_lines(text)
    if program:
        lines = [with_commas(line) for line in lines]
    if len(lines) > MAX_LINES:
        raise NoAnswer(f"the answer has more than {MAX_LINES} lines")
    if program and lines and (found := _TRACEBACK.match(lines[-1])):
        raise Failed(f"the program ended with {found[1]}")
    return [_candidate(line) for line in lines]


def denies(text: str) -> bool:
    """True where a text hedges or denies, so that what it names may not be the answer."""
    return _NEGATION.search(text) is not None


def _own_part(answer: str) -> str:
    """The answer without a further question that the model asked itself after it had stated one."""
    if (stated := _STATED.search(answer)) and (further := _NEXT_QUESTION.search(answer, stated.end())):
        return answer[: further.start()]
    return answer


def _boxes(text: str) -> list[Candidate]:
    text = _BOXED_PARTS.sub(r"\\boxed{\1 \2 and \3 \4}", text)
    found: list[tuple[str, int, int]] = []
    position = 0
    while hit := _BOX.search(text, position):
        if text[hit.end()] == "{":
            end = closing(text, hit.end())
            if _BOX.search(text, hit.end(), end):
                position = hit.end()
                continue
            found.append((text[hit.end() + 1 : end].strip(), hit.start(), end + 1))
            position = end + 1
        else:
            token = re.compile(r"\S+?(?=[$\s]|$)").match(text, hit.end())
            assert token is not None
            found.append((token[0], hit.start(), token.end()))
            position = token.end()
    if not found:
        return []
    group = [found[-1]]
    for box in reversed(found[:-1]):
        between = re.sub(r"[$\\()\s]", "", text[box[2] : group[0][1]])
        if between.lower() not in ("", ",", "and", "or", ",and", ",or", ";"):
            break
        group.insert(0, box)
    distinct = list(dict.fromkeys(box[0] for box in group))
    after = text[found[-1][2] :]
    unit = re.match(r"\s*(%|\\%|\\text\s*\{[^{}]*\}|\^\s*\\circ|\^\s*\{\\circ\})?", after)
    content = ", ".join(distinct) + (unit[1] or "" if unit else "")
    if len(found) > len(group) and found[0][0] not in distinct:
        return [Candidate(_strip(box[0]), marked=False) for box in found[:-1]] + [
            Candidate(_strip(content), marked=True)
        ]
    return [Candidate(_strip(content), marked=True)]


def _logical_lines(text: str) -> list[str]:
    """Lines, with those joined between which a bracket stays open (numpy prints arrays so)."""
    lines: list[str] = []
    depth = 0
    for line in text.splitlines():
        line = line.strip()
        if not line or line.startswith("```"):
            continue
        if depth > 0:
            lines[-1] += " " + line
        else:
            lines.append(line)
        depth = max(0, depth + sum(line.count(c) for c in "([{") - sum(line.count(c) for c in ")]}"))
    return lines


def _candidate(line: str) -> Candidate:
    line = _OUT.sub("", line, count=1) if _OUT.match(line) else line
    if found := _HASHES.match(line):
        return Candidate(_strip(line[found.end() :]), marked=True)
    markers = list(_MARKER.finditer(line))
    if markers and not _NEGATION.search(line[: markers[-1].end()]):
        body = line[markers[-1].end() :]
        if re.match(r"(?:not|never)\b", body.strip(), re.IGNORECASE):
            raise NoAnswer("the sentence says what the answer is not")
        return _within(body, marked=True)
    return _within(line, marked=False)


def _within(text: str, *, marked: bool) -> Candidate:
    """The expression in a line that may be a sentence."""
    text = _strip(text)
    labelled = marked
    if (found := _LABEL.fullmatch(text)) and _plain_label(found["label"]):
        if _NEGATION.search(found["label"]):
            raise NoAnswer("a sentence that is hedged or negated")
        text, labelled = _strip(found["body"]), True
    if (found := _SENTENCE.fullmatch(text)) and not _NEGATION.search(text):
        return Candidate(_strip(found["body"]), marked, True, sentence=not marked)
    return Candidate(text, marked, labelled)


def _plain_label(label: str) -> bool:
    """True for words, and not for the left side of an equation or the first term of a ratio."""
    if _CHOICE_LABEL.fullmatch(label):
        return False
    return len(label) > 3 and "\\" not in label and re.search(r"[\^_{}<>+*/()|\[\]\d]", label) is None


def _strip(text: str) -> str:
    """Removes math delimiters, emphasis and sentence punctuation around an expression."""
    while True:
        before = text
        text = _HOPE.sub("", text.strip().strip("\u200b"))
        text = re.sub(r"(?<=[^.])\.$|(?<!\\)[;,]$|(?<=[A-Za-z]{2})!$", "", text).rstrip()
        for opener, closer in _DELIMITERS:
            if (
                text.startswith(opener)
                and text.endswith(closer)
                and len(text) >= len(opener) + len(closer)
                and opener not in text[len(opener) : -len(closer)]
            ):
                text = text[len(opener) : -len(closer)]
        if "$" in text:
            text = _undollar(text)
        text = _ABOUT.sub("", text)
        if text == before:
            return text


def _undollar(text: str) -> str:
    r"""Removes `$…$` around math; a dollar sign before a number that has no partner is a currency."""
    if len(re.findall(r"(?<!\\)\$", text)) % 2:
        return text
    pieces = re.split(r"(?<!\\)\$", text)
    if all(_AMOUNT.match(piece) for piece in pieces[1:]) and not pieces[0].strip() and len(pieces) > 2:
        inner = pieces[1].strip()
        if inner.endswith((",", "and", "or")):
            return text
    return "".join(pieces)


_AMOUNT = re.compile(r"\s*[\d.,]+\s*(?:,|and|or)?\s*$|\s*$")

__all__ = ["Candidate", "Failed", "Malformed", "NoAnswer", "candidates", "denies"]
