"""Several evaluations side by side, each tested against the first on the items that both have finished."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ultrainteract.errors import ConfigError
from ultrainteract.evaluation.estimates import Estimate, PairedTest
from ultrainteract.evaluation.figures import BenchmarkFigures, EvaluationReport
from ultrainteract.evaluation.outcomes import JudgedItem, Outcome
from ultrainteract.schema import Record


class ComparedRow(Record):
    """One evaluation on one benchmark."""

    evaluation: str
    """Its label."""
    benchmark: str
    """Dataset."""
    task: str
    """Task."""
    protocol: str
    """Protocol."""
    feedback: str
    """What a rollout was told of wrong answers."""
    items: int
    """Items that count."""
    accuracy: Estimate | None
    """pass@1."""
    pass_at: dict[int, Estimate]
    """pass@k."""
    by_turn: dict[int, Estimate]
    """Success by turn, under the protocol."""
    outcomes: dict[Outcome, int]
    """Attempts by outcome."""
    against_first: PairedTest | None = None
    """Against the first evaluation, on the items that both have; None for the first, and where the protocols differ."""
    note: str = ""
    """What makes the comparison uneven: another protocol, another version of the items."""


class Comparison(Record):
    """Several evaluations."""

    evaluations: dict[str, dict[str, object]]
    """Setup by label."""
    rows: tuple[ComparedRow, ...]
    """By benchmark, task and evaluation, in the order given."""


def compare(
    reports: Mapping[str, EvaluationReport],
    items: Mapping[str, Sequence[JudgedItem]],
    confidence: float = 0.95,
) -> Comparison:
    """Puts evaluations side by side.

    Args:
        reports: Reports by label, the one to compare with first.
        items: Their items by label.
        confidence: Level of the intervals of differences.

    Raises:
        ConfigError: There is none.
    """
    if not reports:
        raise ConfigError("Name at least one evaluation.")
    first = next(iter(reports))
    rows = []
    keys = sorted({(row.benchmark, row.task) for report in reports.values() for row in report.benchmarks})
    for key in keys:
        figures = {
            label: row
            for label, report in reports.items()
            for row in report.benchmarks
            if (row.benchmark, row.task) == key
        }
        for label, row in figures.items():
            paired, note = None, ""
            if label != first and first in figures:
                paired, note = _paired(
                    figures[first], row, items[first], items[label], reports[label].setup.seed, confidence
                )
            rows.append(_row(label, row, reports[label], paired, note))
    setups = {label: report.setup.model_dump(mode="json") for label, report in reports.items()}
    return Comparison(evaluations=setups, rows=tuple(rows))


def _row(
    label: str, row: BenchmarkFigures, report: EvaluationReport, paired: PairedTest | None, note: str
) -> ComparedRow:
    return ComparedRow(
        evaluation=label, benchmark=row.benchmark, task=row.task, protocol=row.protocol,
        feedback=str(report.setup.rollout["feedback"]) if row.protocol != "single" else "-", items=row.items,
        accuracy=row.accuracy, pass_at=row.pass_at, by_turn={turn.turn: turn.success for turn in row.by_turn},
        outcomes=row.outcomes, against_first=paired, note=note,
    )  # fmt: skip


def _paired(
    one: BenchmarkFigures, other: BenchmarkFigures, first: Sequence[JudgedItem], second: Sequence[JudgedItem],
    seed: int, confidence: float,
) -> tuple[PairedTest | None, str]:  # fmt: skip
    if one.protocol != other.protocol:
        return None, f"protocols differ: {one.protocol} and {other.protocol}"
    shares = [
        {item.id: share for item in items if _is_of(item, one) and (share := _share(item)) is not None}
        for items in (first, second)
    ]
    common = sorted(shares[0].keys() & shares[1].keys())
    test = PairedTest.of(
        [shares[0][key] for key in common], [shares[1][key] for key in common], confidence, seed
    )
    note = "" if one.dataset_hash == other.dataset_hash else f"{len(common)} items in common"
    return test, note


def _is_of(item: JudgedItem, row: BenchmarkFigures) -> bool:
    return (item.benchmark, item.task) == (row.benchmark, row.task)


def _share(item: JudgedItem) -> float | None:
    most = max((attempt.budget for attempt in item.counted), default=0)
    final = [attempt for attempt in item.counted if attempt.budget == most]
    return sum(a.outcome is Outcome.RIGHT for a in final) / len(final) if final else None
