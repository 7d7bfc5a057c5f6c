"""MINT: the problems of other benchmarks on which multi-turn interaction is measured (arXiv 2309.10691)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ultrainteract.config import SeedConfig
from ultrainteract.readers.rows import Row, Unusable
from ultrainteract.seeds.datasets.humaneval import asserts
from ultrainteract.seeds.datasets.theoremqa import typed_gold
from ultrainteract.seeds.problem import Problem
from ultrainteract.seeds.registry import Benchmark, dataset

_OPTION = re.compile(r"\s*([A-Z]) ?\)\s*(.*)", re.DOTALL)
_FILES = ("**/test_prompts.json", "**/*.jsonl", "**/*.json")


@dataset(
    "mint_code",
    tasks=("Coding",),
    licence="Apache-2.0",
    files=_FILES,
    benchmark=Benchmark("all assertions hold", 136),
)
def load_code(row: Row, seed: SeedConfig) -> Iterator[Problem]:
    """MINT code (HumanEval 45, MBPP 91), from MINT's data/processed."""
    if _subset(row) not in ("humaneval", "mbpp"):
        return
    entry_point = row.optional_text("entry_point")
    prompt = str(row.get("prompt"))
    if entry_point is not None:
        code = str(row.get("canonical_solution")).strip("\n")
        solution = f"{prompt.rstrip()}\n{code}"
        preamble = prompt.rpartition(f"def {entry_point}(")[0]
    else:
        solution, preamble = row.text("code"), row.optional_text("test_setup_code") or ""
    yield Problem(
        question=prompt.strip().strip('"').strip() if entry_point is None else prompt.strip(),
        grader="tests",
        tests=asserts(row.text("reference"), preamble=preamble, time_limit_s=10.0),
        solutions=(solution,),
        tags=(_subset(row),),
        record_id=f"{_subset(row)}/{row.text('id')}",
    )


@dataset(
    "mint_math",
    tasks=("Math_CoT",),
    licence="Apache-2.0",
    files=_FILES,
    benchmark=Benchmark("MINT's: within 5 %, or the reference occurs in the answer; TheoremQA by type", 225),
)
def load_math(row: Row, seed: SeedConfig) -> Iterator[Problem]:
    """MINT math (MATH 100, TheoremQA 49, MMLU 76), from MINT's data/processed; further folders by their names."""
    subset = _subset(row)
    if subset not in ("math", "theoremqa", "mmlu"):
        return
    question = row.text("prompt")
    common = {"question": question, "tags": (subset,), "record_id": f"{subset}/{row.text('id')}"}
    if subset == "theoremqa":
        yield Problem(
            grader="theoremqa", gold=typed_gold(row, "reference", row.text("answer_type")), **common
        )
    elif subset == "mmlu":
        choices = _choices(question)
        letter = row.text("reference").upper()
        if letter not in choices:
            raise Unusable(f"the reference {letter} is none of the options")
        place = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"[sorted(choices).index(letter)]
        yield Problem(
            grader="choice", gold=place, choices=tuple(choices[name] for name in sorted(choices)), **common
        )
    else:
        yield Problem(grader="mint", gold=row.text("reference"), **common)


def _subset(row: Row) -> str:
    """The benchmark that a record comes from: the name of its folder."""
    return row.folder.name if row.folder is not None else ""


def _choices(question: str) -> dict[str, str]:
    listed = question.rpartition("Options:")[2]
    found = (_OPTION.fullmatch(part) for part in listed.split(" , "))
    return {match[1]: match[2].strip() for match in found if match}
