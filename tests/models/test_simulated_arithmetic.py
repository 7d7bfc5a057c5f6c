"""Arithmetic that simulated models read: usual rules, true equations only, chains that compute the gold answer."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.bench._synthetic import synthetic_instructions
from ultrainteract.models.simulated.arithmetic import (
    equations,
    evaluate,
    read_expression,
    read_number,
    write_number,
)
from ultrainteract.models.simulated.chains import (
    chain_of_program,
    chain_of_text,
    chain_values,
    program_values,
)

LEAVES = st.integers(0, 999).map(lambda n: (str(n), Fraction(n))) | st.decimals(
    "0.01", 99, allow_nan=False, places=2
).map(lambda d: (str(d), Fraction(str(d))))
Node = tuple[str, Fraction | None]


def joined(parts: tuple[Node, str, Node]) -> Node:
    (left, a), operator, (right, b) = parts
    value: Fraction | None = None
    if a is not None and b is not None and not (operator == "/" and b == 0):
        value = {"+": a + b, "-": a - b, "*": a * b, "/": a / b if b else a}[operator]
    return f"({left}) {operator} ({right})", value


EXPRESSIONS = st.recursive(
    LEAVES, lambda node: st.tuples(node, st.sampled_from("+-*/"), node).map(joined), max_leaves=6
)


@given(EXPRESSIONS)
def test_expressions_have_the_value_they_have(expression: Node) -> None:
    text, value = expression
    found = evaluate(read_expression(text))
    large = value is not None and max(abs(value.numerator), value.denominator) > 10**18
    assert found == (None if large else value)


@given(st.text(alphabet="0123456789+-*/()=. $x,%ab\n", max_size=60))
def test_any_text_can_be_read(text: str) -> None:
    for equation in equations(text):
        value = evaluate(equation.tokens)
        assert value == equation.value
        assert read_number(text[slice(*equation.result)]) in (
            equation.value,
            equation.value * 100,
            equation.value / 100,
        )


@pytest.mark.parametrize(
    ("text", "value"),
    [("2 + 3 * 4", 14), ("20 - 6 - 4", 10), ("64 / 4 / 2", 8), ("-3 + 5", 2), ("12 x 5 × 2", 120), ("50% * 80", 40),
     ("1,200 ÷ 3", 400), ("$5 + $7", 12), ("20 \\times 2", 40), ("5 snakes/jaguar * 6 jaguars", 30)],
)  # fmt: skip
def test_precedence_and_the_signs_people_use(text: str, value: int) -> None:
    assert evaluate(read_expression(text)) == value


@pytest.mark.parametrize(
    "text", ["", "2 +", "(2", "2 3", "1 / 0", "1 / (2 - 2)", "9" * 25 + " * 1", "*", "()"]
)
def test_what_is_no_expression_has_no_value(text: str) -> None:
    assert evaluate(read_expression(text)) is None


def test_only_true_equations_count() -> None:
    line = "There are 3 + 4 = 7 red and 2 * 5 = 11 blue ones, so x = 4 and 12 / 5 = $2.40 is left; 8 == 8, 3 <= 4 = 4."
    assert [(equation.value, equation.unit) for equation in equations(line)] == [
        (7, "red"),
        (Fraction(12, 5), "dollars"),
    ]


def test_numbers_are_written_as_people_do() -> None:
    written = {Fraction(7): "7", Fraction(5, 2): "2.5", Fraction(1, 3): "0.33", Fraction(1, 1000): "0.001"}
    assert {value: write_number(value) for value in written} == written
    assert read_number("1,234.50") == Fraction("1234.5")
    assert [read_number(text) for text in ("1/0", "x", "", "1e5", "--1")] == [None] * 5


def test_chains_of_texts_and_programs() -> None:
    lines = [
        "She buys 3 * 4 = 12 pens.",
        "She gives 12 / 2 = 6 away, 100 - 1 = 99 for nothing, and keeps 12 - 6 = 6 pens.",
    ]
    chain = chain_of_text(lines, Fraction(6))
    assert chain is not None
    assert chain_values(chain) == [12, 6, 6]
    assert chain_of_text(lines, Fraction(5)) is None
    program = "a = 3*4\nb = a/8\nunused = 7\nprint(round(b, 1))"
    found = chain_of_program(program, Fraction(3, 2), [])
    assert found is not None
    assert chain_values(found) == [12, Fraction(3, 2)]
    for other in ("a = f(3)\nprint(a)", "a = 3", "import os\na = 3\nprint(a)", "a = 2*5\nprint(a)"):
        assert chain_of_program(other, Fraction(3), []) is None


def test_synthetic_problems_are_endless_different_and_right() -> None:
    instructions = list(synthetic_instructions(3000, seed=5))
    assert len({instruction.id for instruction in instructions}) == 3000
    assert instructions[:50] == list(synthetic_instructions(50, seed=5))
    assert instructions[:50] != list(synthetic_instructions(50, seed=6))
    for instruction in instructions[:500]:
        gold = read_number(instruction.gold or "")
        assert gold is not None
        chain = chain_of_text(instruction.rationales[0].splitlines(), gold)
        assert chain is not None
        values = chain_values(chain)
        assert values is not None
        assert values[-1] == gold


def test_programs_are_followed_without_being_run() -> None:
    code = "# Step 1: x\ndef share(a, b):\n    return a / b\n\ntotal = 3 * 4\npart = share(total, 8)\nodd = open(part)\nlast = 1"
    assert [value for _, value in program_values(code)] == [12, Fraction(3, 2)]
    assert [code[place:].partition(" ")[0] for place, _ in program_values(code)] == ["total", "part"]
