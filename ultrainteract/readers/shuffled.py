"""Rows in a shuffled order, in bounded memory: they wait in a scratch file, and eight bytes of each in memory."""

from __future__ import annotations

import pickle
import random
import tempfile
from array import array
from collections.abc import Iterable, Iterator, Mapping
from typing import Any


class ShuffledRows:
    """Rows that were read once and can be iterated again and again in the same shuffled order.

    Args:
        rows: The rows; read to their end here.
        seed: Decides the order.
    """

    def __init__(self, rows: Iterable[Mapping[str, Any]], seed: int) -> None:
        self._file = tempfile.TemporaryFile(prefix="ultrainteract-rows-")  # noqa: SIM115 (as long as the rows)
        self._places = array("Q")
        columns: dict[str, None] = {}
        for row in rows:
            self._places.append(self._file.tell())
            pickle.dump(dict(row), self._file, protocol=pickle.HIGHEST_PROTOCOL)
            columns.update(dict.fromkeys(row))
        self.columns = tuple(columns)
        """Names of all fields that any row has."""
        random.Random(seed).shuffle(self._places)

    def __len__(self) -> int:
        return len(self._places)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        for place in self._places:
            self._file.seek(place)
            yield pickle.load(self._file)
