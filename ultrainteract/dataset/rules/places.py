"""The same row in two places: in the train and in the validation split, or in two shards of one split."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ultrainteract.readers.splits import place_of
from ultrainteract.schema import content_hash


class PlacesRule:
    """No row stands in two tables of one configuration."""

    leak = "split_leak"
    leak_meaning = "no row stands in the train split and in a held-out one"
    duplicate = "duplicate"

    def __init__(self) -> None:
        self._seen: dict[tuple[str, tuple[str, ...]], dict[int, tuple[str, str]]] = {}

    def check(
        self, table: str, columns: tuple[str, ...], row: Mapping[str, Any]
    ) -> Iterator[tuple[str, str]]:
        """Yields (rule, what is wrong) of a row, seen before in another table.

        Args:
            table: The table's name.
            columns: Its columns.
            row: The row.
        """
        place = place_of(table)
        seen = self._seen.setdefault((place.dataset, tuple(sorted(columns))), {})
        content = {name: value for name, value in row.items() if name not in ("id", "parent_id")}
        key = int(content_hash(content)[:16], 16)
        other, split = seen.setdefault(key, (table, place.split))
        if other != table:
            if split != place.split:
                yield self.leak, f"the row stands in {other}, too"
            else:
                yield self.duplicate, f"the row stands in {other}, another shard of the same split"
