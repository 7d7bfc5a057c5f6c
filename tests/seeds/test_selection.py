"""Selection over a whole config: rules, repeats, decontamination, and counts that add up."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from seed_helpers import run_config, write_lines

from ultrainteract.errors import ConfigError
from ultrainteract.schema import Instruction
from ultrainteract.seeds import SeedIssue, stream_instructions
from ultrainteract.seeds.build import build


def mathqa(question: str, pattern: str, category: str) -> dict[str, str]:
    return {
        "Problem": question, "Rationale": "r", "options": "a ) 1 , b ) 2", "correct": "a", "category": category,
        "annotated_formula": "", "linear_formula": pattern,
    }  # fmt: skip


def gsm8k(question: str) -> dict[str, str]:
    return {"question": question, "answer": "#### 1"}


def stories(count: int) -> list[str]:
    """Texts of which no two share eight words in a row."""
    return [" ".join(f"word{n}x{k}" for k in range(20)) for n in range(count)]


def test_mathqa_patterns_keep_rare_categories_first(tmp_path: Path) -> None:
    records = [mathqa(f"g{n} ?", "add|", "general") for n in range(6)]
    records += [mathqa("p0 ?", "add|", "probability"), mathqa("other ?", "divide|", "general")]
    write_lines(tmp_path / "a.jsonl", records)
    rules = [{"name": "mathqa_patterns", "options": {"most": 3}}]
    config = run_config([{"dataset": "mathqa", "path": "a.jsonl"}], rules=rules)
    items = list(stream_instructions(config, tmp_path))
    kept = [item.question for item in items if isinstance(item, Instruction)]
    assert kept == ["g0 ?", "g0 ?", "g1 ?", "g1 ?", "p0 ?", "p0 ?", "other ?", "other ?"]
    dropped = [item for item in items if isinstance(item, SeedIssue)]
    assert {item.rule for item in dropped} == {"mathqa_patterns"}
    assert dropped[0].reason == "its formula pattern add| has 3 problems already"


def test_numglue_and_tabmwp_rules(tmp_path: Path) -> None:
    plain = [{"question": f"{n}?", "answer": 1, "type": f"Type_{n}"} for n in (1, 4, 8)]
    reading = [{"passage": "p", "question": f"{n}?", "answer": 1, "type": f"Type_{n}"} for n in (5, 6)]
    pair = {"statement1": "a", "statement2": "b", "answer": "neutral", "type": "Type_7"}
    write_lines(tmp_path / "n.jsonl", [*plain, *reading, pair])
    table = {"answer": "1", "choices": None, "unit": None, "table": "a | b", "table_title": None}
    problems = {str(n): {"question": f"{n}?", "grade": n, **table} for n in range(1, 9)}
    (tmp_path / "t.json").write_text(json.dumps(problems))
    seeds = [
        {"dataset": "numglue", "path": "n.jsonl", "tasks": ["Math_CoT"]},
        {"dataset": "tabmwp", "path": "t.json"},
    ]
    report = build(run_config(seeds, rules=["numglue_tasks", "tabmwp_levels"]), tmp_path)
    assert [dict(d.kept) for d in report.datasets] == [{"Math_CoT": 3}, {"Math_PoT": 2}]
    assert [dict(d.dropped) for d in report.datasets] == [{"numglue_tasks": 3}, {"tabmwp_levels": 6}]
    assert [(r.rule, r.came, r.dropped) for r in report.rules] == [
        ("duplicate", 14, 0),
        ("conflicting_gold", 14, 0),
        ("numglue_tasks", 14, 3),
        ("tabmwp_levels", 11, 6),
    ]
    assert report.adds_up


def test_near_duplicates_across_codecontests_and_taco_are_kept_once(tmp_path: Path) -> None:
    statement = "You are given an array of n integers. Find the largest sum of a contiguous part of it. " * 4
    tests = {"input": ["1\n"], "output": ["1\n"]}
    contest = {"name": "1_A. Sum", "description": statement + "Input\n\nThe first line holds n.",
               "public_tests": tests, "solutions": {"language": [], "solution": []}}  # fmt: skip
    taco = {"question": statement + "\n-----Input-----\nThe first line holds n.",
            "input_output": json.dumps({"inputs": ["1\n"], "outputs": ["1\n"]}), "solutions": "[]"}  # fmt: skip
    other = {**taco, "question": "Count the ways to tile a strip of length n with dominoes and squares. " * 4}
    write_lines(tmp_path / "c.jsonl", [contest])
    write_lines(tmp_path / "t.jsonl", [taco, other])
    seeds = [{"dataset": "codecontest", "path": "c.jsonl"}, {"dataset": "TACO", "path": "t.jsonl"}]
    items = list(stream_instructions(run_config(seeds, rules=["near_duplicates"]), tmp_path))
    assert [type(item).__name__ for item in items] == ["Instruction", "SeedIssue", "Instruction"]
    assert isinstance(items[1], SeedIssue)
    assert items[1].reason.startswith("nearly the statement of codecontest/train/1_A. Sum")


def test_repeats_are_dropped_and_issues_told_apart(tmp_path: Path) -> None:
    write_lines(tmp_path / "a.jsonl", [gsm8k("x?"), gsm8k("x?"), {"question": "y?"}])
    seeds = [{"dataset": "gsm8k", "path": "a.jsonl"}] * 2
    items = list(stream_instructions(run_config(seeds), tmp_path))
    issues = [item for item in items if isinstance(item, SeedIssue)]
    assert len(items) - len(issues) == 2
    assert len({(issue.dataset, issue.source, issue.reason) for issue in issues}) == len(issues) == 8
    assert items == list(stream_instructions(run_config(seeds), tmp_path))


def test_unknown_rules_and_settings_are_refused(tmp_path: Path) -> None:
    write_lines(tmp_path / "a.jsonl", [gsm8k("x?")])
    seeds = [{"dataset": "gsm8k", "path": "a.jsonl"}]
    for rules, words in [
        (["typo"], "no rule 'typo'"),
        ([{"name": "tabmwp_levels", "options": {"kep": [4]}}], "no setting kep"),
        ([{"name": "tabmwp_levels", "options": {"keep": ["x"]}}], "tabmwp_levels: invalid literal"),
    ]:
        with pytest.raises(ConfigError, match=words):
            list(stream_instructions(run_config(seeds, rules=rules), tmp_path))


def test_build_writes_what_it_reports(tmp_path: Path) -> None:
    texts = stories(30)
    (tmp_path / "a.jsonl").write_text(
        "\n".join([*(json.dumps(gsm8k(text)) for text in texts), "broken", json.dumps(gsm8k(texts[3]))])
    )
    write_lines(tmp_path / "bench.jsonl", [{"question": texts[5], "id": "t5"}])
    config = run_config([{"dataset": "gsm8k", "path": "a.jsonl"}], decontaminate=["bench.jsonl"])
    report = build(config, tmp_path, tmp_path / "out")
    (dataset,) = report.datasets
    assert (dataset.records, dataset.unusable, dataset.instructions) == (32, 1, 62)
    assert dict(dataset.dropped) == {"duplicate": 2, "decontaminate": 2}
    assert report.kept == 58
    assert report.adds_up
    lines = (tmp_path / "out" / "instructions.jsonl").read_text().splitlines()
    assert len(lines) == 58
    assert Instruction.model_validate_json(lines[0]).question == texts[0].strip()
    issues = [
        SeedIssue.model_validate_json(x) for x in (tmp_path / "out" / "issues.jsonl").read_text().splitlines()
    ]
    assert len(issues) == 5
    contaminated = [issue for issue in issues if issue.rule == "decontaminate"]
    assert (
        contaminated[0].reason
        == 'shares "word5x0 word5x1 word5x2 word5x3 word5x4 word5x5 word5x6 word5x7" with bench/t5 (ngram)'
    )
    assert json.loads((tmp_path / "out" / "report.json").read_text())["datasets"][0]["records"] == 32
