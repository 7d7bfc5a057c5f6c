"""Berkeley function-calling set (BFCL): which functions to call with which arguments, or none."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from ultrainteract.config import SeedConfig
from ultrainteract.grading.call_judging import ANY_CALL, first_allowed
from ultrainteract.readers.files import BadRecord, read_file
from ultrainteract.readers.rows import Row, Unusable
from ultrainteract.schema import Task
from ultrainteract.seeds.functions import (
    check_golds,
    dialogue_of,
    functions_of,
    gold_of,
    published,
    shown_calls,
)
from ultrainteract.seeds.problem import Problem
from ultrainteract.seeds.registry import dataset

_ASK = (
    "Which function calls answer the request? Give them as Python calls with named arguments, one a line; "
    "or answer `no call` if none of the functions fits."
)
STRICTNESS = {"careful": "function_calls", "published": "bfcl_calls"}
"""Graders by `options.strictness`."""


@dataset(
    "bfcl",
    tasks=("Tools",),
    further=("Logic",),
    licence="Apache-2.0",
    files=("BFCL_*.json", "BFCL_*.json.gz", "**/BFCL_*.json", "**/BFCL_*.json.gz"),
    options=("answers", "strictness", "classes"),
    paths=("answers", "classes"),
)
def load(row: Row, seed: SeedConfig) -> Iterator[Problem]:
    """BFCL: question, function; right calls from `possible_answer/` beside the file, or option `answers`."""
    key = row.text("id")
    if row.has("ground_truth"):
        raise Unusable("this is a record of right calls, not a request")
    if "java" in key:  # simple_java, simple_javascript
        language = "JavaScript" if "javascript" in key else "Java"
        raise Unusable(f"its arguments are {language} expressions, which are not read")
    if row.has("involved_classes"):
        from ultrainteract.seeds.bfcl_dialogues import dialogue_problems

        yield from dialogue_problems(row, seed, right_answers(row, seed, key))
        return
    question = row.get("question")
    if not isinstance(question, list) or len(question) != 1:
        raise Unusable("field 'question' is no single turn")
    dialogue = dialogue_of(question[0])
    if not row.has("function"):
        raise Unusable("there is no list of functions")
    functions = functions_of(row.get("function"))
    golds = _golds(row, seed, key)
    shown = "some call" if ANY_CALL in golds else shown_calls(map(first_allowed, golds))
    if Task.LOGIC in seed.tasks:
        yield _in_words(row, key, golds, shown)
        return
    grader = STRICTNESS.get(str(seed.options.get("strictness", "careful")))
    if grader is None:
        raise Unusable(f"options.strictness is none of {', '.join(STRICTNESS)}")
    if ANY_CALL not in golds:
        check_golds(functions, golds)
    elif grader == "function_calls":
        raise Unusable(
            "only that some call is right is known, not which; `strictness: published` takes any call"
        )
    yield Problem(
        question=dialogue[-1].content,
        body=published(functions, dialogue),
        grader=grader,
        gold=shown,
        gold_set=golds,
        functions=functions,
        dialogue=dialogue,
        record_id=key,
        tags=(key.rsplit("_", 1)[0],),
    )


def _in_words(row: Row, key: str, golds: tuple[str, ...], shown: str) -> Problem:
    """The record as a question in words (task `Logic`), as it was read before there was a task for calls."""
    if ANY_CALL in golds:
        raise Unusable("its right calls are not known")
    listed = "\n".join(json.dumps(function, ensure_ascii=False) for function in row.get("function"))
    request = "\n".join(message["content"].strip() for message in row.get("question")[0])
    orders = {item["name"]: list(item["parameters"]["properties"]) for item in row.get("function")}
    right = [json.loads(gold) for gold in golds]
    return Problem(
        question=request,
        body=f"Functions:\n{listed}\nRequest: {request}\n{_ASK}",
        grader="calls",
        gold=shown,
        gold_set=tuple(
            json.dumps({**call, "order": orders[call["name"]]}, ensure_ascii=False, sort_keys=True)
            for call in right
        ),
        record_id=key,
    )


def _golds(row: Row, seed: SeedConfig, key: str) -> tuple[str, ...]:
    if "irrelevance" in key:
        return ()
    if "live_relevance" in key:
        return (ANY_CALL,)
    golds = []
    for truth in right_answers(row, seed, key):
        if not isinstance(truth, Mapping):
            raise Unusable("its right calls are no objects")
        for name, arguments in truth.items():
            if not isinstance(arguments, Mapping):
                raise Unusable("the arguments of a right call are no object")
            golds.append(
                gold_of(name, {argument: _allowed(values) for argument, values in arguments.items()})
            )
    if not golds:
        raise Unusable("its list of right calls is empty")
    return tuple(golds)


def right_answers(row: Row, seed: SeedConfig, key: str) -> list[Any]:
    """The right calls of a record, as the file of answers has them.

    Raises:
        Unusable: It has none.
    """
    folder = Path(seed.options.get("answers", (row.folder or Path()) / "possible_answer"))
    truths = _answers(str(folder / row.file.name.removesuffix(".gz"))) if row.file else {}
    if not isinstance(truths.get(key), list):
        raise Unusable(f"its right calls are not in {folder.name}/; set options.answers to their folder")
    found: list[Any] = truths[key]
    return found


@lru_cache(maxsize=32)
def _answers(path: str) -> dict[str, Any]:
    """The file's right calls by record, of the file itself or compressed; none where it is not there."""
    found = next((name for name in (Path(path), Path(f"{path}.gz")) if name.is_file()), None)
    if found is None:
        return {}
    rows = [row for row in read_file(found) if not isinstance(row, BadRecord)]
    return {row.text("id"): row.get("ground_truth") for row in rows if isinstance(row.get("id"), str)}


def _allowed(values: Any) -> list[Any]:
    """What is allowed, as a list: some records hold one plain value where others hold a list of them."""
    return list(values) if isinstance(values, list) else [values]
