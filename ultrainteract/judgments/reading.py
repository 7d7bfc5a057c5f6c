"""What became of the records of files: read = kept + dropped + unreadable, and why the first ones are not kept.

An error that nothing is left says no more than these counts do: what was read, and what was wrong with it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ultrainteract.errors import DataError
from ultrainteract.readers.files import BadRecord

SHOWN = 5
"""Unreadable records whose reasons are shown."""


@dataclass(frozen=True)
class Reading:
    """The records of some files."""

    kept: int
    """Records that count."""
    unreadable: Sequence[BadRecord]
    dropped: Sequence[tuple[str, str]] = ()
    """Place (file and line) and rule of each record that was read and does not count."""

    @property
    def read(self) -> int:
        """Records read."""
        return self.kept + len(self.dropped) + len(self.unreadable)

    def counts(self) -> dict[str, int]:
        """Dropped records by rule."""
        return dict(sorted(Counter(rule for _, rule in self.dropped).items()))

    def reasons(self) -> list[str]:
        """The first record that each rule dropped, and the first unreadable ones, each with its place."""
        first = {rule: where for where, rule in reversed(self.dropped)}
        found = [
            f"dropped: {rule}: {count:,}, the first {first[rule]}" for rule, count in self.counts().items()
        ]
        return found + [f"unreadable: {one.where}: {one.reason}" for one in self.unreadable[:SHOWN]]

    def to_json(self) -> dict[str, Any]:
        """The counts as plain JSON."""
        return {
            "read": self.read, "unreadable": len(self.unreadable), "dropped": self.counts(), "kept": self.kept,
        }  # fmt: skip

    def nothing_left(self, why: str) -> DataError:
        """The error for files of which nothing can be made.

        Args:
            why: What is missing, as a sentence.
        """
        what = (
            f"{self.read:,} records read = {self.kept:,} kept + {len(self.dropped):,} dropped + "
            f"{len(self.unreadable):,} unreadable"
        )
        return DataError("\n  ".join([f"{why} {what}.", *self.reasons()]))


def refuse_empty(files: Sequence[str | Path], records: Sequence[object]) -> None:
    """Refuses files without any record.

    Raises:
        DataError: There is none.
    """
    if not records:
        raise DataError(f"There is no record in {', '.join(map(str, files)) or 'no file'}.")
