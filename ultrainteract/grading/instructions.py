"""IFEval's instruction checkers, from lm-evaluation-harness: imported in the grader's worker process alone.

The checkers of sentences want NLTK's `punkt_tab` data, and those of languages langdetect's profiles, which its package
ships. Nothing is fetched here: where data is missing, the finding says which, and what to do.
"""

from __future__ import annotations

import random
from typing import Any

from ultrainteract.errors import require

MISSING = (
    "NLTK's data 'punkt_tab' is missing: `python -m nltk.downloader punkt_tab`, or unpack punkt_tab.zip of the "
    "repository nltk/nltk_data (packages/tokenizers) into the folder tokenizers below one that NLTK_DATA names"
)
"""What is said where sentences are to be counted and the data for it is not there."""


def followed(gold: dict[str, Any], response: str) -> tuple[list[bool], list[bool]]:
    """Which instructions of a prompt a response keeps.

    Args:
        gold: `prompt`, and `instructions` with `id` and `kwargs` each.
        response: The whole response.

    Returns:
        Loosely read (the first or last line or emphasis may be left out), and strictly.

    Raises:
        ConfigError: The checkers are not installed.
        LookupError: Language data is missing.
    """
    registry = _registry()
    loose, strict = [], []
    for wanted in gold["instructions"]:
        checker = registry[wanted["id"]](wanted["id"])
        kwargs = {key: value for key, value in wanted["kwargs"].items() if value}
        random.seed(0)  # checkers draw what a prompt leaves open
        checker.build_description(**kwargs)
        if "prompt" in (checker.get_instruction_args() or {}):
            checker.build_description(prompt=gold["prompt"])
        strict.append(_keeps(checker, response))
        loose.append(any(_keeps(checker, variant) for variant in _variants(response)))
    return loose, strict


def _keeps(checker: Any, text: str) -> bool:
    try:
        return bool(text.strip()) and bool(checker.check_following(text))
    except LookupError as error:
        raise LookupError(MISSING) from error


def _variants(response: str) -> list[str]:
    """The response as it is, without its first or last line or both, each with and without emphasis."""
    lines = response.split("\n")
    cut = [response, *("\n".join(part).strip() for part in (lines[1:], lines[:-1], lines[1:-1]))]
    return [*cut, *(text.replace("*", "") for text in cut)]


def _registry() -> dict[str, Any]:
    require("lm_eval", "ifeval")
    require("nltk", "ifeval")
    import nltk

    nltk.download = lambda *names, **options: False  # the checkers fetch data where they are imported
    import langdetect
    from lm_eval.tasks.ifeval.instructions_registry import INSTRUCTION_DICT

    langdetect.DetectorFactory.seed = 0
    return dict(INSTRUCTION_DICT)
