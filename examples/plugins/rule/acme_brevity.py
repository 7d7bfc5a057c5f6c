"""A selection rule: leaves out instructions whose statement is longer than a number of words.

In a configuration:

    selection:
      rules:
        - {name: acme_brevity, options: {words: 80}}
"""

from __future__ import annotations

from typing import Any

from ultrainteract.schema import Instruction
from ultrainteract.seeds.selection.rules import Rule, rule


@rule("acme_brevity")
class Brevity(Rule):
    """Statements of at most `words` (100) words."""

    def __init__(self, options: dict[str, Any]) -> None:
        self.words = int(options.pop("words", 100))  # what is left in `options` is refused by name
        if self.words < 1:
            raise ValueError("words must be at least 1")

    def reason(self, instruction: Instruction) -> str | None:
        """Left out where the statement is too long; the reason stands in the ledger."""
        count = len(instruction.question.split())
        return f"its statement has {count} words" if count > self.words else None
