"""ASDiv in the layout of the LILA collection, whose test split is what papers report (arXiv 2106.15772)."""

from __future__ import annotations

from collections.abc import Iterator

from ultrainteract.config import SeedConfig
from ultrainteract.readers.rows import Row, Unusable
from ultrainteract.seeds.problem import Problem
from ultrainteract.seeds.registry import Benchmark, dataset


@dataset(
    "asdiv",
    tasks=("Math_CoT", "Math_PoT"),
    licence="CC-BY-NC-4.0",
    benchmark=Benchmark("the number or ratio is equal", 618),
    records="Instances",
)
def load(row: Row, seed: SeedConfig) -> Iterator[Problem]:
    """ASDiv (LILA): Instances of Input, Output Program, Output Answer, split; one object per file or per item."""
    if row.optional_text("split") not in (None, seed.split):
        return
    answers = row.texts("Output Answer")
    if not answers:
        raise Unusable("field 'Output Answer' is missing")
    yield Problem(
        question=row.text("Input"), grader="math", gold=answers[0], solutions=row.texts("Output Program")
    )
