#!/usr/bin/env python3
"""Compares the rule for function calls with the checker that BFCL publishes, on right and on mutated calls.

    scripts/compare_bfcl.py FOLDER [--limit N] [--write]

FOLDER is the package `bfcl_eval` (of `pip download bfcl-eval --no-deps`, unpacked, or of a clone). Its `ast_checker`
is imported from there, in this process; the table of models that it imports, with the SDKs of all providers, is
replaced by an empty one, which it reads for the spelling of dots alone. Prints every disagreement and one JSON line
with the counts; `--write` keeps how often the verdicts of `function_calls` and `bfcl_calls` were the checker's: their
reliability.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import types
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

from _figures import Measured, write

from ultrainteract.config import SeedConfig
from ultrainteract.grading.call_judging import first_allowed, judge_calls, published_fault
from ultrainteract.grading.call_mutation import KINDS, mutations
from ultrainteract.grading.finding import Outcome
from ultrainteract.schema import Call, Instruction, Label
from ultrainteract.seeds import load_seed

_SKIPPED = ("multi_turn", "memory", "web_search", "format", "java", "relevance", "irrelevance")


LABELS = {
    Outcome.EQUAL: Label.CORRECT,
    Outcome.UNEQUAL: Label.WRONG,
    Outcome.UNKNOWN: Label.UNDETERMINED,
}


def oracle(folder: Path) -> Any:
    """The published checker."""
    sys.path.insert(0, str(folder.parent))
    table = types.ModuleType("bfcl_eval.constants.model_config")
    table.MODEL_CONFIG_MAPPING = defaultdict(lambda: types.SimpleNamespace(underscore_to_dot=False))  # type: ignore[attr-defined]
    sys.modules[table.__name__] = table
    for name in ("java", "js"):  # need tree-sitter, and read no Python
        module = types.ModuleType(f"bfcl_eval.eval_checker.ast_eval.type_convertor.{name}_type_converter")
        setattr(module, f"{name}_type_converter", None)
        sys.modules[module.__name__] = module
    from bfcl_eval.constants.enums import Language
    from bfcl_eval.eval_checker.ast_eval.ast_checker import ast_checker

    def check(functions: list[Any], given: list[Call], truth: list[Any], category: str) -> str:
        calls = [{call.name: call.arguments} for call in given]
        try:
            found = ast_checker(functions, calls, truth, Language.PYTHON, category, "any")
        except Exception as error:
            return f"raises {type(error).__name__}"
        return "" if found["valid"] else re.sub(r"^\w+_checker(?:_no_order)?:", "", found["error_type"])

    return check


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--limit", type=int, default=10**9, help="records per file")
    parser.add_argument("--write", action="store_true", help="write the figures into the package")
    options = parser.parse_args()
    check = oracle(options.folder.resolve())
    counts: Counter[str] = Counter()
    measured = Measured()
    for path in sorted((options.folder / "data").glob("BFCL_v4_*.json")):
        if any(word in path.name for word in _SKIPPED):
            continue
        answers = path.parent / "possible_answer" / path.name
        truths = {row["id"]: row["ground_truth"] for row in map(json.loads, answers.read_text().splitlines())}
        records = {row["id"]: row for row in map(json.loads, path.read_text().splitlines())}
        items = load_seed(SeedConfig(dataset="bfcl", path=str(path.resolve())), Path())
        for item in [item for item in items if isinstance(item, Instruction)][: options.limit]:
            key = item.source.rpartition("/")[2]
            right = [json.loads(gold) for gold in item.gold_set]
            parameters = {function.name: function.parameters for function in item.functions}
            calls = [first_allowed(gold) for gold in item.gold_set]
            made = [("right", calls)] + [
                (kind, list(found)) for kind in KINDS for found in mutations(item, tuple(calls), kind)[:3]
            ]
            for kind, given in made:
                if not given:
                    continue  # nothing that the checker is asked about
                plain = [{"name": call.name, "arguments": call.arguments} for call in given]
                fault = published_fault(parameters, right, plain)
                ours = fault.error if fault else ""
                theirs = check(records[key]["function"], given, truths[key], path.stem)
                if not theirs.startswith("raises"):
                    for grader in ("function_calls", "bfcl_calls"):
                        found = judge_calls(
                            item.schemas, item.gold_set, json.dumps(plain), careful=grader == "function_calls"
                        )
                        measured.add(grader, kind, LABELS[found.outcome], found.basis, right=not theirs)
                agrees = bool(ours) == bool(theirs) and not theirs.startswith("raises")
                counts["agree" if agrees else "differ"] += 1
                counts["same name of the error"] += agrees and ours == theirs
                counts[f"kind {kind}"] += 1
                if not agrees or ours != theirs:
                    said = {
                        "id": key,
                        "kind": kind,
                        "ours": str(fault or "right"),
                        "theirs": theirs or "right",
                    }
                    print(json.dumps(said | {"calls": plain}, ensure_ascii=False)[:600])
    print(json.dumps(counts))
    print(json.dumps(measured.section()))
    if options.write:
        write(calls=measured.section())
    return 0 if counts["agree"] else 1


if __name__ == "__main__":
    sys.exit(main())
