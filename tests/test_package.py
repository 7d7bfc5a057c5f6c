"""The package as it is installed: declared dependencies, typed, built whole, pages that are current."""

from __future__ import annotations

import ast
import functools
import importlib.metadata
import re
import subprocess
import sys
import tomllib
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
BEHIND_EXTRAS = {"vllm": "vllm", "ray": "ray", "trl": "train"}
"""Parts of the package, by a folder of theirs, that nothing imports unless their extra is installed."""


def names(requirements: list[str]) -> set[str]:
    return {canonicalize_name(Requirement(text).name) for text in requirements}


CORE = names(PROJECT["dependencies"])
EXTRAS = {extra: names(found) for extra, found in PROJECT["optional-dependencies"].items()}


def imports(path: Path) -> Iterator[tuple[str, bool]]:
    """Top-level names that a module imports, and whether at once (neither in a function nor for types alone)."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    late: set[ast.AST] = set()
    for node in ast.walk(tree):
        lazy = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        if lazy or (isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)):
            late.update(ast.walk(node))
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name.partition(".")[0], node not in late) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0], node not in late


def third_party() -> dict[str, set[tuple[str, bool]]]:
    """Modules of other distributions by the places that import them."""
    found: defaultdict[str, set[tuple[str, bool]]] = defaultdict(set)
    for path in sorted((ROOT / "ultrainteract").rglob("*.py")):
        for name, at_once in imports(path):
            if name not in sys.stdlib_module_names and name != "ultrainteract":
                found[name].add((path.relative_to(ROOT / "ultrainteract").as_posix(), at_once))
    return found


@functools.cache
def packages() -> Mapping[str, list[str]]:
    return importlib.metadata.packages_distributions()


def distributions(module: str) -> set[str]:
    return {canonicalize_name(name) for name in packages().get(module, [module])}


def test_every_imported_distribution_is_declared() -> None:
    declared = CORE.union(*(found for extra, found in EXTRAS.items() if extra not in ("dev", "docs")))
    undeclared = {
        module: sorted(place for place, _ in places)
        for module, places in third_party().items()
        if not distributions(module) & declared
    }
    assert not undeclared


def test_what_is_imported_at_once_is_no_extra() -> None:
    wrong = {
        (module, place)
        for module, places in third_party().items()
        for place, at_once in places
        if at_once
        and not distributions(module) & CORE
        and not any(f"/{folder}/" in f"/{place}" for folder in BEHIND_EXTRAS)
    }
    assert not wrong


def test_the_package_is_marked_as_typed() -> None:
    assert (ROOT / "ultrainteract/py.typed").is_file()
    assert "Typing :: Typed" in PROJECT["classifiers"]


def test_classifiers_name_the_versions_that_are_tested() -> None:
    named = {c.rpartition(" ")[2] for c in PROJECT["classifiers"] if re.search(r":: 3\.\d+$", c)}
    script = (ROOT / "scripts/ci-python").read_text()
    tested = set(re.findall(r"\b3\.\d+\b", script))
    assert named <= tested
    assert f"{sys.version_info.major}.{sys.version_info.minor}" in tested


def test_the_reference_of_the_command_line_is_current() -> None:
    done = subprocess.run(
        [sys.executable, "scripts/cli_reference.py"], capture_output=True, text=True, cwd=ROOT, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert (ROOT / "docs/cli.md").read_text(encoding="utf-8") == done.stdout, "run: scripts/make-docs"


def test_the_list_of_formats_is_current() -> None:
    from ultrainteract.exporting import known_exporters

    page = (ROOT / "docs/export.md").read_text(encoding="utf-8")
    table = page.partition("## Formats")[2].partition("\n## ")[0]
    listed: set[str] = set()
    for row in re.findall(r"^\| (`.*?) \|", table, re.MULTILINE):
        first, *others = re.findall(r"`([^`]+)`", row)
        stem = first.rpartition("-")[0]
        listed |= {first, *(f"{stem}{name}" if name.startswith("-") else name for name in others)}
    assert listed == {*known_exporters()}


def test_every_page_is_in_the_navigation_of_the_site() -> None:
    text = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    pages = {path.relative_to(ROOT / "docs").as_posix() for path in (ROOT / "docs").rglob("*.md")}
    assert set(re.findall(r"[\w/-]+\.md", text)) == pages


def test_the_glossary_is_sorted() -> None:
    page = (ROOT / "docs/glossary.md").read_text(encoding="utf-8")
    words = re.findall(r"^\| ([^|]+) \|", page, re.MULTILINE)[2:]
    keys = [re.split(r"[,(]", word)[0].strip().casefold() for word in words]
    assert keys == sorted(keys)
