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
import yaml

from tests.running.first_day import answer, problems, settings
from tests.servers.chaos import ChaosServer, in_thread
from ultrainteract.cli import _COMMANDS, _GROUPS, main
from ultrainteract.schema import Ended, TreeState

ROOT = Path(__file__).parents[2]


class Shell:
    """Runs the commands of a page in a folder: `ultrainteract` in this process, which has imported it, others in bash."""

    def __init__(self, folder: Path, capture: pytest.CaptureFixture[str], patch: pytest.MonkeyPatch) -> None:
        self._capture, self._patch = capture, patch
        patch.chdir(folder)
        patch.setenv("COLUMNS", "100")

    def __call__(self, command: str) -> str:
        """What the command printed, on one line; it must succeed."""
        command = re.sub(r"\s# .*$", "", re.sub(r"\s{2,}#.*$", "", command))
        if not command.startswith("ultrainteract "):
            done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60)
            assert done.returncode == 0, (command, done.stderr)
            return done.stdout + done.stderr
        self._patch.setattr(sys, "argv", shlex.split(command))
        self._capture.readouterr()
        try:
            main()
            code: object = 0
        except SystemExit as end:
            code = end.code or 0
        said = self._capture.readouterr()
        assert code == 0, (command, said.out, said.err)
        return " ".join((said.out + said.err).split())


@pytest.fixture
def shell(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Shell:
    return Shell(tmp_path, capsys, monkeypatch)


def test_the_tutorial_works_as_it_stands(tmp_path: Path, shell: Shell) -> None:
    page = (ROOT / "docs/tutorial.md").read_text()
    for name, text in re.findall(r"^```(?:csv|yaml) (\S+)\n(.*?)^```", page, re.DOTALL | re.MULTILINE):
        (tmp_path / name).write_text(text)
    said = {}
    for block in re.findall(r"^```sh\n(.*?)^```", page, re.DOTALL | re.MULTILINE):
        for command in block.splitlines():
            said[command] = shell(command)
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


def test_the_commands_of_the_readme_work_as_they_stand(tmp_path: Path, shell: Shell) -> None:
    """All of "Use it for real" but the installation, over the tutorial's problems and a server; nothing is pushed."""
    page = (ROOT / "README.md").read_text().partition("## Use it for real")[2]
    (block,) = re.findall(r"^```sh\n(.*?)^```", page.partition("\n## ")[0], re.DOTALL | re.MULTILINE)
    commands = [line for line in block.splitlines() if not line.startswith("pip ")]
    assert len(commands) > 9
    problems(tmp_path / "problems.csv", count=7)
    with in_thread(lambda: ChaosServer(answer)) as server:
        for line in commands:
            if line.startswith("ultrainteract push"):
                line = line.partition("#")[0] + "--dry-run published"
            said = shell(line.replace("3f2a", "p2"))
            if line.startswith("ultrainteract init"):
                assert "ultrainteract validate my.yaml" in said
                given = settings(tmp_path, server.url, output="runs/my-run").model_dump(
                    mode="json", exclude_none=True
                )
                del given["growth"]["max_turns"]
                (tmp_path / "my.yaml").write_text(yaml.safe_dump(given))
            elif "--limit 5" in line:
                assert "5 so far" in said
            elif "--accept-config" in line:
                assert "7/7 trees" in said
            elif " export " in line:
                assert list((tmp_path / "runs/my-run/exports/pair").glob("*.parquet"))


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
