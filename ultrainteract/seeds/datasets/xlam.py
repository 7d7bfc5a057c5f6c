"""xLAM function calling 60k and other sets in APIGen's layout: query, tools, answers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from ultrainteract.config import SeedConfig
from ultrainteract.readers.rows import Row, Unusable
from ultrainteract.schema import Call, Message
from ultrainteract.seeds.functions import check_golds, functions_of, plain, published, right_call, shown_calls
from ultrainteract.seeds.problem import Problem
from ultrainteract.seeds.registry import dataset


@dataset("xlam", tasks=("Tools",), licence="CC-BY-4.0")
def load(row: Row, seed: SeedConfig) -> Iterator[Problem]:
    """xLAM/APIGen: query, tools, answers (JSON texts, or lists)."""
    query, functions = row.text("query"), functions_of(row.get("tools"))
    known = {function.name: function for function in functions}
    calls = [_call(item) for item in _listed(row.get("answers"))]
    unknown = [call.name for call in calls if call.name not in known]
    if unknown:
        raise Unusable(f"its answer calls '{unknown[0]}', which is not among its tools")
    golds = tuple(right_call(call, known[call.name]) for call in calls)
    check_golds(functions, golds, by_schema=True)
    dialogue = (Message(role="user", content=query),)
    yield Problem(
        question=query,
        body=published(functions, dialogue),
        grader="function_calls",
        gold=shown_calls(calls),
        gold_set=golds,
        functions=functions,
        dialogue=dialogue,
        record_id=row.text("id") if row.has("id") else None,
    )


def _listed(value: Any) -> list[Any]:
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            raise Unusable("field 'answers' is no JSON") from None
    if not isinstance(value, list):
        raise Unusable("field 'answers' is no list of calls")
    return value


def _call(item: Any) -> Call:
    arguments = item.get("arguments") if isinstance(item, dict) else None
    if not isinstance(arguments, dict) or not isinstance(item.get("name"), str):
        raise Unusable("a right call has no name, or no arguments")
    return Call(name=plain(item["name"]), arguments=plain(arguments))
