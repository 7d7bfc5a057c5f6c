"""The house: imports without circles, modules of a size, a page that shows it as it is."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "ultrainteract"
MAX_LINES = 450
WHY_LONG = "This module is long because"
"""How the docstring of a module beyond `MAX_LINES` begins the sentence that gives the reason."""
MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted(PACKAGE.rglob("*.py"))
}


def imported(name: str, tree: ast.Module) -> Iterator[str]:
    """Modules of the package that a module imports when it is imported itself (not within functions)."""
    pending: list[ast.stmt] = list(tree.body)
    while pending:
        statement = pending.pop()
        if isinstance(statement, ast.If) and "TYPE_CHECKING" in ast.unparse(statement.test):
            pending += statement.orelse
        elif isinstance(statement, ast.If | ast.Try | ast.With):
            for field in ("body", "orelse", "finalbody", "handlers"):
                for child in getattr(statement, field, ()):
                    pending += child.body if isinstance(child, ast.ExceptHandler) else [child]
        elif isinstance(statement, ast.Import):
            yield from (alias.name for alias in statement.names if alias.name in MODULES)
        elif isinstance(statement, ast.ImportFrom) and statement.module in MODULES:
            for alias in statement.names:
                child = f"{statement.module}.{alias.name}"
                yield child if child in MODULES else statement.module


def packages_of(name: str) -> Iterator[str]:
    """The packages that are imported before a module is."""
    while name := name.rpartition(".")[0]:
        yield name


def circles(graph: dict[str, set[str]]) -> list[list[str]]:
    """Strongly connected groups of more than one module (Tarjan)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(node: str) -> None:
        index[node] = low[node] = len(index)
        stack.append(node)
        for other in graph[node]:
            if other not in index:
                visit(other)
                low[node] = min(low[node], low[other])
            elif other in stack:
                low[node] = min(low[node], index[other])
        if low[node] == index[node]:
            group = stack[stack.index(node) :]
            del stack[stack.index(node) :]
            if len(group) > 1:
                found.append(sorted(group))

    for node in graph:
        if node not in index:
            visit(node)
    return found


def test_no_module_imports_itself_in_a_circle() -> None:
    graph = {
        name: {
            needed
            for target in imported(name, ast.parse(path.read_text(encoding="utf-8")))
            for needed in (target, *packages_of(target))
            if not f"{name}.".startswith(f"{needed}.")  # its own package is being imported already
        }
        for name, path in MODULES.items()
    }
    assert circles(graph) == []


def test_a_circle_would_be_found() -> None:
    graph = {"a": {"b"}, "b": {"c", "d"}, "c": {"a"}, "d": set(), "e": {"a"}}
    assert circles(graph) == [["a", "b", "c"]]


def fault(source: str) -> str:
    """What a module owes; empty if nothing.

    Its docstring (a comment, where the text is run as a cell) says why it exists, and beyond `MAX_LINES` why it is long.
    """
    docstring, lines = ast.get_docstring(ast.parse(source)) or "", source.count("\n")
    if source and not docstring and not source.startswith("# "):
        return "no docstring"
    return f"{lines} lines, and no reason for it" if lines > MAX_LINES and WHY_LONG not in docstring else ""


def is_python(path: Path) -> bool:
    """Whether a file is Python, by its ending or its first line."""
    if path.suffix:
        return path.suffix == ".py"
    return path.is_file() and path.read_bytes()[:64].startswith(b"#!/usr/bin/env python")


FILES = [
    path
    for folder in ("ultrainteract", "sandbox", "scripts", "examples", "tests")
    for path in sorted((ROOT / folder).rglob("*"))
    if "data" not in path.relative_to(ROOT).parts and is_python(path)
]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_module_says_why_it_exists_and_why_it_is_long(path: Path) -> None:
    assert not fault(path.read_text(encoding="utf-8"))


def test_a_module_that_owes_a_reason_would_be_found() -> None:
    assert fault("x = 1\n")
    assert not fault("")
    assert fault('"""Doc."""\n' + "x = 1\n" * MAX_LINES)
    assert not fault(f'"""Doc. {WHY_LONG} it is a table."""\n' + "x = 1\n" * MAX_LINES)


def page() -> str:
    return (ROOT / "docs/architecture.md").read_text(encoding="utf-8")


def test_the_picture_shows_the_floors_that_the_linter_checks() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (layers,) = (contract["layers"] for contract in contracts if contract["type"] == "layers")
    (picture,) = re.findall(r"```text\n(.*?)```", page(), re.DOTALL)
    shown = [line.split("  ")[0].split(" · ") for line in picture.splitlines() if line and line[0] != " "]
    assert shown == [
        [room.strip().removeprefix("ultrainteract.") for room in layer.split("|")] for layer in layers
    ]
    rooms = {room for floor in shown for room in floor}
    there = {path.name.removesuffix(".py") for path in PACKAGE.iterdir() if not path.name.startswith("__")}
    assert rooms == there - {"py.typed", "_sandbox"}


def test_the_walks_can_be_followed() -> None:
    """Each stop names a file and something in it; a walk opens each file once."""
    walks = re.findall(r"^## Walk .*?(?=^## |\Z)", page(), re.DOTALL | re.MULTILINE)
    assert len(walks) == 2
    for walk in walks:
        stops = re.findall(r"^\d+\. \[`([^`]+)`\]\(([^)]+)\) `([^`]+)`", walk, re.MULTILINE)
        numbered = re.findall(r"^\d+\. ", walk, re.MULTILINE)
        assert len(stops) == len(numbered) >= 8
        files = [path for path, _, _ in stops]
        assert len(set(files)) == len(files)
        for path, link, name in stops:
            assert (ROOT / "docs" / link).resolve() == PACKAGE / path
            defined = {
                node.name
                for node in ast.walk(ast.parse((PACKAGE / path).read_text(encoding="utf-8")))
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
            }
            assert name.rpartition(".")[2] in defined, f"{path} has no {name}"
