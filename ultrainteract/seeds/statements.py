"""What a coding problem's statement says of its outputs: one right output, several, or within an error.

A statement may accept more than one output. Where a sentence about the output allows a numeric error, numbers are
compared within it, absolute or relative as it says; where one asks for some digits, what rounds to the expected output
is right; what the statement says of its input counts for nothing;
where it accepts letters in either case, a checker program does; where it accepts any valid answer and no
checker is known, the suite is marked `any_answer`, so that a mismatch never proves a program wrong.
"""

from __future__ import annotations

import ast
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
    (?P<kind>absolute|relative)\s+(?:(?:or|and|/)\s+(?P<other>absolute|relative)\s+)?(?:\w+\s+){{0,3}}
        (?:error|precision|inaccuracy|difference\s+(?:of|from|with)\b|deviation)
  | \b(?:error|accuracy|precision|inaccuracy|tolerance|deviation|deviate|differs?)\b
        [^\n]{{0,80}}?{_TEN_TO_MINUS}
    """,
    re.IGNORECASE | re.VERBOSE,
)
_COUNT = r"(?P<digits>\d{1,2}|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)"
_DIGITS = re.compile(
    rf"\b{_COUNT}\s+(?:(?:\w+\s+)?digits?\s+(?:after|behind|past|to\s+the\s+right\s+of)\s+(?:the\s+)?(?:decimal\s+)?"
    r"(?:point|comma|dot|separator)|decimal\s+(?:places?|digits?|points?)|decimals\b|places\s+(?:of\s+decimals|after\b))",
    re.IGNORECASE,
)
_EXPONENT = re.compile(_TEN_TO_MINUS, re.IGNORECASE)
_COUNTS = (
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
)
_OF_OUTPUT = re.compile(
    r"\b(?:print|output|answers?|results?|display|show|writ|round|report|return|accepted|correct|your)",
    re.IGNORECASE,
)
_OF_INPUT = re.compile(
    r"\b(?:given|input|consists?|contains?|reads?|measured|known|stored|has\b|have\b|specified)",
    re.IGNORECASE,
)
_HEADING = re.compile(
    r"^\W*(input|output|examples?|samples?|notes?|constraints?)(?: format)?\W*$", re.I | re.M
)
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
    checker = _allowed_error(statement) or _asked_digits(statement)
    if checker is None and _ANY_CASE.search(statement):
        checker = Checker(kind="program", program=CASELESS)
    return checker or Checker(), any_answer


def _allowed_error(statement: str) -> Checker | None:
    """The checker of a sentence that allows an error of the output; of an unnamed kind, it is absolute."""
    for error in _ERROR.finditer(statement):
        if not _is_of_output(statement, error, nearest=False):
            continue
        found = _EXPONENT.search(statement, error.start(), error.end() + 120)
        tolerance = 1e-6
        if found is not None:
            power = found["power"] or found["e"]
            tolerance = 10.0 ** -int(power) if power else float(found["plain"])
        kinds = {kind.lower() for kind in (error["kind"], error["other"]) if kind}
        if len(kinds) == 2:
            return Checker(kind="floats", tolerance=tolerance)
        return Checker(
            kind="floats", tolerance=tolerance, error="relative" if kinds == {"relative"} else "absolute"
        )
    return None


def _asked_digits(statement: str) -> Checker | None:
    """The checker of a sentence that asks for outputs with some digits: what rounds to the expected output is right."""
    for found in _DIGITS.finditer(statement):
        if _is_of_output(statement, found, nearest=True):
            count = found["digits"].lower()
            digits = int(count) if count.isdecimal() else _COUNTS.index(count)
            return Checker(kind="floats", tolerance=10.0**-digits / 2, error="absolute")
    return None


def _is_of_output(statement: str, found: re.Match[str], *, nearest: bool) -> bool:
    """True where a phrase speaks of what the program prints, by its section and by the verbs of its sentence.

    Args:
        statement: The statement.
        found: The phrase.
        nearest: The verb nearest before it decides; else any verb of the output does.
    """
    before = statement[: found.start()]
    headings = _HEADING.findall(before)
    if headings and headings[-1].lower() == "input":
        return False
    start = max(before.rfind("\n\n"), *(match.end() for match in re.finditer(r"[.;!?](?:\s|$)", before)), 0)
    sentence = before[start:]
    own, other = (
        max((match.start() for match in pattern.finditer(sentence)), default=-1)
        for pattern in (_OF_OUTPUT, _OF_INPUT)
    )
    rest = re.split(r"[.;!?](?:\s|$)|\n\n", statement[found.start() :], maxsplit=1)[0]
    if own != other:
        return own > other or (not nearest and own >= 0)
    return _OF_OUTPUT.search(rest) is not None or _OF_INPUT.search(rest) is None


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


def without_case(checker: Checker, expected: Iterable[str], solutions: Iterable[str]) -> Checker:
    """The checker, or one that ignores case where the accepted solutions contradict the case of the expected outputs.

    A word of the expected outputs that the solutions write, but only in another case, shows that the judge who accepted
    them did not look at case.

    Args:
        checker: The checker that the statement calls for.
        expected: Expected outputs.
        solutions: Accepted programs.
    """
    if checker.kind != "tokens":
        return checker
    words = {word for text in expected for word in text.split() if word.isalpha() and len(word) > 1}
    written: set[str] = set()
    for program in solutions:
        written.update(word for text in _texts_in(program) for word in re.findall(r"[^\W\d_]+", text))
    folded = {word.casefold() for word in written}
    if len(words) <= _FEW_WORDS and any(word not in written and word.casefold() in folded for word in words):
        return Checker(kind="program", program=CASELESS)
    return checker


_FEW_WORDS = 12
"""Suites whose outputs have more different words than this print texts, not answers such as `Yes`."""


def _texts_in(program: str) -> list[str]:
    try:
        tree = ast.parse(program)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    return [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]


def _different(outputs: Sequence[str]) -> list[str]:
    """Outputs that differ in a word; an example's may end at an empty line within it."""
    lines = {" ".join(text.split()) for text in outputs}
    return [line for line in lines if not any(other.startswith(line + " ") for other in lines)]
