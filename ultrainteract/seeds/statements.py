"""What a coding problem's statement says of its outputs: one right output, several, or within an error.

A statement may accept more than one output. Where it allows a numeric error, numbers are compared within it;
where it accepts letters in either case, a checker program does; where it accepts any valid answer and no
checker is known, the suite is marked `any_answer`, so that a mismatch never proves a program wrong.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from ultrainteract.schema import Checker

_THINGS = (
    r"(?:answers?|solutions?|ways?|variants?|options?|permutations?|sequences?|strings?|arrays?|sets?|subsets?|"
    r"arrangements?|trees?|graphs?|spanning|paths?|plans?|schedules?|partitions?|pairs?|numbers?|examples?|"
    r"orders?|sentence|construction|assignment|colou?ring|matrix|table|such|possible|valid|suitable|correct|"
    r"proper|optimal|appropriate|original|acceptable|feasible)"
)
_ANY_ANSWER = re.compile(
    rf"""
    \b(?:print|output|display|report|return|(?<!not\ )(?<!can't\ )find)\s+(?:out\s+)?any\s+
        (?:one\s+)?(?:of\s+(?:them|these|those|the)\b|{_THINGS}\b|[.,;\n])
  | \bif\s+(?:there\s+(?:are|is|exists?|may\s+be)|you\s+have|it\s+has)\s+
        (?:multiple|several|many|more\s+than\s+one|different)\b[^.\n]{{0,160}}\bany\b
  | \bif\s+(?:multiple|several|many|more\s+than\s+one)\b[^.\n]{{0,160}}\bany\b
  | \b(?:print|output|return|report|display|find\s+out)\s+(?:\w+\s+){{0,2}}any\s+(?:\w+\s+){{0,2}}{_THINGS}\b
  | \bany\s+(?:one\s+)?(?:of\s+(?:them|these|those|the)\s+)?(?:\w+\s+){{0,4}}
        (?:is|are|will\s+be|would\s+be|can\s+be|may\s+be)\s+(?:accepted|acceptable|allowed|printed|considered)
  | \b(?:allowed\s+to|can|may)\s+(?:print|output|return|find)\s+(?:out\s+)?any\b
        (?!\s+(?:letter|case|character))
  | \b(?:print|output|return|list)\b[^.\n]{{0,80}}\bin\s+(?:any|arbitrary)\s+order\b
  | \bno\s+requirement\s+for\b[^.\n]{{0,60}}\border\b
  | \b(?:considered|judged)\s+(?:as\s+)?correct\s+if\s+(?:your|the|it|its)\s+(?:\w+\s+){{0,3}}
        (?:tree|graph|sequence|string|array|permutation|set|construction|produces?|satisf\w+|meets?)\b
    """,
    re.IGNORECASE | re.VERBOSE,
)
"""Statements that accept more than one output. `choose any` and `in any order` of an operation are none."""
_MINUS = r"[-\u2013\u2212]"
_TEN_TO_MINUS = (
    rf"(?:10\s*(?:\^|\*\*)?\s*\{{?\s*\$?\s*{_MINUS}\s*\{{?\s*(?P<power>\d{{1,2}})"
    r"|1e-(?P<e>\d{1,2})|(?P<plain>0\.0{1,11}1))"
)
_ERROR = re.compile(
    rf"""
    (?:absolute|relative)\s+(?:or\s+(?:absolute|relative)\s+)?(?:\w+\s+){{0,3}}(?:error|precision|inaccuracy)
  | \b(?:error|accuracy|precision|inaccuracy|tolerance|deviation|deviate|differs?)\b
        [^.\n]{{0,80}}?{_TEN_TO_MINUS}
  | \bwith\s+(?P<digits>\d|one|two|three|four|five|six|seven|eight|nine)\s+
        (?:digits|decimal\s+places|decimals)
    """,
    re.IGNORECASE | re.VERBOSE,
)
_EXPONENT = re.compile(_TEN_TO_MINUS, re.IGNORECASE)
_DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_ANY_CASE = re.compile(
    r"""
    \bin\s+any\s+(?:case|register)\s*\(
  | \b(?:print|output)\b[^.\n]{0,60}\bin\s+any\s+case\b
  | \bany\s+case\s+of\s+letters
  | \bcase[-\ ]insensitive
  | \b(?:upper|lower)\s*case\s+or\s+(?:upper|lower)\s*case\b[^.\n]{0,40}\b(?:accepted|allowed)
    """,
    re.IGNORECASE | re.VERBOSE,
)
CASELESS = """def check(input: str, expected: str, output: str) -> bool:
    return output.lower().split() == expected.lower().split()
"""
"""Checker of statements that accept letters in either case."""


def judging(statement: str) -> tuple[Checker, bool]:
    """How outputs compare, as the statement says: the checker, and whether other outputs may be right too."""
    any_answer = _ANY_ANSWER.search(statement) is not None
    error = _ERROR.search(statement)
    if error is not None:
        return Checker(kind="floats", tolerance=_tolerance(statement, error)), any_answer
    if _ANY_CASE.search(statement):
        return Checker(kind="program", program=CASELESS), any_answer
    return Checker(), any_answer


_INTERACTIVE = re.compile(
    r"\bthis\s+(?:is\s+an\s+interactive|problem\s+is\s+interactive)|\binteractive\s+(?:problem|task)\b"
    r"|\bflush(?:ing)?\s+(?:the\s+)?(?:output|stdout|standard)", re.IGNORECASE
)  # fmt: skip
_EXAMPLE = re.compile(
    r"^[ \t]*(?:Sample )?Input:?[ \t]*\n+(?P<given>.+?)\n+[ \t]*(?:Sample )?Output:?[ \t]*\n+(?P<expected>.+?)"
    r"(?=\n\s*\n|\s*\Z|\n[ \t]*(?:Sample )?Input\b)",
    re.DOTALL | re.MULTILINE,
)
_EXAMPLES = re.compile(r"^\s*(?:-+\s*)?(?:Sample|Example)s?\b", re.IGNORECASE | re.MULTILINE)


def is_interactive(statement: str) -> bool:
    """True where a program talks to the judge, so that no fixed input can test it."""
    return _INTERACTIVE.search(statement) is not None


def examples(statement: str) -> list[tuple[str, str]]:
    """The inputs and outputs that a statement shows, where it shows them as contests do."""
    start = _EXAMPLES.search(statement)
    if start is None:
        return []
    return [(found["given"], found["expected"]) for found in _EXAMPLE.finditer(statement, start.start())]


def agreeing(checker: Checker, outputs: Iterable[Sequence[str]]) -> tuple[Checker, bool]:
    """What outputs for the same input say of how they compare.

    Args:
        checker: The checker that the statement calls for.
        outputs: For every input, the outputs that a test or an example calls right.

    Returns:
        The checker, one that ignores case where only that differs; and whether one input has several right outputs.
    """
    if checker.kind != "tokens":
        return checker, False
    groups = [_different(group) for group in outputs]
    if all(len(group) == 1 for group in groups):
        return checker, False
    if all(len(_different([text.lower() for text in group])) == 1 for group in groups):
        return Checker(kind="program", program=CASELESS), False
    return checker, True


def _different(outputs: Sequence[str]) -> list[str]:
    """Outputs that differ in a word; an example's may end at an empty line within it."""
    lines = {" ".join(text.split()) for text in outputs}
    return [line for line in lines if not any(other.startswith(line + " ") for other in lines)]


def _tolerance(statement: str, error: re.Match[str]) -> float:
    if (digits := error["digits"]) is not None:
        return 10.0 ** -(int(digits) if digits.isdigit() else _DIGITS.index(digits.lower()))
    found = _EXPONENT.search(statement, error.start(), error.end() + 120)
    if found is None:
        return 1e-6
    power = found["power"] or found["e"]
    return 10.0 ** -int(power) if power else float(found["plain"])
