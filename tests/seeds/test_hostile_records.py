"""Records with any value replaced by anything: every loader gives instructions or an issue, never a traceback."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
from seed_helpers import DATA, load

from ultrainteract.config import SeedConfig
from ultrainteract.readers.files import read_file
from ultrainteract.readers.rows import Row
from ultrainteract.schema import Instruction
from ultrainteract.seeds import known_datasets

JUNK: list[Any] = [
    None, True, 0, -1, 10**400, 1.5, float("nan"), float("inf"), "", " ", "x", "\u0000", "\ud800", "[", "{}", "[1]",
    '{"inputs": 1, "outputs": []}', '{"inputs": [1], "outputs": [[]], "fn_name": 3}', "nan", [], [None], [[]], {}, [{}],
    {"input": 3, "output": "x"}, {"input": [1], "output": [2]}, {"language": 5}, "(" * 3000, "9" * 5000, "A" * 50,
]  # fmt: skip
OPTIONS = {
    "hotpotqa": {"contexts": True},
    "mathqa": {"choices": "always"},
    "tool_tasks": {"functions": "functions.json"},
}
FUNCTION = {"name": "f", "description": "d", "parameters": {"type": "dict", "properties": {"a": {"type": "integer"}},
            "required": ["a"]}}  # fmt: skip
TASKS = {"generic": ("Logic", "Coding")}

WRITTEN: dict[str, list[dict[str, Any]]] = {
    "xlam": [
        {"id": 1, "query": "q", "tools": [{"name": "f", "parameters": {"a": {"type": "int"}}}],
         "answers": [{"name": "f", "arguments": {"a": 1}}]},
    ],
    "toolace": [
        {"system": f"Functions: {json.dumps([FUNCTION])}",
         "conversations": [{"from": "user", "value": "q"}, {"from": "assistant", "value": "[f(a=1)]"},
                           {"from": "tool", "value": "[1]"}, {"from": "assistant", "value": "It is 1."}]},
    ],
    "tool_tasks": [
        {"id": 1, "question": "q", "calls": [{"name": "f", "arguments": {"a": 1}}]}, {"question": "q", "answer": "a"},
    ],
    "mathqa": [
        {"Problem": "p ?", "Rationale": '"r . answer : a"', "options": "a ) 1 , b ) 2", "correct": "a",
         "annotated_formula": "add(1, 1)", "linear_formula": "add(n0,n1)|", "category": "general"},
    ],
    "numglue": [
        {"question": "q?", "answer": 1, "type": "Type_1"},
        {"question": "q?", "Option1": "a", "Option2": "b", "answer": "Option 1", "type": "Type_3"},
        {"passage": "p", "question": "q?", "type": "Type_5",
         "answer": {"number": "", "date": {"day": "2", "month": "May", "year": ""}, "spans": ["x", "y"]}},
        {"statement1": "s", "statement2": "t", "options": "o", "answer": "neutral", "type": "Type_7"},
    ],
    "tabmwp": [
        {"question": "q?", "choices": ["a", "b"], "answer": "a", "unit": "m", "table_title": "t", "table": "a | b",
         "grade": 4, "ques_type": "multi_choice", "ans_type": "x", "solution": "s"},
    ],
    "codecontest": [
        {"content": "Add.", "id": 8, "test": json.dumps([{"input": {"stdin": "1"}, "output": {"stdout": "2"}}]),
         "labels": json.dumps({"name": "n", "difficulty": "A"})},
    ],
    "TACO": [
        {"question": "q", "solutions": json.dumps(["print(1)"]), "starter_code": "def f(x):", "tags": "['a']",
         "input_output": json.dumps({"inputs": [[1]], "outputs": [[2]], "fn_name": "f"}), "time_limit": "1 second",
         "memory_limit": "256 MB", "difficulty": "EASY"},
    ],
    "wiki_table_questions": [
        {"id": "n", "question": "q?", "answers": ["a"], "table": {"header": ["x"], "rows": [["1"]], "name": "t"}},
        {"id": "n", "utterance": "q?", "context": "csv/1.csv", "targetValue": "a"},
    ],
    "magicoder_evol_instruct": [{"instruction": "i", "response": "r"}],
    "reclor": [{"context": "c", "question": "q", "answers": ["a", "b", "c", "d"], "label": 1, "id_string": "1"}],
    "hotpotqa": [
        {"_id": "1", "question": "q?", "answer": "a", "type": "bridge", "level": "hard", "context": [["t", ["s"]]]},
        {"id": "1", "question": "q?", "answer": "a", "context": {"title": ["t"], "sentences": [["s"]]}},
    ],
    "bfcl": [
        {"id": "irrelevance_1", "question": [[{"role": "user", "content": "x"}]],
         "function": [{"name": "f", "parameters": {"properties": {"a": {}}}}]},
        {"id": "simple_1", "question": [[{"role": "user", "content": "x"}]],
         "function": [{"name": "f", "parameters": {"properties": {"a": {}}}}]},
    ],
}  # fmt: skip
SHIPPED = {
    "gsm8k": "gsm8k/train.jsonl",
    "MATH": "math/train.jsonl",
    "codecontest": "codecontests/train.jsonl",
    "strategyqa": "strategyqa/train.json",
    "lsat_lr": "agieval_lsat_lr/lsat-lr.jsonl",
}
BENCHMARKS = {
    "asdiv": "asdiv.json", "bbh": "bbh/navigate.json", "gsm_plus": "gsmplus.jsonl", "humaneval": "HumanEval.jsonl",
    "ifeval": "ifeval.jsonl", "leetcode": "leetcode.jsonl", "mbpp": "mbpp.json",
    "mint_code": "mint/humaneval/test_prompts.json", "mint_math": "mint/math/test_prompts.json", "svamp": "svamp.json",
    "theoremqa": "theoremqa.json",
}  # fmt: skip
FOLDERS = {"mint_code": "humaneval", "mint_math": "math"}
"""Sets that tell the kind of a record by its folder."""
SEVERAL = {"asdiv", "bbh", "from_eval"}
"""Sets of which a line holds many problems, or names its own task."""


def originals(dataset: str) -> list[dict[str, Any]]:
    records = list(WRITTEN.get(dataset, WRITTEN["TACO"] if dataset == "apps" else []))
    if dataset in SHIPPED:
        rows = (row for row in read_file(DATA / SHIPPED[dataset]) if isinstance(row, Row))
        records += [dict(row.data) for row, _ in zip(rows, range(3), strict=False)]
    if dataset in BENCHMARKS:
        text = (Path(__file__).parents[1] / "evaluation/data" / BENCHMARKS[dataset]).read_text()
        try:
            whole = json.loads(text)
        except ValueError:
            whole = [json.loads(line) for line in text.splitlines()]
        records += whole[:3] if isinstance(whole, list) else [whole]
    if dataset == "from_eval":
        problem = Instruction(task="Logic", dataset="d", prompt="p", question="q", grader="text", gold="a")  # type: ignore[arg-type]
        records.append({"instruction": problem.model_dump(mode="json"), "benchmark": False})
    return records


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place inside a record."""
    if path:
        yield path
    items = (
        value.items() if isinstance(value, dict) else enumerate(value[:3]) if isinstance(value, list) else ()
    )
    for key, inner in items:
        yield from places(inner, (*path, key))


def damaged(record: dict[str, Any], path: tuple[Any, ...], junk: Any) -> dict[str, Any]:
    result = copy.deepcopy(record)
    here: Any = result
    for key in path[:-1]:
        here = here[key]
    if junk is ...:
        del here[path[-1]]
    else:
        here[path[-1]] = junk
    return result


@pytest.mark.parametrize("dataset", sorted(set(known_datasets()) - {"generic"}))
def test_any_value_may_be_anything(dataset: str, tmp_path: Path) -> None:
    records = originals(dataset)
    assert records, f"no record of {dataset} to damage"
    (tmp_path / "functions.json").write_text(json.dumps([FUNCTION]))
    (tmp_path / "possible_answer").mkdir()
    (tmp_path / "possible_answer" / "BFCL_a.json").write_text(
        '{"id": "simple_1", "ground_truth": [{"f": {"a": [1]}}]}\n{"id": "simple_1", "ground_truth": 3}\n{"id": []}\n'
    )
    rng = Random(dataset)
    lines = []
    for record in records:
        for path in places(record):
            for junk in (..., *rng.sample(JUNK, 12)):
                lines.append(json.dumps(damaged(record, path, junk)))
    name = f"{FOLDERS[dataset]}/records.jsonl" if dataset in FOLDERS else "BFCL_a.json"
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("\n".join(lines) + "\n")
    seed = SeedConfig(dataset=dataset, path=name, options=OPTIONS.get(dataset, {}))
    instructions, issues = load(seed, tmp_path)
    tasks = len(known_datasets()[dataset].tasks)
    if dataset not in SEVERAL:
        assert len(instructions) / tasks + len(issues) == len(lines)
    assert issues
    for instruction in instructions:
        instruction.model_dump_json()
        assert instruction.id


@pytest.mark.parametrize(
    "grader", ["math", "number", "choice", "boolean", "text", "answer_set", "tests", "judge"]
)
def test_generic_sources_too(grader: str, tmp_path: Path) -> None:
    record = {"q": "q?", "g": "A", "c": ["x", "y"], "r": ["w"], "s": "print(1)", "u": "m", "d": 3, "i": 1,
              "t": {"inputs": ["1"], "outputs": ["2"]}}  # fmt: skip
    lines = [json.dumps(damaged(record, path, junk)) for path in places(record) for junk in (..., *JUNK)]
    (tmp_path / "a.jsonl").write_text("\n".join(lines) + "\n")
    seed = SeedConfig.model_validate(
        {
            "dataset": "generic",
            "path": "a.jsonl",
            "name": "m",
            "tasks": ["Coding"],
            "grader": grader,
            "mapping": {
                "question": "q",
                "gold": "g",
                "choices": "c",
                "rationale": "r",
                "solution": "s",
                "tests": "t",
                "unit": "u",
                "difficulty": "d",
                "source_id": "i",
            },
        }
    )
    instructions, issues = load(seed, tmp_path)
    assert len(instructions) + len(issues) == len(lines)
