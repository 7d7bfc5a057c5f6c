"""HumanEval and MBPP: functions checked by the benchmark's own assertions (arXiv 2107.03374, 2108.07732)."""

from __future__ import annotations

from collections.abc import Iterator

from ultrainteract.config import SeedConfig
from ultrainteract.readers.rows import Row
from ultrainteract.schema import TestCase, TestSuite
from ultrainteract.seeds.problem import Problem
from ultrainteract.seeds.registry import Benchmark, dataset

TIME_LIMIT_S = 3.0
"""Time of a program with its tests, as of the benchmarks' own checkers."""


@dataset(
    "humaneval",
    tasks=("Coding",),
    licence="MIT",
    files=("HumanEval*.jsonl*", "**/*.jsonl", "**/*.json", "**/*.parquet"),
    benchmark=Benchmark("all assertions hold within 3 s", 164),
)
def load_humaneval(row: Row, seed: SeedConfig) -> Iterator[Problem]:
    """HumanEval: task_id, prompt, entry_point, canonical_solution, test."""
    raw, entry_point = row.get("prompt"), row.text("entry_point")
    prompt = raw if isinstance(raw, str) else row.text("prompt")
    test = f"{row.text('test')}\ncheck({entry_point})\n"
    yield Problem(
        question=prompt.strip(),
        grader="tests",
        tests=asserts(test, preamble=prompt.rpartition(f"def {entry_point}(")[0]),
        solutions=(f"{prompt.rstrip()}\n{str(row.get('canonical_solution')).strip(chr(10))}",),
        record_id=row.text("task_id").removeprefix("HumanEval/"),
    )


@dataset(
    "mbpp",
    tasks=("Coding",),
    licence="CC-BY-4.0",
    benchmark=Benchmark("all assertions hold within 3 s (sanitized version)", 399),
)
def load_mbpp(row: Row, seed: SeedConfig) -> Iterator[Problem]:
    """MBPP: task_id, prompt or text, code, test_imports or test_setup_code, test_list; the first test is shown."""
    tests = row.texts("test_list")
    setup = "\n".join((*row.texts("test_imports"), row.optional_text("test_setup_code") or "")).strip()
    shown = tests[:1]
    yield Problem(
        question="\n".join((row.text("text", "prompt"), *shown)),
        grader="tests",
        tests=asserts("\n".join(tests), preamble=setup),
        solutions=(row.text("code"),),
        record_id=row.optional_text("task_id"),
    )


def asserts(code: str, *, preamble: str = "", time_limit_s: float = TIME_LIMIT_S) -> TestSuite:
    """A suite of one case: code behind the program that raises where the program is wrong.

    Args:
        code: The assertions.
        preamble: Imports and helpers that the problem shows, which a program may leave out.
        time_limit_s: Time of all of it.
    """
    return TestSuite(
        kind="asserts",
        cases=(TestCase(input=code, expected=""),),
        preamble=preamble,
        time_limit_s=time_limit_s,
    )
