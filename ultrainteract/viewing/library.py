"""The places that one page shows, opened together."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack

from ultrainteract.errors import DataError
from ultrainteract.viewing.collection import Collection


class Library:
    """Collections that are open. Use it in a `with` block.

    Args:
        places: See `Collection`.
        revision: Revision of Hub datasets.

    Raises:
        StoreError, ConfigError, DataError: A place cannot be read.
    """

    def __init__(self, places: Sequence[str], revision: str | None = None) -> None:
        if not places:
            raise DataError("Name at least one run directory, folder of exports, file, or Hub dataset.")
        with ExitStack() as stack:
            self.collections = [
                stack.enter_context(Collection(place, revision)) for place in dict.fromkeys(places)
            ]
            self._stack = stack.pop_all()

    def start(self) -> None:
        """Builds the indexes in the background."""
        for collection in self.collections:
            collection.start()

    def build(self) -> None:
        """Builds the indexes to their end."""
        for collection in self.collections:
            collection.build()

    def find(self, name: str) -> tuple[Collection, str]:
        """The collection that holds a tree, and the tree's id.

        Args:
            name: Beginning of its id, or the source id of its record.

        Raises:
            DataError: None does, or more than one.
        """
        found = [(collection, key) for collection in self.collections for key in collection.index.find(name)]
        if not found or len({key for _, key in found}) > 1:
            raise DataError(
                f"{'No' if not found else 'More than one'} tree has an id that begins with '{name}'."
            )
        return found[0]

    def __enter__(self) -> Library:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()
