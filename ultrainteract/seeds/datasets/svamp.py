"""SVAMP: one-step word problems that are varied so that a model has to read them (arXiv 2103.07191)."""

from __future__ import annotations

from collections.abc import Iterator

from ultrainteract.config import SeedConfig
from ultrainteract.readers.rows import Row
from ultrainteract.seeds.problem import Problem
from ultrainteract.seeds.registry import Benchmark, dataset

_MISSPELT = {"Common-Divison": "Common-Division"}


@dataset(
    "svamp",
    tasks=("Math_CoT", "Math_PoT"),
    licence="MIT",
    benchmark=Benchmark("the number is equal", 1_000),
)
def load(row: Row, seed: SeedConfig) -> Iterator[Problem]:
    """SVAMP: ID, Body, Question, Equation, Answer, Type."""
    body = row.text("Body").rstrip()
    kind = row.optional_text("Type")
    yield Problem(
        question=f"{body}{'' if body.endswith(('.', '?', '!', ',')) else '.'} {row.text('Question')}",
        grader="math",
        gold=row.text("Answer"),
        tags=(_MISSPELT.get(kind, kind),) if kind else (),
        record_id=row.optional_text("ID"),
    )
