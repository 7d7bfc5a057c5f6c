"""TheoremQA: university problems whose answers are numbers, lists, truth values or options (arXiv 2305.12524)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from ultrainteract.config import SeedConfig
from ultrainteract.readers.rows import Row, Unusable
from ultrainteract.seeds.problem import Problem
from ultrainteract.seeds.registry import Benchmark, dataset


@dataset(
    "theoremqa",
    tasks=("Math_CoT", "Math_PoT"),
    licence="MIT",
    options=("pictures",),
    benchmark=Benchmark("equal by type: numbers within 4 %, whole numbers rounded, lists in any order", 800),
)
def load(row: Row, seed: SeedConfig) -> Iterator[Problem]:
    """TheoremQA: Question, Answer, Answer_type, Picture, subfield, field; `pictures: false` leaves some out."""
    if row.has("Picture") and seed.options.get("pictures", True) is False:
        raise Unusable("the problem needs its picture")
    yield Problem(
        question=row.text("Question"),
        grader="theoremqa",
        gold=typed_gold(row, "Answer", row.text("Answer_type")),
        tags=tuple(text for text in (row.optional_text("field"), row.text("Answer_type")) if text),
        record_id=row.optional_text("id"),
    )


def typed_gold(row: Row, name: str, kind: str) -> str:
    """A gold answer as text that tells its type, as the grader `theoremqa` reads it.

    Args:
        row: The record.
        name: Field with the answer.
        kind: `integer`, `float`, `bool`, `option`, `list of integer` or `list of float`.

    Raises:
        Unusable: The answer is not of this type.
    """
    value = row.get(name)
    if kind == "float" and _is_number(value):
        return repr(float(value))
    if kind == "integer" and _is_number(value):
        return repr(round(value))
    if kind == "bool" and isinstance(value, bool):
        return repr(value)
    if kind.lower() == "option" and isinstance(value, str):
        return f"({value.strip('() ').lower()})"
    if kind.startswith("list") and isinstance(value, list) and all(_is_number(item) for item in value):
        return repr([float(item) if kind.endswith("float") else item for item in value])
    raise Unusable(f"the answer {str(value)[:80]!r} is no {kind[:40]}")


def _is_number(value: Any) -> bool:
    """A number that a double can hold: no truth value, infinity or NaN."""
    try:
        return not isinstance(value, bool) and isinstance(value, (int, float)) and math.isfinite(value)
    except OverflowError:
        return False
