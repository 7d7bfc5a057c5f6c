"""A plugin that is a file beside the configuration: found by every command and by every process of a run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import yaml

from tests.running.first_day import answer, problems, settings
from tests.servers.chaos import ChaosServer, in_thread

ROOT = Path(__file__).parents[2]
PLUGIN = """
from ultrainteract.exporting import exporter
from ultrainteract.grading import Finding, grader


@grader("last_digit")
def last_digit(question, answer, algebra):
    digits = [letter for letter in answer if letter.isdigit()]
    return Finding.either(digits[-1:] == [question.gold[-1]], "the same last digit", "another last digit")


@exporter("my-pairs", kind="preference", columns={"prompt": "string", "better": "string"})
def my_pairs(sample):
    \"\"\"A prompt, and what is better.\"\"\"
    yield {"prompt": sample.prompt[-1][1], "better": sample.chosen[-1][1]}
"""


def command(folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    environment.pop("ULTRAINTERACT_PLUGINS", None)
    environment |= variables
    run = [sys.executable, "-m", "ultrainteract", *arguments]
    return subprocess.run(run, capture_output=True, text=True, cwd=folder, env=environment, timeout=120)


def written(folder: Path, url: str, **changes: Any) -> None:
    data = settings(folder, url, plugins=["my.py"], **changes).model_dump(mode="json", exclude_none=True)
    data["seeds"][0] |= {"grader": "last_digit", "path": "problems.csv"}
    (folder / "my.yaml").write_text(yaml.safe_dump(data))


def test_a_grader_and_an_exporter_of_a_file_serve_a_whole_run(tmp_path: Path) -> None:
    problems(tmp_path / "problems.csv", count=6)
    (tmp_path / "my.py").write_text(PLUGIN)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    with in_thread(lambda: ChaosServer(answer)) as server:
        written(tmp_path, server.url, export={"formats": ["my-pairs"]}, executor={"processes": 2})
        for words in (("validate", "../my.yaml"), ("run", "../my.yaml")):
            done = command(elsewhere, *words)
            assert done.returncode == 0, (words, done.stdout, done.stderr)
    done = command(elsewhere, "show", "../run", "--deepest", "--json")
    tree = json.loads(done.stdout)
    assert tree["turns"][0]["correct"]["verdict"]["evidence"]["check"] == "last_digit"
    (file,) = (tmp_path / "run" / "exports" / "my-pairs").glob("*.parquet")
    rows = pq.read_table(file).to_pylist()
    assert rows
    assert rows[0].keys() == {"prompt", "better"}
    # A later command has the run directory alone, which must not make it import anything: the user names the file.
    export = ("export", "../run", "-f", "my-pairs", "-o", "out")
    done = command(elsewhere, *export)
    assert done.returncode == 2
    assert "There is no export 'my-pairs'" in done.stderr.replace("there", "There")
    done = command(elsewhere, *export, ULTRAINTERACT_PLUGINS="../my.py")
    assert done.returncode == 0, done.stderr
    assert pq.read_table(elsewhere / "out" / "my-pairs").num_rows == len(rows)


@pytest.mark.parametrize(
    ("text", "saying"),
    [
        (None, "my.py is no Python file"),
        (
            "import no_such_module",
            "my.py fails to load: ModuleNotFoundError: No module named 'no_such_module'",
        ),
        ("def broken(:", "my.py fails to load: SyntaxError"),
    ],
)
def test_a_file_that_does_not_load_is_named(text: str | None, saying: str, tmp_path: Path) -> None:
    problems(tmp_path / "problems.csv")
    written(tmp_path, "http://127.0.0.1:9/v1")
    if text is not None:
        (tmp_path / "my.py").write_text(text)
    done = command(tmp_path, "validate", "my.yaml")
    assert done.returncode == 2
    assert saying in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr
