"""Test suites of coding problems: what counts as a case, how large a suite may be, which limits hold."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from ultrainteract.errors import ConfigError
from ultrainteract.readers.rows import Unusable
from ultrainteract.schema import TestCase, TestSuite
from ultrainteract.seeds.statements import agreeing, examples, is_interactive, judging

TEST_OPTIONS = ("max_tests", "max_test_chars")
"""Options every loader of coding problems knows: most tests of a problem, most characters of one test."""


def suite(
    cases: Iterable[tuple[Any, Any, bool]],
    *,
    statement: str,
    options: Mapping[str, Any],
    entry_point: str | None = None,
    time_limit_s: float | None = None,
    memory_limit_mb: int | None = None,
) -> TestSuite:
    """A suite of (input, expected, public) cases, without repeats, cut as the options say.

    Args:
        cases: The tests in order.
        statement: The problem's text, which says how outputs are compared.
        options: The source's options; `max_tests` and `max_test_chars` are read.
        entry_point: Function to call; the suite is then one of calls.
        time_limit_s: The problem's limit a test.
        memory_limit_mb: The problem's limit.

    Raises:
        Unusable: There is no case, or one is not text.
    """
    if is_interactive(statement):
        raise Unusable("the problem is interactive: only the contest's own program can judge it")
    most, longest = _option(options, "max_tests"), _option(options, "max_test_chars")
    right: dict[str, list[str]] = {}
    for given, expected in examples(statement) if entry_point is None else ():
        right.setdefault(_words(given), []).append(expected)
    seen: set[str] = set()
    kept: list[TestCase] = []
    found = 0
    for given, expected, public in cases:
        if not isinstance(given, str) or not isinstance(expected, str):
            raise Unusable("a test's input or output is no text")
        right.setdefault(_words(given), []).append(expected)
        if entry_point is None and given and not given.endswith("\n"):
            given += "\n"  # a line that a program reads ends so in every contest
        if given in seen:
            continue
        seen.add(given)
        found += 1
        if longest is not None and len(given) + len(expected) > longest:
            continue
        if most is None or len(kept) < most:
            kept.append(TestCase(input=given, expected=expected, public=public))
    if not kept:
        raise Unusable(
            "there is no test case" if not found else f"all {found} tests are longer than max_test_chars"
        )
    checker, any_answer = judging(statement)
    checker, several = agreeing(checker, right.values())
    return TestSuite(
        kind="stdin" if entry_point is None else "call",
        entry_point=entry_point,
        cases=tuple(kept),
        checker=checker,
        any_answer=any_answer or several,
        time_limit_s=time_limit_s,
        memory_limit_mb=memory_limit_mb,
    )


def input_output_suite(
    value: Any,
    statement: str,
    options: Mapping[str, Any],
    time_limit_s: float | None = None,
    memory_limit_mb: int | None = None,
) -> TestSuite:
    """The suite of an APPS-style object `{"inputs": […], "outputs": […], "fn_name"?: …}`.

    Raises:
        Unusable: It is none.
    """
    if not isinstance(value, Mapping):
        raise Unusable("the tests are no object with 'inputs' and 'outputs'")
    inputs, outputs = value.get("inputs"), value.get("outputs")
    if not isinstance(inputs, list) or not isinstance(outputs, list):
        raise Unusable("the tests have no lists 'inputs' and 'outputs'")
    if len(inputs) != len(outputs):
        raise Unusable(f"the tests have {len(inputs)} inputs and {len(outputs)} outputs")
    name = value.get("fn_name") or None
    if name is None:
        pairs = [(_lines(given), _lines(expected)) for given, expected in zip(inputs, outputs, strict=True)]
    else:
        if not isinstance(name, str) or not name.isidentifier():
            raise Unusable("the tests' fn_name is no function name")
        pairs = [
            (json.dumps(_arguments(given)), json.dumps(expected))
            for given, expected in zip(inputs, _unwrapped(outputs), strict=True)
        ]
    return suite(
        ((given, expected, name is None and is_shown(given, statement)) for given, expected in pairs),
        statement=statement,
        options=options,
        entry_point=name,
        time_limit_s=time_limit_s,
        memory_limit_mb=memory_limit_mb,
    )


def _lines(value: Any) -> Any:
    """Standard input or output, which some records give as a list of lines."""
    if isinstance(value, list):
        return "\n".join(map(str, value)) + "\n"
    return value


def _arguments(value: Any) -> list[Any]:
    """Positional arguments as they are: quotes inside a text (`'"abba"'`) are part of it, as the outputs show."""
    if not isinstance(value, list):
        raise Unusable("a call's arguments are no list")
    return value


def _unwrapped(outputs: list[Any]) -> list[Any]:
    """Return values, which most records wrap in a list of one; unwrapped where all of them are wrapped."""
    wrapped = all(isinstance(value, list) and len(value) == 1 for value in outputs)
    return [value[0] if wrapped else value for value in outputs]


def _words(text: str) -> str:
    return " ".join(text.split())


def is_shown(given: Any, statement: str) -> bool:
    """True where the statement shows this input, whatever its line breaks: the case counts as public."""
    return isinstance(given, str) and bool(given.strip()) and _words(given) in _words(statement)


def _option(options: Mapping[str, Any], name: str) -> int | None:
    value = options.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ConfigError(f"options.{name}: {value!r} is no positive number.")
    return value
