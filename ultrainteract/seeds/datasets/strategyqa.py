"""StrategyQA: yes/no questions whose steps of reasoning are implicit."""

from __future__ import annotations

from collections.abc import Iterator

from ultrainteract.config import SeedConfig
from ultrainteract.readers.rows import Row, Unusable
from ultrainteract.seeds.problem import Problem
from ultrainteract.seeds.registry import dataset


@dataset("strategyqa", tasks=("Logic",), licence="MIT", options=("wikipedia",))
def load(row: Row, seed: SeedConfig) -> Iterator[Problem]:
    """StrategyQA: question, answer (true/false), facts. Option `wikipedia: false` offers no tool."""
    answer = row.get("answer")
    if not isinstance(answer, bool):
        raise Unusable("field 'answer' is neither true nor false")
    yield Problem(
        question=row.text("question"),
        grader="boolean",
        gold="yes" if answer else "no",
        rationales=("\n".join(row.texts("facts")),),
        tools=("wikipedia_search",) if seed.options.get("wikipedia", True) else (),
        record_id=row.optional_text("qid"),
    )
