"""What statements accept. The sentences are common ways in which contest problems say it."""

from __future__ import annotations

import pytest

from ultrainteract.readers.rows import Unusable
from ultrainteract.sandbox.compare import same_text
from ultrainteract.schema import Checker
from ultrainteract.seeds.coding import input_output_suite, is_shown
from ultrainteract.seeds.statements import (
    CASELESS,
    agreeing,
    examples,
    is_interactive,
    judging,
    without_case,
)


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
        ("Print the point with five digits after the decimal point.", 5e-6),
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


@pytest.mark.parametrize(
    "statement",
    [
        "Each length is given with three digits after the decimal point. Print one integer: the sum.",
        "All probabilities are given with at most 6 decimal places. Print the most likely index.",
        "Input\n\nThe numbers have 2 decimals. Print nothing else.\n\nOutput\n\nThe number of pairs.",
        "The input consists of n numbers with two digits after the decimal point; print the largest index.",
        "The scale measures with a precision of 0.001, as the input states. Print the name of the lightest.",
    ],
)
def test_what_is_said_of_the_input_is_no_tolerance(statement: str) -> None:
    assert judging(statement)[0].kind == "tokens"


@pytest.mark.parametrize(
    ("sentence", "error", "tolerance"),
    [
        ("Print the total with 2 digits after the decimal point.", "absolute", 0.005),
        ("Output the mean rounded to three decimal places.", "absolute", 0.0005),
        ("The absolute error must not exceed 0.001.", "absolute", 1e-3),
        ("Your answer is accepted if its relative error is at most 10^-4.", "relative", 1e-4),
        ("Absolute or relative error of 1e-6 is accepted.", "either", 1e-6),
        ("An error of at most 10^-4 is accepted.", "absolute", 1e-4),
    ],
)
def test_the_kind_of_error_is_the_one_that_is_meant(sentence: str, error: str, tolerance: float) -> None:
    checker, _ = judging(f"Read n.\n\nOutput\n\n{sentence}\n")
    assert (checker.kind, checker.error) == ("floats", error)
    assert checker.tolerance == pytest.approx(tolerance)


def test_a_tolerance_is_for_measured_values_alone() -> None:
    checker = Checker(kind="floats", tolerance=1e-3)
    assert not same_text(checker, "1000000 0.5", "1000900 0.5")
    assert same_text(checker, "1000000 0.5", "1000000 0.5003")
    assert same_text(checker, "3", "3.0001")
    digits = judging("Print the total with 2 digits after the decimal point.")[0]
    assert not same_text(digits, "12345.67", "12400.00")
    assert same_text(digits, "0.33", "0.3333333")
    assert same_text(digits, "0.13", "0.125")


def test_the_accepted_solutions_show_whether_case_matters() -> None:
    tokens = Checker()
    assert without_case(tokens, ["Yes\n", "No\n"], ["print('YES' if input() else 'NO')"]).program == CASELESS
    assert without_case(tokens, ["Yes\n", "No\n"], ["print('Yes' if input() else 'No')"]) == tokens
    assert without_case(tokens, ["Yes\n", "No\n"], []) == tokens
    assert without_case(tokens, ["abc\n"], ["print(input())"]) == tokens


def test_a_test_is_public_where_its_input_and_output_are_shown() -> None:
    statement = "Square n, at most 30.\n\nExample\n\nInput\n\n3\n\nOutput\n\n9\n"
    assert is_shown("3\n", "9\n", statement)
    assert not is_shown("30\n", "900\n", statement)
    assert not is_shown("3\n", "10\n", statement)
    call = "For example, f([1, 2], 'ab') returns True."
    assert is_shown('[[1, 2], "ab"]', "true", call, call=True)
    assert not is_shown('[[1, 3], "ab"]', "true", call, call=True)


def test_hidden_tests_can_be_demanded() -> None:
    statement = "Read n and print its square.\n\nExample\n\nInput\n\n3\n\nOutput\n\n9\n"
    tests = {"inputs": ["3\n", "4\n"], "outputs": ["9\n", "16\n"]}
    suite = input_output_suite(tests, statement, {"min_hidden_tests": 1})
    assert [case.public for case in suite.cases] == [True, False]
    with pytest.raises(Unusable, match=r"only 1 of its tests are hidden.*seeds tests"):
        input_output_suite(tests, statement, {"min_hidden_tests": 2})
