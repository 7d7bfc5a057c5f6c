"""A grader of JSON answers: right if the value is the gold value, whatever the order of keys and the spaces.

With this package installed, seeds may say `grader: json_object`, with the gold value as JSON in `gold`.
"""

import json
from typing import Any

from ultrainteract.grading import Algebra, Finding, Gold, Question, grader


def _parsed(text: str) -> Any:
    text = text.strip().removeprefix("```json").removeprefix("```").removesuffix("```")
    return json.loads(text)


def _fault(gold: Gold) -> str:
    """Why a gold answer cannot verify anything: seeds that state one are dropped, with this reason."""
    try:
        _parsed(gold.text)
    except ValueError:
        return f"the gold answer is no JSON: {gold.text[:40]}"
    return ""


@grader("json_object", check="json", fault=_fault)
def json_object(question: Question, answer: str, algebra: Algebra) -> Finding:
    """Compares JSON values. An answer that is not JSON is undetermined: it may be right in another notation."""
    try:
        given = _parsed(answer)
    except ValueError:
        return Finding.unknown("the answer is no JSON")
    return Finding.either(given == _parsed(question.gold), "the same JSON value", "another JSON value")
