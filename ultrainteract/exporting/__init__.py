"""Exports that every trainer reads: pure functions over streamed trees."""

from ultrainteract.config import ExportConfig
from ultrainteract.dataset.info import RunInfo
from ultrainteract.dataset.samples import demonstrations, preferences
from ultrainteract.dataset.tree_table import read_trees, tree_rows
from ultrainteract.exporting.export import export_trees
from ultrainteract.exporting.formats.ultrainteract import pair_rows, sft_rows
from ultrainteract.exporting.registry import (
    Exporter,
    chosen_exporters,
    export_rows,
    exporter,
    known_exporters,
)

__all__ = [
    "ExportConfig",
    "Exporter",
    "RunInfo",
    "chosen_exporters",
    "demonstrations",
    "export_rows",
    "export_trees",
    "exporter",
    "known_exporters",
    "pair_rows",
    "preferences",
    "read_trees",
    "sft_rows",
    "tree_rows",
]
