"""What a real model wrote, and the verdict that a reader gave each by hand (`data/README.md`)."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

from ultrainteract.grading import Graders
from ultrainteract.schema import Instruction, Task
from ultrainteract.tree.actions import parse_action

ROWS = [
    json.loads(line)
    for line in (Path(__file__).parent / "data/raw_completions.jsonl").read_text().splitlines()
]


async def test_every_completion_gets_the_verdict_of_its_reader() -> None:
    different, counts = [], Counter[str]()
    async with Graders() as graders:
        for row in ROWS:
            problem = Instruction(
                task=Task.MATH_COT, dataset="word_problems", prompt=row["question"], question=row["question"],
                grader="math", gold=row["gold"],
            )  # fmt: skip
            answer = parse_action(row["raw"], problem, "cot").answer
            found = "undetermined"
            if answer is not None and row["finish"] == "stop":
                found = (await graders.grade(problem, answer)).label.value
            counts[found] += 1
            if found not in row["verdicts"]:
                different.append(
                    f"{found}, not {row['verdicts']} (gold {row['gold']}, read {answer!r}): {row['raw']!r}"
                )
    assert not different, "\n".join([f"{len(different)} of {len(ROWS)}", *different])
    assert len(ROWS) >= 100
    assert all(counts[label] >= 10 for label in ("correct", "wrong", "undetermined")), counts
