"""Tables of published datasets as they lie on disk or on the Hub, streamed, each row with its place.

Files are found and read as seeds are (`ultrainteract.readers.sources`): same names, same formats, same errors.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from ultrainteract.errors import DataError, SeedError
from ultrainteract.readers.files import BadRecord, kind_of, read_file
from ultrainteract.readers.sources import is_hub_id, local_files

Row = Mapping[str, Any]
T = TypeVar("T")
Placed = tuple[str, T]
"""(file and line or row number, what stands there)"""

_SPLITS = ("parquet", "jsonl", "ndjson", "arrow")
"""What exports are written as; other formats are read from a folder that holds none of these."""
_OTHERS = ("json", "csv", "tsv")
_EVERY_FILE = ("**/*",)
_SHARD = re.compile(r"-\d+-of-\d+.*$")
"""Ending of a shard's name: `-00000-of-00002`, with or without a hash behind it."""


@dataclass(frozen=True)
class Table:
    """One split of one dataset configuration."""

    name: str
    """`<configuration>/<split>`, or the file's name."""
    columns: tuple[str, ...]
    """Column names in order."""
    records: Callable[[list[str] | None], Iterator[Placed[Row] | BadRecord]]
    """Reads the rows, anew at every call; of columnar files, the named columns alone."""
    simulated: bool = False
    """True where the files say that their rows are simulated."""

    def rows(self, columns: list[str] | None = None) -> Iterator[Placed[Row]]:
        """The rows, where all of them must be readable.

        Raises:
            DataError: One cannot be read; the message names its place.
        """
        for record in self.records(columns):
            if isinstance(record, BadRecord):
                raise DataError(f"{record.where}: {record.reason}.")
            yield record

    def texts(self, column: str) -> Iterator[Placed[str]]:
        """One text column alone.

        Raises:
            DataError: A record cannot be read, or holds no text there.
        """
        for where, row in self.rows([column]):
            if not isinstance(row.get(column), str | bytes):
                raise DataError(f"{where}: '{column}' holds no text.")
            yield where, row[column]


def open_tables(source: str, revision: str | None = None) -> list[Table]:
    """Finds the tables of a dataset.

    Args:
        source: A file, a folder (searched at any depth), a glob, a URL, or a Hub dataset id.
        revision: Revision of a Hub dataset.

    Raises:
        DataError: Nothing readable is there.
    """
    try:
        found = local_files(source, Path(), _EVERY_FILE)
    except SeedError as error:
        raise DataError(str(error)) from error
    if found is None:
        if is_hub_id(source):
            return _hub_tables(source, revision)
        raise DataError(f"There is no file, folder or Hub dataset '{source}'.")
    root, files = found
    if files == [root]:
        return [_file_table(root.name, files)]
    visible = [
        file for file in files if not any(part.startswith(".") for part in file.relative_to(root).parts)
    ]
    chosen = [file for file in visible if kind_of(file) in _SPLITS] or [
        file for file in visible if kind_of(file) in _OTHERS
    ]
    if not chosen:
        raise DataError(f"{source} holds no data file (Parquet, JSONL, JSON, CSV, TSV or Arrow).")
    groups: dict[str, list[Path]] = {}
    for file in chosen:
        stem = _SHARD.sub("", file.name.partition(".")[0])
        groups.setdefault("/".join((*file.relative_to(root).parts[:-1], stem)), []).append(file)
    return [_file_table(name, group) for name, group in groups.items()]


def _file_table(name: str, files: list[Path]) -> Table:
    def records(columns: list[str] | None = None) -> Iterator[Placed[Row] | BadRecord]:
        for file in files:
            try:
                for row in read_file(file, columns=columns):
                    yield row if isinstance(row, BadRecord) else (row.where, row.data)
            except SeedError as error:
                raise DataError(str(error)) from error

    heads = [_head(file) for file in files]
    columns = next((columns for columns, _ in heads if columns), ())
    return Table(name, columns, records, any(simulated for _, simulated in heads))


def _head(file: Path) -> tuple[tuple[str, ...], bool]:
    """Columns of a file, and whether it says that its rows are simulated."""
    if kind_of(file) == "parquet":
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            metadata = pq.read_metadata(file)
        except (pa.ArrowException, OSError) as error:
            raise DataError(f"{file} is not readable Parquet: {error}.") from error
        marks = metadata.metadata or {}
        names = tuple(metadata.schema.to_arrow_schema().names)
        return names, marks.get(b"ultrainteract.simulated") == b"true"
    try:
        first = next((row for row in read_file(file) if not isinstance(row, BadRecord)), None)
    except SeedError as error:
        raise DataError(str(error)) from error
    return (() if first is None else tuple(first.data)), False


def _hub_tables(source: str, revision: str | None) -> list[Table]:
    import datasets

    def table(config: str, split: str) -> Table:
        features = datasets.load_dataset_builder(source, config, revision=revision).info.features

        def load(columns: list[str] | None = None) -> Any:
            data = datasets.load_dataset(source, config, split=split, revision=revision)
            return data if columns is None else data.select_columns(columns)

        def records(columns: list[str] | None = None) -> Iterator[Placed[Row] | BadRecord]:
            for number, row in enumerate(load(columns), 1):
                yield f"{source} {config}/{split} row {number}", row

        return Table(f"{config}/{split}", tuple(features or load().column_names), records)

    try:
        return [
            table(config, split)
            for config in datasets.get_dataset_config_names(source, revision=revision)
            for split in datasets.get_dataset_split_names(source, config, revision=revision)
        ]
    except (OSError, ValueError, datasets.exceptions.DatasetsError) as error:
        raise DataError(f"Cannot read the Hub dataset {source}: {error}") from error
