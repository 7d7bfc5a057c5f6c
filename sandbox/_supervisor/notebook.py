"""Notebook semantics: a last expression is echoed, an error becomes a short traceback, names live on."""

from __future__ import annotations
import __future__ as future

import ast
import io
import linecache
import tokenize
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, TracebackType
from typing import Any

PROGRAM = "<program>"
"""File name of a whole program, shown as the first cell."""
_name_of = vars(type)["__name__"].__get__
Sources = dict[str, tuple[int, list[str]]]
"""Cell number and lines of each piece of the user's code, by file name."""

_CALL_CELL = Path(__file__).with_name("call_cell.py").read_text(encoding="utf-8")
_KNOWN = {_CALL_CELL: compile(_CALL_CELL, "<cell 2>", "exec", dont_inherit=True)}
"""Cells that many requests hold, by their text: compiled here, before the forks, and not in each child."""
_FUTURE_FLAGS = 0
for _name in future.all_feature_names:
    _FUTURE_FLAGS |= getattr(future, _name).compiler_flag
_ASYNC = 0x80 | 0x200
"""CO_COROUTINE and CO_ASYNC_GENERATOR."""
_MAX_FRAMES = 6
_MAX_CHAIN = 10
"""Errors that are shown of a chain."""
_CAUSED = "The above exception was the direct cause of the following exception:"
_DURING = "During handling of the above exception, another exception occurred:"
MAX_TEXT = 1 << 20
"""Characters of a value or a message that are looked at: copies of a longer one would take the program's memory."""


@dataclass
class End:
    """How a cell ended."""

    value: str | None = None
    error: BaseException | None = None
    traceback: str | None = None

    @property
    def error_type(self) -> str | None:
        """Class name of the error."""
        return None if self.error is None else class_name(self.error)


class Session:
    """Cells run one after the other in one namespace."""

    def __init__(self, namespace: dict[str, Any]) -> None:
        self.namespace = namespace
        self.sources: Sources = {}
        self.flags = 0
        self.loop: Any = None
        self.shown: tuple[Any, Any, Any] = ("", "", "")
        self.inputs = [""]
        self.outputs: dict[int, Any] = {}
        namespace.update(dict.fromkeys(("_", "__", "___"), ""), In=self.inputs, Out=self.outputs)
        namespace.setdefault("display", _display)

    def run(self, source: str) -> End:
        """Runs one cell; every exception of the user's code becomes part of the end."""
        number = len(self.sources) + 1
        name = f"<cell {number}>"
        source = _undented(source)
        self.inputs.append(source.rstrip("\n"))
        lines = source.splitlines()
        self.sources[name] = (number, lines)
        linecache.cache[name] = (len(source), None, source.splitlines(True), name)
        try:
            return End(value=self._execute(source, name))
        except BaseException as error:
            if issubclass(type(error), SystemExit) and is_success(error):
                return End()
            return End(error=error, traceback=describe(error, self.sources))

    def _execute(self, source: str, name: str) -> str | None:
        if "\0" in source:  # Python's own error differs between its versions
            raise SyntaxError("source code string cannot contain null bytes")
        if not self.flags and (known := _KNOWN.get(source)) is not None:
            self._evaluate(known)
            return None
        flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT | self.flags
        if (parts := _two_parts(source, name, flags)) is not None:
            body, last = parts
            if body is not None:
                self._evaluate(body)
            return self._show(self._evaluate(last))
        tree = compile(source, name, "exec", flags | ast.PyCF_ONLY_AST, dont_inherit=True)
        end = tree.body[-1] if tree.body else None
        shows = isinstance(end, ast.Expr) and not _is_silenced(source)
        body = tree.body[:-1] if shows else tree.body
        try:
            code = compile(ast.Module(body, []), name, "exec", flags, dont_inherit=True)
        except SyntaxError:
            code = None
        if code is not None:
            self.flags |= code.co_flags & _FUTURE_FLAGS
            self._evaluate(code)
        else:  # what only the compiler finds (`return` outside a function) stops a notebook when it is reached
            for node in body:
                self._evaluate(compile(ast.Module([node], []), name, "exec", flags, dont_inherit=True))
        if not shows:
            return None
        expression = ast.Expression(end.value)  # type: ignore[union-attr]
        return self._show(
            self._evaluate(compile(expression, name, "eval", flags | self.flags, dont_inherit=True))
        )

    def _show(self, value: Any) -> str | None:
        if value is None:
            return None
        self._keep(value)
        return _exactly(repr(value))

    def _keep(self, value: Any) -> None:
        """Keeps a shown value as `_`, `_N` and `Out[N]`; `_`, `__` and `___` only while the program has no use of its
        own for these names.
        """
        if value is self.outputs:
            return
        names = ("_", "__", "___")
        free = all(self.namespace.get(name, old) is old for name, old in zip(names, self.shown, strict=True))
        self.shown = (value, *self.shown[:2])
        if free:
            self.namespace.update(zip(names, self.shown, strict=True))
        number = len(self.sources)
        self.outputs[number] = self.namespace[f"_{number}"] = value

    def _evaluate(self, code: CodeType) -> Any:
        result = eval(code, self.namespace)
        if code.co_flags & _ASYNC and hasattr(result, "send"):
            if self.loop is None:
                import asyncio

                self.loop = asyncio.new_event_loop()
            return self.loop.run_until_complete(result)
        return result


def _two_parts(source: str, name: str, flags: int) -> tuple[CodeType | None, CodeType] | None:
    """The code of all lines but the last, and of the last line, where that is an expression by itself.

    Most cells are like this, and need no syntax tree then. As objects of Python's it costs a child more than all
    else that it does for a short program. None where the tree has to tell.
    """
    if ";" in source or "\\" in source or "\r" in source:
        return None
    at = source.rstrip().rfind("\n") + 1
    last = source[at:]
    if last[:1].isspace():
        return None
    try:
        value = compile("\n" * source.count("\n", 0, at) + last, name, "eval", flags, dont_inherit=True)
        if not source[:at].strip():
            return None, value
        body = compile(source[:at], name, "exec", flags, dont_inherit=True)
    except (SyntaxError, ValueError, MemoryError, RecursionError, OverflowError):
        return None
    return None if body.co_flags & _FUTURE_FLAGS & ~flags else (body, value)


def _display(*values: Any, **_: Any) -> None:
    for value in values:
        print(repr(value))


def _undented(source: str) -> str:
    """Without leading empty lines and the first line's indentation, as notebooks take pasted code."""
    if source[:1].strip():
        return source
    lines = source.splitlines(True)
    while lines and not lines[0].strip():
        del lines[0]
    if not lines:
        return ""
    indent = lines[0][: len(lines[0]) - len(lines[0].lstrip(" \t"))]
    if indent:
        lines = [line[len(indent) :] if line.startswith(indent) else line for line in lines]
    return "".join(lines)


def _is_silenced(source: str) -> bool:
    """True where the cell ends with a semicolon."""
    if ";" not in source:
        return False
    last = ""
    try:
        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            if token.type in (tokenize.OP, tokenize.NAME, tokenize.NUMBER, tokenize.STRING):
                last = token.string
    except (tokenize.TokenError, SyntaxError):
        return False
    return last == ";"


def exit_code(stop: BaseException) -> Any:
    """What a SystemExit was given."""
    return _code_of(stop)


_code_of = vars(SystemExit)["code"].__get__


def is_success(stop: BaseException) -> bool:
    """True where the exit code of a SystemExit is one of success; asks nothing of an object of the user's."""
    code = exit_code(stop)
    return code is None or (type(code) in (int, bool) and not code)


def class_name(error: BaseException) -> str:
    """Name of the error's class, whatever its metaclass says."""
    return _name_of(type(error))[:MAX_TEXT]  # type: ignore[no-any-return]


def describe(error: BaseException, sources: Sources) -> str:
    """The short traceback: the user's own frames, then the error; before them those of what it came from.

    Everything is read by the interpreter's own accessors: an error's class may answer what it likes.
    """
    parts = [_describe_one(error, sources)]
    seen = {id(error)}
    while len(seen) < _MAX_CHAIN:
        before, between = _field(error, "__cause__"), _CAUSED
        if before is None and not _field(error, "__suppress_context__"):
            before, between = _field(error, "__context__"), _DURING
        if before is None or id(before) in seen:
            break
        error = before
        seen.add(id(error))
        parts += [between, _describe_one(error, sources)]
    return "\n\n".join(reversed(parts))


def _describe_one(error: BaseException, sources: Sources) -> str:
    if issubclass(type(error), SyntaxError):
        file, line = _field(error, "filename"), _field(error, "lineno")
        if type(file) is str and file in sources and type(line) is int:
            return _describe_syntax(error, line, *sources[file])
    frames = _frames(_field(error, "__traceback__"), sources)
    if len(frames) > _MAX_FRAMES:
        half = _MAX_FRAMES // 2
        frames = [*frames[:half], f"[... skipping {len(frames) - 2 * half} frames]", *frames[-half:]]
    return "\n".join([*frames, _last_line(error)])


def _field(error: BaseException, name: str) -> Any:
    """A field of an exception as the interpreter keeps it."""
    return _FIELDS[name](error)


_FIELDS = {
    name: vars(kind)[name].__get__
    for kind, names in (
        (BaseException, ("__cause__", "__context__", "__suppress_context__", "__traceback__")),
        (SyntaxError, ("filename", "lineno", "offset", "text", "msg")),
    )
    for name in names
}


def _describe_syntax(error: BaseException, line: int, number: int, lines: list[str]) -> str:
    parts = [f"Cell In[{number}], line {line}"]
    text, offset, message = _field(error, "text"), _field(error, "offset"), _field(error, "msg")
    if 0 < line <= len(lines):
        text = lines[line - 1]
    bare = text.strip() if type(text) is str else ""
    if bare:
        parts.append("    " + bare)
        if type(offset) is int:
            column = offset - 1 - (len(text.rstrip("\n")) - len(text.rstrip("\n").lstrip()))
            parts.append("    " + " " * max(0, min(column, len(bare))) + "^")
    parts.append(f"{class_name(error)}: {_text(message)}")
    return "\n".join(parts)


def _frames(traceback: TracebackType | None, sources: Sources) -> list[str]:
    frames = []
    while traceback is not None:
        code = traceback.tb_frame.f_code
        known = sources.get(code.co_filename)
        if known is not None:
            number, lines = known
            line = traceback.tb_lineno or 0
            where = "" if code.co_name == "<module>" else f", in {code.co_name}"
            text = lines[line - 1].strip() if 0 < line <= len(lines) else ""
            frames.append(f"Cell In[{number}], line {line}{where}" + (f"\n    {text}" if text else ""))
        traceback = traceback.tb_next
    return frames


def _last_line(error: BaseException) -> str:
    name = class_name(error)
    message = _text(error)
    notes = _notes(error)
    return "\n".join([f"{name}: {message}" if message else name, *notes])


def _notes(error: BaseException) -> list[str]:
    """What `add_note` added."""
    fields = _namespace_of(error)
    notes = fields.get("__notes__") if type(fields) is dict else None
    return [note[:MAX_TEXT] for note in notes if type(note) is str] if type(notes) is list else []


_namespace_of = vars(BaseException)["__dict__"].__get__


def _exactly(text: str, of: Any = str.__getitem__, part: slice = slice(MAX_TEXT)) -> str:
    """A text that a program's object made, cut, and without what a class derived from `str` makes of it."""
    return of(text, part)  # type: ignore[no-any-return]


def _text(value: object) -> str:
    """`str(value)`, or what is wrong with it."""
    try:
        return _exactly(str(value))
    except BaseException as broken:
        return f"<the message cannot be shown: {class_name(broken)}>"
