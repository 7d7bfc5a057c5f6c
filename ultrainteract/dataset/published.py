"""The columns of the published splits, in order: what is exported as UltraInteract, imported and validated."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

SFT_COLUMNS = {
    "task": "string", "dataset": "string", "instruction": "string", "response": "string", "id": "string",
    "parent_id": "string",
}  # fmt: skip
PAIR_COLUMNS = {
    "task": "string", "dataset": "string", "trajectory": "from_value_turns", "chosen": "string",
    "rejected": "string", "id": "string", "parent_id": "string",
}  # fmt: skip


def trajectory_fault(value: Any) -> str | None:
    """What is wrong with a pair's trajectory: user and assistant in turn, `from` and `value` texts; None if nothing."""
    if not isinstance(value, list | tuple):
        return f"'trajectory' holds {kind_name(value)} where a list of turns belongs"
    if not value:
        return "'trajectory' is empty"
    for number, turn in enumerate(value, 1):
        if not isinstance(turn, Mapping) or not {"from", "value"} <= turn.keys():
            keys = f" with {', '.join(map(str, turn))}" if isinstance(turn, Mapping) else ""
            return f"turn {number} of 'trajectory' is {kind_name(turn)}{keys}, not an object with 'from' and 'value'"
        for name in ("from", "value"):
            if not isinstance(turn[name], str):
                return f"'{name}' of turn {number} of 'trajectory' holds {kind_name(turn[name])} where text belongs"
    roles = [turn["from"] for turn in value]
    if len(roles) % 2 == 0 or any(
        role != ("user", "assistant")[number % 2] for number, role in enumerate(roles)
    ):
        shown = ", ".join(roles[:6])
        return f"the roles of 'trajectory' are {shown}: user and assistant must alternate, the user first and last"
    return None


def kind_name(value: Any) -> str:
    """What a value is, in the words of JSON."""
    names: dict[type, str] = {bool: "a truth value", int: "a number", float: "a number", str: "a text", list: "a list",
                              tuple: "a list", type(None): "null"}  # fmt: skip
    return names.get(type(value), "an object" if isinstance(value, Mapping) else type(value).__name__)
