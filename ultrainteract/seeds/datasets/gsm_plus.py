"""GSM-Plus: eight variations of each GSM8K test problem (arXiv 2402.19255)."""

from __future__ import annotations

from collections.abc import Iterator

from ultrainteract.config import SeedConfig
from ultrainteract.readers.rows import Row
from ultrainteract.seeds.problem import Problem
from ultrainteract.seeds.registry import Benchmark, dataset


@dataset(
    "gsm_plus",
    tasks=("Math_CoT", "Math_PoT"),
    benchmark=Benchmark(
        "the number is equal; where a problem cannot be solved, that the answer says so", 10_552
    ),
)
def load(row: Row, seed: SeedConfig) -> Iterator[Problem]:
    """GSM-Plus: question, solution, answer, perturbation_type; the answer of `critical thinking` items is None."""
    gold = row.text("answer")
    kind = row.optional_text("perturbation_type")
    yield Problem(
        question=row.text("question"),
        grader="unanswerable" if gold == "None" else "math",
        gold=gold,
        rationales=(row.text("solution"),) if row.has("solution") else (),
        tags=(kind,) if kind else (),
    )
