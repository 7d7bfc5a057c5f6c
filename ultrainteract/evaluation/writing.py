"""Writing and reading of reports and items: files that appear whole, with the same bytes for the same record."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from pydantic import ValidationError

from ultrainteract.errors import StoreError
from ultrainteract.evaluation.figures import EvaluationReport
from ultrainteract.evaluation.outcomes import JudgedItem
from ultrainteract.evaluation.report import ITEMS_FILE, REPORT_FILE
from ultrainteract.store.files import write_lines


def write_report(report: EvaluationReport, items: Iterable[JudgedItem], folder: Path) -> None:
    """Writes `report.json` and `items.jsonl` into a folder.

    Raises:
        StoreError: They cannot be written.
    """
    write_lines((item.model_dump_json() for item in items), folder / ITEMS_FILE)
    write_lines([report.model_dump_json(indent=2)], folder / REPORT_FILE)


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
