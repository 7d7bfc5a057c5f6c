"""Seeds in another language: the page's own example through a run, from the prompt to the exported trajectory."""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from tests.running.first_day import settings
from tests.servers.chaos import Body, ChaosServer
from ultrainteract.api import export, run_async
from ultrainteract.errors import ConfigError
from ultrainteract.store import resume_run
from ultrainteract.wording import ENGLISH, load_wording

PAGE = Path(__file__).parents[2] / "docs" / "seeds.md"


@pytest.fixture
def german(tmp_path: Path) -> Path:
    (block,) = re.findall(r"^```yaml german\.yaml\n(.*?)^```", PAGE.read_text(), re.DOTALL | re.MULTILINE)
    path = tmp_path / "german.yaml"
    path.write_text(block)
    return path


async def test_a_run_speaks_the_language_of_its_seeds(german: Path, tmp_path: Path) -> None:
    with (tmp_path / "problems.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("id", "problem", "answer"), ("eins", "Was ist 2 plus 3?", "5")])
    seen: list[str] = []

    def answer(body: Body, index: int) -> str:
        if body["model"] == "critic":
            return "Addiere noch einmal."
        seen.append(body["messages"][-1]["content"])
        return f"Step 1: Ich addiere.\nAnswer: {5 if index % 2 else 6}"

    async with ChaosServer(answer) as server:
        config = settings(tmp_path, server.url)
        seed = config.seeds[0].model_copy(update={"wording": Path(german.name)})
        config = config.model_copy(update={"seeds": (seed,)})
        with resume_run(config) as store:
            await run_async(config, store, base=tmp_path)
    wanted = (
        "Löse die folgende Aufgabe Schritt für Schritt.\n"
        "Vereinfache die Lösung so weit wie möglich. Schreibe das Ergebnis als \\boxed{Ergebnis}.\nWas ist 2 plus 3?"
    )
    assert wanted in seen
    assert "Deine Antwort ist falsch.\nAddiere noch einmal." in seen
    export(config.output)
    (file_,) = (config.output / "exports" / "pair").glob("*.parquet")
    last = pq.read_table(file_).to_pylist()[-1]["trajectory"]
    said: list[dict[str, Any]] = [turn for turn in last if turn["from"] == "user"]
    assert said[0]["value"] == wanted
    assert said[-1]["value"].startswith("Deine Antwort ist falsch.")


def test_what_a_file_leaves_out_stays_english_and_a_misspelt_field_is_refused(german: Path) -> None:
    wording = load_wording(german)
    assert wording.sentences["Coding"] == ENGLISH.sentences["Coding"]
    assert wording.tools_head == ENGLISH.tools_head
    german.write_text("sentence: {Math_CoT: x}\n")
    with pytest.raises(ConfigError, match=r"german\.yaml does not fit:\n  sentence: "):
        load_wording(german)
