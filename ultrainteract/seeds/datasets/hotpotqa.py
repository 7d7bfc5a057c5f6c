"""HotpotQA: questions that take two Wikipedia articles to answer; asked without its contexts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ultrainteract.config import SeedConfig
from ultrainteract.readers.rows import Row, Unusable
from ultrainteract.seeds.problem import Problem
from ultrainteract.seeds.registry import dataset


@dataset("hotpotqa", tasks=("Logic",), licence="CC-BY-SA-4.0", options=("wikipedia", "contexts"))
def load(row: Row, seed: SeedConfig) -> Iterator[Problem]:
    """HotpotQA, in its own layout or the Hub's. Options `wikipedia: false` (no tool), `contexts: true`."""
    question = row.text("question")
    contexts = seed.options.get("contexts", False)
    yield Problem(
        question=question,
        body="\n".join([*_paragraphs(row.get("context")), question]) if contexts else question,
        grader="text",
        gold=row.text("answer"),
        tools=("wikipedia_search",) if seed.options.get("wikipedia", True) else (),
        difficulty=row.optional_text("level"),
        tags=(kind,) if (kind := row.optional_text("type")) else (),
        record_id=row.optional_text("_id", "id"),
    )


def _paragraphs(context: Any) -> list[str]:
    """`Title: sentences` of each article, from a list of pairs or from the Hub's two columns."""
    try:
        if isinstance(context, dict):
            context = list(zip(context["title"], context["sentences"], strict=True))
        if not isinstance(context, list):
            raise Unusable("field 'context' is missing, but options.contexts asks for it")
        return [f"{title}: {''.join(sentences).strip()}" for title, sentences in context]
    except (KeyError, TypeError, ValueError):
        raise Unusable("field 'context' is no list of titles and sentences") from None
