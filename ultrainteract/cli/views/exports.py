"""The list of exports."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console


def show_exporters(console: Console) -> None:
    """Prints the exports with what a row is and its columns."""
    from rich.table import Table

    from ultrainteract.exporting import known_exporters

    table = Table("format", "rows", "columns", box=None)
    for exporter in known_exporters().values():
        summary = f"{exporter.summary} ({exporter.retired})" if exporter.retired else exporter.summary
        table.add_row(exporter.name, summary, ", ".join(exporter.columns))
    console.print(table)
