"""What each export makes of one tree: the rows that a trainer would read."""

from __future__ import annotations

from typing import Any

import orjson

from ultrainteract.config import ExportConfig
from ultrainteract.exporting.registry import export_rows, known_exporters
from ultrainteract.store import read_tree
from ultrainteract.viewing.collection import Collection


def export_names() -> list[str]:
    """All exports but whole trees, which are what the page shows anyway."""
    return [name for name in known_exporters() if name != "trees"]


def exported(collection: Collection, key: str, name: str) -> list[dict[str, Any]]:
    """The rows of one export of one tree, under the run's own settings.

    Raises:
        ConfigError: There is no such export, or the run's settings do not fit it.
        DataError: There is no such tree.
    """
    stored = collection.tree(key)
    if stored is None:
        return []
    config = collection.stores[0].config().export if collection.is_run else ExportConfig()
    rows = list(export_rows(name, [read_tree(stored)], config))
    return [orjson.loads(orjson.dumps(row, option=orjson.OPT_SERIALIZE_NUMPY)) for row in rows]
