"""Problems of one step; held-out ones have other wordings *and* other numbers than those that are trained on."""

from __future__ import annotations

import json
import re
from pathlib import Path

from ultrainteract.schema import content_hash
from ultrainteract.seeds.word_problems import word_problems

LARGEST = {"add": 9, "subtract": 9}
"""Operations, each with its largest operand."""
ASKED = '{question} Say how you find it, then write "Answer:" and the number.'
"""The prompt, in training and in evaluation."""


def write_problems(path: Path, count: int, *, held_out: bool, skip: int = 0) -> Path:
    """Writes problems as JSON Lines.

    Args:
        path: The file.
        count: How many.
        held_out: The ones for evaluation; a quarter of all pairs of numbers is theirs alone.
        skip: Problems to leave out at the beginning, so that two files share none.
    """
    split = "held-out" if held_out else "train"
    found = []
    for seed in range(1000):
        for row in word_problems(100, LARGEST, split=split, seed=seed):  # type: ignore[arg-type]
            numbers = sorted(re.findall(r"\d+", row.rationale)[:2])
            if (int(content_hash([row.operation, numbers])[:8], 16) % 4 == 0) == held_out:
                found.append(row)
        unique = list({row.question: row for row in found}.values())
        if len(unique) >= skip + count:
            path.parent.mkdir(parents=True, exist_ok=True)
            rows = unique[skip : skip + count]
            path.write_text(
                "".join(json.dumps(row.model_dump()) + "\n" for row in rows),
                encoding="utf-8",
            )
            return path
    raise ValueError(f"there are no {skip + count} different problems")
