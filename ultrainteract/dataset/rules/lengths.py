"""Rows that a trainer's usual maximum length would cut or drop, without a word of its own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from ultrainteract.dataset.rules.conversation import Learned

CHARS_PER_TOKEN = 4
"""Characters counted as one token: an estimate."""
LIMITS = (1024, 2048, 4096)
"""Usual maximum lengths, tokens; the first is TRL's default."""


class LengthRule:
    """Counts rows beyond the usual limits."""

    name = "length"
    meaning = "rows fit into 1,024, 2,048 and 4,096 tokens (estimated, 4 characters each): a warning"
    warns = True

    def __init__(self) -> None:
        self._rows = 0
        self._over: Counter[int] = Counter()
        self._prompt_over: Counter[int] = Counter()

    def check(self, row: Learned) -> Iterator[str]:
        """Counts a row."""
        self._rows += 1
        for limit in LIMITS:
            self._over[limit] += row.chars > limit * CHARS_PER_TOKEN
            self._prompt_over[limit] += row.prompt_chars >= limit * CHARS_PER_TOKEN
        yield from ()

    def finish(self) -> Iterator[str]:
        """Yields a line for each limit that is exceeded."""
        for limit in LIMITS:
            if self._over[limit]:
                yield (
                    f"{self._over[limit]:,} of {self._rows:,} rows are longer than {limit:,} tokens and would be cut, "
                    f"{self._prompt_over[limit]:,} of them in the prompt already, so that nothing is left to learn"
                )
