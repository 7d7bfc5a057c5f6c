"""What statements accept. The sentences are common ways in which contest problems say it."""

from __future__ import annotations

import pytest

from ultrainteract.schema import Checker
from ultrainteract.seeds.statements import CASELESS, agreeing, examples, is_interactive, judging


@pytest.mark.parametrize(
    "sentence",
    [
        "If there are several answers, print any of them.",
        "If there are multiple possible ways, you may print any.",
        "If multiple subsequences satisfy these conditions, you are allowed to find any of them.",
        "You can print the numbers in any order.",
        "Your task is to find any suitable permutation.",
        "In the second line print any example of such a necklace.",
        "If there are several such sequences, any of them is acceptable.",
        "Your solution will be considered correct if your tree produces the same pairs.",
        "Output the edges in arbitrary order.",
        "If there is more than one plan, any will do.",
    ],
)
def test_several_outputs_are_right(sentence: str) -> None:
    assert judging(f"Read n.\n\nOutput\n\n{sentence}\n\nExample")[1]


@pytest.mark.parametrize(
    "sentence",
    [
        "In one move you can choose any substring and reverse it.",
        "The player may take any number of stones.",
        "If he cannot find any such snack, he fails.",
        "You can use each offer any number of times, in any order.",
        "There are too many answers in the third test, so we won't describe any of them.",
        "Print the answer modulo 998244353.",
        "Print the numbers in increasing order.",
    ],
)
def test_one_output_is_right(sentence: str) -> None:
    checker, any_answer = judging(f"Read n.\n\nOutput\n\n{sentence}\n\nExample")
    assert not any_answer
    assert checker.kind == "tokens"


@pytest.mark.parametrize(
    ("sentence", "tolerance"),
    [
        ("Your answer is correct if its absolute or relative error does not exceed 10^{-6}.", 1e-6),
        ("The absolute or relative error mustn't exceed 10 - 9.", 1e-9),
        ("An error of at most $10^{ - 4}$ is accepted.", 1e-4),
        ("The answer is valid if it differs from the correct one by at most 10 \u2212 5.", 1e-5),
        ("Relative or absolute error should not be greater than 1e-7.", 1e-7),
        ("Print the point with five digits after the decimal point.", 1e-5),
        ("Print it with a precision of 0.001.", 1e-3),
        ("Your answer must have an absolute or relative error that is small.", 1e-6),
    ],
)
def test_numeric_errors_are_allowed(sentence: str, tolerance: float) -> None:
    checker, _ = judging(f"Read n.\n\nOutput\n\n{sentence}\n")
    assert checker.kind == "floats"
    assert checker.tolerance == pytest.approx(tolerance)


def test_an_absolute_difference_is_no_error_margin() -> None:
    assert (
        judging("Swap them at cost |i - j|, that is, the absolute difference between i and j.")[0].kind
        == "tokens"
    )


@pytest.mark.parametrize(
    "sentence",
    [
        "You can print each letter in any case (upper or lower).",
        "The letters in words can be printed in any case (upper or lower).",
        "Print YES (case insensitive) if it is possible.",
    ],
)
def test_letters_of_either_case(sentence: str) -> None:
    checker, _ = judging(sentence)
    assert (checker.kind, checker.program) == ("program", CASELESS)
    namespace: dict[str, object] = {}
    exec(CASELESS, namespace)
    check = namespace["check"]
    assert callable(check)
    assert check("", "YES\nno", "yes No\n")
    assert not check("", "YES", "NO")


@pytest.mark.parametrize(
    "statement",
    [
        "This is an interactive problem. Ask at most 20 questions.",
        "In this interactive task you guess a number.",
        "After each query do not forget to flush the output.",
    ],
)
def test_interactive_problems_are_told(statement: str) -> None:
    assert is_interactive(statement)


def test_toilets_that_flush_are_not_interactive() -> None:
    assert not is_interactive("Every toilet needs 3 litres to flush. Print the total.")


def test_examples_are_read_as_contests_show_them() -> None:
    native = "Add.\n\nInput\n\nTwo numbers.\n\nOutput\n\nTheir sum.\n\nExamples\n\nInput\n\n1 2\n\n\nOutput\n\n3\n\n\nInput\n\n2\n2\n\n\nOutput\n\n4"
    apps = "Add.\n\n-----Input-----\n\nTwo numbers.\n\n-----Example-----\nInput\n1 2\n\nOutput\n3\n\n-----Note-----\n\nEasy."
    assert examples(native) == [("1 2", "3"), ("2\n2", "4")]
    assert examples(apps) == [("1 2", "3")]
    assert examples("Input\n\n1\n\nOutput\n\n2") == []


def test_two_outputs_for_one_input_mean_that_several_are_right() -> None:
    tokens = Checker()
    assert agreeing(tokens, [["1 2", "1 2 \n"], ["3"]]) == (tokens, False)
    assert agreeing(tokens, [["1 2", "2 1"]]) == (tokens, True)
    assert agreeing(tokens, [["0", "0\n\n6\n1 2"]]) == (tokens, False)
    assert agreeing(tokens, [["YES", "Yes"], ["NO"]])[0].program == CASELESS
    floats = Checker(kind="floats", tolerance=1e-6)
    assert agreeing(floats, [["0.5", "0.5000"]]) == (floats, False)
