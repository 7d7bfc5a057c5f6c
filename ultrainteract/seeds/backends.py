"""Functions that a user gives as Python, or as an MCP server, with the schemas that models are shown.

Schemas of Python functions are read from their signatures and docstrings; nothing is imported or run. A class is a
backend with a state: its public methods are the functions, static, class and asynchronous ones too. Each is offered,
and can then be called by the names of its arguments, or is named in the log with the reason why it is not. A server of
the Model Context Protocol (stdio) runs inside the sandbox, without network, and is started again wherever its calls are
replayed.
"""

from __future__ import annotations

import ast
import contextlib
import json
import logging
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from ultrainteract.errors import SeedError
from ultrainteract.readers.rows import Unusable
from ultrainteract.schema import Backend, Function
from ultrainteract.seeds.argument_types import type_schema
from ultrainteract.seeds.functions import function_of, plain
from ultrainteract.seeds.stated_calls import plain_value

log = logging.getLogger(__name__)

_EMPTY_BASES = ("object", "ABC", "Generic", "Protocol")
"""Base classes without methods of their own."""
OBJECT = "backend"
"""Variable that holds the object of a class, or the client of a server."""

_CLIENT = """
class _Server:
    def __init__(self, program):
        import json, os, subprocess, sys, tempfile
        self._json = json
        self._path = os.path.join(tempfile.mkdtemp(), "server.py")
        with open(self._path, "w", encoding="utf-8") as file:
            file.write(program)
        self._process = subprocess.Popen(
            [sys.executable, self._path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        self._number = 0
        self._ask("initialize", {"protocolVersion": "2025-06-18", "capabilities": {},
                                 "clientInfo": {"name": "ultrainteract", "version": "1"}})
        self._send({"jsonrpc": "2.0", "method": "notifications/initialized"})

    def _send(self, message):
        self._process.stdin.write(self._json.dumps(message).encode() + b"\\n")
        self._process.stdin.flush()

    def _ask(self, method, params):
        self._number += 1
        self._send({"jsonrpc": "2.0", "id": self._number, "method": method, "params": params})
        while True:
            line = self._process.stdout.readline()
            if not line:
                raise RuntimeError("the server has ended")
            answer = self._json.loads(line)
            if answer.get("id") == self._number:
                if "error" in answer:
                    raise RuntimeError(answer["error"].get("message", "error"))
                return answer["result"]

    def __getattr__(self, name):
        if name.startswith("_"):
            raise AttributeError(name)
        return lambda **arguments: self._call(name, arguments)

    def _call(self, name, arguments):
        result = self._ask("tools/call", {"name": name, "arguments": arguments})
        text = "\\n".join(part.get("text", "") for part in result.get("content", []) if part.get("type") == "text")
        if result.get("isError"):
            raise RuntimeError(text)
        return text
"""


def python_backend(path: Path, initial: str = "") -> tuple[tuple[Function, ...], Backend]:
    """The functions of a Python file: of its one public class, or its public functions.

    Args:
        path: The file.
        initial: Arguments of the class, in Python: `balance=100`.

    Raises:
        SeedError: It cannot be read, or has no function that can be offered.
    """
    source = _read(path)
    try:
        body = ast.parse(source).body
    except (SyntaxError, ValueError) as error:
        raise SeedError(f"The functions in {path} are no Python: {error}.") from error
    classes = {node.name: node for node in body if isinstance(node, ast.ClassDef)}
    public = [node for name, node in classes.items() if not name.startswith("_")]
    owner = public[0] if len(public) == 1 else None
    found = _signatures(owner.body if owner else body, owner, classes)
    if not found and len(public) > 1:
        raise SeedError(
            f"{path} has several public classes, and no functions; the names of all but one begin with _."
        )
    functions = _offered(path, found.items())
    setup, objects = (f"{OBJECT} = {owner.name}({initial})", (OBJECT,)) if owner else ("", ())
    return functions, Backend(source=source, setup=setup, objects=objects)


def mcp_backend(path: Path) -> Backend:
    """A server of the Model Context Protocol, in Python with nothing but what the sandbox has.

    Args:
        path: Its program, which speaks over standard input and output.

    Raises:
        SeedError: It cannot be read.
    """
    return Backend(source=_CLIENT, setup=f"{OBJECT} = _Server({_read(path)!r})", objects=(OBJECT,))


LIST_TOOLS = f"__import__('json').dumps({OBJECT}._ask('tools/list', {{}})['tools'])"
"""Expression whose value, in a sandbox that holds a server, is the JSON of its tools."""


def read_functions(path: Path) -> tuple[Function, ...]:
    """The functions that a JSON file describes, as a data set, a chat API or an MCP server does.

    One that cannot be read is not offered, and named in the log; the others are.

    Raises:
        SeedError: The file cannot be read, or holds no function that can.
    """
    try:
        listed = json.loads(_read(path))
    except (ValueError, RecursionError) as error:
        raise SeedError(f"The functions in {path} are no JSON: {error}.") from error
    for name in ("result", "tools"):
        listed = listed.get(name, listed) if isinstance(listed, dict) else listed
    if not isinstance(listed, list):
        raise SeedError(f"{path} holds no list of functions.")
    found: dict[str, Function | str] = {}
    for number, described in enumerate(listed, start=1):
        try:
            function = function_of(described)
        except Unusable as error:
            found[f"number {number}"] = str(error)
            continue
        if found.setdefault(function.name, function) != function:
            found[f"number {number}"] = f"another function has its name, {function.name}"
    return _offered(path, found.items())


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise SeedError(f"Cannot read {path}: {error}.") from error


def _signatures(
    body: list[ast.stmt], owner: ast.ClassDef | None, classes: Mapping[str, ast.ClassDef]
) -> dict[str, Function | str]:
    """Public functions of a module or a class, by name: each as it is offered, or why it is not.

    Methods of base classes in the same file belong to a class; of a name that is defined twice, the last counts.
    """
    found: dict[str, Function | str] = {}
    for base in reversed(owner.bases if owner else []):
        if isinstance(base, ast.Name) and base.id in classes and classes[base.id] is not owner:
            known = {name: node for name, node in classes.items() if name != base.id}
            found |= _signatures(classes[base.id].body, classes[base.id], known)
        elif owner and ast.unparse(base).partition("[")[0].rpartition(".")[2] not in _EMPTY_BASES:
            found[f"methods of {ast.unparse(base)}"] = "that class is not in this file"
    for node in _statements(body):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            decorators = [
                ast.unparse(item).partition("(")[0].rpartition(".")[2] for item in node.decorator_list
            ]
            if node.name.startswith("_") or "overload" in decorators or {"setter", "deleter"} & {*decorators}:
                continue
            bound = owner is not None and "staticmethod" not in decorators
            found[node.name] = _refusal(node, decorators) or _function(
                node.name, node.args, ast.get_docstring(node) or "", bound=bound
            )
        elif isinstance(node, ast.Assign):
            for name in (item.id for item in node.targets if isinstance(item, ast.Name)):
                if name.startswith("_"):
                    continue
                if isinstance(node.value, ast.Lambda):
                    found[name] = _function(name, node.value.args, "", bound=owner is not None)
                elif isinstance(node.value, ast.Name) and isinstance(
                    same := found.get(node.value.id), Function
                ):
                    found[name] = same.model_copy(update={"name": name})
                elif isinstance(node.value, ast.Constant):
                    found.pop(name, None)
    return found


def _statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements of a body, also those under a condition."""
    for node in body:
        yield node
        if isinstance(node, ast.If | ast.Try | ast.With):
            for inner in (getattr(node, name, []) for name in ("body", "orelse", "finalbody")):
                yield from _statements(inner)


def _refusal(node: ast.FunctionDef | ast.AsyncFunctionDef, decorators: list[str]) -> str:
    """Why a function is not offered; empty where it is."""
    if {"property", "cached_property"} & {*decorators}:
        return "a property is read, and not called"
    if any(name.endswith("contextmanager") for name in decorators):
        return "a context manager is entered, and not called"
    pending: list[ast.AST] = [*node.body]
    while pending:
        inner = pending.pop()
        if isinstance(inner, ast.Yield | ast.YieldFrom):
            return "a generator gives no result when it is called"
        if not isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
            pending += ast.iter_child_nodes(inner)
    return ""


def _function(name: str, arguments: ast.arguments, text: str, *, bound: bool) -> Function | str:
    """A function by its signature, as it is called by names; `bound` to an object, which is its first argument."""
    positional = [*arguments.posonlyargs, *arguments.args]
    defaults: list[ast.expr | None] = [
        *[None] * (len(positional) - len(arguments.defaults)),
        *arguments.defaults,
    ]
    if bound and not positional and arguments.vararg is None:
        return "it takes no object, and is no static method"
    pairs = [*zip(positional, defaults, strict=True)][int(bound) :]
    pairs += zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    schema: dict[str, Any] = {
        "type": "object",
        "properties": {argument.arg: _schema(argument.annotation, value) for argument, value in pairs},
        "required": [argument.arg for argument, value in pairs if value is None],
    }
    if arguments.kwarg is not None:
        schema["additionalProperties"] = True
    return Function(name=name, description=text, parameters=schema)


def _schema(annotation: ast.expr | None, default: ast.expr | None) -> dict[str, Any]:
    schema = type_schema(ast.unparse(annotation)) if annotation is not None else {}
    if default is not None:
        with contextlib.suppress(ValueError, TypeError, SyntaxError, RecursionError, Unusable):
            schema["default"] = plain(plain_value(ast.literal_eval(default)))
    return schema


def _offered(path: Path, found: Iterable[tuple[str, Function | str]]) -> tuple[Function, ...]:
    """Those that can be offered; the others are named with the reason.

    Raises:
        SeedError: There are none.
    """
    listed = list(found)
    left_out = [f"{name} ({why})" for name, why in listed if isinstance(why, str)]
    functions = tuple(function for _, function in listed if isinstance(function, Function))
    if not functions:
        why = f": {'; '.join(left_out)}" if left_out else ""
        raise SeedError(f"{path} has no function to offer{why}.")
    if left_out:
        _warn(f"{path}: not offered: {'; '.join(left_out)}")
    return functions


@lru_cache(maxsize=256)
def _warn(message: str) -> None:
    """Warns once, however many records a file of functions is read for."""
    log.warning(message)
