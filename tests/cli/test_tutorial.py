"""The pages that a new user follows: the tutorial's and the README's commands, and the notebook, are run as they stand."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import nbclient
import nbformat
import pytest

from ultrainteract.cli import _COMMANDS, _GROUPS
from ultrainteract.schema import Ended, TreeState

ROOT = Path(__file__).parents[2]
BIN = str(Path(sys.executable).parent)


def environment() -> dict[str, str]:
    return {**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT), "COLUMNS": "100"}


def shell(command: str, folder: Path) -> str:
    command = re.sub(r"^ultrainteract\b", f"{shlex.quote(sys.executable)} -m ultrainteract", command)
    done = subprocess.run(
        ["bash", "-c", command], cwd=folder, env=environment(), capture_output=True, text=True, timeout=240
    )
    assert done.returncode == 0, (command, done.stdout, done.stderr)
    return done.stdout + done.stderr


def test_the_tutorial_works_as_it_stands(tmp_path: Path) -> None:
    page = (ROOT / "docs/tutorial.md").read_text()
    for name, text in re.findall(r"^```(?:csv|yaml) (\S+)\n(.*?)^```", page, re.DOTALL | re.MULTILINE):
        (tmp_path / name).write_text(text)
    said = {}
    for block in re.findall(r"^```sh\n(.*?)^```", page, re.DOTALL | re.MULTILINE):
        for command in block.splitlines():
            said[command] = " ".join(shell(command, tmp_path).split())
    assert "3 so far" in said["ultrainteract run my.yaml --limit 3"]
    shown = said["ultrainteract show runs/my apples"]
    assert re.search(r"Math_CoT · my_problems · (complete|sft_only) \(solved\)", shown), shown
    assert "correct: the same text" in shown
    assert "[sample 0" in said["ultrainteract show runs/my apples --raw"]
    whole = said["ultrainteract run my.yaml"]
    assert "The seeds changed since the last run" not in whole, (
        "the wrong gold answer was not among the first three"
    )
    assert "6/6 trees" in whole
    assert list((tmp_path / "runs/my/exports/trl-preference").glob("*.parquet"))


@pytest.mark.parametrize(
    "page", ["README.md", *(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md"))]
)
def test_every_command_that_a_page_names_exists(page: str) -> None:
    text = (ROOT / page).read_text()
    for command in re.findall(r"^ultrainteract ([a-z-]+)", text, re.MULTILINE):
        assert command in _COMMANDS or command in _GROUPS, f"{page} names `ultrainteract {command}`"


def test_the_notebook_runs(tmp_path: Path) -> None:
    notebook = nbformat.read(ROOT / "docs/notebook.ipynb", as_version=4)
    os.environ["PYTHONPATH"] = str(ROOT)
    client = nbclient.NotebookClient(notebook, timeout=240, resources={"metadata": {"path": str(tmp_path)}})
    client.execute()
    shown = str(notebook)
    assert "trees" in shown, "the progress is in the cell"
    assert "chosen" in shown


def test_the_page_of_terms_has_every_state_and_end() -> None:
    page = (ROOT / "docs/terms.md").read_text()
    for name in (*TreeState, *Ended.__args__):
        assert f"`{name}`" in page
