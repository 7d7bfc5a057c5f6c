"""What the documentation promises is so."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from ultrainteract.config import config_docs, load_config

ROOT = Path(__file__).parents[2]


def test_the_configuration_reference_is_current() -> None:
    page = (ROOT / "docs/configuration.md").read_text()
    assert page == config_docs(), "run: ultrainteract config docs > docs/configuration.md"


@pytest.mark.parametrize("path", sorted((ROOT / "configs").glob("*.yaml")), ids=lambda path: path.name)
def test_every_shipped_configuration_loads(path: Path) -> None:
    load_config(path)


def test_links_between_pages_lead_somewhere() -> None:
    for page in (ROOT / "README.md", *(ROOT / "docs").glob("*.md")):
        for target in re.findall(r"\]\((?!https?://|#)([^)#]+)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


@pytest.mark.bubblewrap
@pytest.mark.slow
def test_the_python_example_of_the_readme_runs(tmp_path: Path) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    limits = "".join(f', "seeds.{number}.limit=3"' for number in range(5))
    example = example.replace("runs/mine", str(tmp_path / "run")).replace('run"]', f'run"{limits}]')
    done = subprocess.run(
        [sys.executable, "-c", example], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "run" / "exports").is_dir()
    assert "complete" in done.stdout
