"""Messages into calls: Hermes tags, other models' marks, JSON and Python are read into one form.

A message that makes no call is read as such only where nothing in it looks like one: a call that cannot be read leaves
the message undetermined, and never becomes "no call".
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Sequence
from typing import Any

from ultrainteract.grading.calls import Unreadable, read_calls
from ultrainteract.schema import Call, Function
from ultrainteract.schema.calls import api_names, calls_text

MAX_MESSAGE = 50_000
"""Longest message that is looked at, characters."""

_TAGGED = re.compile(
    r"<(tool_call|function_call|tool_calls|functioncall)>(.*?)(?:</\1>|(?=<\1>)|\Z)", re.DOTALL
)
_NAMED = re.compile(r"<function=([^>\s]+)>(.*?)(?:</function>|\Z)", re.DOTALL)
_MARKED = re.compile(r"(?:\[TOOL_CALLS\]|<\|python_tag\|>|<\|tool_calls?\|>)\s*(.*)\Z", re.DOTALL)
_FENCE = re.compile(r"```[\w-]*[ \t]*\n(.*?)(?:```|\Z)", re.DOTALL)
_LOOKS_LIKE = re.compile(
    r"tool_calls?\b|TOOL_CALLS|python_tag|function_call|\"(?:name|function)\"\s*:", re.IGNORECASE
)
_IDENTIFIER = re.compile(r"[A-Za-z_][\w.]*")
_FIELDS = {"name", "arguments", "parameters", "args", "function"}
_ALL_CALL = re.compile(r"\s*\[?\s*[\w.]+\(.*\)\s*\]?\s*", re.DOTALL)


def read_message(text: str, functions: Sequence[Function]) -> tuple[str, tuple[Call, ...] | None]:
    """The thought and the calls of a message.

    Args:
        text: The message, without its reasoning part.
        functions: Functions on offer.

    Returns:
        What it says beside its calls; and the calls, none where it makes none, None where they cannot be read.
    """
    if len(text) > MAX_MESSAGE:
        return text[:MAX_MESSAGE], None
    for function in functions:
        if not _IDENTIFIER.fullmatch(
            function.name
        ):  # ToolACE has names with spaces, which no Python call can have
            spelled = api_names([function])[function.name]
            text = re.sub(rf"(?<!\w){re.escape(function.name)}\s*\(", f"{spelled}(", text)
    try:
        thought, calls = _found(text.strip(), functions)
    except Unreadable:
        return text.strip(), None
    own = {spelled: name for name, spelled in api_names(functions).items()}
    known = {function.name for function in functions}
    return thought, tuple(
        call if call.name in known else call.model_copy(update={"name": own.get(call.name, call.name)})
        for call in calls
    )


def _found(text: str, functions: Sequence[Function]) -> tuple[str, list[Call]]:
    for pattern in (_TAGGED, _NAMED, _MARKED):
        if found := list(pattern.finditer(text)):
            thought = " ".join(part.strip() for part in (text[: found[0].start()],) if part.strip())
            if pattern is _NAMED:
                return thought, [_by_name(match[1], match[2]) for match in found]
            return thought, [
                call for match in found for call in _in_json(match[match.lastindex or 0], functions)
            ]
    blocks = [block for block in _FENCE.finditer(text) if _may_call(block[1], functions)]
    if blocks:
        thought = (text[: blocks[0].start()]).strip()
        return thought, [call for block in blocks for call in _in_json(block[1], functions)]
    if text[:1] in "[{" and _may_call(text, functions):
        return "", _in_json(text, functions)
    head, tail = _last_lines(text, functions)
    if tail:
        return head, _in_json(tail, functions)
    if _LOOKS_LIKE.search(text) or _may_call(text, functions):
        raise Unreadable("something in the message looks like a call, and cannot be read as one")
    return text, []


def _may_call(text: str, functions: Sequence[Function]) -> bool:
    """Whether a text holds something like a call of one of the functions."""
    names = {*(function.name for function in functions), *api_names(functions).values()}
    if not any(name in text for name in names):
        return _LOOKS_LIKE.search(text) is not None or _ALL_CALL.fullmatch(text) is not None
    return any(
        re.search(rf"(?<![\w.]){re.escape(name)}\s*\(|[\"']{re.escape(name)}[\"']", text) for name in names
    )


def _last_lines(text: str, functions: Sequence[Function]) -> tuple[str, str]:
    """The text before, and the lines at its end that are calls in Python."""
    lines = text.splitlines()
    first = len(lines)
    for start in range(len(lines) - 1, max(-1, len(lines) - 60), -1):
        if not re.match(r"\s*[\[(]?\s*[A-Za-z_][\w.]*\s*\(", lines[start]):
            continue
        part = "\n".join(lines[start:])
        if not _may_call(part, functions):
            continue
        try:
            read_calls(part)
        except Unreadable:
            continue
        first = start
    return "\n".join(lines[:first]).strip(), "\n".join(lines[first:])


def _in_json(text: str, functions: Sequence[Function]) -> list[Call]:
    """The calls in a block: a JSON object or list, several objects below each other, or Python."""
    text = text.strip().strip("`").strip()
    values: list[Any] = []
    decoder, at = json.JSONDecoder(), 0
    if text[:1] in "[{":
        while at < len(text):
            try:
                value, at = decoder.raw_decode(text, at)
            except (ValueError, RecursionError):
                values = []
                break
            values += value if isinstance(value, list) else [value]
            while at < len(text) and text[at] in " \t\r\n,;":
                at += 1
    if values or text == "[]":
        return [_of_object(value) for value in values]
    calls = []
    for call in read_calls(text):
        order = next((list(f.properties) for f in functions if f.name == call.name), [])
        if len(call.positional) > len(order):
            raise Unreadable(f"{call.name} is called with arguments that have no name")
        arguments = dict(zip(order, call.positional, strict=False))
        if set(arguments) & set(call.named):
            raise Unreadable("an argument is given twice")
        every = _clean({**arguments, **call.named})
        calls.append(Call(name=call.name, arguments=every, positional=len(call.positional)))
    return calls


def _of_object(value: Any) -> Call:
    """The call that a JSON object states."""
    if isinstance(value, dict) and isinstance(value.get("function"), dict):
        value = value["function"]
    if not isinstance(value, dict):
        raise Unreadable("a call is no object")
    name = value.get("name", value.get("function"))
    if isinstance(name, str):
        arguments = value.get("arguments", value.get("parameters", value.get("args", {})))
    elif len(value) == 1 and not set(value) & _FIELDS:
        ((name, arguments),) = value.items()
    else:
        raise Unreadable("a call has no name")
    if isinstance(arguments, str):
        return _by_name(name, arguments)
    if not isinstance(arguments, dict):
        raise Unreadable("the arguments of a call are no object")
    return Call(name=_text(name), arguments=_clean(arguments))


def _by_name(name: str, arguments: str) -> Call:
    try:
        found = json.loads(arguments) if arguments.strip() else {}
    except (ValueError, RecursionError):
        raise Unreadable("the arguments of a call are no JSON") from None
    if not isinstance(found, dict):
        raise Unreadable("the arguments of a call are no object")
    return Call(name=_text(name), arguments=_clean(found))


def _text(text: str) -> str:
    """A text that can be written as UTF-8."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _clean(value: Any, depth: int = 0) -> Any:
    """A value that JSON can hold: tuples as lists, whole texts.

    Raises:
        Unreadable: It holds infinity or NaN, or is nested too deeply.
    """
    if depth > 40:
        raise Unreadable("an argument is nested too deeply")
    match value:
        case str():
            return _text(value)
        case float() if not math.isfinite(value):
            raise Unreadable("an argument is not a finite number")
        case list() | tuple():
            return [_clean(item, depth + 1) for item in value]
        case dict():
            return {_text(str(key)): _clean(item, depth + 1) for key, item in value.items()}
    return value


def written(calls: Iterable[Call], form: str) -> str:
    """Calls in one of the text forms that a model may be asked in.

    Args:
        calls: The calls.
        form: `hermes`, `python` or `json`.
    """
    if form == "python":
        made = [
            f"{c.name}({', '.join(f'{name}={value!r}' for name, value in c.arguments.items())})"
            for c in calls
        ]
        return "\n".join(made)
    if form == "json":
        return "[" + ", ".join(call.json() for call in calls) + "]"
    return calls_text(calls)
