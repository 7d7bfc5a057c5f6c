"""What a new user has: a CSV of word problems, an OpenAI-compatible server, a short configuration."""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import Any

from tests.servers.chaos import Body, fraction
from ultrainteract.api import run_async
from ultrainteract.config import RunConfig, parse_config
from ultrainteract.running import RunReport
from ultrainteract.store import resume_run

ROOT = Path(__file__).parents[2]


def problems(path: Path, count: int = 8, **answers: str) -> Path:
    """Writes `count` sums; `answers` replaces gold answers by id."""
    rows = [(f"p{n}", f"What is {n + 3} plus {2 * n + 1}?", str(3 * n + 4)) for n in range(count)]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("id", "problem", "answer"))
        writer.writerows((key, question, answers.get(key, gold)) for key, question, gold in rows)
    return path


def settings(folder: Path, url: str, **changes: Any) -> RunConfig:
    """A configuration over `problems.csv` in a folder."""
    model = {"base_url": url, "timeout_s": 5, "max_retries": 2, "max_concurrency": 4}
    data: dict[str, Any] = {
        "output": str(folder / "run"),
        "seeds": [
            {"dataset": "generic", "name": "sums", "path": str(folder / "problems.csv"), "tasks": ["Math_CoT"],
             "grader": "math", "mapping": {"question": "problem", "gold": "answer", "source_id": "id"}}
        ],
        "models": {"actor": {"model": "actor", **model}, "critic": {"model": "critic", **model}},
        "growth": {"ladder": [{"name": "sample", "model": "actor", "samples": 4}], "rejected_from": "actor",
                   "max_turns": 2},
        "critic": {"model": "critic"},
        "export": {"formats": ["pair"]},
    }  # fmt: skip
    return parse_config(data | changes)


def answer(body: Body, index: int) -> str:
    """Right in half of all samples, as a function of the request and the ordinal."""
    if body["model"] == "critic":
        return "Read the problem once more, then add again."
    asked = re.findall(r"What is (\d+) plus (\d+)", str(body["messages"]))
    if not asked:  # the check before the first request
        return "yes"
    a, b = map(int, asked[-1])
    draw = fraction(body["messages"], index)
    found = a + b if index % 2 == 0 else a + b + 1 + int(draw * 5)
    return f"<thought>\nStep 1: Add {a} and {b}: {draw:.9f}.\n</thought>\n<solution>\n\\boxed{{{found}}}\n</solution>"


async def grown(config: RunConfig, base: Path = ROOT, **options: Any) -> RunReport:
    with resume_run(config) as store:
        return await run_async(config, store, base=base, **options)
