"""The items that an evaluation did not solve, as seeds: `ultrainteract eval samples DIR --for failures`."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import ValidationError

from ultrainteract.config import SeedConfig
from ultrainteract.errors import ConfigError
from ultrainteract.grading.registry import find_grader
from ultrainteract.readers.rows import Row, Unusable
from ultrainteract.schema import Instruction, Task
from ultrainteract.seeds.problem import Problem
from ultrainteract.seeds.registry import dataset


@dataset("from_eval", tasks=tuple(Task))
def load(row: Row, seed: SeedConfig) -> Iterator[Problem]:
    """Failures of an evaluation, each carried whole: dataset, source, licence, functions, conversation, backend.

    Test items of benchmarks are refused: a model must not be trained on them.
    """
    try:
        item = Instruction.model_validate(row.get("instruction"))
        find_grader(item.grader)
    except ValidationError as error:
        raise Unusable(f"this is no failure of an evaluation: {error.errors()[0]['msg']}") from error
    except ConfigError as error:
        raise Unusable(str(error)) from error
    if row.get("benchmark") is not False:
        raise Unusable(
            f"a test item of {item.dataset}: a model that was trained on it cannot be evaluated on it"
        )
    if seed.tasks and item.task not in seed.tasks:
        return
    stated = {"dataset": seed.name, "licence": seed.licence}
    yield Problem.of(item.model_copy(update={name: value for name, value in stated.items() if value}))
