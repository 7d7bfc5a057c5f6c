"""`export`, `stats`, `validate-data`, `import`, `push --dry-run` as a user types them."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import yaml

from tests.builders import config as run_config
from tests.exporting.forest import forest
from ultrainteract.store import Outcome, RunStore

PUBLISHED = Path(__file__).parents[1] / "exporting" / "data"


def command(*arguments: object) -> subprocess.CompletedProcess[str]:
    program = [sys.executable, "-c", "from ultrainteract.cli import main; main()", *map(str, arguments)]
    return subprocess.run(program, capture_output=True, text=True)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    with RunStore.create(folder, run_config()) as store:
        outcomes = [
            (Outcome(key=t.id, state=t.state, dataset=t.instruction.dataset, source=""), t) for t in forest()
        ]
        asyncio.run(store.put_outcomes(outcomes))  # type: ignore[arg-type]
    return folder


def test_export_of_a_run(run: Path, tmp_path: Path) -> None:
    done = command(
        "export", run, "-f", "pair", "-f", "trl-kto", "-o", tmp_path / "out", "--task", "Math_PoT", "--json"
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["rows"] == {"pair": 2, "trl-kto": 4}
    assert pq.read_table(tmp_path / "out" / "pair").num_rows == 2
    again = command(
        "export", tmp_path / "out", "-o", tmp_path / "again", "-f", "reward", "--set", "filter.max_turn=1"
    )
    assert again.returncode == 0, again.stderr
    assert again.stdout == "reward\t1\n"


def test_export_into_the_run_by_default(run: Path) -> None:
    done = command("export", run)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "sft\t7\npair\t5\ntrees\t5\n"
    assert (run / "exports" / "run.json").is_file()


def test_export_explains_what_is_wrong(run: Path, tmp_path: Path) -> None:
    for arguments, message in (
        (("export",), "Name a run directory"),
        (("export", run, "-f", "nothing"), "there is no export 'nothing'; there are: axolotl-dpo"),
        (("export", run, "--sft", "some"), "sft: Input should be 'all' or 'leaf'"),
        (("export", run, "--set", "filter.nothing=1"), "filter.nothing"),
        (("export", run, "--mix", "x"), "NAME=PATH:RATIO"),
        (("export", PUBLISHED), "say with --output"),
    ):
        done = command(*arguments)
        assert done.returncode == 2, done.stderr
        assert message in done.stderr
        assert done.stderr.startswith("error: ")


def test_the_list_of_exports() -> None:
    done = command("export", "--list")
    assert "llama-factory-ranking" in done.stdout


def test_stats_of_a_run_and_of_published_rows(run: Path) -> None:
    done = command("stats", run, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["pairs"] == 5
    tables = command("stats", PUBLISHED)
    assert tables.returncode == 0, tables.stderr
    for words in (
        "Table 1",
        "Table 1 of the paper",
        "10,440",
        "85,918",
        "219,819",
        "286,979",
        "Table 7",
        "magicoder_evol_instruct",
    ):
        assert words in tables.stdout


def test_stats_say_what_a_pair_cost(tmp_path: Path) -> None:
    root = Path(__file__).parents[2]
    settings = yaml.safe_load((root / "configs" / "demo.yaml").read_text())
    seed = {
        "dataset": "gsm8k",
        "path": str(root / "data/gsm8k/train.jsonl"),
        "tasks": ["Math_CoT"],
        "limit": 5,
    }
    settings["seeds"] = [seed]
    settings["models"]["actor"]["price"] = {"input": 0, "output": 4}
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(settings))
    grown = command("run", tmp_path / "config.yaml", "-o", tmp_path / "run", "--no-export")
    assert grown.returncode == 0, grown.stderr
    spent = json.loads(command("status", tmp_path / "run", "--json").stdout)["spend"]
    figures = json.loads(command("stats", tmp_path / "run", "--json").stdout)
    cost = sum(item["cost"] for item in spent)
    assert cost == pytest.approx(
        4e-6 * sum(i["completion_tokens"] for i in spent if i["model"] == "simulated-actor")
    )
    assert figures["spent"]["cost_per_pair"] == pytest.approx(cost / figures["pairs"])
    assert f"${cost / figures['pairs']:.6f}" in command("stats", tmp_path / "run").stdout


def test_a_folder_of_exports_can_be_looked_at(run: Path, tmp_path: Path) -> None:
    done = command("import", PUBLISHED, "-o", tmp_path / "trees")
    assert done.returncode == 0, done.stderr
    listed = command("show", tmp_path / "trees")
    assert listed.returncode == 0, listed.stderr
    heading, *rows = listed.stdout.splitlines()
    assert heading.split()[:3] == ["id", "state", "task"]
    assert len(rows) == 5
    deepest = command("show", tmp_path / "trees", "--deepest")
    assert "turn 3" in deepest.stdout
    _, *rows = command("show", run, "--state", "complete").stdout.splitlines()
    assert {row.split()[1] for row in rows} == {"complete"}
    for folder in (run, tmp_path / "trees"):
        missing = command("show", folder, "nothing")
        assert missing.returncode in (4, 10)
        assert "begins with 'nothing'" in missing.stderr


def test_figures(run: Path, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    done = command("stats", run, "--json", "--figures", tmp_path / "figures")
    assert done.returncode == 0, done.stderr
    names = {path.name for path in (tmp_path / "figures").iterdir()}
    assert names == {"turns.png", "lengths.png", "datasets.png", "pass_rates.png"}
    before = {name: (tmp_path / "figures" / name).read_bytes() for name in names}
    command("stats", run, "--json", "--figures", tmp_path / "figures")
    assert before == {name: (tmp_path / "figures" / name).read_bytes() for name in names}


def test_import_then_stats_then_export(tmp_path: Path) -> None:
    done = command("import", PUBLISHED, "-o", tmp_path / "trees", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"read": {"sft": 8, "pair": 6}, "trees": 5, "issues": {}}
    assert json.loads(command("stats", tmp_path / "trees", "--json").stdout)["correct"] == 9
    exported = command("export", tmp_path / "trees", "-o", tmp_path / "out", "-f", "pair")
    assert exported.stdout == "pair\t6\n"
    rows = pq.read_table(tmp_path / "out" / "pair").to_pylist()
    assert rows == [
        json.loads(line) for line in (PUBLISHED / "published_pair.jsonl").read_text().splitlines()
    ]


def test_validate_data_says_what_breaks_where(tmp_path: Path) -> None:
    assert command("validate-data", PUBLISHED).returncode == 0
    rows = (PUBLISHED / "published_pair.jsonl").read_text().splitlines()
    (tmp_path / "pair.jsonl").write_text("\n".join([*rows, rows[0]]) + "\n")
    done = command("validate-data", tmp_path)
    assert done.returncode == 10
    assert "duplicate_id" in done.stdout
    assert "pair.jsonl:7: " in done.stdout
    found = json.loads(command("validate-data", tmp_path, "--json").stdout)
    assert {violation["rule"] for violation in found["violations"]} == {"duplicate", "duplicate_id"}


def test_push_without_a_hub(run: Path, tmp_path: Path) -> None:
    refused = command("push", run, "alice/trees", "--dry-run", tmp_path / "folder")
    assert refused.returncode == 9
    assert "--allow-simulated" in refused.stderr
    done = command("push", run, "alice/trees", "--dry-run", tmp_path / "folder", "--allow-simulated")
    assert done.returncode == 0, done.stderr
    card = (tmp_path / "folder" / "README.md").read_text()
    assert "**Simulated data.**" in card
    assert 'load_dataset("alice/trees", "sft")' in card
    assert (tmp_path / "folder" / "trees" / "train-00000-of-00001.parquet").is_file()
    assert str(run) not in (tmp_path / "folder" / "run.json").read_text()
