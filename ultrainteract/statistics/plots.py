"""The figures of a set of trees as pictures, for the dataset card and for papers (extra: plots)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ultrainteract.errors import require
from ultrainteract.statistics.figures import Figures

_BLUE, _RED, _GREY = "#3465a4", "#c4463a", "#9a9a9a"


def draw(figures: Figures, folder: Path) -> list[Path]:
    """Draws turns, lengths, pairs by dataset and pass rates; a figure without data is left out.

    Args:
        figures: `Statistics.figures()`.
        folder: Where to write; made where it is missing.

    Returns:
        The files written.

    Raises:
        ConfigError: matplotlib is not installed.
    """
    require("matplotlib", "plots")
    from matplotlib.figure import Figure

    folder.mkdir(parents=True, exist_ok=True)
    written: list[Path] = []
    for name, paint in (
        ("turns", _turns), ("lengths", _lengths), ("datasets", _datasets), ("pass_rates", _pass_rates)
    ):  # fmt: skip
        figure = Figure(figsize=(6.4, 3.6), dpi=120, layout="constrained")
        axes = figure.add_subplot()
        if paint(axes, figures):
            axes.spines[["top", "right"]].set_visible(False)
            path = folder / f"{name}.png"
            figure.savefig(path, metadata={"Software": None})  # the same figures give the same bytes
            written.append(path)
    return written


def _turns(axes: Any, figures: Figures) -> bool:
    turns = sorted({*figures.turns, *figures.pairs_by_turn})
    places = range(len(turns))
    axes.bar(
        [p - 0.2 for p in places],
        [figures.turns.get(t, 0) for t in turns],
        0.4,
        color=_GREY,
        label="trees that end here",
    )
    axes.bar(
        [p + 0.2 for p in places],
        [figures.pairs_by_turn.get(t, 0) for t in turns],
        0.4,
        color=_BLUE,
        label="pairs",
    )
    axes.set_xticks(list(places), [str(turn) for turn in turns])
    axes.set_xlabel("turn")
    axes.legend(frameon=False)
    return bool(turns)


def _lengths(axes: Any, figures: Figures) -> bool:
    lengths = figures.length_chars
    bounds = sorted({bound for name in ("chosen", "rejected") for bound in lengths.get(name, {})})
    for name, colour in (("chosen", _BLUE), ("rejected", _RED)):
        axes.plot(
            bounds,
            [lengths.get(name, {}).get(bound, 0) for bound in bounds],
            "o-",
            color=colour,
            label=name,
        )
    if bounds:
        axes.set_xscale("log", base=2)
    axes.set_xlabel("characters, up to")
    axes.set_ylabel("actions")
    axes.legend(frameon=False)
    return bool(bounds)


def _datasets(axes: Any, figures: Figures) -> bool:
    rows = [row for row in figures.table7 if row.pairs]
    axes.barh([f"{row.task} · {row.dataset}" for row in rows], [row.pairs for row in rows], color=_BLUE)
    axes.invert_yaxis()
    axes.set_xlabel("pairs")
    return bool(rows)


def _pass_rates(axes: Any, figures: Figures) -> bool:
    rows = [row for row in figures.steps if row.judged]
    axes.barh([f"{row.step} · {row.model}" for row in rows], [row.pass_rate for row in rows], color=_BLUE)
    axes.invert_yaxis()
    axes.set_xlim(0, 1)
    axes.set_xlabel("correct share of what was judged")
    return bool(rows)
