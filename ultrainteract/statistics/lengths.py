"""Lengths of pairs in tokens, by turn: what a trainer's maximum length would cut off or drop.

Later turns carry the history in their prompt. With too small a `max_length` they are the first to go, and a multi-turn
set is trained on as a single-turn one, without a word.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from ultrainteract.statistics.figures import Figures, TokensRow

LIMITS = (1024, 2048, 4096)
"""Usual maximum lengths, tokens. TRL's default is the first."""


@dataclass
class PairTokens:
    """Counts pairs by turn and by the limits they exceed."""

    pairs: Counter[int] = field(default_factory=Counter)
    longest: dict[int, int] = field(default_factory=dict)
    over: Counter[tuple[int, int]] = field(default_factory=Counter)
    """By (turn, limit)."""
    prompt_over: Counter[tuple[int, int]] = field(default_factory=Counter)
    """By (turn, limit)."""

    def add(self, turn: int, prompt: int, longer: int) -> None:
        """Counts one pair.

        Args:
            turn: Its turn.
            prompt: Tokens of the prompt, history included.
            longer: Tokens of the longer side.
        """
        self.pairs[turn] += 1
        self.longest[turn] = max(prompt + longer, self.longest.get(turn, 0))
        for limit in LIMITS:
            self.over[turn, limit] += prompt + longer > limit
            self.prompt_over[turn, limit] += prompt >= limit

    def merge(self, other: PairTokens) -> None:
        """Adds the counts of other pairs."""
        self.pairs += other.pairs
        self.over.update(other.over)
        self.prompt_over.update(other.prompt_over)
        for turn, longest in other.longest.items():
            self.longest[turn] = max(longest, self.longest.get(turn, 0))

    def rows(self) -> tuple[TokensRow, ...]:
        """The counts, a row per turn."""
        return tuple(
            TokensRow(
                turn=turn,
                pairs=pairs,
                longest=self.longest[turn],
                over={limit: self.over[turn, limit] for limit in LIMITS},
                prompt_over={limit: self.prompt_over[turn, limit] for limit in LIMITS},
            )
            for turn, pairs in sorted(self.pairs.items())
        )


def too_long(figures: Figures) -> Sequence[str]:
    """What to say of pairs beyond the usual limits, a line per limit that any pair exceeds."""
    found = []
    for limit in LIMITS:
        rows = [row for row in figures.pair_tokens if row.over[limit]]
        if rows:
            by_turn = ", ".join(f"turn {row.turn}: {row.over[limit]:,} of {row.pairs:,}" for row in rows)
            dropped = sum(row.prompt_over[limit] for row in rows)
            found.append(
                f"{sum(row.over[limit] for row in rows):,} of {figures.pairs:,} pairs are longer than {limit:,} tokens "
                f"({by_turn}); of {dropped:,} the prompt alone"
            )
    return found
