"""Rows of datasets as they lie on disk or on the Hub, streamed, each with the place it was read from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import orjson

from ultrainteract.errors import DataError

Row = dict[str, Any]
T = TypeVar("T")
Placed = tuple[str, T]
"""(file and row number, what stands there)"""

_BATCH = 256


@dataclass(frozen=True)
class Table:
    """One split of one dataset configuration."""

    name: str
    """`<configuration>/<split>`, or the file's name."""
    columns: tuple[str, ...]
    """Column names in order."""
    rows: Callable[[], Iterator[Placed[Row]]]
    """Reads the rows, anew at every call."""
    texts: Callable[[str], Iterator[Placed[str]]]
    """Reads one text column alone."""
    simulated: bool = False
    """True where the files say that their rows are simulated."""


def open_tables(source: str, revision: str | None = None) -> list[Table]:
    """Finds the tables of a dataset.

    Args:
        source: A Parquet or JSONL file, a folder of them (at any depth), or a Hub dataset id.
        revision: Revision of a Hub dataset.

    Raises:
        DataError: Nothing readable is there.
    """
    path = Path(source)
    if path.is_file():
        return [_file_table(path.name, [path])]
    if path.is_dir():
        groups: dict[str, list[Path]] = {}
        for file in sorted(path.rglob("*")):
            inside = file.relative_to(path)
            if file.suffix in (".parquet", ".jsonl") and not any(
                part.startswith(".") for part in inside.parts
            ):
                split = file.stem.split("-", 1)[0] if "-of-" in file.stem else file.stem
                groups.setdefault("/".join((*inside.parts[:-1], split)), []).append(file)
        if not groups:
            raise DataError(f"{source} holds no Parquet or JSONL files.")
        return [_file_table(name, files) for name, files in groups.items()]
    if source.count("/") == 1 and not source.startswith((".", "~", "/")):
        return _hub_tables(source, revision)
    raise DataError(f"There is no file, folder or Hub dataset '{source}'.")


def _file_table(name: str, files: list[Path]) -> Table:
    def rows(columns: list[str] | None = None) -> Iterator[Placed[Row]]:
        for file in files:
            for number, row in enumerate(_file_rows(file, columns), 1):
                yield f"{file.name} row {number}", row

    def texts(column: str) -> Iterator[Placed[str]]:
        return ((where, row[column]) for where, row in rows([column]))

    heads = [_head(file) for file in files]
    return Table(name, heads[0][0], rows, texts, any(simulated for _, simulated in heads))


def _head(file: Path) -> tuple[tuple[str, ...], bool]:
    """Columns of a file, and whether it says that its rows are simulated."""
    if file.suffix == ".parquet":
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            metadata = pq.read_metadata(file)
        except (pa.ArrowInvalid, OSError) as error:
            raise DataError(f"{file} is not readable Parquet: {error}.") from error
        marks = metadata.metadata or {}
        return tuple(metadata.schema.to_arrow_schema().names), marks.get(
            b"ultrainteract.simulated"
        ) == b"true"
    first = next(_file_rows(file), None)
    return (() if first is None else tuple(first)), False


def _file_rows(file: Path, columns: list[str] | None = None) -> Iterator[Row]:
    if file.suffix == ".parquet":
        import pyarrow.parquet as pq

        for batch in pq.ParquetFile(file).iter_batches(batch_size=_BATCH, columns=columns):
            yield from batch.to_pylist()
        return
    with file.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            try:
                row = orjson.loads(line)
            except orjson.JSONDecodeError as error:
                raise DataError(f"{file}, line {number}: not JSON: {error}.") from error
            if not isinstance(row, dict):
                raise DataError(f"{file}, line {number}: not an object.")
            yield row


def _hub_tables(source: str, revision: str | None) -> list[Table]:
    import datasets

    def table(config: str, split: str) -> Table:
        features = datasets.load_dataset_builder(source, config, revision=revision).info.features

        def load(columns: list[str] | None = None) -> Any:
            data = datasets.load_dataset(source, config, split=split, revision=revision)
            return data if columns is None else data.select_columns(columns)

        def rows(columns: list[str] | None = None) -> Iterator[Placed[Row]]:
            for number, row in enumerate(load(columns), 1):
                yield f"{source} {config}/{split} row {number}", row

        def texts(column: str) -> Iterator[Placed[str]]:
            return ((where, row[column]) for where, row in rows([column]))

        return Table(f"{config}/{split}", tuple(features or load().column_names), rows, texts)

    try:
        return [
            table(config, split)
            for config in datasets.get_dataset_config_names(source, revision=revision)
            for split in datasets.get_dataset_split_names(source, config, revision=revision)
        ]
    except (OSError, ValueError, datasets.exceptions.DatasetsError) as error:
        raise DataError(f"Cannot read the Hub dataset {source}: {error}") from error
