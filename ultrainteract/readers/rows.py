"""Rows: one record of a source as it was found, with where it was found.

Loaders never touch files or dictionaries directly. They ask a row for a field and get a value of the type
they named, or `Unusable` is raised with a sentence that becomes the report's reason. So a missing field, a
wrong type or a hostile value can never end a run with a traceback.
"""

from __future__ import annotations

import ast
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MAX_TEXT = 100_000
"""Maximum characters of one text field; what is longer is no problem statement and no answer."""


class Unusable(Exception):
    """This record cannot become an instruction; the message is the reason shown to the user."""


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """Stands for a field whose name occurs twice in a record, with different values: which is meant is not known."""

    name: str
    """Name of the field."""


def without_repeats(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """An object of fields in order; one that occurs again with another value is `Ambiguous`."""
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: dict[str, Any] = {}
        for name, value in pairs:
            found[name] = Ambiguous(name) if name in seen and _differ(seen[name], value) else value
            seen[name] = found[name]
    return found


def _differ(one: Any, other: Any) -> bool:
    return isinstance(one, Ambiguous) or type(one) is not type(other) or repr(one) != repr(other)


@dataclass(frozen=True, slots=True)
class Row:
    """One record."""

    data: Mapping[str, Any]
    """Its fields, as the source has them."""
    where: str
    """File and line (`train.jsonl:17`), or Hub id, split and row."""
    key: str
    """What tells it from its siblings: line number, object key or file name."""
    folder: Path | None = None
    """Folder of the file it was read from; None for Hub datasets."""
    file: Path | None = None
    """File it was read from; None for Hub datasets."""

    def has(self, name: str) -> bool:
        """True where the field is there and neither null, nor empty text, nor an empty list."""
        value = self._find(name)
        return value is not None and value != "" and value != []

    def get(self, name: str) -> Any:
        """The field as it is, or None. A dotted name reaches into objects and lists (`answer.0.text`)."""
        return self._find(name)

    def text(self, *names: str) -> str:
        """The first of these fields that is there, as text without surrounding space.

        Raises:
            Unusable: None of them is there, or it holds no usable text.
        """
        for name in names:
            value = self._find(name)
            if value is not None:
                return plain_text(value, name)
        raise Unusable(self.missing(names[0]))

    def filled(self, name: str) -> str:
        """The field as text with something in it.

        Raises:
            Unusable: It is not there, blank, or holds no usable text.
        """
        text = self.text(name)
        if not text:
            raise Unusable(f"field '{name}' is empty")
        return text

    def missing(self, name: str) -> str:
        """The reason for a field that is not there: it names those that are, so that a misspelling shows."""
        return (
            f"field '{name}' is missing (there are: {shorten(', '.join(map(str, self.data)), 200) or 'none'})"
        )

    def optional_text(self, *names: str) -> str | None:
        """As `text`, but None where none of the fields is there or holds anything."""
        return next((plain_text(self._find(name), name) for name in names if self.has(name)), None)

    def identity(self, *names: str) -> str | None:
        """The first of these ids that is there, as text; a list is one id of several parts, the first of which counts.

        None where no id is there or holds anything (`is_empty`): a missing id tells nothing apart, so whoever groups
        records by an id must not take two missing ones as equal.

        Raises:
            Unusable: An id is an object, or no usable text.
        """
        for name in names:
            value = self._find(name)
            parts = value if isinstance(value, (list, tuple)) else (value,)
            if parts and not is_empty(parts[0]):
                return ":".join(plain_text(part, name) for part in parts if not is_empty(part))
        return None

    def texts(self, name: str) -> tuple[str, ...]:
        """A list of texts; a single text counts as a list of one, a missing field as none.

        Raises:
            Unusable: The field holds something else.
        """
        value = self._find(name)
        if value is None:
            return ()
        values = value if isinstance(value, (list, tuple)) else [value]
        return tuple(plain_text(item, name) for item in values)

    def integer(self, name: str) -> int:
        """A whole number, written as a number or as text.

        Raises:
            Unusable: It is missing or something else.
        """
        value = self._find(name)
        if isinstance(value, bool) or not isinstance(value, (int, str)):
            raise Unusable(f"field '{name}' is no whole number")
        try:
            return int(value)
        except ValueError:
            raise Unusable(f"field '{name}' is no whole number: {shorten(str(value))}") from None

    def nested(self, name: str) -> Any:
        """A field that holds JSON, or a Python literal, as text; an object or list is taken as it is.

        Raises:
            Unusable: It is missing or cannot be read.
        """
        value = self._find(name)
        if value is None:
            raise Unusable(self.missing(name))
        return read_nested(value, name)

    def child(self, data: Any) -> Row:
        """A row at the same place with other data, for records that wrap the real one.

        Raises:
            Unusable: `data` is no object.
        """
        if not isinstance(data, Mapping):
            raise Unusable("an object was expected inside the record")
        return Row(data, self.where, self.key, self.folder, self.file)

    def _find(self, name: str) -> Any:
        if name in self.data:
            found = self.data[name]
            if isinstance(found, Ambiguous):
                raise Unusable(f"field '{name}' occurs twice, with different values")
            return found
        here: Any = self.data
        for part in name.split("."):
            if isinstance(here, Mapping) and part in here:
                here = here[part]
            elif isinstance(here, Sequence) and not isinstance(here, str) and part.isdigit():
                if int(part) >= len(here):
                    return None
                here = here[int(part)]
            else:
                return None
        return here


def is_empty(value: Any) -> bool:
    """Whether a cell holds nothing: null, blank text, or not a number."""
    return value is None or (isinstance(value, str) and not value.strip()) or value != value


def read_nested(value: Any, name: str) -> Any:
    """Reads JSON, or a Python literal, from text; anything but text is returned as it is.

    Raises:
        Unusable: The text is neither.
    """
    if not isinstance(value, str):
        return value
    found = _read_json_or_literal(value, name)
    if "\\" in value and has_surrogate(found):
        raise Unusable(f"field '{name}' is not valid Unicode")
    return found


def _read_json_or_literal(value: str, name: str) -> Any:
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        pass
    try:
        return ast.literal_eval(value)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):  # TypeError: `{[]: 1}`
        raise Unusable(f"field '{name}' is neither JSON nor a Python literal: {shorten(value)}") from None


def has_surrogate(value: Any) -> bool:
    """True where a text anywhere in `value` holds half a surrogate pair, which no file can be written with."""
    if isinstance(value, str):
        return not value.isascii() and any("\ud800" <= character <= "\udfff" for character in value)
    if isinstance(value, Mapping):
        return any(has_surrogate(item) for pair in value.items() for item in pair)
    if isinstance(value, (list, tuple)):
        return any(has_surrogate(item) for item in value)
    return False


def plain_text(value: Any, name: str) -> str:
    """A value as text: numbers in their shortest form, truth values as yes/no.

    Raises:
        Unusable: It is an object or a list, or text that is too long or no valid Unicode.
    """
    if isinstance(value, Ambiguous):
        raise Unusable(f"field '{name}' occurs twice, with different values")
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (int, float)):
        return number_text(value, name)
    if not isinstance(value, str):
        raise Unusable(f"field '{name}' holds {type(value).__name__} where text was expected")
    if len(value) > MAX_TEXT:
        raise Unusable(f"field '{name}' has {len(value):,} characters (at most {MAX_TEXT:,} are taken)")
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise Unusable(f"field '{name}' is not valid Unicode") from None
    if "\0" in value:
        raise Unusable(f"field '{name}' contains a NUL character")
    return value.replace("\r\n", "\n").strip()


def number_text(value: float, name: str) -> str:
    """A number in its shortest form: `52`, not `52.0`.

    Raises:
        Unusable: It is not finite, or has too many digits to be an answer.
    """
    if isinstance(value, float):
        if not math.isfinite(value):
            raise Unusable(f"field '{name}' is not a finite number")
        return str(int(value)) if value.is_integer() and abs(value) < 1e16 else repr(value)
    try:
        return str(value)
    except ValueError:
        raise Unusable(f"field '{name}' is a number with too many digits") from None


def shorten(text: str, most: int = 60) -> str:
    """`text` on one line, cut to `most` characters."""
    line = " ".join(text[: 4 * most].split())
    return line if len(line) <= most else line[: most - 1] + "…"
