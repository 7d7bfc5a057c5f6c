"""Every dataset: what one record in its published format becomes. The records are written for these tests."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from seed_helpers import load, load_records, write_lines

from ultrainteract.config import SeedConfig
from ultrainteract.schema import Task
from ultrainteract.seeds.datasets.hendrycks_math import last_boxed
from ultrainteract.seeds.datasets.mathqa import rationale, split_options
from ultrainteract.seeds.datasets.wikitablequestions import split_answers

PYTHON = (
    "Tool available:\n[1] Python interpreter\nWhen you send a message containing Python code to python, it will be "
    "executed in a stateful Jupyter notebook environment.\n"
)
SEARCH = (
    "Tool available:\n[1] wikipedia_search(query: str) -> str\nThe Wikipedia Search tool provides access to a vast "
    "collection of articles covering a wide range of topics.\nCan query specific keywords or topics to retrieve "
    "accurate and comprehensive information.\n"
)
COT = (
    "Solve the following math problem step-by-step.\nSimplify your answer as much as possible. Present your final "
    "answer as \\boxed{Your Answer}.\n"
)


def test_gsm8k_gives_both_math_tasks_in_the_published_wording(tmp_path: Path) -> None:
    record = {
        "question": "A pen costs $3 and a pad half of $8. What do 2 of each cost?",
        "answer": "The pad costs 8/2 = $<<8/2=4>>4.\nTogether 3+4 = $<<3+4=7>>7.\n2*7 = <<2*7=14>>14\n#### 14",
    }
    cot, pot = load_records(tmp_path, "gsm8k", record)
    assert (cot.task, pot.task) == (Task.MATH_COT, Task.MATH_POT)
    assert cot.prompt == COT + record["question"]
    assert pot.prompt.startswith(PYTHON + "Solve the following math problem step-by-step.\n")
    assert (cot.tools, pot.tools) == ((), ("python",))
    assert (cot.gold, cot.grader, cot.licence) == ("14", "math", "MIT")
    assert cot.rationales == ("The pad costs 8/2 = $4.\nTogether 3+4 = $7.\n2*7 = 14",)
    assert cot.solutions == ()
    assert pot.solutions == ("step_1 = 8/2\nstep_2 = 3+step_1\nstep_3 = 2*step_2\nprint(int(step_3))",)
    assert (cot.source, cot.dataset) == ("gsm8k/train/1", "gsm8k")


def test_gsm8k_large_answers_lose_their_commas(tmp_path: Path) -> None:
    (cot, _) = load_records(tmp_path, "gsm8k", {"question": "How many?", "answer": "Many.\n#### 12,500"})
    assert cot.gold == "12500"


def test_math_in_both_layouts_is_the_same_instruction(tmp_path: Path) -> None:
    problem, solution = "What is $\\frac{1}{2}+\\frac{1}{2}$?", "Add: $\\boxed{1}$."
    (new, _) = load_records(
        tmp_path,
        "MATH",
        {"problem": problem, "solution": solution, "answer": "1", "subject": "Algebra", "level": 2,
         "unique_id": "train/algebra/7.json"},
    )  # fmt: skip
    old_folder = tmp_path / "old" / "algebra"
    old_folder.mkdir(parents=True)
    (old_folder / "7.json").write_text(
        json.dumps(
            {"problem": problem, "level": "Level 2", "type": "Algebra", "solution": solution}, indent=1
        )
    )
    (old, _), issues = load(SeedConfig(dataset="MATH", path="old"), tmp_path)
    assert not issues
    assert old == new
    assert (new.source, new.difficulty, new.tags) == ("MATH/train/algebra/7.json", "2", ("Algebra",))
    assert new.prompt == COT + problem


@pytest.mark.parametrize(
    ("solution", "answer"),
    [
        ("So \\boxed{\\frac{3}{4}}.", "\\frac{3}{4}"),
        ("First \\boxed{1}, then \\boxed{\\text{(B)}}", "\\text{(B)}"),
        ("\\boxed 5 is it", "5"),
        ("\\fbox{7}", "7"),
        ("$\\boxed{\\{1,2\\}}$", "\\{1,2\\}"),
        ("no box", None),
        ("\\boxed{never closed", None),
    ],
)
def test_last_box(solution: str, answer: str | None) -> None:
    assert last_boxed(solution) == answer


MATHQA = {
    "Problem": "a train runs 72 km in 6 hours at even pace , what is its speed ?",
    "Rationale": '"72 / 6 = 12 km / h . answer : c ."',
    "options": "a ) 1 , 000 , b ) 6 , c ) 12 km / h , d ) 18 , e ) none of these",
    "correct": "c",
    "annotated_formula": "divide(72, 6)",
    "linear_formula": "divide(n0,n1)|",
    "category": "physics",
}


def test_mathqa(tmp_path: Path) -> None:
    cot, pot = load_records(tmp_path, "mathqa", MATHQA)
    assert cot.choices == ("1 , 000", "6", "12 km / h", "18", "none of these")
    assert (cot.grader, cot.gold) == ("choice", "C")
    assert cot.rationales == ("72 / 6 = 12 km / h",)
    assert pot.solutions == ("step_1 = 72 / 6\nprint(round(step_1))",)
    assert cot.tags == ("physics", "formula:divide(n0,n1)|")
    # As published: no line about simplifying in the mathqa row, and the bare problem.
    assert pot.prompt == PYTHON + "Solve the following math problem step-by-step.\n" + str(MATHQA["Problem"])


def test_mathqa_shows_choices_where_the_problem_needs_them(tmp_path: Path) -> None:
    record = {**MATHQA, "Problem": "which of the following is its speed ?"}
    assert "C. 12 km / h" in load_records(tmp_path, "mathqa", record)[0].prompt
    assert "C. 12" not in load_records(tmp_path, "mathqa", record, options={"choices": "never"})[0].prompt
    assert "C. 12" in load_records(tmp_path, "mathqa", MATHQA, options={"choices": "always"})[0].prompt


def test_mathqa_options_written_as_a_list() -> None:
    assert split_options("['a ) 4', 'b ) 4 π', 'c ) 16']") == ("4", "4 π", "16")


@pytest.mark.parametrize(
    "ending", ["answer : c", "answer is c .", "correct option : c", "answer c", "ans . c"]
)
def test_mathqa_rationale_does_not_name_the_letter(ending: str) -> None:
    assert rationale(f"5 * 5 = 25 . {ending}").rstrip(" .") == "5 * 5 = 25"


@pytest.mark.parametrize(
    ("record", "grader", "gold", "choices"),
    [
        ({"question": "3+4?", "answer": 7, "type": "Type_1"}, "number", "7", ()),
        ({"question": "Half of 2.5?", "answer": "1.25", "type": "Type_8"}, "number", "1.25", ()),
        ({"question": "3 months after March?", "answer": "June", "type": "Type_1"}, "text", "June", ()),
        (
            {"question": "It looks small because?", "Option1": "it is far", "Option2": "it is near",
             "answer": "Option 1", "type": "Type_3"},
            "choice", "A", ("it is far", "it is near"),
        ),
        (
            {"statement1": "He has 3.", "statement2": "He has 4.", "options": "?", "answer": "contradiction",
             "type": "Type_7"},
            "choice", "B", ("Entailment", "contradiction", "neutral"),
        ),
        (
            {"passage": "They won 3.", "question": "How many?", "type": "Type_5",
             "answer": {"number": "3", "date": {"day": "", "month": "", "year": ""}, "spans": []}},
            "number", "3", (),
        ),
        (
            {"passage": "On 24 April.", "question": "When?", "type": "Type_5",
             "answer": {"number": "", "date": {"day": "24", "month": "April", "year": ""}, "spans": []}},
            "text", "24 April", (),
        ),
    ],
)  # fmt: skip
def test_numglue(
    tmp_path: Path, record: dict[str, Any], grader: str, gold: str, choices: tuple[str, ...]
) -> None:
    cot, _ = load_records(tmp_path, "numglue", record)
    assert (cot.grader, cot.gold, cot.choices, cot.tags) == (grader, gold, choices, (record["type"],))
    assert cot.question.startswith(record.get("passage", ""))


def test_numglue_several_spans_are_a_set(tmp_path: Path) -> None:
    answer = {"number": "", "date": {}, "spans": ["Mark", "Joe", "Mark"]}
    record = {"passage": "P", "question": "Who?", "answer": answer, "type": "Type_6"}
    assert load_records(tmp_path, "numglue", record)[0].gold_set == ("Mark", "Joe")


@pytest.mark.parametrize("missing", ["passage", "Option1", "statement1"])
def test_numglue_without_what_its_type_needs_is_unusable(tmp_path: Path, missing: str) -> None:
    records = {
        "passage": {"passage": "P", "question": "Who?", "answer": "Mark", "type": "Type_5"},
        "Option1": {"question": "Q?", "Option1": "a", "Option2": "b", "answer": "Option 1", "type": "Type_3"},
        "statement1": {"statement1": "s", "statement2": "t", "answer": "neutral", "type": "Type_7"},
    }
    record = {name: value for name, value in records[missing].items() if name != missing}
    write_lines(tmp_path / "a.jsonl", [records[missing], record])
    instructions, issues = load(SeedConfig(dataset="numglue", path="a.jsonl"), tmp_path)
    assert len(instructions) == 2
    there = ", ".join(record)
    assert [issue.reason for issue in issues] == [f"field '{missing}' is missing (there are: {there})"]


def test_tabmwp_is_an_object_by_id(tmp_path: Path) -> None:
    table = {"table": "Day | Sold\nMon | 1,200\nTue | 300", "solution": "Add.", "ques_type": "free_text"}
    problems = {
        "8": {"question": "How many in all?", "choices": None, "answer": "1,500", "unit": "cups", "table_title": "Tea",
              "grade": 4, "ans_type": "integer_number", **table},
        "9": {"question": "Which day?", "choices": ["Mon", "Tue"], "answer": "Mon", "unit": None, "table_title": None,
              "grade": 7, "ans_type": "extractive_text", **table},
    }  # fmt: skip
    (tmp_path / "problems.json").write_text(json.dumps(problems, indent=2))
    (number, choice), issues = load(SeedConfig(dataset="tabmwp", path="problems.json"), tmp_path)
    assert not issues
    assert (number.task, number.grader, number.gold, number.unit) == (
        Task.MATH_POT,
        "number",
        "1,500",
        "cups",
    )
    assert number.prompt.endswith(
        "Table: Tea\nDay | Sold\nMon | 1,200\nTue | 300\nHow many in all? (Unit: cups)"
    )
    assert (choice.grader, choice.gold, choice.difficulty) == ("choice", "A", "7")
    assert choice.prompt.endswith("Which day?\nA. Mon\nB. Tue")
    assert [i.source for i in (number, choice)] == ["tabmwp/train/8", "tabmwp/train/9"]


def contest(**fields: Any) -> dict[str, Any]:
    return {
        "name": "7_A. Sum",
        "description": "Print a+b.\n\nExamples\n\nInput\n\n1 2\n\n\nOutput\n\n3",
        "public_tests": {"input": ["1 2\n", "5 5\n"], "output": ["3\n", "10\n"]},
        "private_tests": {"input": ["2 2\n", "1 2\n"], "output": ["4\n", "3\n"]},
        "generated_tests": {"input": ["9 9\n"], "output": ["18\n"]},
        "solutions": {"language": [2, 3, 3], "solution": ["int main(){}", "print(1)", "print(2)"]},
        "difficulty": 7,
        "time_limit": {"seconds": 2, "nanos": 500_000_000},
        "memory_limit_bytes": 256 << 20,
        "cf_tags": ["math", ""],
        "input_file": "",
        "output_file": "",
        **fields,
    }


def test_codecontests(tmp_path: Path) -> None:
    (problem,) = load_records(tmp_path, "codecontest", contest())
    assert problem.prompt == "Write Python code to solve the task.\n" + contest()["description"]
    assert problem.solutions == ("print(1)", "print(2)")
    assert (problem.tools, problem.difficulty, problem.tags) == ((), "A", ("math",))
    assert problem.tests is not None
    # Without repeats; public is what the statement shows, whatever the column says.
    assert [(case.input, case.public) for case in problem.tests.cases] == [
        ("1 2\n", True), ("5 5\n", False), ("2 2\n", False), ("9 9\n", False),
    ]  # fmt: skip
    assert (problem.tests.time_limit_s, problem.tests.memory_limit_mb) == (2.5, 256)
    assert (problem.tests.checker.kind, problem.tests.any_answer) == ("tokens", False)


def test_codecontests_options_bound_tests_and_solutions(tmp_path: Path) -> None:
    options = {"max_tests": 2, "max_test_chars": 6, "max_solutions": 1}
    (problem,) = load_records(tmp_path, "codecontest", contest(), options=options)
    assert problem.tests is not None
    assert [case.input for case in problem.tests.cases] == ["1 2\n", "2 2\n"]
    assert problem.solutions == ("print(1)",)


def test_codecontests_that_read_files_are_unusable(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(json.dumps(contest(input_file="in.txt")) + "\n")
    instructions, (issue,) = load(SeedConfig(dataset="codecontest", path="a.jsonl"), tmp_path)
    assert not instructions
    assert "named files" in issue.reason


def test_codecontests_in_sandboxfusion_columns(tmp_path: Path) -> None:
    test = [{"input": {"stdin": "1 2\n"}, "output": {"stdout": "3\n"}}]
    record = {"content": "Print a+b. Example: 1 2 gives 3", "id": 8, "test": json.dumps(test),
              "labels": json.dumps({"name": "7_A. Sum", "difficulty": "A"})}  # fmt: skip
    (problem,) = load_records(tmp_path, "codecontest", record)
    assert problem.source == "codecontest/train/7_A. Sum"
    assert problem.tests is not None
    assert problem.tests.cases[0].public


APPS = {
    "problem_id": 5,
    "question": "Add.",
    "solutions": json.dumps(["print(3)"]),
    "input_output": json.dumps({"inputs": ["1 2\n"], "outputs": ["3\n"]}),
    "difficulty": "interview",
    "starter_code": "",
}


def test_apps_and_taco(tmp_path: Path) -> None:
    (apps,) = load_records(tmp_path, "apps", APPS)
    taco = {**APPS, "time_limit": "2.0 seconds", "memory_limit": "512 megabytes", "tags": "['Math', 'Greedy']",
            "difficulty": "UNKNOWN_DIFFICULTY"}  # fmt: skip
    (other,) = load_records(tmp_path, "TACO", taco)
    assert apps.tests is not None
    assert other.tests is not None
    assert apps.tests.cases == other.tests.cases
    assert (apps.licence, other.licence) == ("MIT", "Apache-2.0")
    assert (other.tests.time_limit_s, other.tests.memory_limit_mb) == (2.0, 512)
    assert (other.tags, other.difficulty, apps.difficulty) == (("Math", "Greedy"), None, "interview")


@pytest.mark.parametrize(
    ("inputs", "outputs", "arguments", "expected"),
    [
        ([['"abba"']], [['"ca"']], '["\\"abba\\""]', '"\\"ca\\""'),
        ([[[4, -1], [[], []]]], [[25]], "[[4, -1], [[], []]]", "25"),
        ([[[2, 7], 9]], [[0, 1]], "[[2, 7], 9]", "[0, 1]"),
        ([[[1, 2]], [[3]]], [[[1]], [[3, 4]]], "[[1, 2]]", "[1]"),
    ],
)
def test_function_call_tests_are_unwrapped(
    tmp_path: Path, inputs: list[Any], outputs: list[Any], arguments: str, expected: str
) -> None:
    tests = {"fn_name": "solve", "inputs": inputs, "outputs": outputs}
    starter = "class Solution:\n    def solve(self, s: str) -> str:"
    (problem,) = load_records(
        tmp_path, "apps", {**APPS, "input_output": json.dumps(tests), "starter_code": starter}
    )
    assert problem.tests is not None
    assert (problem.tests.kind, problem.tests.entry_point) == ("call", "solve")
    assert (problem.tests.cases[0].input, problem.tests.cases[0].expected) == (arguments, expected)
    assert problem.prompt.endswith(f"Add.\n\n{starter}")


def test_wiki_table_questions(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "csv" / "2-csv").mkdir(parents=True)
    (tmp_path / "csv" / "2-csv" / "1.tsv").write_text("Year\tTeam\n2004\tRovers\\nCity\n2005\tA\\pB\n")
    (tmp_path / "csv" / "2-csv" / "3.csv").write_text('"Name","Note"\n"X","said \\"no\\", twice"\n')
    (tmp_path / "data" / "training.tsv").write_text(
        "id\tutterance\tcontext\ttargetValue\n"
        'nt-0\twho won "it"?\tcsv/2-csv/1.csv\tRovers|A\\pB\n'
        "nt-1\twho?\tcsv/2-csv/3.csv\tX\n"
        "nt-2\twho?\tcsv/2-csv/9.csv\tX\n"
        "nt-3\twho?\t../../secret.csv\tX\n"
    )
    (first, second), issues = load(SeedConfig(dataset="wiki_table_questions", path="."), tmp_path)
    assert first.gold_set == ("Rovers", "A|B")
    assert (first.task, first.tools, first.grader) == (Task.CODING, ("python",), "answer_set")
    assert first.prompt == (
        PYTHON + "Write Python code to solve the task.\n"
        'Table:\nYear | Team\n2004 | Rovers City\n2005 | A/B\nQuestion: who won "it"?'
    )
    assert 'said "no", twice' in second.prompt
    assert ["not found" in issue.reason or "no path" in issue.reason for issue in issues] == [True, True]


def test_wiki_table_answer_escapes() -> None:
    assert split_answers("a\\pb|c\\nd|e\\\\f") == ("a|b", "c\nd", "e\\f")


def test_wiki_table_questions_in_hub_columns(tmp_path: Path) -> None:
    table = {"header": ["A", "B"], "rows": [["1", "2"]], "name": "t"}
    record = {"id": "nt-9", "question": "B?", "answers": ["2"], "table": table}
    (problem,) = load_records(tmp_path, "wiki_table_questions", record)
    assert problem.gold_set == ("2",)
    assert problem.question == "Table:\nA | B\n1 | 2\nQuestion: B?"


def test_magicoder_is_judged(tmp_path: Path) -> None:
    (task,) = load_records(tmp_path, "magicoder_evol_instruct", {"instruction": "Sort it.", "response": "x"})
    assert (task.grader, task.gold, task.prompt) == (
        "judge", None, "Write Python code to solve the task.\nSort it.",
    )  # fmt: skip


def test_reading_with_choices(tmp_path: Path) -> None:
    (reclor,) = load_records(
        tmp_path, "reclor",
        {"context": "All vans passed.", "question": "Which weakens it?", "answers": ["a", "b", "c", "d"], "label": 2,
         "id_string": "train_3"},
    )  # fmt: skip
    (lsat,) = load_records(
        tmp_path, "lsat_lr",
        {"passage": "All vans passed.", "question": "Which weakens it?", "options": ["(A)a", "(B)b", "(C)c", "(D)d"],
         "label": "C", "answer": None},
    )  # fmt: skip
    assert (
        reclor.prompt
        == lsat.prompt
        == (
            "Solve the following problem step-by-step:\nAll vans passed.\nWhich weakens it?\nA. a\nB. b\nC. c\nD. d"
        )
    )
    assert (reclor.gold, reclor.tools, reclor.source) == ("C", (), "reclor/train/train_3")
    assert lsat.choices == ("a", "b", "c", "d")


def test_hotpotqa_is_asked_without_its_contexts(tmp_path: Path) -> None:
    record = {"_id": "5a", "question": "Who?", "answer": "Ann", "type": "bridge", "level": "hard",
              "context": [["Ann", ["She is.", " She was."]]]}  # fmt: skip
    (problem,) = load_records(tmp_path, "hotpotqa", record)
    assert problem.prompt == SEARCH + "Solve the following problem step-by-step:\nWho?"
    assert (problem.grader, problem.gold, problem.tools) == ("text", "Ann", ("wikipedia_search",))
    options = {"contexts": True, "wikipedia": False}
    (with_context,) = load_records(tmp_path, "hotpotqa", record, options=options)
    columns = {**record, "context": {"title": ["Ann"], "sentences": [["She is.", " She was."]]}}
    (from_columns,) = load_records(tmp_path, "hotpotqa", columns, options=options)
    assert (
        with_context.prompt
        == from_columns.prompt
        == ("Solve the following problem step-by-step:\nAnn: She is. She was.\nWho?")
    )


def test_strategyqa(tmp_path: Path) -> None:
    record = {
        "qid": "q1",
        "question": "Could a cat lift a car?",
        "answer": False,
        "facts": ["Cats are weak."],
    }
    (problem,) = load_records(tmp_path, "strategyqa", record)
    assert (problem.gold, problem.grader, problem.rationales) == ("no", "boolean", ("Cats are weak.",))
    assert problem.prompt.startswith(SEARCH)
    (without,) = load_records(tmp_path, "strategyqa", record, options={"wikipedia": False})
    assert without.prompt == "Solve the following problem step-by-step:\nCould a cat lift a car?"
