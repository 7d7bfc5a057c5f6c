"""Writing and reading of reports and items: files that appear whole, with the same bytes for the same record."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from pydantic import ValidationError

from ultrainteract.errors import StoreError
from ultrainteract.evaluation.figures import EvaluationReport
from ultrainteract.evaluation.outcomes import JudgedItem
from ultrainteract.evaluation.report import ITEMS_FILE, REPORT_FILE


def write_report(report: EvaluationReport, items: Iterable[JudgedItem], folder: Path) -> None:
    """Writes `report.json` and `items.jsonl` into a folder.

    Raises:
        StoreError: They cannot be written.
    """
    write_lines((item.model_dump_json() for item in items), folder / ITEMS_FILE)
    write_lines([report.model_dump_json(indent=2)], folder / REPORT_FILE)


def write_lines(lines: Iterable[str], path: Path) -> int:
    """Writes a file that appears when it is whole, and returns the number of its lines.

    Raises:
        StoreError: It cannot be written.
    """
    temporary, count = path.with_name(f"{path.name}.new"), 0
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("w", encoding="utf-8") as file:
            for line in lines:
                file.write(f"{line}\n")
                count += 1
        os.replace(temporary, path)
    except OSError as error:
        raise StoreError(f"Cannot write {path}: {error.strerror}.") from error
    return count


def read_judged(folder: Path) -> Iterator[JudgedItem]:
    """The items of an evaluation's directory, or of a file of items.

    Raises:
        StoreError: There are none, or a line is none.
    """
    path = folder / ITEMS_FILE if folder.is_dir() else folder
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                try:
                    yield JudgedItem.model_validate_json(line)
                except ValidationError as error:
                    raise StoreError(
                        f"{path}:{number} is no judged item: {error.errors()[0]['msg']}."
                    ) from error
    except OSError as error:
        raise StoreError(f"{path}: there are no items of an evaluation here ({error.strerror}).") from error
