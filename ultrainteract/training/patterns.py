"""Reward patterns: chosen, rejected and margin over the steps, as in the paper's Fig. 5, with what should worry one.

Where the chosen reward falls below zero, the model has become less likely to write what is right than its start;
where accuracy is 1.0 at once, the sides differ in something else than being right (length, format, author).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ultrainteract.config.training import Stage
from ultrainteract.schema import Record

FILE = "rewards.json"
"""File, in a stage's folder, with its reward patterns."""
_AT_ONCE = 0.1
"""Share of the steps that counts as "at once"."""
_LAST = 0.1
"""Share of the steps that the last rewards are averaged over."""
_TITLES = {"dpo": "DPO", "kto": "KTO", "nca": "NCA"}
_BLUE, _RED, _GREY = "#2f6fab", "#b4452f", "#6b6b6b"


class RewardPatterns(Record):
    """Implicit rewards on the training rows, β · (log π − log π_ref) summed over the completion."""

    stage: Stage
    """The stage."""
    steps: tuple[int, ...]
    """Optimizer steps of the points."""
    chosen: tuple[float, ...]
    """Mean reward of the chosen (for KTO wanted) completions since the point before."""
    rejected: tuple[float, ...]
    """The same of the rejected (unwanted) ones."""
    margins: tuple[float, ...]
    """Chosen minus rejected."""
    accuracies: tuple[float, ...] = ()
    """Share of pairs whose chosen side has the larger reward; KTO logs none."""
    last_chosen: float
    """Mean chosen reward over the last tenth of the points."""
    warnings: tuple[str, ...] = ()
    """What should worry one."""


def reward_patterns(stage: Stage, log: Sequence[dict[str, Any]]) -> RewardPatterns | None:
    """Reads the patterns out of a trainer's log.

    Args:
        stage: The stage.
        log: `trainer.state.log_history`.

    Returns:
        The patterns; None for stages without implicit rewards, or where nothing was logged.
    """
    points = [entry for entry in log if "rewards/chosen" in entry and "rewards/rejected" in entry]
    if stage not in _TITLES or not points:
        return None
    chosen, rejected = (tuple(float(p[f"rewards/{side}"]) for p in points) for side in ("chosen", "rejected"))
    accuracies = tuple(float(p["rewards/accuracies"]) for p in points if "rewards/accuracies" in p)
    tail = chosen[-max(1, round(_LAST * len(chosen))) :]
    last = sum(tail) / len(tail)
    warnings = []
    if round(last, 2) < 0:
        warnings.append(
            f"The chosen reward ends at {last:.2f}: the model writes what is right less willingly than its start. NCA, "
            "KTO, or dpo.sft_weight keep it up."
        )
    early = accuracies[1 : max(2, round(_AT_ONCE * len(accuracies)))]
    if len(accuracies) >= 10 and early and min(early) == 1.0:
        warnings.append(
            "Every pair is told apart within the first tenth of the steps: look for what gives the sides away (length, "
            "format, different authors)."
        )
    return RewardPatterns(
        stage=stage,
        steps=tuple(int(p["step"]) for p in points),
        chosen=chosen,
        rejected=rejected,
        margins=tuple(c - r for c, r in zip(chosen, rejected, strict=True)),
        accuracies=accuracies,
        last_chosen=last,
        warnings=tuple(warnings),
    )


def draw_patterns(patterns: RewardPatterns, folder: Path) -> Iterator[str]:
    """Writes the patterns as JSON, and as PNG and SVG where matplotlib is installed.

    Args:
        patterns: The patterns.
        folder: Where to.

    Yields:
        What was written, or why not, a line each.
    """
    (folder / FILE).write_text(patterns.model_dump_json(indent=2) + "\n", encoding="utf-8")
    yield f"Reward patterns: {folder / FILE}"
    if find_spec("matplotlib") is None:
        yield "No figure of them: matplotlib is not installed (pip install 'ultrainteract[plots]')."
        return
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    with rc_context({"svg.hashsalt": "ultrainteract"}):  # the same patterns give the same bytes
        figure = Figure(figsize=(5.2, 3.4), dpi=120, layout="constrained")
        axes = figure.add_subplot()
        done = [100 * step / patterns.steps[-1] for step in patterns.steps]
        for name, colour in (("margins", _GREY), ("chosen", _BLUE), ("rejected", _RED)):
            axes.plot(done, getattr(patterns, name), color=colour, label=name)
        axes.axhline(0, color="black", linewidth=0.6)
        axes.annotate(
            f"{patterns.last_chosen:.2f}", (100, patterns.chosen[-1]), color=_BLUE, ha="right", va="bottom"
        )
        axes.set_title(_TITLES[patterns.stage])
        axes.set_xlabel("steps, %")
        axes.set_ylabel("reward")
        axes.legend(frameon=False)
        axes.spines[["top", "right"]].set_visible(False)
        for suffix, metadata in (("png", {"Software": None}), ("svg", {"Date": None, "Creator": None})):
            path = (folder / FILE).with_suffix(f".{suffix}")
            figure.savefig(path, metadata=metadata)
            yield f"Reward patterns: {path}"
