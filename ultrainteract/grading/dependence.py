"""Whether a program's output can depend on its input: a program that never looks at it proves nothing by passing tests.

The analysis reads names only and errs on the side of dependence: wherever input may flow, it is taken to flow.
"""

from __future__ import annotations

import ast
import builtins

from ultrainteract.grading.literals import NotLiteral, parse
from ultrainteract.schema import TestSuite

_SOURCES = {"input", "stdin", "open", "fileinput", "argv", "read", "readline", "readlines", "buffer", "environ", "exec",
            "eval", "__import__", "import_module", "getattr", "globals", "locals", "vars", "subprocess", "__stdin__",
            "loadtxt", "genfromtxt", "fromfile", "read_csv", "read_table"}  # fmt: skip
"""Names through which input may come, or which may hide where it comes from."""


def ignores_input(program: str, suite: TestSuite) -> bool:
    """True where what the program prints or returns cannot depend on the tests' input.

    Args:
        program: The program.
        suite: The tests; input that is empty everywhere cannot be ignored.
    """
    if all(not case.input.strip() or case.input.strip() == "[]" for case in suite.cases):
        return False
    if len(program) > _MAX_CHARS:
        return False
    try:
        tree = parse(program)
    except NotLiteral:
        return False
    if suite.kind == "call":
        return _ignores_arguments(tree, suite.entry_point or "")
    return not _reaches_output(tree)


def _ignores_arguments(tree: ast.Module, name: str) -> bool:
    found = [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef) and n.name == name]
    if len(found) != 1 or found[0].decorator_list:
        return False
    function = found[0]
    arguments = function.args
    given = [
        *arguments.posonlyargs,
        *arguments.args,
        *arguments.kwonlyargs,
        arguments.vararg,
        arguments.kwarg,
    ]
    names = {argument.arg for argument in given if argument is not None} - {"self", "cls"}
    used = {n.id for n in ast.walk(function) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
    return bool(names) and not used & (names | {"locals", "vars", "eval", "exec"})


def _reaches_output(tree: ast.Module) -> bool:
    """Whether input may reach an output: names it flows into are followed until no more are found."""
    if any(isinstance(node, ast.Try | ast.With | ast.AsyncWith | ast.Match) for node in ast.walk(tree)):
        return any(_is_source(node, set()) for node in ast.walk(tree))
    reached: set[str] = set()
    apart = _BUILTINS | {
        (alias.asname or alias.name).split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
    }
    statements = [node for node in ast.walk(tree) if isinstance(node, ast.stmt)]
    while True:
        before = len(reached)
        for statement in statements:
            _flow(statement, reached)
        reached -= apart
        if _OUTPUT in reached:
            return True
        if len(reached) == before:
            return False


_MAX_CHARS = 50_000
"""Longest program that is analysed."""
_BUILTINS = frozenset(dir(builtins))
_OUTPUT = "<output>"
_LEAVES = ast.Return | ast.Break | ast.Continue | ast.Raise | ast.Yield | ast.YieldFrom
_PRINTS = {"print", "write", "writelines", "exit", "quit", "_exit", "kill"}


def _flow(statement: ast.stmt, reached: set[str]) -> None:
    """Adds what input reaches by one statement."""
    match statement:
        case ast.FunctionDef() | ast.ClassDef() | ast.AsyncFunctionDef():
            if any(_is_source(node, reached) for node in ast.walk(statement)):
                reached.add(statement.name)
            if statement.name in reached:  # it may be called with input
                for node in ast.walk(statement):
                    if isinstance(node, ast.arg):
                        reached.add(node.arg)
        case ast.If() | ast.While() | ast.For() | ast.AsyncFor():
            header = statement.iter if isinstance(statement, ast.For | ast.AsyncFor) else statement.test
            if any(_is_source(node, reached) for node in ast.walk(header)):
                for node in ast.walk(statement):
                    _reach(node, reached)
                    if isinstance(node, _LEAVES):
                        reached.add(_OUTPUT)
        case ast.Assert():
            if any(_is_source(node, reached) for node in ast.walk(statement)):
                reached.add(_OUTPUT)
        case _:
            bare = isinstance(statement, ast.Expr) and _is_read(statement.value)
            if not bare and any(_is_source(node, reached) for node in ast.walk(statement)):
                for node in ast.walk(statement):
                    _reach(node, reached)


def _is_read(node: ast.expr) -> bool:
    """True for `input()` as a statement of its own: its value goes nowhere."""
    if not isinstance(node, ast.Call) or node.args:
        return False
    func = node.func
    return (isinstance(func, ast.Name) and func.id == "input") or (
        isinstance(func, ast.Attribute) and func.attr in ("readline", "read", "readlines")
    )


def _is_source(node: ast.AST, reached: set[str]) -> bool:
    if isinstance(node, ast.Name):
        return node.id in _SOURCES or node.id in reached
    if isinstance(node, ast.Attribute):
        return node.attr in _SOURCES or node.attr in reached
    return isinstance(node, ast.alias) and node.name.split(".")[0] in _SOURCES


def _reach(node: ast.AST, reached: set[str]) -> None:
    """Everything that a statement with input in it names or changes is reached."""
    if isinstance(node, ast.Name):
        name = node.id
    elif isinstance(node, ast.Attribute):
        name = node.attr
    elif isinstance(node, ast.arg):
        name = node.arg
    elif isinstance(node, ast.FunctionDef | ast.ClassDef):
        name = node.name
    else:
        return
    if name in _PRINTS:
        reached.add(_OUTPUT)
    elif name not in _SOURCES:
        reached.add(name)
