"""TabMWP: word problems over a small table. The data is non-commercial (CC BY-NC-SA 4.0)."""

from __future__ import annotations

from collections.abc import Iterator

from ultrainteract.config import SeedConfig
from ultrainteract.grading.number import is_number
from ultrainteract.readers.rows import Row, Unusable
from ultrainteract.seeds.problem import LETTERS, Problem
from ultrainteract.seeds.registry import dataset
from ultrainteract.wording import with_choices, with_table


@dataset("tabmwp", tasks=("Math_PoT",), licence="CC-BY-NC-SA-4.0")
def load(row: Row, seed: SeedConfig) -> Iterator[Problem]:
    """TabMWP: an object of problems by id: question, choices, answer, unit, table, solution, grade."""
    question, answer = row.text("question"), row.text("answer")
    choices, unit = row.texts("choices"), row.optional_text("unit")
    if choices and answer not in choices:
        raise Unusable(f"answer '{answer}' is none of the choices")
    asked = f"{question} (Unit: {unit})" if unit else question
    table = with_table(row.text("table"), asked, row.optional_text("table_title"))
    yield Problem(
        question=table,
        body=with_choices(table, choices) if choices else table,
        grader="choice" if choices else "number" if is_number(answer) else "text",
        gold=LETTERS[choices.index(answer)] if choices else answer,
        unit=unit,
        choices=choices,
        rationales=(row.optional_text("solution") or "",),
        difficulty=row.optional_text("grade"),
        tags=tuple(tag for tag in (row.optional_text("ques_type"), row.optional_text("ans_type")) if tag),
    )
