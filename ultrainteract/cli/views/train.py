"""What `train` shows: the plan of a stage, and what came of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

    from ultrainteract.training.plan import TrainPlan, TrainReport


def show_plan(plan: TrainPlan, console: Console) -> None:
    """Prints a plan."""
    from rich.table import Table

    def line(text: str) -> None:
        console.print(text, markup=False, highlight=False, soft_wrap=True)

    line(f"{plan.stage} from {plan.start}")
    line("rows: " + ", ".join(f"{number:,} {origin}" for origin, number in plan.rows.items()))
    if plan.kinds:
        line("kinds: " + ", ".join(f"{number:,} {kind}" for kind, number in plan.kinds.items()))
    for reason, number in plan.dropped.items():
        line(f"dropped: {number:,} ({reason})")
    for reason, number in plan.validation_dropped.items():
        line(f"dropped from validation: {number:,} ({reason})")
    line(f"cut: {plan.cut:,}; kept: {plan.kept:,}; validation: {plan.validation:,}")
    line(
        f"max_length {plan.max_length:,}; {plan.tokens:,} tokens an epoch"
        + (f", {plan.learned_tokens:,} of them learned" if plan.learned_tokens else "")
        + f"; {plan.steps:,} steps of {plan.batch_size} rows"
    )
    table = Table("tokens", "median", "95 %", "longest", title=None)
    for name, lengths in plan.lengths.items():
        table.add_row(name, f"{lengths.median:,}", f"{lengths.p95:,}", f"{lengths.longest:,}")
    console.print(table)
    line("example (learned between ⟦ and ⟧; all of it scored for a reward model):")
    line(plan.example)
    for warning in plan.warnings:
        line(f"warning: {warning}")


def show_report(report: TrainReport, console: Console) -> None:
    """Prints what a stage did."""

    def line(text: str) -> None:
        console.print(text, markup=False, highlight=False, soft_wrap=True)

    line(
        f"{report.stage}: {report.steps:,} steps, {report.plan.kept:,} rows, {report.tokens_per_s:,.0f} tokens/s"
    )
    for name, value in report.metrics.items():
        if name.startswith(
            ("rewards/", "train_loss", "eval_loss", "eval_accuracy", "eval_rewards", "accuracy")
        ):
            line(f"{name}\t{value:.4f}")
