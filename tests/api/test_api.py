"""The public API: complete, importable in any order, usable where an event loop is running."""

from __future__ import annotations

import asyncio
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import ultrainteract
from ultrainteract import api
from ultrainteract.api.event_loop import complete
from ultrainteract.cli import _COMMANDS, _GROUPS

ROOT = Path(__file__).parents[2]


def test_every_name_is_there() -> None:
    assert sorted(api.__all__) == sorted(api.HOMES)
    for name in ultrainteract.__all__:
        assert getattr(ultrainteract, name) is not None


def test_no_name_hides_a_module() -> None:
    """A function that shares a module's name is gone once somebody has imported the module."""
    for package in (ultrainteract, api):
        modules = {module.name for module in pkgutil.iter_modules(package.__path__)}
        assert not modules & set(package.__all__)


def test_functions_stay_functions_whatever_was_imported_before() -> None:
    modules = [
        m.name for m in pkgutil.walk_packages(ultrainteract.__path__, "ultrainteract.") if "." in m.name
    ]
    heavy = ("ray", "vllm", "trl", "__main__")  # need their extras, or run
    names = [name for name in modules if not any(part in heavy for part in name.split("."))]
    program = (
        "import importlib, ultrainteract\n"
        f"for name in {names!r}: importlib.import_module(name)\n"
        "from ultrainteract.exporting import sft_rows\n"
        "print([n for n in ultrainteract.api.__all__ if type(getattr(ultrainteract, n)).__name__ == 'module'])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert done.stdout == "[]\n", done.stderr


def test_importing_the_package_costs_nothing() -> None:
    program = "import sys, ultrainteract; print(sorted({'pydantic', 'rich', 'openai', 'datasets'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert done.stdout == "[]\n", done.stderr


def test_every_command_has_its_function_in_the_docs() -> None:
    page = (ROOT / "docs/api.md").read_text()
    rows = re.findall(r"^\| `([a-z -]+)` \| (.*?) \|", page, re.MULTILINE)
    commands = {command for command, _ in rows}
    from ultrainteract.cli import app

    for name in (*_COMMANDS, *_GROUPS):
        assert any(command == name or command.startswith(f"{name} ") for command in commands), name
    listed = {name for _, cell in rows for name in re.findall(r"`([a-z_]+)`", cell)}
    functions = {name for name in api.__all__ if name[0].islower()}
    assert listed == functions
    assert app is not None


async def test_a_function_of_the_api_works_where_a_loop_is_running() -> None:
    async def double(number: int) -> int:
        await asyncio.sleep(0)
        return 2 * number

    assert complete(lambda: double(21)) == 42


def test_the_loop_of_the_api_ends_with_its_work() -> None:
    async def loop() -> asyncio.AbstractEventLoop:
        return asyncio.get_running_loop()

    assert complete(loop).is_closed()
