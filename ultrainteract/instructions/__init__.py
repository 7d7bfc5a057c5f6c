"""Instructions: seed datasets in, instructions with a machine-checkable ground truth out.

One module a dataset family under `families/`; `docs/seeds.md` shows how to add one in a few lines.
"""

from __future__ import annotations

from ultrainteract.instructions.loading import SeedIssue, load_seed, stream_instructions
from ultrainteract.instructions.problem import Problem
from ultrainteract.instructions.registry import dataset, datasets
from ultrainteract.instructions.rows import Row, Unusable

__all__ = [
    "Problem",
    "Row",
    "SeedIssue",
    "Unusable",
    "dataset",
    "datasets",
    "load_seed",
    "stream_instructions",
]
