"""What became of a pool, and the three sets side by side, as tables."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ultrainteract.curation.report import CurationReport

if TYPE_CHECKING:
    from rich.console import Console

_STRATA = 12
"""Strata shown."""


def show_curation(report: CurationReport, folder: Path, console: Console) -> None:
    """Prints the counts of trees, the three sets, and how the curated one is spread."""
    from rich.table import Table

    def say(text: str) -> None:
        console.print(text, markup=False, highlight=False)

    kept = report.sets["curated"].samples
    say(f"{report.trees:,} trees = {report.eligible:,} eligible + {sum(report.refused.values()):,} refused")
    for reason, count in report.refused.items():
        say(f"    refused: {reason}: {count:,}")
    say(
        f"{report.eligible:,} eligible = {kept:,} kept + {report.near_duplicates:,} near-duplicates + "
        f"{report.not_needed:,} not needed"
    )
    if kept < report.rule.n:
        say(f"There are fewer than the {report.rule.n:,} samples asked for.")
    table = Table("set", "samples", "covered", "nearest", "characters", "pass rate")
    for name, figures in report.sets.items():
        rate = "-" if figures.mean_pass_rate is None else f"{figures.mean_pass_rate:.2f}"
        table.add_row(
            name, f"{figures.samples:,}", f"{figures.covered:.1%}", f"{figures.nearest:.3f}",
            f"{figures.mean_length:,.0f}", rate,
        )  # fmt: skip
    console.print(table)
    strata = Table("task / dataset / tag", "topics", "kept")
    counts = report.sets["curated"].strata
    for name in sorted(counts, key=lambda one: (-counts[one], one))[:_STRATA]:
        strata.add_row(name, str(report.topics.get(name, "-")), f"{counts[name]:,}")
    console.print(strata)
    say(f"Written to {folder}")
