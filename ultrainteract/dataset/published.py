"""The columns of the published splits, in order: what is exported as UltraInteract, imported and validated."""

from __future__ import annotations

SFT_COLUMNS = {
    "task": "string", "dataset": "string", "instruction": "string", "response": "string", "id": "string",
    "parent_id": "string",
}  # fmt: skip
PAIR_COLUMNS = {
    "task": "string", "dataset": "string", "trajectory": "from_value_turns", "chosen": "string",
    "rejected": "string", "id": "string", "parent_id": "string",
}  # fmt: skip
