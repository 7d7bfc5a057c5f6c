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
)
def load(row: Row, seed: SeedConfig) -> Iterator[Problem]:
    """ASDiv (LILA): Instances of Input, Output Program, Output Answer, split; one object per file or per item."""
    items = row.get("Instances")
    if not isinstance(items, list):
        items = [row.data]
    for number, item in enumerate(items):
        child = row.child(item)
        if child.optional_text("split") not in (None, seed.split):
            continue
        answers = child.texts("Output Answer")
        if not answers:
            raise Unusable("field 'Output Answer' is missing")
        yield Problem(
            question=child.text("Input"),
            grader="math",
            gold=answers[0],
            solutions=child.texts("Output Program"),
            record_id=str(number),
        )
