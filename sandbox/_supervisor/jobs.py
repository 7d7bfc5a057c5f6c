"""The kinds of request a child can be given, and how each ends."""

from __future__ import annotations

import _thread
import atexit
import builtins
import contextlib
import io
import linecache
import marshal
import os
import sys
import threading
import types
from collections.abc import Callable, Iterator
from typing import Any

from . import notebook, values
from .layout import ERROR, MEMORY, OK

Answer = Callable[[int, tuple[bytes | None, ...]], None]
"""Takes an outcome and (value, traceback, error type, binary)."""


def parse(body: bytes) -> Job:
    """The job a request asks for: a marshalled dictionary of plain data, made by the host."""
    fields = marshal.loads(body)
    return _KINDS[fields["kind"]](fields)


class Job:
    """One request inside the child."""

    def __init__(self, fields: dict[str, Any]) -> None:
        self.fields = fields
        self.tools: list[str] = fields.get("tools", [])
        self.functions: dict[str, Callable[[str], str]] = {}

    def tools_over(self, tools: Any) -> None:
        """Makes each tool a function of its name."""
        for name in self.tools:
            self.functions[name] = _tool_function(tools, name)

    def run(self, stage: Stage, answer: Answer) -> int:
        """Runs the user's code and returns the exit code of the child."""
        raise NotImplementedError


class Stage:
    """What programs start from, set up once in a zygote: a child that sets it up itself copies a page of the
    zygote's memory for nearly every object it touches.
    """

    def __init__(self) -> None:
        self.program = _module("__main__")
        self.solution = _module("solution")
        self.solution.__dict__.update(values.PRELUDE)
        self.cells = _module("__main__")
        self.session = notebook.Session(self.cells.__dict__)
        with _pipes():
            self.blocks = _standard_stream(1, by_line=False)
            sys.stdout = sys.__stdout__ = _standard_stream(1)  # type: ignore[misc]
            sys.stderr = sys.__stderr__ = _standard_stream(2)  # type: ignore[misc]
        self.process = Process()

    def as_judge(self) -> Process:
        """From now on standard output is written in blocks, as that of a script is, and integers may have any number of
        digits, as contests' problems want it.
        """
        sys.set_int_max_str_digits(0)
        sys.stdout = sys.__stdout__ = self.blocks  # type: ignore[misc]
        return Process()


def _module(name: str) -> types.ModuleType:
    module = types.ModuleType(name)
    module.__builtins__ = builtins  # type: ignore[attr-defined]
    return module


@contextlib.contextmanager
def _pipes() -> Iterator[None]:
    """Makes standard output and error pipes, as they are in every child: streams ask when they are made."""
    saved = [os.dup(1), os.dup(2)]
    ours, theirs = os.pipe()
    try:
        os.dup2(theirs, 1)
        os.dup2(theirs, 2)
        yield
    finally:
        for target, fd in enumerate(saved, 1):
            os.dup2(fd, target)
            os.close(fd)
        os.close(ours)
        os.close(theirs)


def _standard_stream(fd: int, by_line: bool = True) -> io.TextIOWrapper:
    """The stream that the interpreter makes for a pipe, whatever its own standard output and error are."""
    raw = io.FileIO(fd, "w", closefd=False)
    raw.name = ("<stdin>", "<stdout>", "<stderr>")[fd]
    errors = "strict" if fd == 1 else "backslashreplace"
    stream = io.TextIOWrapper(io.BufferedWriter(raw), "utf-8", errors, "\n", line_buffering=by_line)
    stream.mode = "w"
    return stream


def _tool_function(tools: Any, name: str) -> Callable[[str], str]:
    def tool(query: str) -> str:
        return tools.call(name, query)

    tool.__name__ = tool.__qualname__ = name
    return tool


class Process:
    """This process as it was before the user's code ran: the references to end it by."""

    def __init__(self) -> None:
        self.streams = (sys.stdout, sys.stderr)
        self.getpid = os.getpid
        self.exit = os._exit
        self.start()

    def start(self) -> None:
        """Called in the process that is meant."""
        self.pid = self.getpid()

    def settle(self) -> None:
        """Writes out what is buffered; ends the process if it is a copy that the user's code forked."""
        self.flush()
        if self.getpid() != self.pid:
            self.exit(0)

    def flush(self) -> None:
        """Flushes the user's replacement of a stream as well as the original."""
        replaced = [_names_of_sys.get(name) for name in ("stdout", "stderr")]
        for stream in (*replaced, *self.streams):
            try:
                stream.flush()  # type: ignore[union-attr]
            except BaseException:  # a deleted, closed or broken stream of the user's has nothing to tell us
                continue


_names_of_sys = vars(sys)


def _stdin_file(text: str) -> int | None:
    """A regular file with this text, as a contest's judge gives it: programs that read `os.fstat(0).st_size` bytes
    get none of a pipe's.
    """
    if not text:
        return None
    data = text.encode("utf-8", "surrogatepass")
    reader = os.open("stdin", os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    os.unlink("stdin")
    view = memoryview(data)
    while view:
        view = view[os.write(reader, view) :]
    os.lseek(reader, 0, os.SEEK_SET)
    return reader


def _read_from(reader: int | None) -> None:
    if reader is not None:
        os.dup2(reader, 0)
        os.close(reader)


def _encode(text: str | None) -> bytes | None:
    return None if text is None else text.encode("utf-8", "replace")


def _failure(error: BaseException) -> int:
    return MEMORY if issubclass(type(error), MemoryError) else ERROR


class Cells(Job):
    """Replays cells silently, then runs the last one and reports it as a notebook would."""

    def run(self, stage: Stage, answer: Answer) -> int:
        cells: list[str] = self.fields["cells"]
        sys.modules["__main__"] = stage.cells
        session = stage.session
        if self.functions:
            session.namespace.update(self.functions)
        process = stage.process
        process.start()
        stdin = _stdin_file(self.fields.get("stdin", ""))  # before a cell can leave the directory
        if len(cells) > 1:
            self._replay(session, process, cells[:-1])
        _read_from(stdin)
        end = session.run(cells[-1])
        process.settle()
        report = (_encode(end.value), _encode(end.traceback), _encode(end.error_type), None)
        outcome = OK if end.error is None else _failure(end.error)
        answer(outcome, report)
        try:
            if _thread._count():
                _join_threads(1.0)
                process.flush()
        except BaseException:  # what this calls is the user's to replace
            pass
        return outcome

    def _replay(self, session: notebook.Session, process: Process, cells: list[str]) -> None:
        saved = [os.dup(1), os.dup(2)]
        null = os.open("/dev/null", os.O_WRONLY)
        os.dup2(null, 1)
        os.dup2(null, 2)
        os.close(null)
        for cell in cells:
            session.run(cell)
            process.settle()
        for target, fd in enumerate(saved, 1):
            os.dup2(fd, target)
            os.close(fd)


def _join_threads(seconds: float) -> None:
    """Lets threads that a cell left behind print what they have to, for a moment."""
    import time

    deadline = time.monotonic() + seconds
    for thread in threading.enumerate():
        if thread is not threading.main_thread() and not thread.daemon:
            thread.join(max(0.0, deadline - time.monotonic()))


class Compile(Job):
    """Compiles a program without running it; the answer's binary part is the code."""

    def run(self, stage: Stage, answer: Answer) -> int:
        source = self.fields["source"]
        try:
            code = compile(source, notebook.PROGRAM, "exec", dont_inherit=True)
        except (SyntaxError, ValueError, MemoryError, RecursionError, OverflowError) as error:
            text = notebook.describe(error, {notebook.PROGRAM: (1, source.splitlines())})
            answer(ERROR, (None, _encode(text), _encode(notebook.class_name(error)), None))
            return ERROR
        answer(OK, (None, None, None, marshal.dumps(code)))
        return OK


class Program(Job):
    """Runs compiled code as a script."""

    def run(self, stage: Stage, answer: Answer) -> int:
        code = marshal.loads(self.fields["code"])
        source: str = self.fields["source"]
        linecache.cache[notebook.PROGRAM] = (len(source), None, source.splitlines(True), notebook.PROGRAM)
        sys.modules["__main__"] = module = stage.program
        process = stage.as_judge()
        _read_from(_stdin_file(self.fields.get("stdin", "")))
        sources = {notebook.PROGRAM: (1, source.splitlines())}
        shutdown, count_threads = threading._shutdown, _thread._count  # type: ignore[attr-defined]
        run_atexit = atexit._run_exitfuncs
        error: BaseException | None = None
        try:
            exec(code, module.__dict__)
        except BaseException as raised:
            error = raised
        process.settle()
        outcome = self._report(answer, error, sources)
        try:
            if count_threads():
                shutdown()
            run_atexit()
        except BaseException:  # the interpreter prints such errors and goes on ending
            pass
        process.flush()
        return outcome

    def _report(self, answer: Answer, error: BaseException | None, sources: notebook.Sources) -> int:
        if error is not None and issubclass(type(error), SystemExit):
            code = notebook.exit_code(error)
            if notebook.is_success(error):
                error = None
            elif not issubclass(type(code), int):
                try:
                    print(code, file=sys.stderr)
                except BaseException:  # of the object's or the stream's
                    pass
        if error is None:
            answer(OK, (None, None, None, None))
            return OK
        answer(
            _failure(error),
            (None, _encode(notebook.describe(error, sources)), _encode(notebook.class_name(error)), None),
        )
        return _failure(error)


class Call(Job):
    """Defines what the program defines, calls one function and answers with its encoded return value."""

    def run(self, stage: Stage, answer: Answer) -> int:
        code = marshal.loads(self.fields["code"])
        source: str = self.fields["source"]
        arguments: list[Any] = self.fields["arguments"]
        linecache.cache[notebook.PROGRAM] = (len(source), None, source.splitlines(True), notebook.PROGRAM)
        sys.modules["__main__"] = sys.modules["solution"] = module = stage.solution
        process = stage.as_judge()
        encode_value, find = values.encode, values.find_entry
        error: BaseException | None = None
        value: str | None = None
        try:
            exec(code, module.__dict__)
            function = find(module.__dict__, self.fields.get("entry_point"))
            value = encode_value(function(*arguments))
        except BaseException as raised:
            error = raised
        process.settle()
        if error is None:
            answer(OK, (_encode(value), None, None, None))
            return OK
        text = notebook.describe(error, {notebook.PROGRAM: (1, source.splitlines())})
        answer(_failure(error), (None, _encode(text), _encode(notebook.class_name(error)), None))
        return _failure(error)


_KINDS: dict[str, type[Job]] = {"cells": Cells, "compile": Compile, "program": Program, "call": Call}
