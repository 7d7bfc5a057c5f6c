"""TACO and APPS, which it took over: contest problems whose tests are JSON in a text column."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ultrainteract.config import SeedConfig
from ultrainteract.readers.rows import Row, Unusable, read_nested
from ultrainteract.seeds.coding import TEST_OPTIONS, input_output_suite
from ultrainteract.seeds.problem import Problem
from ultrainteract.seeds.registry import dataset

_OPTIONS = ("max_solutions", "generated_tests", *TEST_OPTIONS)


@dataset("TACO", tasks=("Coding",), licence="Apache-2.0", options=_OPTIONS, paths=("generated_tests",))
def load_taco(row: Row, seed: SeedConfig) -> Iterator[Problem]:
    """TACO (BAAI/TACO): question, solutions, input_output, starter_code, limits, tags."""
    yield _problem(row, seed)


@dataset("apps", tasks=("Coding",), licence="MIT", options=_OPTIONS, paths=("generated_tests",))
def load_apps(row: Row, seed: SeedConfig) -> Iterator[Problem]:
    """APPS (codeparrot/apps): problem_id, question, solutions, input_output, starter_code, difficulty."""
    yield _problem(row, seed)


def _problem(row: Row, seed: SeedConfig) -> Problem:
    question, starter = row.text("question"), row.optional_text("starter_code")
    tests = row.nested("input_output") if row.has("input_output") else {"inputs": [], "outputs": []}
    if isinstance(tests, Mapping) and "generated_tests" in seed.options:
        from ultrainteract.seeds.testgen import generated_tests

        tests = _joined(tests, generated_tests(seed.options["generated_tests"], question) or {})
    entry_point = _entry_point(tests, starter)
    difficulty = row.optional_text("difficulty")
    untested = isinstance(tests, Mapping) and not tests.get("inputs")
    return Problem(
        question=question,
        body=f"{question}\n\n{starter}" if entry_point and starter else question,
        grader="tests",
        tests=None
        if untested
        else input_output_suite(
            tests,
            question,
            seed.options,
            time_limit_s=_quantity(row.get("time_limit"), r"s"),
            memory_limit_mb=_megabytes(row.get("memory_limit")),
            solutions=_solutions(row),
        ),
        entry_point=entry_point if untested else None,
        solutions=_solutions(row)[: int(seed.options.get("max_solutions", 5))],
        difficulty=None if difficulty in (None, "UNKNOWN_DIFFICULTY") else difficulty,
        tags=_list(row.get("tags")),
        record_id=row.optional_text("problem_id", "id"),
    )


def _joined(own: Mapping[str, Any], made: Mapping[str, Any]) -> Mapping[str, Any]:
    """A record's own tests with those that were made for it; its own alone where the two are of different kinds."""
    if not own.get("inputs"):
        return made or own
    lists = [tests.get(name) for tests in (own, made) for name in ("inputs", "outputs")]
    if own.get("fn_name") != made.get("fn_name") or not all(isinstance(one, list) for one in lists):
        return own
    given, expected, more_given, more_expected = lists
    if own.get("fn_name") and not all(
        isinstance(value, list) and len(value) == 1 for value in expected or []
    ):
        more_expected = [
            value[0] for value in more_expected or []
        ]  # made ones are wrapped, the record's are not
    return {
        **own,
        "inputs": [*(given or []), *(more_given or [])],
        "outputs": [*(expected or []), *(more_expected or [])],
    }


def _entry_point(tests: Any, starter: str | None) -> str | None:
    """The function that is called: as the tests name it, else the last one that the starter code defines."""
    if isinstance(tests, Mapping) and tests.get("fn_name"):
        return str(tests["fn_name"])
    if isinstance(tests, Mapping) and tests.get("inputs"):
        return None
    defined = re.findall(r"^\s*def (\w+)\(", starter or "", re.MULTILINE)
    return defined[-1] if defined else None


def _solutions(row: Row) -> tuple[str, ...]:
    if not row.has("solutions"):
        return ()
    value = row.nested("solutions")
    if not isinstance(value, list):
        raise Unusable("field 'solutions' is no list")
    return tuple(text for text in value if isinstance(text, str) and text.strip())


def _list(value: Any) -> tuple[str, ...]:
    items = read_nested(value, "tags") if isinstance(value, str) and value.startswith("[") else value
    return tuple(item for item in items if isinstance(item, str)) if isinstance(items, list) else ()


def _quantity(value: Any, unit: str) -> float | None:
    """The number of `2.0 seconds` where the unit begins with `unit`."""
    found = (
        re.match(rf"\s*(\d+(?:\.\d+)?)\s*{unit}", value, re.IGNORECASE) if isinstance(value, str) else None
    )
    return float(found[1]) if found and float(found[1]) > 0 else None


def _megabytes(value: Any) -> int | None:
    megabytes, kilobytes, gigabytes = (_quantity(value, unit) for unit in ("m", "k", "g"))
    size = megabytes or (kilobytes / 1024 if kilobytes else None) or (gigabytes * 1024 if gigabytes else None)
    return max(1, round(size)) if size else None
