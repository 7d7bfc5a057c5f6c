"""Reading of records from local files: JSON Lines, JSON, CSV, TSV, Parquet and Arrow, streamed.

Memory is bounded by one record (or one batch of a columnar file), whatever the size of the file. What
cannot be read becomes a `BadRecord` with file and line; only a file that cannot be opened at all raises.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import json
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Literal

from ultrainteract.errors import SeedError
from ultrainteract.readers.rows import Row, has_surrogate, without_repeats

MAX_RECORD = 64 * 1024 * 1024
"""Maximum bytes of one record: a larger one is reported and passed over."""
DATA_FILES = (
    "**/*.jsonl",
    "**/*.json",
    "**/*.parquet",
    "**/*.arrow",
    "**/*.csv",
    "**/*.tsv",
    "**/*.jsonl.gz",
    "**/*.json.gz",
    "**/*.csv.gz",
    "**/*.tsv.gz",
    "**/*.ndjson",
)
"""What counts as data where a folder is given: the first pattern that matches anything is read."""
_CHUNK = 1 << 16
_ROWS = 256


@dataclass(frozen=True, slots=True)
class BadRecord:
    """A record that could not be read."""

    where: str
    """File and line."""
    reason: str
    """What is wrong with it."""


def kind_of(path: Path) -> str:
    """The format of a file, by its name's ending: `jsonl` for `train.JSONL.gz`."""
    return path.name.lower().removesuffix(".gz").rpartition(".")[2]


def read_file(
    path: Path, label: str | None = None, columns: list[str] | None = None
) -> Iterator[Row | BadRecord]:
    """Reads one file by its name's ending.

    Args:
        path: The file.
        label: Name of the file in reports; its own name if None.
        columns: Columns that are needed: a columnar file is spared the others.

    Raises:
        SeedError: The file cannot be opened, or its format is not known.
    """
    label = label or path.name
    kind = kind_of(path)
    try:
        match kind:
            case "jsonl" | "ndjson":
                yield from _json_lines(path, label)
            case "json":
                yield from _json(path, label)
            case "csv" | "tsv":
                yield from _table(path, label, "\t" if kind == "tsv" else ",")
            case "parquet" | "arrow":
                yield from _columns(path, label, kind, columns)
            case _:
                raise SeedError(
                    f"{path}: no reader for '.{kind}' files; use JSONL, JSON, CSV, TSV, Parquet or Arrow."
                )
    except (OSError, EOFError, zlib.error) as error:
        raise SeedError(f"Cannot read {path}: {getattr(error, 'strerror', None) or error}.") from error


def open_binary(path: Path) -> IO[bytes]:
    """Opens a file for reading, decompressed where its name ends in `.gz`."""
    return gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb")  # type: ignore[return-value]


def _row(path: Path, where: str, data: Any, key: str) -> Row | BadRecord:
    if not isinstance(data, Mapping):
        return BadRecord(where, f"{type(data).__name__} where an object with fields was expected")
    return Row(data, where, key, path.parent, path)


# ---------------------------------------------------------------------------------------------- JSON Lines


def _json_lines(path: Path, label: str) -> Iterator[Row | BadRecord]:
    with open_binary(path) as file:
        number = 0
        while line := file.readline(MAX_RECORD + 1):
            number += 1
            where = f"{label}:{number}"
            if len(line) > MAX_RECORD:
                while line and not line.endswith(b"\n"):
                    line = file.readline(MAX_RECORD)
                yield BadRecord(where, f"the record has more than {MAX_RECORD:,} bytes")
                continue
            if number == 1:
                if line.startswith((b"\xff\xfe", b"\xfe\xff")):
                    yield BadRecord(where, "the file is UTF-16; save it as UTF-8")
                    return
                line = line.removeprefix(b"\xef\xbb\xbf")
            if not line.strip():
                continue
            parsed = _parse(line)
            if isinstance(parsed, _Broken):
                yield BadRecord(where, parsed.reason)
            else:
                yield _row(path, where, parsed, str(number))


@dataclass(frozen=True, slots=True)
class _Broken:
    reason: str


def _whole_number(text: str) -> int | str:
    """A number as Python has it, or as text where it has more digits than Python reads."""
    try:
        return int(text)
    except ValueError:
        return text


_DECODER = json.JSONDecoder(object_pairs_hook=without_repeats)
_SLOW_DECODER = json.JSONDecoder(object_pairs_hook=without_repeats, parse_int=_whole_number)
"""Takes numbers of any length; asked where the other cannot go on."""


def _loads(text: str) -> Any:
    try:
        return _DECODER.decode(text)
    except json.JSONDecodeError:
        raise
    except ValueError:
        return _SLOW_DECODER.decode(text)


def _parse(line: bytes) -> Any:
    try:
        value = _loads(line.decode())
    except UnicodeDecodeError as error:
        return _Broken(f"not valid UTF-8 at byte {error.start} of the line")
    except json.JSONDecodeError as error:
        return _Broken(f"not valid JSON: {error.msg} at column {error.colno}")
    except (ValueError, RecursionError) as error:
        return _Broken(f"not readable as JSON: {type(error).__name__}")
    # Half a surrogate pair can only come from an escape.
    return (
        _Broken("not valid Unicode: half a surrogate pair")
        if b"\\u" in line and has_surrogate(value)
        else value
    )


# ---------------------------------------------------------------------------------------------------- JSON


def _json(path: Path, label: str) -> Iterator[Row | BadRecord]:
    """A list of records, an object of records by id, a single record, or JSON Lines under a `.json` name."""
    with open_binary(path) as file:
        first = file.readline(MAX_RECORD).removeprefix(b"\xef\xbb\xbf").strip()
        second = next((line for line in iter(lambda: file.readline(MAX_RECORD), b"") if line.strip()), b"")
    if first.startswith(b"{") and second and not isinstance(_parse(first), _Broken):
        yield from _json_lines(path, label)
        return
    if first.startswith((b"\xff\xfe", b"\xfe\xff")):
        yield BadRecord(f"{label}:1", "the file is UTF-16; save it as UTF-8")
        return
    with open_binary(path) as file:
        yield from _JsonStream(path, label, file).rows()


class _Malformed(Exception):
    """The text is no JSON from here on."""


class _JsonStream:
    """Decodes one JSON value after another from a growing buffer, and counts lines."""

    def __init__(self, path: Path, label: str, file: IO[bytes]) -> None:
        self.path, self.label, self.file = path, label, file
        self.buffer, self.position, self.line, self.ended = "", 0, 1, False
        self.decoder = _DECODER
        self._pending = b""

    def rows(self) -> Iterator[Row | BadRecord]:
        """The records of every value in the file: some tools write one list after another."""
        number = 0
        try:
            self._peek()
            while not self._at_end():
                match self._peek():
                    case "[":
                        for line, value in self._items():
                            number += 1
                            yield self._checked(line, value, str(number), f" (record {number})")
                    case "{":
                        yield from self._object()
                    case _:
                        raise _Malformed("neither a list nor an object")
        except _Malformed as error:
            yield BadRecord(
                f"{self.label}:{self.line}", f"not valid JSON: {error}; the file cannot be read from here on"
            )

    def _checked(self, line: int, value: Any, key: str, note: str = "") -> Row | BadRecord:
        where = f"{self.label}:{line}{note}"
        if has_surrogate(value):
            return BadRecord(where, "not valid UTF-8")
        return _row(self.path, where, value, key)

    def _items(self) -> Iterator[tuple[int, Any]]:
        self._skip("[")
        while self._peek() != "]":
            line = self.line
            yield line, self._value()
            if self._peek() == ",":
                self._skip(",")
            elif self._peek() != "]":
                raise _Malformed("a comma was expected between two records")
        self._skip("]")

    def _object(self) -> Iterator[Row | BadRecord]:
        """Records by id where the first value is an object; otherwise the object itself is the record."""
        start = self.line
        whole: list[tuple[str, Any]] = []
        seen: set[bytes] = set()
        self._skip("{")
        by_id: bool | None = None
        while self._peek() != "}":
            line = self.line
            key = self._value()
            if not isinstance(key, str) or self._peek() != ":":
                raise _Malformed("a field name and a colon were expected")
            self._skip(":")
            self._peek()
            value = self._value()
            by_id = isinstance(value, dict) if by_id is None else by_id
            digest = hashlib.blake2b(key.encode("utf-8", "surrogatepass"), digest_size=12).digest()
            if by_id and digest in seen:
                yield BadRecord(
                    f"{self.label}:{line} (record {key})", "a record of this name stands above it"
                )
            elif by_id:
                yield self._checked(line, value, key, f" (record {key})")
            else:
                whole.append((key, value))
            seen.add(digest)
            if self._peek() == ",":
                self._skip(",")
                self._peek()
            elif self._peek() != "}":
                raise _Malformed("a comma was expected between two fields")
        if not by_id:
            yield self._checked(start, without_repeats(whole), self.path.stem)
        self._skip("}")

    def _value(self) -> Any:
        while True:
            try:
                value, end = self.decoder.raw_decode(self.buffer, self.position)
                # A number at the very end of the buffer may go on in the next chunk.
                if end < len(self.buffer) or self.ended:
                    self.line += self.buffer.count("\n", self.position, end)
                    self.position = end
                    return value
            except json.JSONDecodeError as error:
                if self.ended:
                    self.line += self.buffer.count("\n", self.position, error.pos)
                    raise _Malformed(error.msg) from None
            except (ValueError, RecursionError) as error:
                if isinstance(error, RecursionError) or self.decoder is _SLOW_DECODER:
                    raise _Malformed(type(error).__name__) from None
                self.decoder = _SLOW_DECODER
                continue
            if len(self.buffer) - self.position > MAX_RECORD:
                raise _Malformed(f"a record has more than {MAX_RECORD:,} bytes, or is never closed")
            self._grow(max(_CHUNK, len(self.buffer) - self.position))

    def _at_end(self) -> bool:
        """Whether nothing but space is left."""
        try:
            self._peek()
        except _Malformed:
            return True
        return False

    def _peek(self) -> str:
        """The next character that is no space, without taking it."""
        while True:
            while self.position < len(self.buffer) and self.buffer[self.position] in " \t\r\n\ufeff":
                self.line += self.buffer[self.position] == "\n"
                self.position += 1
            if self.position < len(self.buffer):
                return self.buffer[self.position]
            if self.ended:
                raise _Malformed("the file ends too early")
            self._grow(_CHUNK)

    def _skip(self, character: str) -> None:
        self._peek()
        self.position += len(character)

    def _grow(self, size: int) -> None:
        chunk = self.file.read(size)
        self.ended = not chunk
        data = self._pending + chunk
        # A character may be cut by the end of the chunk: at most three bytes wait for the next one.
        cut = len(data)
        if chunk:
            for back in range(1, min(4, len(data) + 1)):
                if data[-back] & 0xC0 != 0x80:
                    cut = len(data) - back if data[-back] >= 0xC0 else len(data)
                    break
        self._pending = data[cut:]
        self.buffer = self.buffer[self.position :] + data[:cut].decode("utf-8", "surrogateescape")
        self.position = 0


# ------------------------------------------------------------------------------------------ other formats


def _table(path: Path, label: str, delimiter: str) -> Iterator[Row | BadRecord]:
    """CSV with quotes; TSV as plain tab-separated lines, in which quotes mean nothing."""
    csv.field_size_limit(MAX_RECORD)
    with open_binary(path) as file:
        number = 0

        def lines() -> Iterator[str]:
            nonlocal number
            while line := file.readline(MAX_RECORD):
                number += 1
                yield line.removeprefix(b"\xef\xbb\xbf" if number == 1 else b"").decode(
                    "utf-8", "surrogateescape"
                )

        quoting: Literal[0, 3] = csv.QUOTE_NONE if delimiter == "\t" else csv.QUOTE_MINIMAL
        # Strict: a quote that is never closed, or closed within a cell, is an error and no text.
        reader = csv.reader(lines(), delimiter=delimiter, quoting=quoting, strict=True)
        header: list[str] | None = None
        while True:
            start = number + 1
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                to = f" to {number}" if number > start else ""
                what = "a quote is never closed" if "end of data" in str(error) else str(error)
                yield BadRecord(f"{label}:{start}", f"not a readable table row (lines {start}{to}): {what}")
                continue
            if not cells:
                continue
            if header is None:
                header = [cell.strip() for cell in cells]
            elif len(cells) != len(header):
                yield BadRecord(f"{label}:{start}", f"{len(cells)} cells where the header has {len(header)}")
            elif has_surrogate(cells):
                yield BadRecord(f"{label}:{start}", "not valid UTF-8")
            else:
                data = without_repeats(list(zip(header, cells, strict=True)))
                yield _row(path, f"{label}:{start}", data, str(start))


def _columns(path: Path, label: str, kind: str, columns: list[str] | None) -> Iterator[Row | BadRecord]:
    import pyarrow as pa

    number = 0
    # A length that an Arrow file states is set aside before it is read; in a mapped file it ends with the file.
    with pa.memory_map(str(path)) if kind == "arrow" else pa.OSFile(str(path), "rb") as file:
        try:
            for batch in _batches(file, kind, columns):
                for offset in range(0, batch.num_rows, _ROWS):
                    for data in records(batch.slice(offset, _ROWS)):
                        number += 1
                        yield _row(path, f"{label}:{number}", data, str(number))
        # Arrow reports broken content as OSError too; that the file is there was settled by opening it.
        except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
            yield BadRecord(f"{label}:{number + 1}", f"not readable as {kind}: {str(error).splitlines()[0]}")


def records(batch: Any) -> Iterator[dict[str, Any]]:
    """The rows of an Arrow batch; a value that Python has no type for, such as a date in year 50,000, is text."""
    columns = [_values(column) for column in batch.columns]
    names = batch.schema.names
    repeated = len(set(names)) < len(names)
    for cells in zip(*columns, strict=True):
        pairs = list(zip(names, cells, strict=True))
        yield without_repeats(pairs) if repeated else dict(pairs)


def _values(column: Any) -> list[Any]:
    try:
        return list(column.to_pylist())
    except (ValueError, OverflowError, ArithmeticError):
        return [_value(cell) for cell in column]


def _value(cell: Any) -> Any:
    try:
        return cell.as_py()
    except (ValueError, OverflowError, ArithmeticError):
        return str(getattr(cell, "value", "unreadable"))


def _batches(file: Any, kind: str, columns: list[str] | None) -> Iterator[Any]:
    import pyarrow as pa
    import pyarrow.ipc
    import pyarrow.parquet as pq

    if kind == "parquet":
        yield from pq.ParquetFile(file).iter_batches(batch_size=_ROWS, columns=columns)
        return
    try:
        stream = pa.ipc.open_stream(file)
    except pa.ArrowInvalid:
        opened = pa.ipc.open_file(file)
        yield from (opened.get_batch(n) for n in range(opened.num_record_batches))
    else:
        yield from stream
