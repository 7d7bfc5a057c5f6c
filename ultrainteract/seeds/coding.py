"""Test suites of coding problems: what counts as a case, how large a suite may be, which limits hold."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ultrainteract.errors import ConfigError
from ultrainteract.readers.rows import Unusable
from ultrainteract.schema import TestCase, TestSuite
from ultrainteract.seeds.statements import agreeing, examples, is_interactive, judging, without_case

TEST_OPTIONS = ("max_tests", "max_test_chars", "min_hidden_tests")
"""Options of every loader of coding problems: maximum tests per problem, maximum characters per test, and minimum tests
that the statement does not show."""


def suite(
    cases: Iterable[tuple[Any, Any, bool]],
    *,
    statement: str,
    options: Mapping[str, Any],
    entry_point: str | None = None,
    time_limit_s: float | None = None,
    memory_limit_mb: int | None = None,
    solutions: Sequence[str] = (),
) -> TestSuite:
    """A suite of (input, expected, public) cases, without repeats, cut as the options say.

    Args:
        cases: The tests in order.
        statement: The problem's text, which says how outputs are compared.
        options: The source's options; those of `TEST_OPTIONS` are read.
        entry_point: Function to call; the suite is then one of calls.
        time_limit_s: The problem's limit a test.
        memory_limit_mb: The problem's limit.
        solutions: Accepted programs, which show whether case matters.

    Raises:
        Unusable: There is no case, fewer hidden ones than are asked for, or one is not text.
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
    wanted = _option(options, "min_hidden_tests") or 0
    if (hidden := sum(not case.public for case in kept)) < wanted:
        raise Unusable(
            f"only {hidden} of its tests are hidden from the prompt, where min_hidden_tests is {wanted}; "
            "`ultrainteract seeds tests` makes more"
        )
    checker, any_answer = judging(statement)
    checker, several = agreeing(checker, right.values())
    checker = without_case(checker, (case.expected for case in kept), solutions)
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
    solutions: Sequence[str] = (),
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
        (
            (given, expected, is_shown(given, expected, statement, call=name is not None))
            for given, expected in pairs
        ),
        statement=statement,
        options=options,
        entry_point=name,
        time_limit_s=time_limit_s,
        memory_limit_mb=memory_limit_mb,
        solutions=solutions,
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


def is_shown(given: Any, expected: Any, statement: str, *, call: bool = False) -> bool:
    """True where the statement shows this test: its input and, within some lines behind it, its output.

    Such a test is public: feedback may quote it, and a program that passes it has only repeated what it was told.

    Args:
        given: The input; JSON of the arguments for a call.
        expected: The expected output; JSON of the value for a call.
        statement: The problem's text.
        call: The test is a call of a function.
    """
    if not isinstance(given, str) or not isinstance(expected, str):
        return False
    if call:
        inside = given.strip()[1:-1]
        text, given, expected = (_squeezed(part) for part in (statement, inside, expected))
    else:
        text, given, expected = (f" {_bare(part)} " for part in (statement, given, expected))
    if not given.strip() or len(given) > len(text):
        return False
    position = text.find(given)
    while position >= 0:
        start = position + len(given) - (0 if call else 1)
        if text.find(expected, start, start + _BEHIND + len(expected)) >= 0:
            return True
        position = text.find(given, position + 1)
    return False


_BEHIND = 200
"""How far behind its input an example's output may begin, characters."""


def _bare(text: str) -> str:
    return " ".join(re.sub(r"[`\"*]", " ", text).split())


def _squeezed(text: str) -> str:
    """Values as JSON and as Python write them, in one form."""
    plain = re.sub(r"\bTrue\b", "true", re.sub(r"\bFalse\b", "false", re.sub(r"\bNone\b", "null", text)))
    return re.sub(r"\s", "", plain).replace("'", '"')


def _option(options: Mapping[str, Any], name: str) -> int | None:
    value = options.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ConfigError(f"options.{name}: {value!r} is no positive number.")
    return value
