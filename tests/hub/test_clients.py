"""The Hub as others use it: `datasets` pushes beside us, seeds come from it, commands read from it, runs publish to it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.hub.server import HubServer
from tests.hub.test_push import CONFIG, card, publication, publish
from ultrainteract.hub import check_rights, push

ROOT = Path(__file__).parents[2]


def python(program: str, *arguments: object, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "HF_DATASETS_DISABLE_PROGRESS_BARS": "1"}
    command = [sys.executable, "-c", program, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, env=environment, cwd=cwd)


def ultrainteract(*arguments: object, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return python("from ultrainteract.cli import main; main()", *arguments, cwd=cwd)


def test_datasets_pushes_and_we_push_beside_it(hub: HubServer, tmp_path: Path) -> None:
    made = python(
        "import datasets; datasets.Dataset.from_dict({'text': ['a', 'b']}).push_to_hub('alice/trees', 'extra')"
    )
    assert made.returncode == 0, made.stderr
    push(publication(tmp_path), check_rights(CONFIG, replace=True), CONFIG)
    header, _ = card(hub)
    assert [entry["config_name"] for entry in header["configs"]] == ["extra", "sft", "pair", "trees"]
    assert sum(bool(entry.get("default")) for entry in header["configs"]) == 1
    read = python(
        "import datasets\n"
        "print(datasets.load_dataset('alice/trees', 'extra', split='train')['text'][:])\n"
        "print(len(datasets.load_dataset('alice/trees', 'pair', split='train')))"
    )
    assert read.stdout == "['a', 'b']\n5\n", read.stderr


def test_commands_read_from_the_hub(hub: HubServer, tmp_path: Path) -> None:
    publish(tmp_path / "in")
    figures = ultrainteract("stats", "alice/trees", "--json")
    assert figures.returncode == 0, figures.stderr
    assert json.loads(figures.stdout)["steps"]  # from the trees, not only from the rows
    checked = ultrainteract("validate-data", "alice/trees")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    done = ultrainteract("export", "alice/trees", "-f", "trl-kto", "-o", tmp_path / "out")
    assert done.stdout == "trl-kto\t10\n", done.stderr


def test_seeds_come_from_the_hub_at_a_pinned_revision(hub: HubServer) -> None:
    made = python(
        "import datasets\n"
        "for answer in ('41', '42'):\n"
        "    rows = {'question': ['What is 6 times 7?'], 'answer': [f'Multiply.\\n#### {answer}']}\n"
        "    datasets.Dataset.from_dict(rows).push_to_hub('alice/seeds')"
    )
    assert made.returncode == 0, made.stderr
    log = hub.repos["alice/seeds"].log
    first = next(oid for _, oid, title in log if title == "Upload dataset")
    program = (
        "import sys; from pathlib import Path\n"
        "from ultrainteract.config import SeedConfig\n"
        "from ultrainteract.readers.sources import read_rows\n"
        "seen = {}\n"
        "revision = sys.argv[1] or None\n"
        "rows = list(read_rows(SeedConfig(dataset='gsm8k', path='alice/seeds', revision=revision), Path('.'), (), seen))\n"
        "print(rows[0].data['answer'][-2:], seen['alice/seeds'])"
    )
    latest, pinned = python(program, ""), python(program, first)
    assert latest.stdout == f"42 {hub.repos['alice/seeds'].branches['main']}\n", latest.stderr
    assert pinned.stdout == f"41 {first}\n", pinned.stderr


@pytest.fixture
def config(tmp_path: Path) -> Path:
    demo = yaml.safe_load((ROOT / "configs" / "demo.yaml").read_text())
    demo["seeds"] = [
        {"dataset": "gsm8k", "path": str(ROOT / "data/gsm8k/train.jsonl"), "tasks": ["Math_CoT"], "limit": 3}
    ]
    demo["output"] = str(tmp_path / "run")
    demo["publish"] = {"repo": "alice/demo", "licence": "mit"}
    path = tmp_path / "config.yaml"
    path.write_text(yaml.safe_dump(demo))
    return path


def test_a_run_that_will_publish_checks_its_rights_first(
    hub: HubServer, config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    simulated = ultrainteract("run", config, "--publish")
    assert simulated.returncode == 9
    assert "--allow-simulated" in simulated.stderr
    monkeypatch.setenv("HF_TOKEN", "hf_reader")
    refused = ultrainteract("run", config, "--publish", "--allow-simulated")
    assert refused.returncode == 9
    assert "can only read" in refused.stderr
    assert not (tmp_path / "run").exists()


@pytest.mark.bubblewrap
def test_a_run_publishes_when_done(hub: HubServer, config: Path) -> None:
    done = ultrainteract("run", config, "--publish", "--allow-simulated")
    assert done.returncode == 0, done.stderr
    assert "Published: " in done.stderr
    files = hub.files("alice/demo")
    assert json.loads(files["stats.json"])["trees"] == 3
    header, body = card(hub, "alice/demo")
    assert header["license"] == "mit"
    assert "simulated" in header["tags"]
    assert "`simulated-critic`" in body
    described = json.loads(files["run.json"])
    assert described["simulated"] is True
    assert str(ROOT) not in files["run.json"].decode()


def test_check_alone_and_push_by_command(hub: HubServer, tmp_path: Path) -> None:
    publication(tmp_path / "in")
    checked = ultrainteract("push", tmp_path / "in", "alice/trees", "--check")
    assert checked.returncode == 0, checked.stderr
    assert "alice may write to the dataset alice/trees" in checked.stderr
    assert not hub.repos
    done = ultrainteract("push", tmp_path / "in", "alice/trees", "-f", "pair", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["changed"] is True
    assert [name for name in hub.files("alice/trees") if name.endswith(".parquet")] == [
        "pair/train-00000-of-00001.parquet"
    ]
