"""Notebook semantics: a last expression is echoed, an error becomes a short traceback, names live on."""

from __future__ import annotations
import __future__ as future

import ast
import io
import linecache
import tokenize
from dataclasses import dataclass
from types import CodeType, TracebackType
from typing import Any

PROGRAM = "<program>"
"""File name of a whole program, shown as the first cell."""
_name_of = vars(type)["__name__"].__get__
Sources = dict[str, tuple[int, list[str]]]
"""Cell number and lines of each piece of the user's code, by file name."""

_FUTURE_FLAGS = 0
for _name in future.all_feature_names:
    _FUTURE_FLAGS |= getattr(future, _name).compiler_flag
_ASYNC = 0x80 | 0x200
"""CO_COROUTINE and CO_ASYNC_GENERATOR."""
_MAX_FRAMES = 6
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
        except SystemExit as stop:
            if is_success(stop):
                return End()
            return End(error=stop, traceback=describe(stop, self.sources))
        except BaseException as error:
            return End(error=error, traceback=describe(error, self.sources))

    def _execute(self, source: str, name: str) -> str | None:
        if "\0" in source:  # Python's own error differs between its versions
            raise SyntaxError("source code string cannot contain null bytes")
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
            codes = [compile(ast.Module(body, []), name, "exec", flags, dont_inherit=True)]
        except SyntaxError:
            # What only the compiler finds (`return` outside a function) stops a notebook when it is reached.
            codes = []
            for node in body:
                code = compile(ast.Module([node], []), name, "exec", flags, dont_inherit=True)
                self._evaluate(code)
        for code in codes:
            self.flags |= code.co_flags & _FUTURE_FLAGS
            self._evaluate(code)
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
        return repr(value)[:MAX_TEXT]

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


def is_success(stop: SystemExit) -> bool:
    """True where the exit code is one of success; asks nothing of an object of the user's."""
    return stop.code is None or (type(stop.code) in (int, bool) and not stop.code)


def class_name(error: BaseException) -> str:
    """Name of the error's class, whatever its metaclass says."""
    return _name_of(type(error))[:MAX_TEXT]  # type: ignore[no-any-return]


def describe(error: BaseException, sources: Sources) -> str:
    """The short traceback: the user's own frames, then the error."""
    own_syntax = isinstance(error, SyntaxError) and error.filename in sources and error.lineno is not None
    if own_syntax:
        return _describe_syntax(error, sources)  # type: ignore[arg-type]
    frames = _frames(error.__traceback__, sources)
    if len(frames) > _MAX_FRAMES:
        half = _MAX_FRAMES // 2
        frames = [*frames[:half], f"[... skipping {len(frames) - 2 * half} frames]", *frames[-half:]]
    return "\n".join([*frames, _last_line(error)])


def _describe_syntax(error: SyntaxError, sources: Sources) -> str:
    number, lines = sources[error.filename or ""]
    line = error.lineno or 1
    parts = [f"Cell In[{number}], line {line}"]
    text = lines[line - 1] if 0 < line <= len(lines) else (error.text or "").rstrip("\n")
    bare = text.strip()
    if bare:
        parts.append("    " + bare)
        if error.offset is not None:
            column = error.offset - 1 - (len(text) - len(text.lstrip()))
            parts.append("    " + " " * max(0, min(column, len(bare))) + "^")
    parts.append(f"{class_name(error)}: {error.msg}")
    return "\n".join(parts)


def _frames(traceback: TracebackType | None, sources: Sources) -> list[str]:
    frames = []
    while traceback is not None:
        code = traceback.tb_frame.f_code
        known = sources.get(code.co_filename)
        if known is not None:
            number, lines = known
            line = traceback.tb_lineno
            where = "" if code.co_name == "<module>" else f", in {code.co_name}"
            text = lines[line - 1].strip() if 0 < line <= len(lines) else ""
            frames.append(f"Cell In[{number}], line {line}{where}" + (f"\n    {text}" if text else ""))
        traceback = traceback.tb_next
    return frames


def _last_line(error: BaseException) -> str:
    name = class_name(error)
    try:
        message = str(error)[:MAX_TEXT]
    except BaseException as broken:
        message = f"<the message cannot be shown: {class_name(broken)}>"
    return f"{name}: {message}" if message else name
