"""Reports of evaluations as tables."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

    from ultrainteract.evaluation.comparing import Comparison
    from ultrainteract.evaluation.estimates import Estimate
    from ultrainteract.evaluation.figures import BenchmarkFigures, EvaluationReport
    from ultrainteract.evaluation.rewards import PairwiseReport
    from ultrainteract.evaluation.selection import SelectionRow

_PROTOCOLS = {
    "rollout": "Success by turn, cumulative within one rollout",
    "mint": "Success with k steps, a rollout of its own for each k (MINT's protocol)",
}


def percent(estimate: Estimate | None) -> str:
    """`52.5 [46.1, 58.8]`, in percent; a dash where there is nothing."""
    from ultrainteract.evaluation.rendering import share

    return share(estimate)


def show_evaluation(report: EvaluationReport, console: Console) -> None:
    """Prints a report: per benchmark accuracy with its interval, what answers came to, success by turn, best of n."""
    from rich.table import Table

    model, decoding = report.setup.model, report.setup.model["sampling"]
    level = f"{100 * report.setup.confidence:g} %"
    how = "greedy" if decoding["temperature"] == 0 else f"temperature {decoding['temperature']:g}"
    console.print(
        f"{model['model']} ({model['provider']}), {how}, at most {decoding['max_tokens']} tokens; "
        f"protocol {report.setup.rollout['protocol']}", highlight=False, markup=False,
    )  # fmt: skip
    table = Table(title=f"pass@1 in percent, {level} interval", title_justify="left")
    for name in ("benchmark", "task", "items", "pass@1", "of gradable", "right", "wrong", "no answer", "cut off",
                 "not gradable", "refused", "failed", "unfinished"):  # fmt: skip
        table.add_column(name, justify="left" if name in ("benchmark", "task") else "right")
    for row in report.benchmarks:
        counted = {name.value: count for name, count in row.outcomes.items()}
        counts = [
            str(counted.get(name, 0))
            for name in ("right", "wrong", "no_answer", "cut_off", "ungradable", "refused")
        ]
        of = f"{row.items:,}" + (
            f" of {row.full_size:,}" if row.full_size and row.full_size != row.items else ""
        )
        table.add_row(row.benchmark, row.task, of, percent(row.accuracy), percent(row.gradable_accuracy), *counts,
                      str(row.failed), str(row.unfinished))  # fmt: skip
    console.print(table)
    for row in report.benchmarks:
        _show_details(row, console)
    if report.contamination is not None:
        console.print(
            f"Items that share text with the training data: {len(report.contamination)}", highlight=False
        )
        for found in report.contamination[:10]:
            console.print(f"  {found.source} ({found.match}): {found.text}", highlight=False, markup=False)
    for reason, count in report.left_out.items():
        console.print(f"Left out: {count} of {reason}", highlight=False, markup=False)
    if report.simulated:
        console.print("A simulated model answered: these figures say nothing of any language model.")


def _show_details(row: BenchmarkFigures, console: Console) -> None:
    where = f"{row.benchmark} {row.task}"
    for reason, count in list(row.reasons.items())[:5]:
        console.print(f"{where}: {count} of {reason}", highlight=False, markup=False)
    if row.by_turn:
        shown = "  ".join(f"{turn.turn}: {percent(turn.success)}" for turn in row.by_turn)
        console.print(f"{where}. {_PROTOCOLS[row.protocol]}: {shown}", highlight=False, markup=False)
        if row.invalid is not None:
            console.print(f"{where}: {row.invalid:.1%} of steps invalid", highlight=False, markup=False)
        if row.critiques or row.withheld:
            text = f"{where}: {row.critiques} critiques shown, {row.withheld} withheld"
            console.print(text, highlight=False, markup=False)
    if row.samples > 1:
        shown = "  ".join(f"{k}: {percent(found)}" for k, found in row.pass_at.items())
        console.print(f"{where}. pass@k: {shown}", highlight=False, markup=False)
        if row.majority is not None:
            console.print(
                f"{where}. Majority of {row.samples}: {percent(row.majority)}", highlight=False, markup=False
            )
        spread = f"{100 * min(row.by_sample):.1f} to {100 * max(row.by_sample):.1f}"
        console.print(f"{where}. Single runs over all items: {spread}", highlight=False, markup=False)
    if row.instructions_followed:
        shown = "  ".join(f"{name} {100 * share:.1f}" for name, share in row.instructions_followed.items())
        console.print(f"{where}. Kept: {shown}", highlight=False, markup=False)
    for kind in ("level", "subject"):
        parts = [f"{group.name} {percent(group.accuracy)}" for group in row.groups if group.kind == kind]
        if len(parts) > 1:
            console.print(f"{where} by {kind}: {'; '.join(parts)}", highlight=False, markup=False)


def show_comparison(comparison: Comparison, console: Console) -> None:
    """Prints evaluations side by side, success by turn and pass@k below."""
    from rich.table import Table

    from ultrainteract.evaluation.rendering import HEAD, cells, series

    table = Table(*HEAD)
    for row in cells(comparison):
        table.add_row(*row)
    console.print(table)
    for kind, label, points in series(comparison):
        shown = "  ".join(f"{place}: {percent(estimate)}" for place, estimate in points.items())
        console.print(f"{kind}, {label}: {shown}", highlight=False, markup=False)


def rendered(comparison: Comparison, format: str) -> str:
    """A comparison as JSON, Markdown or HTML.

    Raises:
        ConfigError: HTML is asked for, and matplotlib is not installed.
    """
    from ultrainteract.evaluation.rendering import markdown, page

    if format == "json":
        return f"{comparison.model_dump_json(indent=2)}\n"
    return markdown(comparison) if format == "markdown" else page(comparison)


def show_selection(rows: Iterable[SelectionRow], console: Console) -> None:
    """Prints best of n: a line per rule, a column per n."""
    from rich.table import Table

    rows = list(rows)
    counts = sorted({row.n for row in rows})
    table = Table("rule", *(f"n = {n}" for n in counts))
    for rule in dict.fromkeys(row.rule for row in rows):
        found = {row.n: row.share for row in rows if row.rule == rule}
        table.add_row(rule, *(percent(found.get(n)) for n in counts))
    console.print(table)


def show_pairwise(report: PairwiseReport, console: Console) -> None:
    """Prints pairwise accuracy by subset and section."""
    from rich.table import Table

    table = Table("subset", "pairs", "accuracy, %", "ties")
    for row in report.subsets:
        table.add_row(row.name, f"{row.pairs:,}", percent(row.accuracy), str(row.ties))
    table.add_row("all", f"{report.pairs:,}", percent(report.accuracy), "")
    console.print(table)
    for section, share in report.sections.items():
        console.print(f"{section}: {100 * share:.1f}", highlight=False)
    if report.score is not None:
        console.print(f"RewardBench score: {100 * report.score:.1f}", highlight=False)
    for reason, count in report.reasons.items():
        console.print(f"Left out: {count:,} of {reason}", highlight=False, markup=False)
