"""The order of unpaired rows: KTO compares neighbours, so rows of one prompt must not be neighbours.

TRL pairs the prompt of each row with the completion of the row before it in the same batch to estimate the KL term
(arXiv 2402.01306). Where that is the other side of the same pair, the estimate is the reward itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from ultrainteract.dataset.rules.conversation import Learned

BATCHES = (2, 4, 8, 16)
"""Batch sizes that are looked at."""
MAX_SHARE = 0.01
"""Maximum share of rows that may be compared with a row of their own prompt."""
MIN_PROMPTS = 64
"""Prompts below which no order can keep rows of one prompt apart."""


class OrderRule:
    """Rows with a label are not compared with rows of their own prompt."""

    name = "order"
    meaning = "in data for KTO, rows of one prompt are not neighbours within a batch of 2 to 16 rows"
    warns = False

    def __init__(self) -> None:
        self._rows = 0
        self._prompts: set[int] = set()
        self._open: dict[int, list[int]] = {batch: [] for batch in BATCHES}
        self._hits: Counter[int] = Counter()

    def check(self, row: Learned) -> Iterator[str]:
        """Counts a row."""
        if row.label is not None:
            self._rows += 1
            prompt = hash(row.first)
            self._prompts.add(prompt)
            for batch, rows in self._open.items():
                rows.append(prompt)
                if len(rows) == batch:
                    self._hits[batch] += sum(rows[number] == rows[number - 1] for number in range(batch))
                    rows.clear()
        yield from ()

    def finish(self) -> Iterator[str]:
        """Yields the batch sizes at which too many rows are compared with their own prompt."""
        if len(self._prompts) < MIN_PROMPTS:
            return
        shares = {batch: self._hits[batch] / (self._rows // batch * batch) for batch in BATCHES}
        bad = [f"{share:.0%} at batch {batch}" for batch, share in shares.items() if share > MAX_SHARE]
        if bad:
            yield f"rows are compared with a completion of their own prompt: {', '.join(bad)}; shuffle them"
