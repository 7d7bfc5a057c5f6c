"""What an annotator's answer says: a choice or two ratings of the answers as shown, or nothing that can be relied on.

An answer is read only where it has the form that was asked for, or a usual variant of it. Whatever else holds numbers
(a range, a fraction of another scale, a number too many, a choice that is only mentioned) is left unread: a missing
measure costs little, a misread one makes a wrong label.
"""

from __future__ import annotations

import re
from typing import Literal

Choice = Literal["a", "b", "tie"]

_MARKS = re.compile(r"[*_`\"'{}]")
"""Marks of Markdown and JSON, which say nothing."""

_SHOWN: dict[str, Choice] = {"1": "a", "a": "a", "2": "b", "b": "b", "equal": "tie", "tie": "tie"}
_ALONE = re.compile(
    r"[^\w?]*(?:(?P<named>answer|response|choice|choose)\b[^\w?]*)?(?<![-+−])(?P<choice>1|2|a|b|equal|tie)"
    r"(?:\.0+)?[^\w?:]*",
    re.IGNORECASE,
)
_STATED = re.compile(
    r"(?P<before>.*[.!:;]\s+)?(?:(?:so|thus|therefore|hence|overall|i|my|the|final)\b,?\s*)*"
    r"cho(?:ice|ose)\b\s*(?:is\b|[:=])?\s*(?:(?:answer|response)\s+)?(?P<choice>1|2|a|b|equal|tie)\b"
    r"(?P<after>[.!;]?|[.!;,]?\s+(?:because|since|as)\b.*|[.!;]\s+.*|\s+[-–—(].*)",
    re.IGNORECASE,
)
_NAMED_ANSWER = re.compile(r"\b(?:answer|response|reply)s?\s+[12]\b", re.IGNORECASE)
_FURTHER = re.compile(r"\b(?:1|2|equal|tie)\b|\bcho(?:ice|ose)\W+[ab]\b", re.IGNORECASE)

_SCALE = re.compile(
    r"(?:/|\bout\s+of\b|\bof\b)\s*10(?!\d|[.,/]\d)"
    r"|\((?:out\s+of\s+10|0\s*(?:[-–]|to)\s*10)\)"
    r"|\b(?:on\s+)?a\s+scale\s+(?:of|from)\s+0\s*(?:[-–]|to)\s*10\b",
    re.IGNORECASE,
)
_THING = r"(?:answer|response|reply|option|rating|score)"
_LABEL = (
    rf"(?:\b(?:{_THING}\s+(?:of|for)\s+)?(?:the\s+)?"
    rf"(?:{_THING}\s*#?\(?(?P<after>[12ab]|one|two)\b\)?|(?P<before>first|second))(?:\s+{_THING})?"
    r"(?:\s*[:=]|\s+[-–—](?=\s)|\s+is\b|(?=\s))"
    r"|(?:^|(?<=\s))[#(]?(?P<alone>[12ab])(?:\)?\s*[:=]|\)|\.(?=\s)))"
)
_NUMBER = r"\d+(?:[.,]\d+)?(?!\s*%|[.,/]?\w)"
_LABELLED = re.compile(rf"{_LABEL}\s*(?P<rating>{_NUMBER})", re.IGNORECASE)
_PLAIN = re.compile(
    rf"(?:(?P<introduction>[^\d\n]*):)?\s*[(\[]?(?P<one>{_NUMBER})"
    rf"(?:(?:[ \t]*[,;&|][ \t]*|[ \t]+)(?:(?:and|vs\.?|versus)[ \t]+)?(?P<same>{_NUMBER})[^\d\n]*"
    rf"|[ \t]*(?:[.,;][ \t]*)?\n\s*(?P<next>{_NUMBER})\W*)(?:\n|$)",
    re.IGNORECASE,
)
_ORDINAL = re.compile(r"\b(?:first|second|former|latter|reverse\w*|(?-i:A|B))\b", re.IGNORECASE)


def read_choice(answer: str) -> Choice | None:
    """The answer preferred as shown: `a` is the first.

    A choice is stated where the first line is nothing else (`1`, `Answer 2`, `B`, `equal`), or where a line states
    `Choice: 1`, perhaps after a sentence and before a full stop or a reason. A choice that is only mentioned
    (`Choice 1 is wrong`, `Choice: 1/2`, `Choice 1 vs. Choice 2`) is none. All that are stated have to be the same, and
    a further line that is nothing but a number (`1`, then `2`) counts as one.

    Args:
        answer: What the annotator wrote.

    Returns:
        The choice; None where none is stated, or different ones are.
    """
    lines = [_MARKS.sub("", line).strip() for line in answer.strip().splitlines()]
    found: set[Choice] = set()
    for number, line in enumerate(lines):
        alone, stated = _ALONE.fullmatch(line), _STATED.fullmatch(line)
        if alone and (number == 0 or (found and not alone["named"])):
            found.add(_SHOWN[alone["choice"].lower()])
        if stated and not _FURTHER.search(
            _NAMED_ANSWER.sub("", f"{stated['before'] or ''} {stated['after']}")
        ):
            found.add(_SHOWN[stated["choice"].lower()])
    return found.pop() if len(found) == 1 else None


def read_ratings(answer: str) -> Choice | None:
    """The answer with the higher of two ratings, `a` the first as shown.

    What says the scale (`/10`, `out of 10`) and what says which answer is rated (`Answer 1:`, `2.`, `the second is`) is
    no rating; names decide the order where they are there. Exactly two numbers have to be left in the first lines that
    hold any, both from 0 to 10. A comma between two digits is a decimal comma: `7,5 8` is 7.5 and 8.

    Args:
        answer: What the annotator wrote.

    Returns:
        The answer with the higher rating, or `tie`; None where there are not exactly two ratings on the scale.
    """
    text = _SCALE.sub("", _MARKS.sub("", answer))
    start = re.search(r"^.*\d", text, re.MULTILINE)
    if start is None:
        return None
    text = text[start.start() :].rstrip()
    ratings = _labelled(text) or _plain(text)
    if ratings is None or max(ratings) > 10:
        return None
    return "tie" if ratings[0] == ratings[1] else "a" if ratings[0] > ratings[1] else "b"


def _labelled(text: str) -> tuple[float, float] | None:
    """The ratings of a text that begins with two named ones, and has no other number up to the end of their line."""
    named = list(_LABELLED.finditer(text))[:2]
    first = ["".join(filter(None, one.group("after", "before", "alone"))).lower() in _FIRST for one in named]
    if len(set(first)) < 2:
        return None
    passage = text[: named[1].end()] + text[named[1].end() :].partition("\n")[0]
    if re.search(r"\d", _LABELLED.sub("", passage, count=2)):
        return None
    one, other = (_value(named[first.index(is_first)]["rating"]) for is_first in (True, False))
    return one, other


_FIRST = frozenset({"1", "a", "one", "first"})


def _plain(text: str) -> tuple[float, float] | None:
    """The ratings of a text that begins with two numbers, perhaps after an introduction that ends with a colon."""
    found = _PLAIN.match(text)
    if found is None or _LABELLED.match(text) or _ORDINAL.search(found["introduction"] or ""):
        return None
    if _PLAIN.match(text[found.end() :].lstrip()):  # another two: `1 9`, `2 8`
        return None
    return _value(found["one"]), _value(found["same"] or found["next"])


def _value(number: str) -> float:
    return float(number.replace(",", "."))
