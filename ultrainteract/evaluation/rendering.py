"""A comparison as Markdown and as one HTML file with its figures inside (extra: plots)."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Iterator
from typing import Any

from ultrainteract.errors import require
from ultrainteract.evaluation.comparing import Comparison
from ultrainteract.evaluation.estimates import Estimate, PairedTest

HEAD = ("evaluation", "benchmark", "task", "protocol", "items", "pass@1, %", "difference, points", "p")
_STYLE = (
    "body{font:15px sans-serif;margin:2em;max-width:70em}table{border-collapse:collapse}"
    "td,th{padding:.3em .8em;border-bottom:1px solid #ccc;text-align:left}"
)


def share(estimate: Estimate | None) -> str:
    """`52.5 [46.1, 58.8]`, in percent; a dash where there is nothing."""
    if estimate is None:
        return "-"
    return f"{100 * estimate.value:.1f} [{100 * estimate.low:.1f}, {100 * estimate.high:.1f}]"


def difference(paired: PairedTest | None) -> str:
    """`+3.0 [-1.0, 7.0]`, in points, with the items that one side alone solves."""
    if paired is None:
        return "-"
    span = f"[{100 * paired.low:+.1f}, {100 * paired.high:+.1f}]"
    return f"{100 * paired.difference:+.1f} {span} ({paired.only_second} gained, {paired.only_first} lost)"


def cells(comparison: Comparison) -> Iterator[tuple[str, ...]]:
    """The table's rows."""
    for row in comparison.rows:
        protocol = row.protocol if row.feedback == "-" else f"{row.protocol}, feedback {row.feedback}"
        p = row.against_first.p_value if row.against_first else None
        gap = row.note if row.against_first is None and row.note else difference(row.against_first)
        if row.against_first is not None and row.note:
            gap += f"; {row.note}"
        yield (
            row.evaluation, row.benchmark, row.task, protocol, f"{row.items:,}", share(row.accuracy), gap,
            "-" if p is None else f"{p:.3g}",
        )  # fmt: skip


def series(comparison: Comparison) -> Iterator[tuple[str, str, dict[int, Estimate]]]:
    """What is drawn: (kind of figure, label, points)."""
    for row in comparison.rows:
        label = f"{row.evaluation}: {row.benchmark} {row.task}"
        if row.by_turn:
            protocol = "cumulative in one rollout" if row.protocol == "rollout" else "MINT, a run for each k"
            yield "success by turn", f"{label} ({protocol})", row.by_turn
        if len(row.pass_at) > 1:
            yield "pass@k", label, row.pass_at


def markdown(comparison: Comparison) -> str:
    """The table, and success by turn and pass@k below it."""
    lines = ["| " + " | ".join(HEAD) + " |", "| " + " | ".join("---" for _ in HEAD) + " |"]
    lines += ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in cells(comparison)]
    for kind, label, points in series(comparison):
        shown = "; ".join(f"{place}: {share(estimate)}" for place, estimate in points.items())
        lines += ["", f"{kind}, {label}: {shown}"]
    return "\n".join(lines) + "\n"


def page(comparison: Comparison) -> str:
    """One HTML file: the table, a figure of each kind, and the setups.

    Raises:
        ConfigError: matplotlib is not installed.
    """
    import json

    head = "".join(f"<th>{html.escape(name)}</th>" for name in HEAD)
    body = "".join(
        "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>"
        for row in cells(comparison)
    )
    figures = "".join(
        f'<h2>{kind}</h2><img alt="{kind}" src="data:image/svg+xml;base64,{base64.b64encode(figure).decode()}">'
        for kind, figure in drawn(comparison).items()
    )
    setups = html.escape(json.dumps(comparison.evaluations, indent=2, ensure_ascii=False))
    return (
        f'<!doctype html><meta charset="utf-8"><title>Evaluations</title><style>{_STYLE}</style>'
        f"<h1>Evaluations</h1><table><tr>{head}</tr>{body}</table>{figures}"
        f"<details><summary>What shaped these figures</summary><pre>{setups}</pre></details>\n"
    )


def drawn(comparison: Comparison) -> dict[str, bytes]:
    """The figures as SVG, by kind; the same figures give the same bytes.

    Raises:
        ConfigError: matplotlib is not installed.
    """
    groups: dict[str, list[tuple[str, dict[int, Estimate]]]] = {}
    for kind, label, points in series(comparison):
        groups.setdefault(kind, []).append((label, points))
    if not groups:
        return {}
    require("matplotlib", "plots")
    import matplotlib
    from matplotlib.figure import Figure

    found = {}
    for kind, lines in groups.items():
        figure = Figure(figsize=(7.2, 4.0), layout="constrained")
        axes: Any = figure.add_subplot()
        for label, points in lines:
            places, values = list(points), list(points.values())
            below = [100 * (value.value - value.low) for value in values]
            above = [100 * (value.high - value.value) for value in values]
            axes.errorbar(
                places,
                [100 * v.value for v in values],
                yerr=[below, above],
                marker="o",
                capsize=3,
                label=label,
            )
        axes.set_xlabel("turn" if kind == "success by turn" else "k")
        axes.set_ylabel("items solved, %")
        axes.set_ylim(0, 100)
        axes.set_xticks(sorted({place for _, points in lines for place in points}))
        axes.legend(frameon=False, fontsize="small")
        buffer = io.BytesIO()
        with matplotlib.rc_context({"svg.hashsalt": "ultrainteract"}):
            figure.savefig(buffer, format="svg", metadata={"Date": None})
        found[kind] = buffer.getvalue()
    return found
