"""What a row of a trainer's layout asks a model to read and to write."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

Row = Mapping[str, Any]

_USER = {"user", "human"}
_ASSISTANT = {"assistant", "gpt"}
_MASKS = ("training", "train", "weight")


class Learned(NamedTuple):
    """A row's prompt and what is learned after it."""

    first: str
    """First user turn: the problem."""
    prompt_chars: int
    """Characters of everything before the last turn."""
    chars: int
    """Characters of the longest whole conversation."""
    learned: bool
    """Whether any text is there to learn."""
    label: bool | None
    """Label of an unpaired row; None for others."""


def learned_of(row: Row) -> Learned | None:
    """Reads a row; None where it is of no trainer's layout."""
    label = next((row[name] for name in ("label", "kto_tag") if isinstance(row.get(name), bool)), None)
    prompt = _turns(row.get("prompt") or row.get("instruction") or row.get("trajectory"), "user")
    if "chosen" in row and "rejected" in row:
        prompt = prompt or _turns(row.get("messages") or row.get("conversations"), "user")
        sides = [_turns(row["chosen"], "assistant"), _turns(row["rejected"], "assistant")]
        if not prompt:
            prompt = sides[0][:-1]
            sides = [side[-1:] for side in sides]
    elif "completion" in row or "response" in row:
        sides = [_turns(row.get("completion") or row.get("response"), "assistant")]
    elif talk := _turns(row.get("messages") or row.get("conversations"), "user"):
        turns = row.get("messages") or row.get("conversations") or ()
        marks = [mark for mark in map(_mark, turns) if mark is not None]
        masked = bool(marks) and not any(marks)
        prompt, sides = talk[:-1], [[] if masked else talk[-1:]]
    else:
        return None
    before = sum(len(text) for _, text in prompt)
    first = next((text for role, text in prompt if role == "user"), "")
    learned = all(any(role == "assistant" and text.strip() for role, text in side) for side in sides)
    longest = max(sum(len(text) for _, text in side) for side in sides)
    return Learned(first, before, before + longest, learned, label)


def _turns(value: Any, role: str) -> list[tuple[str, str]]:
    if isinstance(value, str):
        return [(role, value)]
    found = []
    for turn in [value] if isinstance(value, Mapping) else value or ():
        if not isinstance(turn, Mapping):
            continue
        named = str(turn.get("role") or turn.get("from"))
        known = "user" if named in _USER else "assistant" if named in _ASSISTANT else named
        found.append((known, str(turn.get("content") or turn.get("value") or "")))
    return found


def _mark(turn: Any) -> bool | None:
    """Whether a turn is marked as learned; None where turns bear no mark."""
    if not isinstance(turn, Mapping):
        return None
    return next((bool(turn[name]) for name in _MASKS if turn.get(name) is not None), None)
