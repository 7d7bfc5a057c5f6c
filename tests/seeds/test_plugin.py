"""A dataset of one's own: a package that registers loaders by entry point, and the documentation that shows it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

PLUGIN = Path(__file__).parent / "plugin"
SCRIPT = """
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


def run(folder: Path, *path: Path) -> subprocess.CompletedProcess[str]:
    code = f"import sys; sys.path[:0] = {[str(p) for p in path]!r}\n{SCRIPT}"
    return subprocess.run(
        [sys.executable, "-c", code, str(folder)],
        capture_output=True,
        text=True,
        timeout=120,
        cwd=PLUGIN.parents[2],
    )


def test_an_installed_package_adds_datasets(tmp_path: Path) -> None:
    riddles = [
        {"id": 1, "text": "What has keys?", "solution": "A piano", "hint": "Music", "stars": 2},
        {"id": 2},
    ]
    (tmp_path / "acme_riddles.jsonl").write_text("\n".join(map(json.dumps, riddles)))
    (tmp_path / "acme_sums.jsonl").write_text(json.dumps({"a": 2, "b": "5"}))
    result = run(tmp_path, PLUGIN)
    assert result.returncode == 0, result.stderr
    found = json.loads(result.stdout)
    riddle, issue, cot, pot = found["items"]
    assert found["known"]
    assert riddle["prompt"] == "Solve the following problem step-by-step:\nWhat has keys?\nHint: Music"
    assert (riddle["source"], riddle["licence"], riddle["difficulty"]) == (
        "acme_riddles/train/1",
        "CC0-1.0",
        "2",
    )
    assert (issue["source"], issue["reason"]) == ("acme_riddles.jsonl:2", "field 'text' is missing")
    assert (cot["task"], pot["task"], pot["tools"], pot["solutions"]) == (
        "Math_CoT", "Math_PoT", ["python"], ["print(2 + 5)"],
    )  # fmt: skip


def test_a_broken_plugin_is_named(tmp_path: Path) -> None:
    info = tmp_path / "broken-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[ultrainteract.datasets]\nbroken = no_such_module\n")
    result = run(tmp_path, tmp_path)
    assert "The dataset plugin 'broken' (no_such_module) fails to load" in result.stderr


def test_two_loaders_of_one_name_are_refused() -> None:
    from ultrainteract.errors import ConfigError
    from ultrainteract.seeds import dataset, known_datasets

    known_datasets()
    with pytest.raises(ConfigError, match="Two loaders are registered as 'gsm8k'"):
        dataset("gsm8k", tasks=["Math_CoT"])(lambda row, seed: [])


def test_the_documentation_shows_this_plugin() -> None:
    source = (PLUGIN / "acme_riddles.py").read_text(encoding="utf-8")
    assert len(source.splitlines()) < 70
    assert source in (PLUGIN.parents[2] / "docs" / "seeds.md").read_text(encoding="utf-8")
