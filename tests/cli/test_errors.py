"""Bad input: a clear message on stderr, an exit code of its own, nothing lost."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from ultrainteract.cli import _COMMANDS, _GROUPS, _assemble, app

ROOT = Path(__file__).parents[2]
DEMO = ROOT / "configs" / "demo.yaml"


def cli(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "ultrainteract", *arguments]
    environment = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=120, env=environment)


def written(folder: Path, **changes: object) -> Path:
    """The demo's configuration with changes, over math alone (no sandbox needed)."""
    data = yaml.safe_load(DEMO.read_text())
    gsm8k = str(ROOT / "data/gsm8k/train.jsonl")
    data["seeds"] = [{"dataset": "gsm8k", "path": gsm8k, "tasks": ["Math_CoT"], "limit": 5}]
    data["output"] = str(folder / "run")
    path = folder / "config.yaml"
    path.write_text(yaml.safe_dump({**data, **changes}))
    return path


def fails(code: int, *arguments: str, saying: str) -> None:
    done = cli(*arguments)
    assert done.returncode == code, done.stderr
    assert saying in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_a_wrong_field_is_named(tmp_path: Path) -> None:
    path = written(tmp_path, sede=3)
    line = next(n for n, text in enumerate(path.read_text().splitlines(), 1) if text.startswith("sede:"))
    fails(2, "run", str(path), saying=f"line {line}: sede: there is no such field; did you mean 'seed'?")
    assert not (tmp_path / "run").exists()


def test_a_missing_field_is_named(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_text("name: x\n")
    fails(2, "run", str(path), saying="seeds: this field is required")


def test_a_model_that_is_not_there_is_named(tmp_path: Path) -> None:
    fails(
        2,
        "run",
        str(written(tmp_path, critic={"model": "nobody"})),
        saying="critic.model: no model named 'nobody'",
    )


def test_a_bad_override_is_named(tmp_path: Path) -> None:
    fails(2, "run", str(written(tmp_path)), "growth.max_turns=many", saying="growth.max_turns")


def test_an_unreadable_config_is_named(tmp_path: Path) -> None:
    fails(2, "run", str(tmp_path / "none.yaml"), saying="Cannot read the config")


def test_an_unreadable_seed_file_is_named(tmp_path: Path) -> None:
    seeds = [{"dataset": "gsm8k", "path": str(tmp_path / "missing.jsonl")}]
    fails(3, "run", str(written(tmp_path, seeds=seeds)), saying="missing.jsonl")


def test_a_missing_key_is_found_before_anything_is_sent(tmp_path: Path) -> None:
    data = yaml.safe_load(DEMO.read_text())
    data["models"]["actor"] = {
        "model": "gpt-x",
        "base_url": "https://models.example/v1",
        "api_key_env": "NO_SUCH_KEY",
    }
    path = written(tmp_path, models=data["models"])
    fails(2, "run", str(path), saying="NO_SUCH_KEY")
    done = cli("validate", str(path))
    assert done.returncode == 1
    assert "FAIL  keys" in done.stdout


def test_a_run_directory_of_another_configuration_is_left_alone(tmp_path: Path) -> None:
    path = written(tmp_path)
    assert cli("run", str(path)).returncode == 0
    before = cli("status", str(tmp_path / "run"), "--json").stdout
    fails(4, "run", str(path), "seed=8", "growth.max_turns=2", saying="growth.max_turns: 5 → 2")
    assert cli("status", str(tmp_path / "run"), "--json").stdout == before
    assert cli("run", str(path), "seed=8", "--accept-config").returncode == 0


def test_fresh_wants_to_be_told_twice(tmp_path: Path) -> None:
    path = written(tmp_path)
    assert cli("run", str(path)).returncode == 0
    fails(2, "run", str(path), "--fresh", saying="Add --yes")
    assert (tmp_path / "run" / "store.sqlite").exists()
    assert cli("run", str(path), "--fresh", "--yes").returncode == 0


def test_no_run_there(tmp_path: Path) -> None:
    fails(4, "status", str(tmp_path), saying="is not a run directory")


def test_a_full_disk_stops_the_run_and_it_resumes_when_there_is_room(tmp_path: Path) -> None:
    path = written(tmp_path)
    whole, filled = tmp_path / "whole", tmp_path / "filled"
    assert cli("run", str(path), "-o", str(whole)).returncode == 0
    program = (
        "import resource, signal, sys\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (150_000, 150_000))\n"  # files cannot grow beyond this
        "from ultrainteract.cli import main; main()"
    )
    command = [sys.executable, "-c", program, "run", str(path), "-o", str(filled)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=120)
    assert done.returncode == 4, done.stderr
    assert "make room or repair the disk" in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr
    assert cli("run", str(path), "-o", str(filled)).returncode == 0
    for name in ("sft", "pair", "trees"):
        (one,), (two,) = (list((folder / "exports" / name).iterdir()) for folder in (whole, filled))
        assert one.read_bytes() == two.read_bytes()


def test_bad_seed_lines_are_skipped_with_file_and_line(tmp_path: Path) -> None:
    lines = (ROOT / "data/gsm8k/train.jsonl").read_text().splitlines()[:3]
    seeds = tmp_path / "seeds.jsonl"
    seeds.write_text("\n".join([lines[0], "{not json", '{"question": "no answer"}', lines[1]]) + "\n")
    path = written(tmp_path, seeds=[{"dataset": "gsm8k", "path": str(seeds), "tasks": ["Math_CoT"]}])
    assert cli("run", str(path)).returncode == 0
    ledger = cli("show", str(tmp_path / "run"), "--state", "skipped").stdout
    assert ledger.count("skipped") == 2
    assert "seeds.jsonl" in ledger


@pytest.mark.clock
def test_help_answers_at_once() -> None:
    least = min(_cpu_seconds_of_help() for _ in range(3))
    assert least < 0.4, f"ultrainteract --help takes {least:.2f} s"


def _cpu_seconds_of_help() -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = cli("--help")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.returncode == 0
    assert "validate-data" in done.stdout
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def _commands() -> Iterator[tuple[str, Any]]:
    """Every command of the command line by its words: `run`, `seeds build` …"""
    root: Any = typer.main.get_command(app)
    groups = [("", root)]
    while groups:
        prefix, group = groups.pop()
        for name, found in group.commands.items():
            if hasattr(found, "commands"):
                groups.append((f"{prefix}{name} ", found))
            else:
                yield f"{prefix}{name}", found


_assemble()
COMMANDS = dict(_commands())


def test_all_commands_are_looked_at() -> None:
    assert {*_COMMANDS} <= {*COMMANDS}
    assert {name.partition(" ")[0] for name in COMMANDS if " " in name} == {*_GROUPS}


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_every_command_explains_itself_within_twenty_flags(command: str) -> None:
    """Each option is one flag, whatever short form or negation it has; each says what it does."""
    found = COMMANDS[command]
    options = [parameter for parameter in found.params if parameter.param_type_name == "option"]
    assert len(options) <= 20, [option.opts for option in options]
    assert found.help
    assert all(option.help for option in options)


def test_init_writes_a_config_that_loads(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    assert cli("init", str(path)).returncode == 0
    assert cli("config", "show", str(path)).returncode == 0
    fails(2, "init", str(path), saying="is there already")


def test_config_docs_cover_every_field() -> None:
    from ultrainteract.config import RunConfig, config_docs

    docs = config_docs()
    assert all(f"| `{name}` |" in docs for name in RunConfig.model_fields)
    assert "|  |" not in docs, "a field without a docstring"


def test_what_the_command_line_sets_is_not_blamed_on_the_file(tmp_path: Path) -> None:
    path = tmp_path / "my.yaml"
    path.write_text("name: x\ngrowth:\n  max_turns: many\n")
    overrides = ("growth.max_trns=2", "budget.max_cost=much")
    fails(2, "validate", str(path), *overrides, saying="on the command line: growth.max_trns")
    said = " ".join(cli("validate", str(path), *overrides).stderr.split())
    assert "line 3: growth.max_turns:" in said
    assert "on the command line: budget.max_cost:" in said


def test_nor_is_it_in_an_evaluation_or_an_export() -> None:
    from ultrainteract.config import ExportConfig, apply_overrides
    from ultrainteract.config.loading import load_evaluation_config
    from ultrainteract.errors import ConfigError

    path = Path(__file__).parents[2] / "configs" / "evaluation" / "real.yaml"
    for overrides, changes in ((["rollout.samples=0"], {}), ([], {"rollout.samples": 0})):
        with pytest.raises(ConfigError, match=r"  on the command line: rollout\.samples: "):
            load_evaluation_config(path, overrides, changes)
    for changes, overrides in (({"validation": 7}, []), ({}, ["validation=7"])):
        with pytest.raises(ConfigError, match="  on the command line: validation: "):
            apply_overrides(ExportConfig(), changes, overrides)


def test_a_key_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path)
    text = path.read_text() + "seed: 3\nseed: 4\n"
    path.write_text(text.replace("seed: 7\n", "", 1))
    fails(2, "run", str(path), saying="seed")
    said = cli("run", str(path)).stderr
    last = len(path.read_text().splitlines())
    assert f"line {last}" in " ".join(said.split()), said


def test_an_address_without_a_scheme_is_named(tmp_path: Path) -> None:
    data = yaml.safe_load(DEMO.read_text())["models"]
    data["actor"] = {"model": "m", "base_url": "localhost:8000/v1"}
    path = written(tmp_path, models=data)
    fails(2, "run", str(path), saying="models.actor.base_url")
    assert "http://localhost:8000/v1" in " ".join(cli("run", str(path)).stderr.split())


def test_a_home_folder_is_found_in_every_path(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "seeds.jsonl").write_text((ROOT / "data/gsm8k/train.jsonl").read_text())
    seeds = [{"dataset": "gsm8k", "path": "~/seeds.jsonl", "tasks": ["Math_CoT"], "limit": 2}]
    path = written(home, seeds=seeds, output="~/run")
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(home), "PYTHONPATH": str(ROOT)}
    for command in (["run", "~/config.yaml"], ["run", "~/config.yaml", "-o", "~/run"], ["status", "~/run"], ["show", "~/run"],
                    ["export", "~/run", "-o", "~/exports"]):  # fmt: skip
        done = subprocess.run(
            [sys.executable, "-m", "ultrainteract", *command],
            capture_output=True, text=True, cwd=tmp_path, timeout=120, env=environment,
        )  # fmt: skip
        assert done.returncode == 0, (command, done.stderr)
    assert (home / "run" / "store.sqlite").is_file()
    assert list((home / "exports" / "pair").glob("*.parquet"))
    assert not (tmp_path / "~").exists()
    assert path.parent == home


@pytest.mark.parametrize(
    ("code", "arguments"),
    [
        (4, ("run", "CONFIG", "-o", "READONLY/run")),
        (4, ("export", "RUN", "-o", "READONLY/exports")),
        (2, ("init", "READONLY/my.yaml")),
        (4, ("merge", "RUN", "-o", "READONLY/merged")),
    ],
)
def test_a_place_that_cannot_be_written_is_named_without_a_traceback(
    tmp_path: Path, code: int, arguments: tuple[str, ...]
) -> None:
    path = written(tmp_path)
    if "RUN" in arguments:
        assert cli("run", str(path)).returncode == 0
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o555)
    names = {"READONLY": str(closed), "CONFIG": str(path), "RUN": str(tmp_path / "run")}
    words = ["/".join(names.get(part, part) for part in word.split("/")) for word in arguments]
    # Root writes anywhere, unless it gives that capability up.
    ordinary = ["setpriv", "--bounding-set=-dac_override"] if os.geteuid() == 0 else []
    done = subprocess.run(
        [*ordinary, sys.executable, "-m", "ultrainteract", *words],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=120,
    )
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    assert str(closed) in "".join(done.stderr.split())


def test_a_command_that_is_ended_politely_leaves_no_temporary_folder(tmp_path: Path) -> None:
    rows = tmp_path / "pairs.jsonl"
    row = {"task": "Math_CoT", "dataset": "sums", "trajectory": [{"from": "user", "value": "1 + 1?"}],
           "chosen": "2", "rejected": "3", "id": "a", "parent_id": "a"}  # fmt: skip
    rows.write_text(json.dumps(row) + "\n")
    scratch = tmp_path / "tmp"
    scratch.mkdir()
    viewer = subprocess.Popen(
        [sys.executable, "-m", "ultrainteract", "view", str(rows), "--no-browser"],
        env={**os.environ, "TMPDIR": str(scratch)}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert viewer.stdout is not None
    assert viewer.stdout.readline().startswith("http"), viewer.communicate()[1]
    assert list(scratch.iterdir()), "its index lies there"
    viewer.send_signal(signal.SIGTERM)
    viewer.communicate(timeout=30)
    assert viewer.returncode == 128 + signal.SIGTERM
    assert not list(scratch.iterdir())
