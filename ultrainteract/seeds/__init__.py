"""Instructions: seed datasets in, instructions with a machine-checkable ground truth out.

One module per dataset under `datasets/`; `docs/seeds.md` shows how to add one in a few lines.
"""

from __future__ import annotations

from ultrainteract.readers.rows import Row, Unusable
from ultrainteract.seeds.loading import SeedIssue, load_seed, stream_instructions
from ultrainteract.seeds.problem import Problem
from ultrainteract.seeds.registry import dataset, known_datasets

__all__ = [
    "Problem",
    "Row",
    "SeedIssue",
    "Unusable",
    "dataset",
    "known_datasets",
    "load_seed",
    "stream_instructions",
]
