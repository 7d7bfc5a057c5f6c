"""MATH: competition problems; the answer stands in the solution's last box."""

from __future__ import annotations

from collections.abc import Iterator

from ultrainteract.config import SeedConfig
from ultrainteract.readers.rows import Row, Unusable
from ultrainteract.seeds.problem import Problem
from ultrainteract.seeds.registry import dataset


@dataset(
    "MATH", tasks=("Math_CoT", "Math_PoT"), licence="MIT", files=("**/*.jsonl", "**/*.json", "**/*.parquet")
)
def load(row: Row, seed: SeedConfig) -> Iterator[Problem]:
    """MATH, as JSON Lines (problem, solution, answer, subject, level) or one file a problem (level, type)."""
    solution = row.text("solution")
    gold = row.optional_text("answer") or last_boxed(solution)
    if gold is None:
        raise Unusable("the solution has no \\boxed{} answer")
    subject = row.optional_text("subject", "type")
    level = row.optional_text("level")
    yield Problem(
        question=row.text("problem"),
        grader="math",
        gold=gold,
        rationales=(solution,),
        difficulty=level.removeprefix("Level ").strip() if level else None,
        tags=(subject,) if subject else (),
        record_id=(row.optional_text("unique_id") or _path_id(row) or row.key).removeprefix(f"{seed.split}/"),
    )


def last_boxed(solution: str) -> str | None:
    r"""Content of the last `\boxed{…}`, `\fbox{…}` or `\boxed 5`, its braces balanced; None without one."""
    start = max(solution.rfind("\\boxed"), solution.rfind("\\fbox"))
    if start < 0:
        return None
    rest = solution[start:].removeprefix("\\boxed").removeprefix("\\fbox").lstrip()
    if not rest.startswith("{"):
        return rest[:1] if rest[:1].isalnum() else None
    depth = 0
    for position, character in enumerate(rest):
        if character in "{}" and rest[position - 1 : position] != "\\":
            depth += 1 if character == "{" else -1
            if depth == 0:
                return rest[1:position].strip() or None
    return None


def _path_id(row: Row) -> str | None:
    """`algebra/0.json` in the layout of one file a problem."""
    if row.file is None or row.folder is None or not row.file.stem.isdigit():
        return None
    return f"{row.folder.name}/{row.file.name}"
