"""Exports every trainer reads, statistics, validation and import: pure functions over streamed trees."""

from ultrainteract.config import ExportConfig
from ultrainteract.export.export import export_trees
from ultrainteract.export.info import RunInfo
from ultrainteract.export.registry import EXPORTERS, Exporter, export_rows
from ultrainteract.export.samples import demonstrations, preferences
from ultrainteract.export.trees import read_trees, tree_rows
from ultrainteract.export.ultrainteract import pair_rows, sft_rows

__all__ = [
    "EXPORTERS",
    "ExportConfig",
    "Exporter",
    "RunInfo",
    "demonstrations",
    "export_rows",
    "export_trees",
    "pair_rows",
    "preferences",
    "read_trees",
    "sft_rows",
    "tree_rows",
]
