"""What is wrong with a configuration, one line per mistake: where it stands, what is wrong, what was probably meant.

Pydantic tells one mistake several times: a misspelt key is unknown under its own name and missing under the right
one, a list is also too short where one of its items does not fit, and a value that may be of several kinds fails as
each of them. A reader is told each mistake once.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

import yaml
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from ultrainteract.config.yaml_files import line_of
from ultrainteract.schema import Record

_Path = tuple[str | int, ...]
Problem = tuple[_Path, str]
"""The field that a problem is about, and what is wrong with it."""


def problem_lines(
    error: ValidationError,
    model: type[Record],
    data: Any,
    node: yaml.Node | None = None,
    overridden: Collection[str] = (),
) -> list[str]:
    """One line per mistake, in the order of the file.

    Args:
        error: What pydantic found.
        model: The model that was validated.
        data: What was validated.
        node: The nodes of the file that it was read from, for line numbers.
        overridden: Dotted paths that were set on the command line, and so stand on no line.
    """
    by_path: dict[_Path, list[ErrorDetails]] = {}
    for detail in error.errors():
        by_path.setdefault(_path_in_data(detail, data), []).append(detail)
    meant = {
        (*path[:-1], near)
        for path, details in by_path.items()
        if details[0]["type"] == "extra_forbidden" and (near := _nearest(path, model))
    }
    lines: list[Problem] = []
    for path, details in by_path.items():
        deeper = any(other[: len(path)] == path and len(other) > len(path) for other in by_path)
        if (deeper and path) or (details[0]["type"] == "missing" and path in meant):
            continue
        told = " or ".join(dict.fromkeys(_message(detail, path, model) for detail in details))
        if details[0]["type"] == "value_error":  # of several fields: the text names one
            named, _, rest = told.partition(": ")
            parts = tuple(int(part) if part.isdecimal() else part for part in named.split("."))
            if not path or parts[0] in _fields(path, model):
                path, told = (*path, *parts), rest
        lines.append((path, told))
    return placed(lines, node, overridden)


def placed(
    problems: Iterable[Problem], node: yaml.Node | None = None, overridden: Collection[str] = ()
) -> list[str]:
    """One line per problem, in the order of the file.

    Args:
        problems: The field that each is about, and what is wrong with it.
        node: The nodes of the file, for line numbers.
        overridden: Dotted paths that were set on the command line, and so stand on no line.
    """
    lines = []
    for path, told in problems:
        dotted = ".".join(map(str, path))
        given = any(f"{dotted}.".startswith(f"{name}.") for name in overridden)
        line = None if given else line_of(node, path)
        where = "on the command line: " if given else f"line {line}: " if line else ""
        lines.append((line or 0, f"  {where}{dotted or '(whole file)'}: {told}"))
    return [text for _, text in sorted(lines, key=lambda item: item[0])]


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """The question `; did you mean 'x'?` where a known name is close to `name`, else nothing."""
    found = get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f"; did you mean '{found[0]}'?" if found else ""


def _path_in_data(detail: ErrorDetails, data: Any) -> _Path:
    """The place of an error, without the names of kinds that pydantic puts between fields."""
    here, path = data, []
    for number, part in enumerate(detail["loc"]):
        if isinstance(here, Mapping) and part in here:
            here = here[part]
        elif isinstance(here, Sequence) and not isinstance(here, str) and isinstance(part, int):
            here = here[part] if part < len(here) else None
        elif not (number == len(detail["loc"]) - 1 and detail["type"] == "missing"):
            continue
        path.append(part)
    return tuple(path)


def _message(detail: ErrorDetails, path: _Path, model: type[Record]) -> str:
    match detail["type"]:
        case "extra_forbidden":
            known = _fields(path[:-1], model)
            near = did_you_mean(str(path[-1]), known)
            return f"there is no such field{near or ' (there are: ' + ', '.join(known) + ')'}"
        case "missing":
            return "this field is required"
        case "value_error":
            return str(detail.get("ctx", {}).get("error", detail["msg"]))
    message, given = detail["msg"], detail.get("input")
    if isinstance(given, str):
        options = str(detail.get("ctx", {}).get("expected", "")).replace(" or ", ", ").split(", ")
        near = did_you_mean(given, (option.strip("'") for option in options))
        return f"{message} (given: '{given}'{near})"
    return message if given is None or isinstance(given, dict | list) else f"{message} (given: {given})"


def _nearest(path: _Path, model: type[Record]) -> str | None:
    found = get_close_matches(str(path[-1]), _fields(path[:-1], model), n=1, cutoff=0.6)
    return found[0] if found else None


def _fields(path: _Path, model: type[Record]) -> list[str]:
    """Names of the fields at a place of the configuration."""
    kinds: list[Any] = [model]
    for part in path:
        kinds = [below for kind in kinds for below in _below(kind, part)]
    return [name for kind in kinds if _is_record(kind) for name in kind.model_fields]


def _below(kind: Any, part: str | int) -> Iterator[Any]:
    """The types that stand at one part of a path below a type."""
    if _is_record(kind):
        if part in kind.model_fields:
            yield from _members(kind.model_fields[part].annotation)
    else:
        for argument in typing.get_args(kind):
            yield from _members(argument)


def _members(annotation: Any) -> Iterator[Any]:
    """The kinds that a value of this annotation may be of."""
    if typing.get_origin(annotation) in (types.UnionType, typing.Union):
        for argument in typing.get_args(annotation):
            yield from _members(argument)
    else:
        yield annotation


def _is_record(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Record)
