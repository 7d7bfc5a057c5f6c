"""IFEval: prompts with instructions whose keeping a program can check (arXiv 2311.07911)."""

from __future__ import annotations

import json
from collections.abc import Iterator

from ultrainteract.config import SeedConfig
from ultrainteract.readers.rows import Row, Unusable
from ultrainteract.seeds.problem import Problem
from ultrainteract.seeds.registry import Benchmark, dataset


@dataset(
    "ifeval",
    tasks=("Logic",),
    licence="Apache-2.0",
    benchmark=Benchmark("all instructions of a prompt are kept, loosely read", 541),
)
def load(row: Row, seed: SeedConfig) -> Iterator[Problem]:
    """IFEval: key, prompt, instruction_id_list, kwargs."""
    names, settings = row.get("instruction_id_list"), row.nested("kwargs")
    if (
        not isinstance(names, list)
        or not isinstance(settings, list)
        or len(names) != len(settings)
        or not names
        or not all(isinstance(name, str) for name in names)
        or not all(given is None or isinstance(given, dict) for given in settings)
    ):
        raise Unusable("instruction_id_list and kwargs do not belong together")
    raw = row.get("prompt")
    prompt = raw if isinstance(raw, str) else row.text("prompt")
    wanted = [
        {"id": name, "kwargs": {key: value for key, value in (given or {}).items() if value is not None}}
        for name, given in zip(names, settings, strict=True)
    ]
    yield Problem(
        question=prompt,
        prompt=prompt,
        grader="ifeval",
        gold=json.dumps({"prompt": prompt, "instructions": wanted}, ensure_ascii=False, sort_keys=True),
        tags=tuple(sorted({name.partition(":")[0] for name in names})),
        record_id=row.optional_text("key"),
    )
