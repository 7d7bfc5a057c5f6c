"""Logical reading comprehension with choices: ReClor, and AGIEval's LSAT-LR under an open licence."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from ultrainteract.config import SeedConfig
from ultrainteract.readers.rows import Row
from ultrainteract.seeds.problem import LETTERS, Problem
from ultrainteract.seeds.registry import dataset
from ultrainteract.wording import with_choices

_LETTER = re.compile(r"\s*\(?[A-Z][).]\s*")


@dataset("reclor", tasks=("Logic",), licence="LicenseRef-ReClor-research-only")
def load_reclor(row: Row, seed: SeedConfig) -> Iterator[Problem]:
    """ReClor: context, question, answers[4], label (0 to 3), id_string."""
    label = row.integer("label")
    yield _problem(
        row,
        row.text("context"),
        row.texts("answers"),
        LETTERS[label : label + 1] if label >= 0 else "",
        "id_string",
    )


@dataset("lsat_lr", tasks=("Logic",), licence="MIT")
def load_lsat(row: Row, seed: SeedConfig) -> Iterator[Problem]:
    """AGIEval LSAT-LR: passage, question, options ("(A)…"), label (a letter)."""
    options = tuple(_LETTER.sub("", option, count=1) for option in row.texts("options"))
    yield _problem(row, row.text("passage"), options, row.text("label").strip("() ").upper(), "id")


def _problem(row: Row, passage: str, choices: Sequence[str], gold: str, id_field: str) -> Problem:
    question = f"{passage}\n{row.text('question')}"
    return Problem(
        question=question,
        body=with_choices(question, choices),
        grader="choice",
        gold=gold,
        choices=tuple(choices),
        record_id=row.optional_text(id_field),
    )
