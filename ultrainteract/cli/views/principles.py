"""How well a model tells constitutions apart, as a table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from rich.table import Table

if TYPE_CHECKING:
    from rich.console import Console

    from ultrainteract.judgments.principles.information import Score


def show_scores(found: Mapping[str, Score], console: Console) -> None:
    """Prints the figures by contrast, then the contrasts that the model cannot tell apart."""
    table = Table("contrast", "queries", "information, nats", "rows", "columns")
    for name, score in found.items():
        shares = (f"{100 * score.rows:.0f} %", f"{100 * score.columns:.0f} %")
        table.add_row(name, f"{score.queries:,}", f"{score.information:.3f}", *shares)
    console.print(table)
    console.print(
        "rows: constitutions whose own response is the likeliest; columns: responses whose own constitution is.",
        highlight=False,
    )
    for name, score in found.items():
        if not score.told_apart:
            console.print(f"Not told apart: {name}.", markup=False, highlight=False)
