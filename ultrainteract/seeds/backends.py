"""Functions that a user gives as Python, or as an MCP server, with the schemas that models are shown.

Schemas of Python functions are read from their signatures and docstrings; nothing is imported or run. A class is a
backend with a state: its public methods are the functions. A server of the Model Context Protocol (stdio) runs inside
the sandbox, without network, and is started again wherever its calls are replayed.
"""

from __future__ import annotations

import ast
import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ultrainteract.errors import SeedError
from ultrainteract.readers.rows import Unusable
from ultrainteract.schema import Backend, Function
from ultrainteract.seeds.functions import functions_of, schema_of

_TYPES = {"str": "string", "int": "integer", "float": "number", "bool": "boolean", "list": "array", "dict": "object",
          "tuple": "array", "set": "array", "None": "null"}  # fmt: skip
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
        SeedError: It cannot be read, or defines no functions.
    """
    source = _read(path)
    try:
        body = ast.parse(source).body
    except (SyntaxError, ValueError) as error:
        raise SeedError(f"The functions in {path} are no Python: {error}.") from error
    classes = [node for node in body if isinstance(node, ast.ClassDef) and not node.name.startswith("_")]
    if len(classes) == 1:
        functions = tuple(_functions(classes[0].body, method=True))
        backend = Backend(source=source, setup=f"{OBJECT} = {classes[0].name}({initial})", objects=(OBJECT,))
    else:
        functions, backend = tuple(_functions(body, method=False)), Backend(source=source)
    if not functions:
        raise SeedError(
            f"{path} defines no public function, and not just one public class with public methods."
        )
    return functions, backend


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


def mcp_functions(listed: Any) -> tuple[Function, ...]:
    """The functions that a server lists.

    Raises:
        Unusable: One has no name.
    """
    tools = [
        {**tool, "parameters": tool.get("inputSchema") or {}} for tool in listed if isinstance(tool, dict)
    ]
    return functions_of(tools)


def read_functions(path: Path) -> tuple[Function, ...]:
    """The functions that a JSON file describes, as a data set, a chat API or an MCP server does.

    Raises:
        SeedError: It cannot be read.
    """
    try:
        listed = json.loads(_read(path))
        if isinstance(listed, dict):
            listed = listed.get("tools", listed)
        mcp = isinstance(listed, list) and any(
            isinstance(item, dict) and "inputSchema" in item for item in listed
        )
        return mcp_functions(listed) if mcp else functions_of(listed)
    except (ValueError, Unusable) as error:
        raise SeedError(f"The functions in {path} cannot be read: {error}.") from error


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SeedError(f"Cannot read {path}: {error}.") from error


def _functions(body: list[ast.stmt], *, method: bool) -> Iterator[Function]:
    for node in body:
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            arguments = node.args.args[1 if method else 0 :] + node.args.kwonlyargs
            defaults: list[ast.expr | None] = list(node.args.defaults)
            positional = len(node.args.args) - (1 if method else 0)
            defaults = [None] * (positional - len(defaults)) + defaults + list(node.args.kw_defaults)
            pairs = list(zip(arguments, defaults, strict=True))
            yield Function(
                name=node.name,
                description=ast.get_docstring(node) or "",
                parameters={
                    "type": "object",
                    "properties": {
                        argument.arg: _schema(argument.annotation, value) for argument, value in pairs
                    },
                    "required": [argument.arg for argument, value in pairs if value is None],
                },
            )


def _schema(annotation: ast.expr | None, default: ast.expr | None) -> dict[str, Any]:
    schema: dict[str, Any] = {}
    if isinstance(annotation, ast.Name) and annotation.id in _TYPES:
        schema = {"type": _TYPES[annotation.id]}
    elif isinstance(annotation, ast.Subscript):
        text = ast.unparse(annotation)
        if text.startswith("Literal["):
            items = annotation.slice.elts if isinstance(annotation.slice, ast.Tuple) else [annotation.slice]
            schema = {"enum": [ast.literal_eval(item) for item in items]}
        else:
            schema = schema_of({"type": text})
    if default is not None:
        with contextlib.suppress(ValueError, TypeError, SyntaxError):
            schema["default"] = ast.literal_eval(default)
    return schema
