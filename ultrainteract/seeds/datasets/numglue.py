"""NumGLUE: eight kinds of arithmetic reasoning, whose answers are numbers, words, choices or objects."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ultrainteract.config import SeedConfig
from ultrainteract.grading.number import is_number
from ultrainteract.readers.rows import Row, Unusable, plain_text
from ultrainteract.seeds.problem import LETTERS, Problem
from ultrainteract.seeds.registry import dataset
from ultrainteract.wording import with_choices

_ENTAILMENT = ("Entailment", "contradiction", "neutral")


@dataset("numglue", tasks=("Math_CoT", "Math_PoT"), licence="ODC-By-1.0")
def load(row: Row, seed: SeedConfig) -> Iterator[Problem]:
    """NumGLUE: question, answer, type; Option1/Option2 (type 3), passage (5, 6), statement1/2 (7)."""
    kind = row.text("type")
    key = f"{row.file.stem if row.file else kind}/{row.key}"
    if row.has("statement1") or kind == "Type_7":
        yield _entailment(row, kind, key)
    elif row.has("Option1") or kind == "Type_3":
        yield _two_options(row, kind, key)
    else:
        question = row.text("question")
        if row.has("passage") or kind in ("Type_5", "Type_6"):
            question = f"{row.text('passage')}\n{question}"
        yield _answered(row.get("answer"), question, kind, key)


def _entailment(row: Row, kind: str, key: str) -> Problem:
    relation = row.text("answer").lower()
    names = [choice.lower() for choice in _ENTAILMENT]
    if relation not in names:
        raise Unusable(f"answer '{relation}' is none of {', '.join(names)}")
    question = (
        f"Statement 1: {row.text('statement1')}\nStatement 2: {row.text('statement2')}\n"
        "What is the relation of statement 2 to statement 1?"
    )
    return _choice(question, _ENTAILMENT, names.index(relation), kind, key)


def _two_options(row: Row, kind: str, key: str) -> Problem:
    choices = (row.text("Option1"), row.text("Option2"))
    answer = row.text("answer")
    position = {"Option 1": 0, "Option1": 0, "1": 0, "Option 2": 1, "Option2": 1, "2": 1}.get(answer)
    if position is None:
        if answer not in choices:
            raise Unusable(f"answer '{answer}' is neither 'Option 1' nor 'Option 2'")
        position = choices.index(answer)
    return _choice(row.text("question"), choices, position, kind, key)


def _choice(question: str, choices: tuple[str, ...], position: int, kind: str, key: str) -> Problem:
    return Problem(
        question=question,
        body=with_choices(question, choices),
        grader="choice",
        gold=LETTERS[position],
        choices=choices,
        tags=(kind,),
        record_id=key,
    )


def _answered(answer: Any, question: str, kind: str, key: str) -> Problem:
    if isinstance(answer, Mapping):
        texts = _object_answer(answer)
        if len(texts) > 1:
            return Problem(
                question=question, grader="answer_set", gold_set=texts, tags=(kind,), record_id=key
            )
        answer = texts[0]
    if answer is None:
        raise Unusable("field 'answer' is missing")
    gold = plain_text(answer, "answer")
    return Problem(
        question=question,
        grader="number" if is_number(gold) else "text",
        gold=gold,
        tags=(kind,),
        record_id=key,
    )


def _object_answer(answer: Mapping[str, Any]) -> tuple[str, ...]:
    """The filled part of a `{number, date, spans}` object."""
    if answer.get("number") not in (None, ""):
        return (plain_text(answer["number"], "answer.number"),)
    spans = answer.get("spans")
    if isinstance(spans, list) and spans:
        return tuple(dict.fromkeys(plain_text(span, "answer.spans") for span in spans))
    date = answer.get("date")
    if isinstance(date, Mapping):
        parts = [
            plain_text(date[part], f"answer.date.{part}")
            for part in ("day", "month", "year")
            if date.get(part)
        ]
        if parts:
            return (" ".join(parts),)
    raise Unusable("the answer object holds neither a number nor spans nor a date")
