"""Berkeley function-calling set (BFCL): which functions to call with which arguments, or none."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from ultrainteract.config import SeedConfig
from ultrainteract.readers.files import BadRecord, read_file
from ultrainteract.readers.rows import Row, Unusable
from ultrainteract.seeds.problem import Problem
from ultrainteract.seeds.registry import dataset

_ASK = (
    "Which function calls answer the request? Give them as Python calls with named arguments, one a line; "
    "or answer `no call` if none of the functions fits."
)


@dataset(
    "bfcl",
    tasks=("Logic",),
    licence="Apache-2.0",
    files=("BFCL_*.json", "**/BFCL_*.json"),
    options=("answers",),
    paths=("answers",),
)
def load(row: Row, seed: SeedConfig) -> Iterator[Problem]:
    """BFCL: question, function; right calls from `possible_answer/` beside the file, or option `answers`."""
    key, functions = row.text("id"), row.get("function")
    if row.has("ground_truth"):
        raise Unusable("this is a record of right calls, not a request")
    if not isinstance(functions, list) or not all(isinstance(function, Mapping) for function in functions):
        raise Unusable("field 'function' is no list of functions")
    request = "\n".join(_requests(row.get("question")))
    listed = "\n".join(json.dumps(function, ensure_ascii=False) for function in functions)
    calls = _right_calls(row, seed, key, functions)
    yield Problem(
        question=request,
        body=f"Functions:\n{listed}\nRequest: {request}\n{_ASK}",
        grader="calls",
        gold="\n".join(_stated(call) for call in calls) or "no call",
        gold_set=tuple(json.dumps(call, ensure_ascii=False, sort_keys=True) for call in calls),
        record_id=key,
    )


def _requests(question: Any) -> Iterator[str]:
    """The user's words; a record of several turns, which needs state between calls, is refused."""
    turns = question if isinstance(question, list) else []
    if len(turns) != 1 or not isinstance(turns[0], list):
        raise Unusable("field 'question' is no single turn")
    for message in turns[0]:
        if not isinstance(message, Mapping) or not isinstance(message.get("content"), str):
            raise Unusable("a message of field 'question' has no text")
        yield message["content"].strip()


def _right_calls(
    row: Row, seed: SeedConfig, key: str, functions: list[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    if "irrelevance" in key:
        return []
    folder = (
        Path(seed.options["answers"])
        if "answers" in seed.options
        else (row.folder or Path()) / "possible_answer"
    )
    truths = _answers(str(folder / row.file.name)) if row.file else {}
    if key not in truths:
        raise Unusable(f"its right calls are not in {folder.name}/; set options.answers to their folder")
    calls = []
    try:
        orders = {function["name"]: list(function["parameters"]["properties"]) for function in functions}
        for truth in truths[key]:
            for name, arguments in truth.items():
                allowed = {argument: _allowed(values) for argument, values in arguments.items()}
                calls.append({"name": name, "arguments": allowed, "order": orders[name]})
    except (KeyError, TypeError, AttributeError):
        raise Unusable("its functions and its right calls do not fit together") from None
    if not calls:
        raise Unusable("its list of right calls is empty")
    return calls


@lru_cache(maxsize=32)
def _answers(path: str) -> dict[str, Any]:
    if not Path(path).is_file():
        return {}
    rows = [row for row in read_file(Path(path)) if not isinstance(row, BadRecord)]
    return {row.text("id"): row.get("ground_truth") for row in rows if isinstance(row.get("id"), str)}


def _stated(call: dict[str, Any]) -> str:
    """One right way to write a call: each argument with its first allowed value, left out where that is allowed."""
    arguments = {name: values[0] for name, values in call["arguments"].items() if values and values[0] != ""}
    written = ", ".join(f"{name}={_first(value)!r}" for name, value in arguments.items())
    return f"{call['name']}({written})"


def _first(value: Any) -> Any:
    """A plain value of an allowed one: in objects, the fields again hold lists of what is allowed."""
    if isinstance(value, dict):
        allowed = {key: _allowed(values) for key, values in value.items()}
        return {key: _first(values[0]) for key, values in allowed.items() if values and values[0] != ""}
    return [_first(item) for item in value] if isinstance(value, list) else value


def _allowed(values: Any) -> list[Any]:
    """What is allowed, as a list: some records hold one plain value where others hold a list of them."""
    return list(values) if isinstance(values, list) else [values]
