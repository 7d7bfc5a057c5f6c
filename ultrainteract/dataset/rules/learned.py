"""Rows with nothing to learn: no text of the assistant's, or none that is not masked."""

from __future__ import annotations

from collections.abc import Iterator

from ultrainteract.dataset.rules.conversation import Learned


class LearnedRule:
    """Every row has a text to learn, on each of its sides."""

    name = "nothing_to_train"
    meaning = "every row has a text of the assistant's that is learned, not all of it masked or blank"
    warns = False

    def check(self, row: Learned) -> Iterator[str]:
        """Yields what is wrong with a row."""
        if not row.learned:
            yield "no text to learn: the assistant's last turn is missing, blank or masked"

    def finish(self) -> Iterator[str]:
        """Yields what is wrong with the table."""
        yield from ()
