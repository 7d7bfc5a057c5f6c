"""Checks in the terminal: of a configuration, of seed datasets, of exported data."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

    from ultrainteract.dataset.validate import Report
    from ultrainteract.running.validation import ValidationReport
    from ultrainteract.seeds.build import BuildReport
    from ultrainteract.seeds.check import DatasetCheck


def show_validation(report: ValidationReport) -> None:
    """Prints the checks of a configuration, each with what failed."""
    for check in report.checks:
        mark = "ok  " if check.passed else "FAIL"
        print(f"{mark}  {check.name}: {check.detail}")
        for item in check.items:
            print(f"        {item}")


def show_build(report: BuildReport) -> None:
    """Prints what was kept of each dataset, what each rule dropped, and why records were unusable."""
    for dataset in report.datasets:
        print(
            f"{dataset.dataset}: {dataset.records:,} records, {dataset.unusable:,} unusable, "
            f"{dataset.instructions:,} instructions"
        )
        for what, counts in (("kept", dataset.kept), ("dropped", dataset.dropped)):
            parts = ", ".join(f"{name} {count:,}" for name, count in counts.items())
            print(f"    {what:<8}{sum(counts.values()):>9,}  {parts}")
    print(f"\n{'selection':<20}{'in':>9}{'dropped':>9}{'out':>9}")
    for rule in report.rules:
        print(f"{rule.rule:<20}{rule.came:>9,}{rule.dropped:>9,}{rule.came - rule.dropped:>9,}")
    for reason, count in report.reasons.items():
        print(f"unusable  {count:,}  {reason}")
    for path, revision in report.revisions.items():
        print(f"read      {path} at {revision}")
    print(f"\n{report.kept:,} instructions kept; the counts {'' if report.adds_up else 'DO NOT '}add up.")


def show_check(found: DatasetCheck) -> None:
    """Prints both rates of a dataset: gold answers and solutions accepted, shifted ones accepted."""
    print(f"{found.dataset}")
    if found.answers is not None:
        answers = found.answers
        print(f"    gold answers      accepted {answers.accepted:,} of {answers.checked:,}")
        _show_items(answers.exceptions)
        print(f"    shifted answers   accepted {len(answers.false_accepts):,} of {answers.shifted:,}")
        _show_items(answers.false_accepts)
    if found.odd:
        print(f"    gold answers      {len(found.odd):,} are words where the others are values")
        _show_items(found.odd)
    if found.solutions is not None:
        checked = found.solutions
        print(
            f"    gold solutions    accepted {checked.accepted:,} of {checked.checked:,}, "
            f"undetermined {checked.undetermined:,}"
        )
        _show_items(checked.exceptions)
        print(f"    shifted solutions accepted {len(checked.false_accepts):,} of {checked.shifted:,}")
        _show_items(checked.false_accepts)
        for expectation, count in checked.expectations.items():
            print(f"    expected          {expectation}: {count:,}")
        _show_items(checked.disagreements)
    if found.conflicts:
        print(
            f"    two gold answers  {len(found.conflicts):,} problems were read before with another gold answer"
        )
        _show_items(found.conflicts)
    if found.unchecked:
        print(f"    not checked       {found.unchecked:,} (judged, or tests without a reference solution)")


def show_violations(report: Report, meanings: dict[str, str], console: Console) -> None:
    """Prints how many rows of each table break which rule, with the first of them."""
    from rich.table import Table

    table = Table("table", "layout", "rows", "violations")
    for name, rows in report.rows.items():
        broken = sum(count for (where, _), count in report.broken.items() if where == name)
        table.add_row(name, report.layouts[name], f"{rows:,}", f"{broken:,}" if broken else "none")
    console.print(table)
    for (name, rule), count in sorted(report.broken.items()):
        console.print(f"{name}: {rule} ({meanings[rule]}): {count:,}", markup=False, highlight=False)
        for example in report.examples[name, rule]:
            console.print(f"    {example}", markup=False, highlight=False, soft_wrap=True)


def show_warnings(report: Report, console: Console) -> None:
    """Prints what a trainer has to be set up for."""
    for (name, rule), details in sorted(report.warnings.items()):
        for detail in details:
            console.print(f"warning: {name}: {rule}: {detail}", markup=False, highlight=False, soft_wrap=True)


def _show_items(items: tuple[tuple[str, str], ...]) -> None:
    for source, detail in items:
        print(f"        {source}: {' '.join(detail.split())[:160]}")
