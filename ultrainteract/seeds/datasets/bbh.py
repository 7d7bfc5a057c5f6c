"""BIG-Bench Hard: 27 reasoning tasks, one file each (arXiv 2210.09261)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ultrainteract.config import SeedConfig
from ultrainteract.readers.rows import Row, Unusable
from ultrainteract.seeds.problem import Problem
from ultrainteract.seeds.registry import Benchmark, dataset

_CHOICE = re.compile(r"^\(([A-Z])\) ?(.*)$", re.MULTILINE)
_NUMBERS = ("multistep_arithmetic_two", "object_counting")


@dataset(
    "bbh",
    tasks=("Logic",),
    licence="MIT",
    options=("shots",),
    paths=("shots",),
    benchmark=Benchmark("the answer is equal: choice, yes or no, number, or text", 6_511),
    records="examples",
)
def load(row: Row, seed: SeedConfig) -> Iterator[Problem]:
    """BBH: examples of input and target per task file; `shots: FOLDER` with BBH's `cot-prompts` goes before each."""
    if row.file is None or row.has("examples"):
        raise Unusable("there is no list 'examples'; BBH is read from its own files, one per task")
    task = row.file.stem
    shots = _shots(str(seed.options["shots"]), task) if "shots" in seed.options else ""
    problem = _problem(row.text("input"), row.text("target"), task)
    yield problem.model_copy(
        update={"body": f"{shots}{problem.question}", "tags": (task,), "record_id": f"{task}/{row.key}"}
    )


def _problem(question: str, target: str, task: str) -> Problem:
    choices = dict(_CHOICE.findall(question))
    letter = target.strip("()")
    if choices:
        texts = tuple(text.strip() or f"choice {name}" for name, text in choices.items())
        fitting = (
            [letter] if letter in choices else [n for n, text in choices.items() if text.strip() == target]
        )
        if len(fitting) == 1:
            return Problem(question=question, grader="choice", gold=fitting[0], choices=texts)
        return Problem(question=question, grader="text", gold=target)  # a slip of the published file
    if target.lower() in ("yes", "no", "true", "false"):
        gold = "yes" if target.lower() in ("yes", "true") else "no"
        return Problem(question=question, grader="boolean", gold=gold)
    if task == "dyck_languages":
        return Problem(question=question, grader="brackets", gold=target)
    return Problem(question=question, grader="math" if task in _NUMBERS else "text", gold=target)


def _shots(folder: str, task: str) -> str:
    """The worked examples of a task: the text of `FOLDER/TASK.txt` behind its canary and divider lines."""
    from pathlib import Path

    try:
        text = (Path(folder) / f"{task}.txt").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Unusable(f"options.shots: cannot read {task}.txt in {folder} ({error})") from error
    return text.rpartition("-----\n")[2].strip() + "\n\n"
