"""The shipped records: usable without exception, small, each with a stated licence."""

from __future__ import annotations

import contextlib
import io

import pytest
from seed_helpers import DATA, load

from ultrainteract.config import SeedConfig
from ultrainteract.schema import Instruction
from ultrainteract.seeds.formulas import formula_program
from ultrainteract.seeds.programs import calculation_program, evaluate

SHIPPED = [
    ("gsm8k", "gsm8k/train.jsonl", 120, "MIT"),
    ("MATH", "math/train.jsonl", 80, "MIT"),
    ("codecontest", "codecontests/train.jsonl", 20, "CC-BY-4.0"),
    ("strategyqa", "strategyqa/train.json", 25, "MIT"),
    ("lsat_lr", "agieval_lsat_lr/lsat-lr.jsonl", 20, "MIT"),
]


@pytest.mark.parametrize(("dataset", "path", "count", "licence"), SHIPPED)
def test_every_record_is_usable(dataset: str, path: str, count: int, licence: str) -> None:
    instructions, issues = load(SeedConfig(dataset=dataset, path=path), DATA)
    assert issues == []
    assert len(instructions) == len({i.id for i in instructions}) == count
    assert {i.licence for i in instructions} == {licence}


def test_the_shipped_data_is_small_and_described() -> None:
    readme = (DATA / "README.md").read_text(encoding="utf-8")
    files = [path for path in DATA.rglob("*") if path.is_file() and path.name != "README.md"]
    assert sum(path.stat().st_size for path in files) < 1_000_000
    assert all(f"`{path.relative_to(DATA)}`" in readme for path in files)


def printed(program: str) -> str:
    with contextlib.redirect_stdout(io.StringIO()) as out:
        exec(program, {})
    return out.getvalue().strip()


def test_gsm8k_programs_print_the_gold_answer() -> None:
    instructions, _ = load(SeedConfig(dataset="gsm8k", path="gsm8k/train.jsonl", tasks=("Math_PoT",)), DATA)
    assert all(isinstance(i, Instruction) and i.solutions for i in instructions)
    for instruction in instructions:
        assert evaluate(printed(instruction.solutions[0])) == evaluate(instruction.gold or "")


@pytest.mark.parametrize(
    ("calculations", "gold", "program"),
    [
        ([("48/2", "24"), ("48+24", "72")], "72", "step_1 = 48/2\nstep_2 = 48+step_1\nprint(int(step_2))"),
        ([("5*$1,000", "5000")], "5000", "step_1 = 5*1000\nprint(step_1)"),
        ([("20%*50", "10")], "10", "step_1 = 20/100*50\nprint(int(step_1))"),
        ([("1/3", ".33"), ("3*.33", "1")], "1", None),  # rounded on the way: it does not compute the answer
        ([("2+2", "5")], "5", None),
        ([("__import__('os')", "1")], "1", None),
        ([("9**9**9", "1")], "1", None),
        ([], "1", None),
    ],
)
def test_calculations_become_a_program_or_nothing(
    calculations: list[tuple[str, str]], gold: str, program: str | None
) -> None:
    found = calculation_program(calculations, gold)
    assert found == program
    if found is not None:
        assert float(printed(found)) == float(gold)


@pytest.mark.parametrize(
    ("formula", "gold", "output"),
    [
        ("divide(72, 6)", "12 km / h", "12"),
        ("divide(multiply(add(1, const_2), const_100), 8)", "rs . 37.5", "37.5"),
        ("circle_area(divide(14, const_2))", "153.94", "153.94"),
        ("choose(5, 2)", "10", "10"),
        ("negate(add(const_2, const_3))", "- 5", "-5"),
        ("divide(1, 0)", "1", None),
        ("power(10, 1000)", "1", None),
        ("factorial(100000)", "1", None),
        ("unknown(1)", "1", None),
        ("open('x')", "1", None),
        ("add(1, 1)", "3", None),
        ("add(1, 1)", "2 / 3", None),
        ("add(1,", "2", None),
    ],
)
def test_formulas_become_a_program_or_nothing(formula: str, gold: str, output: str | None) -> None:
    program = formula_program(formula, gold)
    assert (program is None) == (output is None)
    if program is not None:
        assert printed(program) == output
