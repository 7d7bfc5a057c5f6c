"""The registry of graders: each is one function, registered by a decorator, in this package or in a plugin.

Everything that depends on the list of graders derives from it: the names that seeds may use, the kind of evidence,
which gold answers are usable, how the self-check states them. A plugin is a package with an entry point in the group
`ultrainteract.graders` that names a module (docs/grading.md shows a whole one).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points

from ultrainteract.errors import ConfigError
from ultrainteract.grading.algebra import Algebra
from ultrainteract.grading.finding import NO_ANSWER, Finding
from ultrainteract.grading.question import Question
from ultrainteract.plugins import load_local_plugins

GROUP = "ultrainteract.graders"
"""Entry-point group of plugins."""
_BUILTIN = "ultrainteract.grading.builtin"

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


_GRADERS: dict[str, Grader] = {}


def grader(
    name: str,
    *,
    check: str | None = None,
    fault: Callable[[Gold], str] = text_is_missing,
    stated: Callable[[Gold], str] = _as_text,
) -> Callable[[Compare], Compare]:
    """Registers a comparison as a grader of final answers.

    Args:
        name: What seeds call it: small letters, digits, underscores.
        check: What its evidence is called; the name if None.
        fault: Says why a gold answer cannot verify anything, or nothing.
        stated: The gold answer as an action would state it.

    Raises:
        ConfigError: Another grader has this name.
    """

    def register(compare: Compare) -> Compare:
        add(Grader(name, check or name, compare, fault, stated))
        return compare

    return register


def add(entry: Grader) -> None:
    """Registers a grader; used directly for those that do not look at final answers.

    Raises:
        ConfigError: Another grader has this name.
    """
    known = _GRADERS.get(entry.name)
    if known is not None and _origin(known) != _origin(entry):
        raise ConfigError(
            f"Two graders are registered as '{entry.name}': {_origin(known)} and {_origin(entry)}. "
            "Give one another name."
        )
    _GRADERS[entry.name] = entry


def _origin(entry: Grader) -> str:
    made_by = entry.compare or entry.fault
    return f"{made_by.__module__}.{made_by.__qualname__}"


@cache
def _import_builtin() -> None:
    import_module(_BUILTIN)


@cache
def _import_plugins() -> None:
    _import_builtin()
    load_local_plugins()
    for entry in entry_points(group=GROUP):
        try:
            entry.load()
        except (ImportError, AttributeError) as error:
            raise ConfigError(
                f"The grader plugin '{entry.name}' ({entry.value}) fails to load: {error}"
            ) from error


def graders() -> dict[str, Grader]:
    """All registered graders by name, plugins included."""
    _import_plugins()
    return dict(sorted(_GRADERS.items()))


@cache
def find_grader(name: str) -> Grader:
    """The grader registered as `name`.

    Raises:
        ConfigError: There is none.
    """
    _import_builtin()
    if name not in _GRADERS:
        _import_plugins()
    if name not in _GRADERS:
        raise ConfigError(
            f"There is no grader '{name}' (known: {', '.join(sorted(_GRADERS))}). "
            f"Use one of these, or register one in the entry-point group {GROUP}."
        )
    return _GRADERS[name]


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
    if not question.gold.strip() and not question.gold_set:
        return Finding.unknown("gold answer is missing")
    if not answer.strip():
        return NO_ANSWER
    return entry.compare(question, answer, algebra)
