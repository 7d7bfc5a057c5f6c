"""Quality guards: each looks for one way in which a tree's text would teach the wrong thing, and is counted.

The counts are kept on the tree under the names below, and summed in the run's report.
"""

from __future__ import annotations

import functools
import hashlib
import re
from collections import Counter
from typing import Literal

from ultrainteract.schema import Action, Instruction

GuardName = Literal[
    "critique_asked_again",
    "critique_redacted",
    "guided_refused",
    "equal_pair",
    "truncated",
    "syntax_dropped",
    "request_refused",
    "grader_failed",
    "withheld",
    "no_answer",
    "parse_failed",
    "unexpected_error",
]
"""critique_asked_again, critique_redacted: the critic gave the gold answer away; guided_refused: a guided
action spoke of what it was shown; equal_pair: chosen and rejected would have been the same text; truncated:
an answer was cut off at the token cap;
syntax_dropped: the syntax filter kept an action out; request_refused: the provider refused a request for
good; grader_failed: a grader, or what runs or shows a check, raised, so that the verdict is undetermined; withheld: the
provider ended a text for another reason than its end or the cap; no_answer: neither an answer nor a program was found
in a text; parse_failed: the parser raised on a text, which leaves it undetermined; unexpected_error: anything else
raised, which leaves the instruction failed."""

Counts = Counter[GuardName]

_REFERENCE = re.compile(
    r"\b(?:reference|given|provided|gold|ground[- ]truth|sample|supplied|official|expected|model)\s+"
    r"(?:solution|answer|rationale|explanation|code|program|implementation|derivation)s?\b"
    r"|\b(?:solution|answer|rationale|code|program)\s+(?:that\s+)?"
    r"(?:is|was|were|are|has been|have been|you|I was|I were)\s*"
    r"(?:given|provided|supplied|shown|gave|gave me)\b"
    r"|\b(?:masked|\[mask\]|<mask>)",
    re.IGNORECASE,
)
_WORD_END = re.compile(r"(?<![.,;:!?])[.,;:!?]++(?=\s|$)")  # a run is tried once, however long
_BENIGN = re.compile(
    r"\bgiven (?:code|program)s? (?:word|string|sequence)|\bsample (?:solution|answer) (?:set|space)",
    re.IGNORECASE,
)


@functools.lru_cache(maxsize=1024)
def speaks_of_reference(text: str) -> bool:
    """Whether a guided action reveals that its author was shown the ground truth."""
    return any(not _BENIGN.match(text, match.start()) for match in _REFERENCE.finditer(text))


def normalised(action: Action) -> bytes:
    """A hash of an action's text without case, white space and punctuation at word ends: equal ones make no pair."""
    return _normalised(action.text)


@functools.lru_cache(maxsize=1024)  # each is compared with all others of its turn
def _normalised(text: str) -> bytes:
    bare = " ".join(_WORD_END.sub("", text.casefold()).split())
    return hashlib.blake2b(bare.encode("utf-8", "surrogatepass"), digest_size=16).digest()


# ------------------------------------------------------------------------------------------ critique leaks

_PHRASE = (
    r"(?:(?:correct|right|final|actual|true|expected|gold|intended)\s+(?:final\s+)?(?:answer|result|value|option|choice|output|solution)"
    r"|(?:answer|result|solution))\s*(?:here\s+)?(?:is|was|equals|=|:|should\s+(?:be|have\s+been|equal)|must\s+be|would\s+be|comes?\s+(?:out\s+)?to)"
    r"|should\s+(?:have\s+been|be|get|obtain|give|yield|arrive\s+at|equal|have\s+(?:gotten|chosen|picked|answered))"
    r"|(?:choose|pick|select|answer)\s+(?:option|choice)?"
)
_FILLER = (
    r"\s*(?:actually|simply|option|choice|in\s+fact|exactly|that)?\s*[\"'“`*(\\$\[{]*\s*(?:boxed\s*\{\s*)?"
)
REDACTED = "[…]"
"""What stands in a redacted critique where the gold answer was."""


def leaks(text: str, instruction: Instruction, *seen: str) -> bool:
    """Whether a critique gives the gold answer away.

    Args:
        text: The critique.
        instruction: The instruction it is about.
        seen: What the actor has before its eyes anyway (its action, the output): a gold answer that stands
            there, or in the problem, is a leak only where the critique calls it the answer.
    """
    return any(True for _ in _spans(text, instruction, seen))


def redact(text: str, instruction: Instruction, *seen: str) -> str:
    """The critique with every leak replaced by `REDACTED`; arguments as for `leaks`."""
    for start, end in sorted(set(_spans(text, instruction, seen)), reverse=True):
        text = text[:start] + REDACTED + text[end:]
    return text


def _spans(text: str, instruction: Instruction, seen: tuple[str, ...]) -> list[tuple[int, int]]:
    spans: list[tuple[int, int]] = []
    visible = "\n".join((instruction.question, *seen))
    for form in _gold_forms(instruction):
        if not _may_hold(text, form):
            continue
        bounded = rf"(?<![\w.]){re.escape(form)}(?![\w]|\.\d)"
        flags = 0 if len(form) == 1 and form.isalpha() else re.IGNORECASE
        in_sight = len(form) < 2 or re.search(bounded, visible, flags) is not None
        pattern = rf"(?:(?i:{_PHRASE}){_FILLER})({bounded})" if in_sight else f"({bounded})"
        for match in re.finditer(pattern, text, flags):
            spans.append(match.span(1))
    for program in instruction.solutions:
        spans += _copied_lines(text, program)
    return _merged(spans)


def _may_hold(text: str, form: str) -> bool:
    """False where `form` is surely not in the text, whatever its case: spares an expression of its own."""
    if form.upper() == form.lower():
        return form in text
    return not (text.isascii() and form.isascii()) or form.lower() in text.lower()


def _gold_forms(instruction: Instruction) -> list[str]:
    golds = [gold for gold in (instruction.gold, *instruction.gold_set) if gold]
    forms: list[str] = []
    for gold in golds:
        bare = gold.strip().strip("$").strip()
        forms += [gold.strip(), bare, bare.replace("\\dfrac", "\\frac").replace("\\!", "")]
        fraction = re.fullmatch(r"(-?)\\d?frac\{(\d+)\}\{(\d+)\}", bare)
        if fraction:
            forms.append("{}{}/{}".format(*fraction.groups()))
        number = bare.replace(",", "")
        if re.fullmatch(r"-?\d+", number):
            forms += [number, f"{int(number):,}"]
        if re.fullmatch(r"[A-Ha-h]", bare) and instruction.choices:
            letter = ord(bare.upper()) - ord("A")
            if letter < len(instruction.choices) and len(instruction.choices[letter]) > 1:
                forms.append(instruction.choices[letter].strip())
    return sorted({form for form in forms if form}, key=len, reverse=True)


def _copied_lines(text: str, program: str, least: int = 3) -> list[tuple[int, int]]:
    """Spans of at least `least` telling lines in a row that stand in `program` too."""
    known = {line.strip() for line in program.splitlines() if len(line.strip()) >= 12}
    spans: list[tuple[int, int]] = []
    start, run, position = 0, 0, 0
    for line in [*text.splitlines(keepends=True), ""]:
        if line.strip() in known:
            start = position if run == 0 else start
            run += 1
        else:
            if run >= least:
                spans.append((start, position))
            run = 0
        position += len(line)
    return spans


def _merged(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged
