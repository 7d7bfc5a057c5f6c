"""The results of a loop as Markdown: every arm beside the SFT model, on the same problems, with intervals."""

from __future__ import annotations

import json
from pathlib import Path
from statistics import fmean
from typing import Any

from examples.closed_loop.measure import interval
from examples.closed_loop.settings import ARMS


def report(output: Path) -> str:
    """What there is so far.

    Args:
        output: The loop's folder.
    """
    results = {
        path.stem: json.loads(path.read_text()) for path in sorted((output / "results").glob("*.json"))
    }
    lines = [
        "| model | seeds | pass@1 | by turn 2 | last turn | last turn against SFT | no verdict at turn 1 | chat loss |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    base = results.get("eval-sft")
    for arm in ("start", "sft", *ARMS):
        names = [n for n in (arm, *(f"{arm}-{seed}" for seed in range(1, 10))) if f"eval-{n}" in results]
        if names:
            lines.append(
                _row(
                    arm,
                    [results[f"eval-{n}"] for n in names],
                    [results[n] for n in names],
                    base,
                )
            )
    for name, title in (
        ("ranking", "Held-out pairs ranked right"),
        ("best-of", "Best of n on held-out problems"),
    ):
        if name in results:
            lines += ["", f"{title}:", ""]
            lines += [
                f"- {key}: {_percent(values)}"
                for key, values in results[name].items()
                if isinstance(values, list) and values
            ]
    spent = sum(result["seconds"] for result in results.values())
    lines += ["", f"{len(results)} steps, {spent / 60:.0f} minutes."]
    return "\n".join(lines)


def _row(arm: str, evaluations: list[dict[str, Any]], trainings: list[dict[str, Any]], base: Any) -> str:
    def solved(by: int) -> dict[str, float]:
        """Per problem the share of seeds that solved it by a turn: seeds of one problem are no independent items."""
        return {
            item: fmean(float(0 < found["solved"][item] <= by) for found in evaluations)
            for item in evaluations[0]["solved"]
        }

    turns = evaluations[0]["turns"]
    against = ""
    if base is not None and arm not in ("start", "sft"):
        differences = [share - float(base["solved"][item] > 0) for item, share in solved(turns).items()]
        low, high = interval(differences)
        against = f"{100 * fmean(differences):+.1f} ({100 * low:+.1f} to {100 * high:+.1f})"
    cells = [
        arm,
        str(len(evaluations)),
        *(_percent(list(solved(by).values())) for by in (1, 2, turns)),
        against,
        f"{100 * fmean(found['unreadable'] for found in evaluations):.0f} %",
        f"{fmean(found['chat_loss'] for found in trainings):.3f}",
    ]
    return f"| {' | '.join(cells)} |"


def _percent(values: list[float]) -> str:
    low, high = interval(values)
    return f"{100 * fmean(values):.1f} ({100 * low:.1f} to {100 * high:.1f})"
