"""Rules of rows with tools: what is learned is the assistant's, and every result answers a call."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

LAYOUT = "with tools"
"""Layout of rows whose conversations hold calls."""
COLUMNS = ({"tools"}, {"input", "preferred_output", "non_preferred_output"})
"""Columns by which such rows are known."""

_PROMPTS = ("prompt", "messages", "conversations")
_SIDES = ("completion", "chosen", "rejected", "preferred_output", "non_preferred_output")
_ROLES = {"human": "user", "gpt": "assistant", "function_call": "assistant", "observation": "tool"}


def tool_faults(row: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yields what is wrong with a row, as (rule, detail)."""
    try:
        parts = {name: _talk(row[name]) for name in (*_PROMPTS, *_SIDES) if row.get(name)}
        if row.get("input"):
            parts["input"] = _talk(_parsed(row["input"])["messages"])
    except (ValueError, TypeError, KeyError, AttributeError):
        yield "roles", "a conversation cannot be read"
        return
    for name, talk in parts.items():
        learned = name in _SIDES or name == "messages" or (name == "conversations" and "chosen" not in parts)
        if learned and (not talk or talk[-1][0] != "assistant" or not talk[-1][1]):
            yield "empty", f"'{name}' does not end with a message of the assistant"
        if not learned and (not talk or talk[-1][0] not in ("user", "tool")):
            yield "roles", f"'{name}' does not end with the user or a result"
        for before, turn in zip([("", ""), *talk], talk, strict=False):
            if turn[0] == "tool" and before[0] not in ("assistant", "tool") and name not in _SIDES:
                yield "roles", f"a result in '{name}' answers no call"
    if "chosen" in parts and parts.get("chosen") == parts.get("rejected"):
        yield "equal_pair", "chosen equals rejected"


def _parsed(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value


def _talk(value: Any) -> list[tuple[str, str]]:
    value = _parsed(value)
    turns = [value] if isinstance(value, dict) else list(value)
    return [_turn(turn) for turn in turns]


def _turn(turn: Mapping[str, Any]) -> tuple[str, str]:
    role = turn.get("role") or turn["from"]
    said = turn.get("content") or turn.get("value") or ""
    return _ROLES.get(role, role), f"{said}{json.dumps(turn.get('tool_calls') or '')}".removesuffix('""')
