"""ToolACE: conversations whose system turn lists the functions; every message that can be checked is a problem."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

from ultrainteract.config import SeedConfig
from ultrainteract.grading.call_reading import read_message
from ultrainteract.readers.rows import Row, Unusable
from ultrainteract.schema import Call, Function, Message
from ultrainteract.seeds.functions import check_golds, functions_of, plain, published, right_call, shown_calls
from ultrainteract.seeds.problem import Problem
from ultrainteract.seeds.registry import dataset

_ROLES = {
    "user": "user", "human": "user", "assistant": "assistant", "gpt": "assistant", "function_call": "assistant",
    "tool": "tool", "observation": "tool",
}  # fmt: skip


@dataset("toolace", tasks=("Tools",), licence="Apache-2.0")
def load(row: Row, seed: SeedConfig) -> Iterator[Problem]:
    """ToolACE: system (with the functions as JSON), conversations (from, value).

    A message of the assistant that calls functions is right by these calls; one that calls none, straight after the
    user's words, is right by calling none. What it says of results cannot be checked and is no problem.
    """
    functions = _functions(row.text("system"))
    turns = row.get("conversations")
    if not isinstance(turns, list) or not turns:
        raise Unusable("field 'conversations' is no list of turns")
    known = {function.name: function for function in functions}
    talk: list[Message] = []
    problems: list[Problem] = []
    for number, turn in enumerate(turns):
        role, text = _turn(turn)
        if role != "assistant":
            talk += _said(role, text, talk)
            continue
        thought, calls = read_message(text, functions)
        if calls is None or any(call.name not in known for call in calls):
            raise Unusable(f"turn {number + 1} makes a call that cannot be read")
        if talk and (calls or talk[-1].role == "user"):
            golds = tuple(right_call(call, known[call.name]) for call in calls)
            check_golds(functions, golds, by_schema=True)
            problems.append(_problem(row, number, functions, talk, calls, golds))
        own = tuple(
            call.model_copy(update={"id": f"call{number:02d}{n:03d}"}) for n, call in enumerate(calls)
        )
        talk.append(Message(role="assistant", content=thought, calls=own))
    if not problems:
        raise Unusable("no message of its assistant can be checked")
    yield from problems


def _problem(
    row: Row, number: int, functions: tuple[Function, ...], talk: Sequence[Message], calls: Sequence[Call],
    golds: tuple[str, ...],
) -> Problem:  # fmt: skip
    asked = next(message.content for message in reversed(talk) if message.role == "user")
    return Problem(
        question=asked,
        body=published(functions, talk),
        grader="function_calls",
        gold=shown_calls(calls),
        gold_set=golds,
        functions=functions,
        dialogue=tuple(talk),
        record_id=f"{row.key}_turn_{number}",
    )


def _functions(system: str) -> tuple[Function, ...]:
    """The functions in a system turn: the first JSON list of objects with names in it."""
    decoder = json.JSONDecoder()
    for start in re.finditer(r"\[\s*\{", system):
        try:
            listed, _ = decoder.raw_decode(system, start.start())
        except ValueError:
            continue
        return functions_of(listed)
    raise Unusable("its system turn lists no functions")


def _turn(turn: Any) -> tuple[str, str]:
    role = _ROLES.get(str(turn.get("from", turn.get("role")))) if isinstance(turn, dict) else None
    text = turn.get("value", turn.get("content")) if isinstance(turn, dict) else None
    if role is None or not isinstance(text, str):
        raise Unusable("a turn has no text, or an unknown role")
    return role, plain(text).strip()


def _said(role: str, text: str, talk: Sequence[Message]) -> list[Message]:
    """A turn of the user, or the results of the calls before it: one message per call."""
    if role == "user":
        return [Message(role="user", content=text)]
    calls = talk[-1].calls if talk else ()
    if not calls:
        raise Unusable("results stand where nothing was called")
    try:
        parts = json.loads(text)
    except ValueError:
        parts = None
    if not isinstance(parts, list) or len(parts) != len(calls):
        parts = [text] + [""] * (len(calls) - 1)
    shown = [part if isinstance(part, str) else json.dumps(part) for part in parts]
    return [
        Message(role="tool", content=part, call_id=call.id) for part, call in zip(shown, calls, strict=True)
    ]
