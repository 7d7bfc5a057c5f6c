"""GSM8K: grade-school word problems; calculations in the rationale are marked `<<48/2=24>>`."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ultrainteract.config import SeedConfig
from ultrainteract.readers.rows import Row, Unusable
from ultrainteract.schema import Task
from ultrainteract.seeds.chains import as_chain
from ultrainteract.seeds.problem import Problem
from ultrainteract.seeds.programs import calculation_program
from ultrainteract.seeds.registry import dataset

_MARK = re.compile(r"<<([^<>=]*)=([^<>]*)>>")


@dataset("gsm8k", tasks=("Math_CoT", "Math_PoT"), further=("Tools",), licence="MIT")
def load(row: Row, seed: SeedConfig) -> Iterator[Problem]:
    """GSM8K (openai/gsm8k): question, answer with `<<…>>` marks and a last line `#### n`."""
    rationale, separator, gold = row.text("answer").rpartition("####")
    gold = gold.strip().replace(",", "")
    if not separator or not gold:
        raise Unusable("the answer has no '####' line")
    program = calculation_program(_MARK.findall(rationale), gold)
    problem = Problem(
        question=row.text("question"),
        grader="math",
        gold=gold,
        rationales=(_MARK.sub("", rationale).strip(),),
        solutions=(program,) if program else (),
    )
    calls = Task("Tools") in seed.tasks
    if calls and len(seed.tasks) > 1:
        raise Unusable("give the task Tools a seed entry of its own")
    yield as_chain(problem) if calls else problem
