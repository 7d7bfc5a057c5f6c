"""The registry of graders: each is one function, registered by a decorator, in this package or in a plugin.

Everything that depends on the list of graders derives from it: the names that seeds may use, the kind of evidence,
which gold answers are usable, how the self-check states them. A plugin is a package with an entry point in the group
`ultrainteract.graders` that names a module (docs/grading.md shows a whole one).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ultrainteract.grading.algebra import Algebra
from ultrainteract.grading.finding import NO_ANSWER, Finding
from ultrainteract.grading.question import Question
from ultrainteract.registry import Registry

GROUP = "ultrainteract.graders"
"""Entry-point group of plugins."""

Compare = Callable[[Question, str, Algebra], Finding]
"""Compares an answer (as stated, or a program's whole output) with the gold answer. What exact reasoning cannot
decide it asks the algebra, which may raise `NeedsAlgebra`; a program's error report may raise `Failed`. Whatever else
it raises makes the verdict undetermined."""


@dataclass(frozen=True)
class Gold:
    """A gold answer, as a seed states it."""

    text: str = ""
    """`gold`."""
    values: tuple[str, ...] = ()
    """`gold_set`."""
    choices: tuple[str, ...] = ()
    """`choices`."""


def text_is_missing(gold: Gold) -> str:
    """The fault of a gold answer that should be a text."""
    return "" if gold.text.strip() else "the gold answer is missing"


def _as_text(gold: Gold) -> str:
    return gold.text


@dataclass(frozen=True)
class Grader:
    """A registered grader."""

    name: str
    """What seeds call it."""
    check: str
    """What its evidence is called."""
    compare: Compare | None
    """The comparison; None where something else than a final answer is looked at (tests, a judge)."""
    fault: Callable[[Gold], str]
    """Why a gold answer cannot verify anything; empty where it can."""
    stated: Callable[[Gold], str]
    """The gold answer as an action would state it."""
    whole: bool = False
    """Whether it looks at the whole response rather than at the final answer."""


_ANSWERS = (
    "math",
    "number",
    "choice",
    "boolean",
    "text",
    "answer_set",
    "calls",
    "function_calls",
    "bfcl_calls",
)
GRADERS: Registry[Grader] = Registry(
    "grader",
    GROUP,
    dict.fromkeys((*_ANSWERS, "tests", "judge", "final_state"), "ultrainteract.grading.builtin")
    | dict.fromkeys(
        ("theoremqa", "mint", "brackets", "unanswerable", "ifeval"), "ultrainteract.grading.benchmarks"
    ),
)
"""All graders."""


def grader(
    name: str,
    *,
    check: str | None = None,
    fault: Callable[[Gold], str] = text_is_missing,
    stated: Callable[[Gold], str] = _as_text,
    whole: bool = False,
) -> Callable[[Compare], Compare]:
    """Registers a comparison as a grader of final answers.

    Args:
        name: What seeds call it: small letters, digits, underscores.
        check: What its evidence is called; the name if None.
        fault: Says why a gold answer cannot verify anything, or nothing.
        stated: The gold answer as an action would state it.
        whole: Whether it looks at the whole response.

    Raises:
        ConfigError: Another grader has this name.
    """

    def register(compare: Compare) -> Compare:
        GRADERS.add(name, Grader(name, check or name, compare, fault, stated, whole), compare)
        return compare

    return register


def graders() -> dict[str, Grader]:
    """All registered graders by name, plugins included."""
    return GRADERS.all()


def find_grader(name: str) -> Grader:
    """The grader registered as `name`.

    Raises:
        ConfigError: There is none.
    """
    return GRADERS.find(name)


def settle(question: Question, answer: str, algebra: Algebra) -> Finding:
    """Whether an answer is right.

    Args:
        question: The question; its grader looks at final answers.
        answer: The final answer as stated, or a program's whole output.
        algebra: Decides what exact reasoning cannot.

    Raises:
        NeedsAlgebra: The algebra is that of the literal path, and cannot decide.
        Failed: The answer is a program's error report.
        Exception: Whatever a faulty grader raises; see `Graders` for the boundary.
    """
    entry = find_grader(question.grader)
    assert entry.compare is not None
    if not question.gold.strip() and not question.gold_set and not question.functions:
        return Finding.unknown("gold answer is missing")
    if not answer.strip():
        return NO_ANSWER
    return entry.compare(question, answer, algebra)
