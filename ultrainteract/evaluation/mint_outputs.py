"""Reads outputs in the layout of MINT's published ones and computes success by turn anew.

`F=<feedback>/max<k>_p<p>+tool+cd/<type>/<task>/results.jsonl` below a model's folder; a line holds `state` with
`success`, `agent_action_count` and `terminate_reason`, and `task`. Each k is a run of its own.
"""

from __future__ import annotations

import codecs
import os
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from ultrainteract.errors import DataError
from ultrainteract.evaluation.estimates import Estimate
from ultrainteract.evaluation.figures import Turn
from ultrainteract.schema import Record

_RUN = re.compile(r"max(\d+)_p(\d+)")
GROUPS = {"code": ("humaneval", "mbpp"), "math": ("math", "theoremqa", "mmlu")}
"""The tasks of the paper's two MINT columns."""


class MintRow(Record):
    """Success by turn of one group of tasks under one kind of feedback."""

    model: str
    """Folder of the model, below the folder that was read."""
    feedback: str
    """`None`, `no_GT` … as published."""
    group: str
    """`code` or `math`, or one task: `<type>/<task>`."""
    by_turn: tuple[Turn, ...]
    """Success with k steps; a run of its own for each k."""
    reasons: dict[str, int]
    """Why runs of the largest k ended."""


def read_mint_outputs(folder: str | Path, confidence: float = 0.95) -> tuple[MintRow, ...]:
    """Success by turn of all results below a folder.

    Args:
        folder: A folder that holds `F=…` folders, at any depth.
        confidence: Level of the intervals.

    Raises:
        DataError: There are no results, a file is empty or cannot be read, a line is no result, or two files are of
            the same run.
    """
    files: dict[tuple[Path, str, str, int], Path] = {}
    found: defaultdict[tuple[str, str, str], dict[int, list[dict[str, Any]]]] = defaultdict(dict)
    for path in sorted(Path(folder).rglob("results.jsonl")):
        parts = path.parts
        feedback = next((part[2:] for part in parts if part.startswith("F=")), None)
        run = next((match for part in parts if (match := _RUN.match(part))), None)
        if feedback is None or run is None:
            continue
        k, task = int(run[1]), path.parent.name
        home, own = Path(*parts[: parts.index(f"F={feedback}")]), f"{path.parent.parent.name}/{task}"
        if (other := files.setdefault((home, feedback, own, k), path)) != path:
            raise DataError(f"{path} and {other} are both of {k} steps: read one of them alone.")
        states = list(_states(path))
        if not states:
            raise DataError(f"{path} is empty: its run has no results.")
        model = os.path.relpath(home, folder)
        model = home.name if model.startswith(".") else model
        for name in (*(group for group, tasks in GROUPS.items() if task in tasks), own):
            found[model, feedback, name].setdefault(k, []).extend(states)
    if not found:
        raise DataError(f"{folder}: there is no F=<feedback>/max<k>_p<p>…/…/results.jsonl below it.")
    rows = []
    for (model, feedback, name), runs in sorted(found.items()):
        turns = []
        for k, states in sorted(runs.items()):
            success = Estimate.of([float(state["success"]) for state in states], confidence)
            assert success is not None
            turns.append(Turn(turn=k, success=success))
        reasons: defaultdict[str, int] = defaultdict(int)
        for state in runs[max(runs)]:
            reasons[str(state.get("terminate_reason"))] += 1
        rows.append(
            MintRow(
                model=model,
                feedback=feedback,
                group=name,
                by_turn=tuple(turns),
                reasons=dict(sorted(reasons.items())),
            )
        )
    return tuple(rows)


def _states(path: Path) -> Iterator[dict[str, Any]]:
    try:
        lines = path.read_bytes().removeprefix(codecs.BOM_UTF8).splitlines()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}.") from error
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            state = orjson.loads(line)["state"]
        except (ValueError, KeyError, TypeError) as error:
            raise DataError(f"{path}:{number} is no result of MINT: it has no `state`.") from error
        if not isinstance(state, dict) or not isinstance(state.get("success"), bool):
            raise DataError(
                f"{path}:{number} is no result of MINT: the `success` of its state is neither true nor false."
            )
        yield state
