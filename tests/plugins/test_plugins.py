"""The examples of plugins, installed as packages and used: one for each registry, each small, each shown in the docs."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted(path.parent for path in (ROOT / "examples" / "plugins").glob("*/pyproject.toml"))
ANSWERS = """import sys
sys.stdin.read()
print("<thought>\\nStep 1: Two atoms of hydrogen and one of oxygen.\\n</thought>")
print("<solution>\\nAnswer: water\\n</solution>")
"""
LOADED = """
import json, sys
from pathlib import Path
from ultrainteract.config import SeedConfig
from ultrainteract.seeds import known_datasets, load_seed
items = [
    item.model_dump(mode="json")
    for name, options in (("acme_riddles", {"hints": True}), ("acme_sums", {}))
    for item in load_seed(SeedConfig(dataset=name, path=f"{name}.jsonl", options=options), Path(sys.argv[1]))
]
print(json.dumps({"known": "acme_sums" in known_datasets(), "items": items}))
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of packages with all examples, as pip installs them."""
    target = tmp_path_factory.mktemp("plugins")
    command = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
        "--no-index",
    ]
    command += ["--disable-pip-version-check", "--target", str(target), *map(str, EXAMPLES)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return target


def python(path: Path, *arguments: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": f"{path}{os.pathsep}{ROOT}"}
    return subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, timeout=120, env=environment, cwd=cwd
    )


def values(path: Path, program: str, *arguments: str) -> object:
    done = python(path, "-c", program, *arguments)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_there_is_an_example_for_each_registry() -> None:
    kinds = {path.name.partition("_")[0] for path in EXAMPLES}
    assert kinds == {"dataset", "exporter", "grader", "provider", "rule", "task", "tool"}
    for folder in EXAMPLES:
        lines = sum(len(path.read_text().splitlines()) for path in folder.rglob("*.py"))
        assert 0 < lines < 70, folder.name


def test_the_documentation_shows_the_examples() -> None:
    page = (ROOT / "docs" / "plugins.md").read_text(encoding="utf-8")
    for folder in EXAMPLES:
        if not folder.name.startswith("grader"):  # docs/grading.md shows it
            for path in (*folder.rglob("*.py"), *folder.rglob("*.md")):
                assert path.read_text(encoding="utf-8").rstrip() in page, path


def test_a_dataset(installed: Path, tmp_path: Path) -> None:
    riddles = [
        {"id": 1, "text": "What has keys?", "solution": "A piano", "hint": "Music", "stars": 2},
        {"id": 2},
    ]
    (tmp_path / "acme_riddles.jsonl").write_text("\n".join(map(json.dumps, riddles)))
    (tmp_path / "acme_sums.jsonl").write_text(json.dumps({"a": 2, "b": "5"}))
    found = values(installed, LOADED, str(tmp_path))
    assert isinstance(found, dict)
    riddle, issue, cot, pot = found["items"]
    assert found["known"]
    assert riddle["prompt"] == "Solve the following problem step-by-step:\nWhat has keys?\nHint: Music"
    assert (riddle["source"], riddle["licence"], riddle["difficulty"]) == (
        "acme_riddles/train/1",
        "CC0-1.0",
        "2",
    )
    assert (issue["source"], issue["reason"]) == (
        "acme_riddles.jsonl:2",
        "field 'text' is missing (there are: id)",
    )
    assert (cot["task"], pot["task"], pot["tools"], pot["solutions"]) == (
        "Math_CoT", "Math_PoT", ["python"], ["print(2 + 5)"],
    )  # fmt: skip


def test_a_run_with_a_task_a_rule_and_a_provider(installed: Path, tmp_path: Path) -> None:
    """A whole run from the command line: the provider answers `water` to everything."""
    (tmp_path / "answer.py").write_text(ANSWERS)
    questions = [
        {"q": "What is the common name of H2O?", "a": "water"},
        {"q": "What is the common name of NaCl?", "a": "salt"},
        {"q": "word " * 30 + "?", "a": "long"},
    ]
    (tmp_path / "chemistry.jsonl").write_text("\n".join(map(json.dumps, questions)))
    program = {
        "provider": "acme-command", "model": sys.executable, "options": {"arguments": ["answer.py"]},
        "requests_per_minute": 6000, "max_concurrency": 2,
    }  # fmt: skip
    config = {
        "seed": 3,
        "output": "run",
        "seeds": [
            {
                "dataset": "generic", "name": "chemistry", "path": "chemistry.jsonl", "grader": "text",
                "mapping": {"question": "q", "gold": "a"}, "tasks": ["Chemistry"],
            }
        ],
        "selection": {"rules": [{"name": "acme_brevity", "options": {"words": 20}}]},
        "models": {"actor": program, "critic": {"provider": "simulated", "model": "critic"}},
        "growth": {"ladder": [{"name": "sample", "model": "actor", "samples": 2}], "max_turns": 2},
        "critic": {"model": "critic"},
    }  # fmt: skip
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(config))
    done = python(installed, "-m", "ultrainteract", "run", "config.yaml", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    listed = python(installed, "-m", "ultrainteract", "show", "run", "--json", cwd=tmp_path)
    outcomes = {item["source"]: item for item in map(json.loads, listed.stdout.splitlines())}
    reasons = sorted((item["state"], item["reason"]) for item in outcomes.values())
    assert reasons[0] == ("sft_only", "solved")
    assert reasons[1] == ("skipped", "acme_brevity: its statement has 31 words")
    assert reasons[2][0] == "unsolved"
    shown = python(installed, "-m", "ultrainteract", "show", "run", "--deepest", "--json", cwd=tmp_path)
    tree = json.loads(shown.stdout)
    assert tree["instruction"]["task"] == "Chemistry"
    assert tree["instruction"]["prompt"].startswith(
        "Answer the following question of chemistry step-by-step:\n"
    )
    assert tree["turns"][0]["incorrect"]["provenance"]["provider"] == "acme-command"
    exported = python(installed, "-m", "ultrainteract", "stats", "run", "--json", cwd=tmp_path)
    assert exported.returncode == 0, exported.stderr


def test_an_exporter(installed: Path) -> None:
    program = """
import json
from ultrainteract.exporting import export_rows, known_exporters
from ultrainteract.exporting.example import example_tree
rows = list(export_rows("acme-ranked", [example_tree()]))
print(json.dumps([rows, known_exporters()["acme-ranked"].summary]))
"""
    rows, summary = values(installed, program)  # type: ignore[misc]
    assert summary == "Acme's ranker: a prompt and two responses, the better one first"
    assert rows
    assert rows[0].keys() == {"prompt", "better", "worse"}
    assert rows[0]["prompt"].startswith("user: ")
    assert rows[0]["better"] != rows[0]["worse"]


def test_a_task_brings_templates_and_borrows_the_rest(installed: Path) -> None:
    program = """
import json
from ultrainteract.prompts import Prompts
from ultrainteract.schema import Task
prompts = Prompts()
actor = prompts.render("actor/chemistry.cot", prompt="Why?", tools=())
critic = prompts._path("critic/chemistry").name
task = Task("Chemistry")
print(json.dumps([actor[0].content.splitlines()[0], actor[-1].content, critic, task.kind, task.runs_program]))
"""
    assert values(installed, program) == [
        "You answer questions of chemistry.",
        "Why?",
        "logic.md",
        "Logic",
        False,
    ]


def test_a_task_crosses_processes(installed: Path) -> None:
    program = """
import json, pickle
from ultrainteract.schema import Task
task = Task("Chemistry")
print(json.dumps([pickle.loads(pickle.dumps(task)) is task, task == "Chemistry", len(list(Task))]))
"""
    assert values(installed, program) == [True, True, 4]


def test_an_unknown_task_is_refused() -> None:
    from ultrainteract.schema import Task

    with pytest.raises(ValueError, match="'Alchemy' is not a valid Task"):
        Task("Alchemy")


TOOL = """
import asyncio, json, sys
from ultrainteract.config import SandboxConfig, SeedConfig
from ultrainteract.seeds import load_seed
from ultrainteract.tools import open_tools
from pathlib import Path

folder = Path(sys.argv[1])
config = SandboxConfig(kind="bubblewrap", containers=1, tools={"define": {"glossary": str(folder / "words.json")}})
seed = SeedConfig(
    dataset="generic", name="terms", path="terms.jsonl", mapping={"question": "q", "gold": "a"}, tasks=("Logic",),
    grader="text", tools=("define",),
)
(instruction,) = load_seed(seed, folder)
tools = open_tools(config)

async def main():
    if len(sys.argv) < 3:
        return [await tools["define"](" Mole "), await tools["define"]("x")]
    from ultrainteract.sandbox import open_sandbox
    sandbox = open_sandbox(config)
    try:
        await sandbox.start()
        return (await sandbox.run(["print(define('mole'))"], tools=tools)).stdout
    finally:
        await sandbox.close()

print(json.dumps([instruction.prompt, asyncio.run(main())]))
"""


@pytest.fixture
def terms(tmp_path: Path) -> Path:
    (tmp_path / "words.json").write_text(json.dumps({"mole": "An amount of substance."}))
    (tmp_path / "terms.jsonl").write_text(json.dumps({"q": "What does a mole measure?", "a": "amount"}))
    return tmp_path


def test_a_tool(installed: Path, terms: Path) -> None:
    prompt, answers = values(installed, TOOL, str(terms))  # type: ignore[misc]
    assert prompt == (
        "Tool available:\n[1] define(word: str) -> str\n"
        "The glossary gives the definition of one term of the field.\n"
        "Solve the following problem step-by-step:\nWhat does a mole measure?"
    )
    assert answers == ["An amount of substance.", "The glossary has no entry for 'x'."]


@pytest.mark.bubblewrap
def test_a_tool_called_by_a_program(installed: Path, terms: Path) -> None:
    _, output = values(installed, TOOL, str(terms), "run")  # type: ignore[misc]
    assert output == "An amount of substance.\n"


async def test_a_provider_keeps_to_the_limits_of_its_models() -> None:
    from ultrainteract.config import ModelConfig
    from ultrainteract.models import Resources

    resources, active, most = Resources(), 0, 0
    config = ModelConfig(provider="acme-command", model="m", max_concurrency=3)

    async def request() -> None:
        nonlocal active, most
        async with resources.reserve(config, "here", 10, 10):
            active += 1
            most = max(most, active)
            await asyncio.sleep(0)
            active -= 1

    await asyncio.gather(*(request() for _ in range(20)))
    assert most == 3


def test_a_broken_plugin_is_named(tmp_path: Path) -> None:
    info = tmp_path / "broken-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[ultrainteract.datasets]\nbroken = no_such_module\n")
    done = python(tmp_path, "-c", "from ultrainteract.seeds import known_datasets; known_datasets()")
    assert "The dataset plugin 'broken' (no_such_module) fails to load" in done.stderr


def test_two_datasets_of_one_name_are_refused() -> None:
    from ultrainteract.errors import ConfigError
    from ultrainteract.seeds import dataset, known_datasets

    known_datasets()
    with pytest.raises(ConfigError, match="Two datasets are registered as 'gsm8k'"):
        dataset("gsm8k", tasks=["Math_CoT"])(lambda row, seed: [])


def test_a_rule_says_what_it_refuses() -> None:
    from ultrainteract.errors import ConfigError
    from ultrainteract.seeds.selection.rules import build_rules

    with pytest.raises(
        ConfigError, match=r"selection.rules: there is no rule 'typo'; there are: drop_solved"
    ):
        build_rules(["typo"])
