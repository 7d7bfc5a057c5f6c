"""CodeContests: programming-contest problems with public, private and generated tests."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ultrainteract.config import SeedConfig
from ultrainteract.readers.rows import Row, Unusable
from ultrainteract.seeds.coding import TEST_OPTIONS, is_shown, suite
from ultrainteract.seeds.problem import Problem
from ultrainteract.seeds.registry import dataset

_LANGUAGES = {"PYTHON3": 3, "PYTHON": 1}
_DIFFICULTIES = ("", "EASY", "MEDIUM", "HARD", "HARDER", "HARDEST", "EXTERNAL")
_SOURCES = ("unknown", "codechef", "codeforces", "hackerearth", "codejam", "atcoder", "aizu")
_MIRROR_SECTIONS = re.compile(r"\n+## (?:Categories|Source|Examples|Testing)\n.*\Z", re.DOTALL)
"""Sections that one rebuilt mirror appends to the native description (its examples are there already)."""


@dataset("codecontest", tasks=("Coding",), licence="CC-BY-4.0", options=("max_solutions", *TEST_OPTIONS))
def load(row: Row, seed: SeedConfig) -> Iterator[Problem]:
    """CodeContests (deepmind/code_contests) in its columns, or in SandboxFusion's (content, labels, test)."""
    if row.has("content"):
        yield _sandboxfusion(row, seed)
        return
    if row.optional_text("input_file") or row.optional_text("output_file"):
        raise Unusable("the problem reads or writes named files, not standard input and output")
    description = native_description(row.text("description"))
    cases = [
        (pair, public)
        for column, public in (("public_tests", True), ("private_tests", False), ("generated_tests", False))
        for pair in _columns(row, column)
    ]
    yield Problem(
        question=description,
        grader="tests",
        tests=suite(
            (
                (given, expected, public and is_shown(given, expected, description))
                for (given, expected), public in cases
            ),
            statement=description,
            options=seed.options,
            time_limit_s=_seconds(row.get("time_limit")),
            memory_limit_mb=_mebibytes(row.get("memory_limit_bytes")),
            solutions=_solutions(row),
        ),
        solutions=_solutions(row)[: _most(seed)],
        difficulty=_named(row.get("difficulty"), _DIFFICULTIES),
        tags=tuple(tag for tag in row.texts("cf_tags") if tag),
        record_id=row.text("name"),
    )


def native_description(text: str) -> str:
    """The description without the sections a mirror appended."""
    if "\n## Testing\n" not in text:
        return text
    return _MIRROR_SECTIONS.sub("", text).strip() if "\n## Categories\n" in text else text


def _most(seed: SeedConfig) -> int:
    return int(seed.options.get("max_solutions", 5))


def _columns(row: Row, name: str) -> Iterator[tuple[str, str]]:
    column = row.get(name)
    if column is None:
        return
    if not isinstance(column, Mapping):
        raise Unusable(f"field '{name}' is no object with 'input' and 'output'")
    inputs, outputs = column.get("input") or [], column.get("output") or []
    if not isinstance(inputs, list) or not isinstance(outputs, list):
        raise Unusable(f"field '{name}' holds no lists")
    if len(inputs) != len(outputs):
        raise Unusable(f"field '{name}' has {len(inputs)} inputs and {len(outputs)} outputs")
    yield from zip(inputs, outputs, strict=True)


def _solutions(row: Row) -> tuple[str, ...]:
    column = row.get("solutions")
    if not isinstance(column, Mapping):
        return ()
    languages, texts = column.get("language"), column.get("solution")
    if not isinstance(languages, list) or not isinstance(texts, list):
        raise Unusable("field 'solutions' holds no lists")
    return tuple(
        text
        for language, text in zip(languages, texts, strict=False)
        if language in (_LANGUAGES["PYTHON3"], "PYTHON3") and isinstance(text, str)
    )


def _seconds(value: Any) -> float | None:
    """`{"seconds": 2, "nanos": 0}`, a number, or None; what no contest would allow counts as not stated."""
    parts = (value.get("seconds"), value.get("nanos")) if isinstance(value, Mapping) else (value, 0)
    whole, nanos = (part if isinstance(part, int | float) and 0 <= part <= 1e9 else 0 for part in parts)
    seconds = whole + nanos / 1e9
    return float(seconds) if 0 < seconds <= 3600 else None


def _mebibytes(value: Any) -> int | None:
    return max(1, value >> 20) if isinstance(value, int) and 0 < value <= 1 << 40 else None


def _named(value: Any, names: tuple[str, ...]) -> str | None:
    """A difficulty: words for the general levels, the contest's own letter (7 = A …) for the others."""
    if isinstance(value, str):
        return value or None
    if not isinstance(value, int) or value <= 0:
        return None
    if value < len(names):
        return names[value]
    return chr(ord("A") + value - len(names)) if value < len(names) + 26 else None


def _sandboxfusion(row: Row, seed: SeedConfig) -> Problem:
    description = row.text("content")
    tests = row.nested("test")
    labels = row.child(row.nested("labels")) if row.has("labels") else row.child({})
    if not isinstance(tests, list):
        raise Unusable("field 'test' is no list")
    pairs = []
    for case in tests:
        given, expected = row.child(case).get("input.stdin"), row.child(case).get("output.stdout")
        pairs.append((given, expected, is_shown(given, expected, description)))
    return Problem(
        question=description,
        grader="tests",
        tests=suite(pairs, statement=description, options=seed.options),
        difficulty=labels.optional_text("difficulty"),
        record_id=labels.optional_text("name") or row.text("id"),
    )
