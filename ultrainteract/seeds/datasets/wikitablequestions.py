"""WikiTableQuestions: questions over Wikipedia tables; the answer is a set."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path

from ultrainteract.config import SeedConfig
from ultrainteract.readers.rows import Row, Unusable
from ultrainteract.seeds.problem import Problem
from ultrainteract.seeds.registry import dataset
from ultrainteract.wording import with_table

_ESCAPES = {"n": "\n", "p": "|", "\\": "\\"}


@dataset(
    "wiki_table_questions",
    tasks=("Coding",),
    licence="CC-BY-SA-4.0",
    files=("data/training.tsv", "training.tsv", "**/*.parquet"),
    options=("tables",),
    paths=("tables",),
)
def load(row: Row, seed: SeedConfig) -> Iterator[Problem]:
    """WikiTableQuestions: utterance, context, targetValue with tables beside it, or the Hub's columns."""
    if row.has("utterance"):
        question, answers = row.text("utterance"), split_answers(row.text("targetValue"))
        table = _read_table(str(_table_file(row, seed)))
    else:
        question, answers = row.text("question"), row.texts("answers")
        header, rows = row.texts("table.header"), row.get("table.rows")
        if not header or not isinstance(rows, list) or not all(isinstance(line, list) for line in rows):
            raise Unusable("field 'table' has no header or no rows")
        table = _render([header, *rows])
    body = with_table(table, f"Question: {question}")
    yield Problem(
        question=body,
        grader="answer_set",
        gold_set=answers,
        tools=("python",),
        record_id=row.optional_text("id"),
    )


def split_answers(text: str) -> tuple[str, ...]:
    r"""The answers of a target value: separated by `|`; `\p` is a pipe, `\n` a new line, `\\` a backslash."""
    return tuple(unescape(part) for part in text.split("|"))


def unescape(text: str) -> str:
    r"""Undoes the dataset's escapes `\n`, `\p` and `\\`."""
    if "\\" not in text:
        return text
    result: list[str] = []
    characters = iter(text)
    for character in characters:
        if character == "\\":
            following = next(characters, "")
            result.append(_ESCAPES.get(following, character + following))
        else:
            result.append(character)
    return "".join(result)


def _table_file(row: Row, seed: SeedConfig) -> Path:
    """The tab-separated form of the table, looked for beside the questions and one folder up."""
    context = Path(row.text("context"))
    if context.is_absolute() or ".." in context.parts or not context.name:
        raise Unusable(f"'{context}' is no path of a table")
    roots = [Path(seed.options["tables"])] if "tables" in seed.options else []
    if row.folder is not None:
        roots += [row.folder, row.folder.parent]
    for root in roots:
        for name in (context.with_suffix(".tsv"), context):
            if (root / name).is_file():
                return root / name
    raise Unusable(f"its table {context} was not found; set options.tables to the folder that holds it")


@lru_cache(maxsize=64)
def _read_table(path: str) -> str:
    import csv

    try:
        with open(path, encoding="utf-8", newline="") as file:
            if path.endswith(".tsv"):
                lines = [line.rstrip("\r\n").split("\t") for line in file]
                return _render([[unescape(cell) for cell in line] for line in lines])
            return _render(list(csv.reader(file, doublequote=False, escapechar="\\")))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise Unusable(f"its table {Path(path).name} cannot be read: {error}") from error


def _render(rows: Sequence[Sequence[object]]) -> str:
    """A table as text: a line a row, cells separated by ` | `, line breaks within a cell as spaces."""
    return "\n".join(
        " | ".join(" ".join(str(cell).split()).replace("|", "/") for cell in row) for row in rows
    )
