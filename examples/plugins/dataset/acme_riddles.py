"""Acme Riddles: short riddles with one right word, and sums that ask for a number."""

from collections.abc import Iterator

from ultrainteract.config import SeedConfig
from ultrainteract.seeds import Problem, Row, Unusable, dataset


@dataset("acme_riddles", tasks=["Logic"], licence="CC0-1.0", options=["hints"])
def load_riddles(row: Row, seed: SeedConfig) -> Iterator[Problem]:
    """Riddles: text, solution, hint, stars. Option `hints: true` shows the hint."""
    question = row.text("text")
    stars = row.integer("stars")
    if not 1 <= stars <= 5:
        raise Unusable(f"{stars} stars, where there are 1 to 5")
    hint = row.optional_text("hint") if seed.options.get("hints") else None
    yield Problem(
        question=question,
        body=f"{question}\nHint: {hint}" if hint else question,
        grader="text",
        gold=row.text("solution"),
        difficulty=str(stars),
        record_id=row.text("id"),
    )


@dataset("acme_sums", tasks=["Math_CoT", "Math_PoT"], licence="CC0-1.0")
def load_sums(row: Row, seed: SeedConfig) -> Iterator[Problem]:
    """Sums: a, b. Each gives an instruction with and one without Python."""
    a, b = row.integer("a"), row.integer("b")
    yield Problem(
        question=f"What is {a} + {b}?",
        grader="number",
        gold=str(a + b),
        rationales=(f"{a} + {b} = {a + b}",),
        solutions=(f"print({a} + {b})",),
    )
