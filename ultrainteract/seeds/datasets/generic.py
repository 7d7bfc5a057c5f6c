"""Any JSONL, JSON, CSV, Parquet or Hub dataset, described by a field mapping in the config alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ultrainteract.config import FieldMapping, SeedConfig
from ultrainteract.config.problems import did_you_mean
from ultrainteract.errors import ConfigError
from ultrainteract.readers.rows import Row, Unusable, plain_text
from ultrainteract.schema import Task
from ultrainteract.seeds.coding import TEST_OPTIONS, input_output_suite
from ultrainteract.seeds.problem import LETTERS, Problem
from ultrainteract.seeds.registry import dataset
from ultrainteract.wording import with_choices


@dataset("generic", tasks=tuple(Task), options=TEST_OPTIONS)
def load(row: Row, seed: SeedConfig) -> Iterator[Problem]:
    """Any columns: `mapping` names them; `name`, `tasks` and `grader` are required, `prompt` may be given."""
    mapping, grader = seed.mapping, seed.grader
    if mapping is None or grader is None or not seed.name or not seed.tasks:
        missing = [field for field in ("name", "tasks", "mapping", "grader") if not getattr(seed, field)]
        raise ConfigError(f"A generic source needs {', '.join(missing)} (path: {seed.path}).")
    _check_columns(row, mapping)
    question = row.text(mapping.question)
    choices = _choices(row, mapping.choices) if mapping.choices else ()
    body = with_choices(question, choices) if choices else question
    gold = row.get(mapping.gold) if mapping.gold else None
    prompt = None
    if seed.bare or seed.prompt != "{question}":
        lettered = with_choices("", choices).strip()
        prompt = seed.prompt.replace("{choices}", lettered).replace("{question}", question)
    yield Problem(
        question=question,
        body=body,
        prompt=prompt,
        grader=grader,
        gold=None if grader == "answer_set" else _gold(gold, mapping, grader, choices),
        gold_set=_answers(gold, mapping) if grader == "answer_set" else (),
        unit=row.optional_text(mapping.unit) if mapping.unit else None,
        choices=choices,
        tests=input_output_suite(row.nested(mapping.tests), question, seed.options)
        if mapping.tests
        else None,
        rationales=row.texts(mapping.rationale) if mapping.rationale else (),
        solutions=row.texts(mapping.solution) if mapping.solution else (),
        tools=seed.tools,
        difficulty=row.optional_text(mapping.difficulty) if mapping.difficulty else None,
        record_id=row.text(mapping.source_id) if mapping.source_id else None,
    )


def _choices(row: Row, name: str) -> tuple[str, ...]:
    """The answer choices: a list, or, in a table that has only texts, a list written as JSON or Python writes it."""
    value = row.get(name)
    if isinstance(value, str) and value.lstrip().startswith("["):
        found = row.nested(name)
        if isinstance(found, list):
            return tuple(plain_text(choice, name) for choice in found)
    return row.texts(name)


def _check_columns(row: Row, mapping: FieldMapping) -> None:
    """Refuses a mapping that names a column which the table does not have; records of JSON may leave fields out."""
    is_table = row.file is None or row.file.suffix.lower() in (".csv", ".tsv", ".parquet", ".arrow")
    for name in filter(None, (getattr(mapping, field) for field in type(mapping).model_fields)):
        needed = is_table or name in (mapping.question, mapping.gold)
        if needed and name not in row.data and name.partition(".")[0] not in row.data:
            raise Unusable(row.missing(name) + did_you_mean(name, map(str, row.data)))


def _answers(value: Any, mapping: FieldMapping) -> tuple[str, ...]:
    values = value if isinstance(value, list) else [] if value is None else [value]
    return tuple(plain_text(item, mapping.gold or "gold") for item in values)


def _gold(value: Any, mapping: FieldMapping, grader: str, choices: tuple[str, ...]) -> str | None:
    """The gold answer; for choices a letter, a position from 0, or the text of the right choice."""
    if value is None:
        return None
    name = mapping.gold or "gold"
    if (
        grader == "boolean"
        and isinstance(value, (int, str))
        and str(value).lower() in ("1", "0", "true", "false")
    ):
        return "yes" if str(value).lower() in ("1", "true") else "no"
    if grader == "choice":
        if isinstance(value, int) and not isinstance(value, bool):
            return LETTERS[value : value + 1] if value >= 0 else ""
        text = plain_text(value, name)
        if text in choices:
            return LETTERS[choices.index(text)]
        return text.strip("().: ").upper()
    text = plain_text(value, name)
    return text.lower() if grader == "boolean" else text
