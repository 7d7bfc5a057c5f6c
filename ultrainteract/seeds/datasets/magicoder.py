"""Magicoder-Evol-Instruct: coding tasks without tests or a solution to trust; judged by a strong model."""

from __future__ import annotations

from collections.abc import Iterator

from ultrainteract.config import SeedConfig
from ultrainteract.readers.rows import Row
from ultrainteract.seeds.problem import Problem
from ultrainteract.seeds.registry import dataset


@dataset("magicoder_evol_instruct", tasks=("Coding",), licence="Apache-2.0")
def load(row: Row, seed: SeedConfig) -> Iterator[Problem]:
    """Magicoder-Evol-Instruct: instruction; response is one model's attempt and not used."""
    yield Problem(question=row.text("instruction"), grader="judge")
