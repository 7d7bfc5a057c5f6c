"""Reports of other commands beside the trees, in the one shape that the page draws.

Read are, in the folder of the trees and one level below: the report of an evaluation (`report.json` with benchmarks),
the reward patterns of a training (`rewards.json`), and the ratings of votes (`votes.json`, written by
`votes rate --json`). Plain JSON is read, so that a report of a later version still shows what is known of it; a file
that is none of these is passed over.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson

from ultrainteract.viewing.collection import Collection

Json = dict[str, Any]
MAX_BYTES = 16 * 1024 * 1024
"""Larger files are passed over."""
_STEPS = 20
"""Steps of a training that are shown."""


def reports_of(collection: Collection) -> list[Json]:
    """The reports beside a collection: title, file, and bars or a table."""
    if "://" in collection.place or not Path(collection.place).exists():
        return []
    found = []
    for name, read in _READERS.items():
        for path in sorted([*collection.home.glob(name), *collection.home.glob(f"*/{name}")]):
            report = _report(path, read)
            if report is not None:
                found.append({"file": str(path.relative_to(collection.home))} | report)
    return found


def _report(path: Path, read: Callable[[Json], Json | None]) -> Json | None:
    try:
        if path.stat().st_size > MAX_BYTES:
            return None
        data = orjson.loads(path.read_bytes())
        return read(data) if isinstance(data, dict) else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _evaluation(data: Json) -> Json | None:
    """Accuracy by benchmark, with its interval."""
    if not isinstance(data.get("benchmarks"), list):
        return None
    rows = [
        [item["benchmark"], item["task"], _estimate(item.get("accuracy")), _estimate(item.get("majority")),
         *(_estimate(turn.get("success")) for turn in (item.get("by_turn") or [])[-1:]),
         item.get("items"), item.get("failed", 0), item.get("unfinished")]
        for item in data["benchmarks"]
    ]  # fmt: skip
    width = max((len(row) for row in rows), default=0)
    rows = [[*row[:4], *([""] if len(row) < width else []), *row[4:]] for row in rows]
    head = [
        "benchmark",
        "task",
        "accuracy",
        "majority",
        *(["last turn"] if width > 7 else []),
        "items",
        "failed",
        "unfinished",
    ]
    model = (data.get("setup") or {}).get("model") or {}
    return {"title": f"Evaluation of {model.get('model', 'a model')}", "head": head, "rows": rows}


def _patterns(data: Json) -> Json | None:
    """Rewards of chosen and rejected over the steps of a training."""
    series = {name: data[name] for name in ("steps", "chosen", "rejected", "margins")}
    every = max(1, len(series["steps"]) // _STEPS)
    rows = [
        [step, *(f"{value:.4f}" for value in values)]
        for step, *values in list(zip(*series.values(), strict=True))[::every]
    ]
    said = "; ".join(data.get("warnings") or ())
    return {
        "title": f"Reward patterns of {data.get('stage', 'a training')}" + (f": {said}" if said else ""),
        "head": ["step", "chosen", "rejected", "margin"],
        "rows": rows,
    }


def _votes(data: Json) -> Json | None:
    """Ratings of models with their intervals."""
    table = next(
        (data[name] for name in ("ratings", "models", "table") if isinstance(data.get(name), list)), None
    )
    if not table:
        return None
    names = [name for name, value in table[0].items() if isinstance(value, str | int | float)]
    rows = [
        [f"{row[n]:.4g}" if isinstance(row.get(n), float) else row.get(n, "") for n in names] for row in table
    ]
    return {"title": "Ratings from votes", "head": names, "rows": rows}


def _estimate(value: Any) -> str:
    if not isinstance(value, dict):
        return ""
    middle, low, high = (
        next(_numbers(value, *names), None) for names in (("value", "mean", "share"), ("low",), ("high",))
    )
    if middle is None:
        return ""
    return f"{middle:.1%}" + (f" ({low:.1%} to {high:.1%})" if low is not None and high is not None else "")


def _numbers(value: Json, *names: str) -> Iterator[float]:
    yield from (float(value[name]) for name in names if isinstance(value.get(name), int | float))


_READERS: dict[str, Callable[[Json], Json | None]] = {
    "report.json": _evaluation, "rewards.json": _patterns, "votes.json": _votes,
}  # fmt: skip
