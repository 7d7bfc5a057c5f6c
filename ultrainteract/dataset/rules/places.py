"""The same row in two places: in the train and in the validation split, or in two shards of one split."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from ultrainteract.schema import content_hash

_HELD_OUT = re.compile(r"^(validation|valid|val|dev|test|eval|evaluation|heldout|held_out)$", re.IGNORECASE)
_TRAIN = re.compile(r"^(train|training)$", re.IGNORECASE)
_SHARD = re.compile(r"[-_.]?(part|shard|chunk)?[-_.]?\d+([-_.]of[-_.]\d+)?$", re.IGNORECASE)


class Place(NamedTuple):
    """Where a table belongs."""

    dataset: str
    """Configuration: tables of two are not compared, since they hold the same data in several forms."""
    split: str
    """`train` or the held-out split's name."""


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


def place_of(table: str) -> Place:
    """The configuration and the split of a table by its name.

    Example:
        >>> place_of("pair/validation"), place_of("data/train-00001")
        (Place(dataset='pair', split='validation'), Place(dataset='data', split='train'))
    """
    dataset, split = [], "train"
    for part in re.sub(r"\.(parquet|jsonl?)$", "", table).split("/"):
        bare = _SHARD.sub("", part)
        if _HELD_OUT.match(bare):
            split = bare.lower()
        elif bare and not _TRAIN.match(bare):
            dataset.append(bare)
    return Place("/".join(dataset), split)
