"""Requests of one's own about functions of one's own: Python, a class with a state, or an MCP server."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from ultrainteract.config import SeedConfig
from ultrainteract.readers.rows import Row, Unusable, shorten
from ultrainteract.schema import Backend, Call, Function, Message, Tool
from ultrainteract.seeds.backends import mcp_backend, python_backend, read_functions
from ultrainteract.seeds.functions import check_golds, plain, published, right_call, shown_calls
from ultrainteract.seeds.problem import Problem
from ultrainteract.seeds.registry import dataset
from ultrainteract.seeds.stated_calls import stated_call


@dataset(
    "tool_tasks",
    tasks=("Tools",),
    options=("python", "mcp", "functions", "grader"),
    paths=("python", "mcp", "functions"),
)
def load(row: Row, seed: SeedConfig) -> Iterator[Problem]:
    """Your functions: question, and one of answer (final), calls (right ones), after (Python calls to the right state).

    Options: `python` (a file with functions, or one class), `mcp` (a server's program) with `functions` (its tools as
    JSON), or `functions` alone, where nothing answers the calls. `grader` is that of final answers (`number`). A row's
    `initial` holds arguments of the class. The seed's `tools` (`python`, `wikipedia_search`) are functions beside them.
    """
    options = {name: str(seed.options.get(name, "")) for name in ("python", "mcp", "functions")}
    initial = _arguments(row.text("initial")) if row.has("initial") else ""
    functions, backend = _backend(
        options["python"], options["mcp"], options["functions"], initial, seed.tools
    )
    question = row.text("question")
    dialogue = (Message(role="user", content=question),)
    golds: tuple[str, ...] = ()
    if row.has("after"):
        if backend is None:
            raise Unusable("field 'after' needs functions that are carried out: options python or mcp")
        if "python" in seed.tools:
            raise Unusable("a final state proves nothing beside an interpreter that can set it")
        golds = row.texts("after")
        for text in golds:
            stated_call(text, functions, named=bool(options["mcp"]))
        grader, gold, backend = "final_state", "\n".join(golds), backend.model_copy(update={"gold": golds})
    elif row.has("calls"):
        listed = row.get("calls")
        if not isinstance(listed, list):
            raise Unusable("field 'calls' is no list of calls")
        calls = [_call(item) for item in listed]
        known = {function.name: function for function in functions}
        golds = tuple(right_call(call, known.get(call.name)) for call in calls)
        check_golds(functions, golds, by_schema=True)
        grader, gold = "function_calls", shown_calls(calls)
    else:
        grader, gold = str(seed.options.get("grader", "text")), row.text("answer")
    yield Problem(
        question=question, body=published(functions, dialogue), grader=grader, gold=gold, gold_set=golds,
        functions=functions, dialogue=dialogue, backend=backend,
        record_id=row.text("id") if row.has("id") else None, tools=seed.tools,
    )  # fmt: skip


def _arguments(text: str) -> str:
    """Arguments of a class, in Python.

    Raises:
        Unusable: They are none.
    """
    try:
        call = ast.parse(f"f({text})", mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        call = None
    if not isinstance(call, ast.Call) or ast.unparse(call.func) != "f":
        raise Unusable(f"field 'initial' holds no Python arguments: {shorten(text)}")
    return text


def _call(item: object) -> Call:
    arguments = item.get("arguments", {}) if isinstance(item, dict) else None
    if not isinstance(item, dict) or not isinstance(item.get("name"), str) or not isinstance(arguments, dict):
        raise Unusable("a right call has no name, or no arguments")
    return Call(name=plain(item["name"]), arguments=plain(arguments))


@lru_cache(maxsize=256)
def _backend(
    python: str, mcp: str, functions: str, initial: str, tools: tuple[Tool, ...]
) -> tuple[tuple[Function, ...], Backend | None]:
    more = tuple(_TOOLS[name] for name in tools if name in _TOOLS)
    if len(more) != len(tools):
        raise Unusable(f"tools are some of {', '.join(_TOOLS)}")
    if python:
        own, backend = python_backend(Path(python), initial)
        return _together(own, more), backend
    if not functions and not more:
        raise Unusable("set options.python, options.functions (with options.mcp for a server), or tools")
    own = read_functions(Path(functions)) if functions else ()
    return _together(own, more), mcp_backend(Path(mcp)) if mcp else Backend(source="") if more else None


def _together(own: tuple[Function, ...], more: tuple[Function, ...]) -> tuple[Function, ...]:
    if twice := {function.name for function in own} & {function.name for function in more}:
        raise Unusable(
            f"{min(twice)} is a tool of the seed and one of its own functions: which is called is not known"
        )
    return (*own, *more)


def _tool(name: str, text: str, argument: str) -> Function:
    schema = {"type": "object", "properties": {argument: {"type": "string"}}, "required": [argument]}
    return Function(name=name, description=text, parameters=schema)


_TOOLS = {
    "python": _tool(
        "python", "Runs Python and returns what it prints, and the value of its last line.", "code"
    ),
    "wikipedia_search": _tool("wikipedia_search", "Looks something up in Wikipedia.", "query"),
}
"""The tools of programs as functions."""
