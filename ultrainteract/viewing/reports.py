"""Reports of other commands that lie beside the trees, in the one shape that the page draws."""

from __future__ import annotations

from typing import Any

from ultrainteract.viewing.collection import Collection


def reports_of(collection: Collection) -> list[dict[str, Any]]:
    """The reports beside a collection."""
    return []
