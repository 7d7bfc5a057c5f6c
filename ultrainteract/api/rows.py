"""Seeds from rows in memory, and a run's samples as tables: what a notebook works with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from ultrainteract.config import FieldMapping, SeedConfig
from ultrainteract.dataset.source import Source
from ultrainteract.errors import SeedError
from ultrainteract.schema import Task

if TYPE_CHECKING:
    import datasets
    import pandas

ROWS_FOLDER = Path("runs/seeds")
"""Where rows in memory are kept as files, so that a run can be resumed without them."""


def seed_rows(
    rows: Iterable[Mapping[str, Any]] | pandas.DataFrame,
    name: str,
    *,
    tasks: Sequence[str],
    grader: str,
    mapping: Mapping[str, str],
    folder: str | Path = ROWS_FOLDER,
    **fields: Any,
) -> SeedConfig:
    """A seed source of rows in memory: a list of dicts, a pandas DataFrame, or a `datasets.Dataset`.

    The rows are written to a JSON Lines file named after their content: the run can be resumed from it, also by the
    command line, and the same rows give the same file.

    Args:
        rows: The rows.
        name: Name of the set.
        tasks: Tasks to make instructions of, such as `Math_CoT`.
        grader: The check, such as `math`.
        mapping: Columns, as of `FieldMapping`: `{"question": "problem", "gold": "answer"}`.
        folder: Where the file is kept.
        fields: Further fields of the source, as of `SeedConfig`.

    Raises:
        SeedError: A row is no mapping or cannot be written as JSON, or the file cannot be written.
    """
    records = rows.to_dict(orient="records") if hasattr(rows, "to_dict") and hasattr(rows, "iloc") else rows
    option = orjson.OPT_APPEND_NEWLINE | orjson.OPT_SERIALIZE_NUMPY
    try:
        text = b"".join(orjson.dumps(dict(row), option=option) for row in records)
        path = Path(folder) / f"{name}-{sha256(text).hexdigest()[:12]}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text)
    except (TypeError, ValueError, OSError) as error:
        raise SeedError(f"The rows of '{name}' cannot be kept as JSON Lines: {error}.") from error
    return SeedConfig(
        dataset="generic", name=name, path=str(path.absolute()), tasks=tuple(map(Task, tasks)), grader=grader,
        mapping=FieldMapping.model_validate(dict(mapping)), **fields,
    )  # fmt: skip


def to_rows(source: str | Path, format: str = "pair") -> list[dict[str, Any]]:
    """The rows that one export of a run (or of another source of trees) would have.

    Args:
        source: A run directory, a folder of exports, or a Hub dataset id.
        format: Name of the export, such as `pair`, `sft` or `trl-preference`.

    Raises:
        ConfigError: There is no such export.
        StoreError, DataError: The source cannot be read.
    """
    from ultrainteract.exporting.registry import export_rows

    with Source.open(str(source)) as opened:
        return list(export_rows(format, opened.trees, opened.export))


def to_pandas(source: str | Path, format: str = "pair") -> pandas.DataFrame:
    """`to_rows` as a pandas DataFrame (`pip install pandas`)."""
    import pandas

    return pandas.DataFrame(to_rows(source, format))


def to_dataset(source: str | Path, format: str = "pair") -> datasets.Dataset:
    """`to_rows` as a `datasets.Dataset`."""
    import datasets

    return datasets.Dataset.from_list(to_rows(source, format))
