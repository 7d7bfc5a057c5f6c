"""The self-check and the commands, on the shipped records with the real graders and the real sandbox."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from seed_helpers import DATA, load, run_config, write_lines
from typer.testing import CliRunner

from ultrainteract.cli.seeds import app
from ultrainteract.config import SandboxConfig, SeedConfig
from ultrainteract.grading import Graders
from ultrainteract.sandbox import open_sandbox
from ultrainteract.seeds.check import check_dataset


@pytest.mark.parametrize(
    ("dataset", "path"),
    [("gsm8k", "gsm8k"), ("MATH", "math"), ("strategyqa", "strategyqa"), ("lsat_lr", "agieval_lsat_lr")],
)
async def test_gold_answers_verify_and_shifted_ones_do_not(dataset: str, path: str) -> None:
    instructions, _ = load(SeedConfig(dataset=dataset, path=path), DATA)
    async with Graders() as graders:
        found = await check_dataset(dataset, instructions, graders, None)
    assert found.answers is not None
    assert found.answers.exceptions == ()
    assert found.answers.false_accepts == ()
    assert found.answers.checked == len({i.question for i in instructions})


@pytest.mark.bubblewrap
async def test_reference_solutions_pass_their_own_tests_only() -> None:
    instructions, _ = load(SeedConfig(dataset="codecontest", path="codecontests"), DATA)
    names = [i.source.split("/", 2)[2] for i in instructions]
    sandbox = open_sandbox(SandboxConfig(kind="bubblewrap", containers=1))
    await sandbox.start()
    try:
        async with Graders() as graders:
            found = await check_dataset(
                "codecontest",
                instructions,
                graders,
                sandbox,
                dict.fromkeys(names[:19], "pass") | {names[19]: "fail"},
            )
    finally:
        await sandbox.close()
    assert found.solutions is not None
    assert (found.solutions.accepted, found.solutions.false_accepts) == (20, ())
    assert dict(found.solutions.expectations) == {"fail → correct": 1, "pass → correct": 19}
    assert found.solutions.disagreements == ()


def config_file(folder: Path, *seeds: dict, **selection: object) -> Path:
    path = folder / "config.yaml"
    path.write_text(yaml.safe_dump(run_config(list(seeds), **selection).model_dump(mode="json")))
    return path


def test_build_command(tmp_path: Path) -> None:
    seeds = [{"dataset": "gsm8k", "path": str(DATA / "gsm8k")}, {"dataset": "strategyqa", "path": "s.jsonl"}]
    (tmp_path / "s.jsonl").write_text('{"question": "Can it?", "answer": true}\n{"question": "And?"}\noops\n')
    config = config_file(tmp_path, *seeds)
    result = CliRunner().invoke(app, ["build", str(config), "--out", str(tmp_path / "out")])
    assert result.exit_code == 0, result.output
    assert "gsm8k: 60 records, 0 unusable, 120 instructions" in result.stdout
    assert "strategyqa: 3 records, 2 unusable, 1 instructions" in result.stdout
    assert "121 instructions kept; the counts add up." in result.stdout
    issues = [json.loads(line) for line in (tmp_path / "out" / "issues.jsonl").read_text().splitlines()]
    assert [(issue["source"], issue["kind"]) for issue in issues] == [
        ("s.jsonl:2", "unusable"),
        ("s.jsonl:3", "unusable"),
    ]
    as_json = json.loads(CliRunner().invoke(app, ["build", str(config), "--json"]).stdout)
    assert as_json["datasets"][1]["kept"] == {"Logic": 1}


def test_build_command_takes_the_width_of_n_grams(tmp_path: Path) -> None:
    write_lines(tmp_path / "s.jsonl", [{"question": "Can a cat climb a tall tree?", "answer": True}])
    write_lines(tmp_path / "test.jsonl", [{"question": "Can a cat climb a small tree?"}])
    seed = {"dataset": "strategyqa", "path": "s.jsonl"}
    config = config_file(tmp_path, seed, decontaminate=[str(tmp_path / "test.jsonl")])
    for options, kept in (((), 1), (("--n", "5"), 0), (("--near", "0.01"), 0)):
        result = CliRunner().invoke(app, ["build", str(config), *options])
        assert f"{kept} instructions kept; the counts add up." in result.stdout, result.output


def test_check_command_fails_on_a_false_accept(tmp_path: Path) -> None:
    write_lines(
        tmp_path / "a.jsonl",
        [
            {"q": "Which?", "c": ["same", "same"], "a": "A"},
            {"q": "Which one?", "c": ["same", "same"], "a": "B"},
        ],
    )
    seed = {
        "dataset": "generic", "path": "a.jsonl", "name": "twins", "tasks": ["Logic"], "grader": "choice",
        "mapping": {"question": "q", "choices": "c", "gold": "a"},
    }  # fmt: skip
    result = CliRunner().invoke(app, ["check", str(config_file(tmp_path, seed))])
    assert result.exit_code == 1
    assert "shifted answers   accepted 1 of 1" in result.stdout
    good = {"dataset": "strategyqa", "path": str(DATA / "strategyqa")}
    result = CliRunner().invoke(app, ["check", str(config_file(tmp_path, good)), "--json"])
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)[0]["answers"]["accepted"] == 25


def test_list_command() -> None:
    text = CliRunner().invoke(app, ["list"]).stdout
    assert "gsm8k  (Math_CoT, Math_PoT; MIT)" in text
    assert "mathqa_patterns" in text
    known = json.loads(CliRunner().invoke(app, ["list", "--json"]).stdout)["datasets"]
    assert known["codecontest"]["options"] == [
        "max_solutions",
        "max_tests",
        "max_test_chars",
        "min_hidden_tests",
    ]
