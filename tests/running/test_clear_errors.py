"""Errors of a first day with one's own data: each names what is wrong, where, and what may be meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.running.first_day import ROOT, answer, grown, problems, settings
from tests.servers.chaos import Chaos, ChaosServer, Fault
from ultrainteract.api import (
    find_tree,
    list_inputs,
    load_config,
    run,
    stats,
    validate,
)
from ultrainteract.config import RunConfig
from ultrainteract.errors import ConfigError, SeedError, StoreError


async def test_a_column_that_is_not_there_ends_the_run_and_names_those_that_are(tmp_path: Path) -> None:
    problems(tmp_path / "problems.csv")
    config = settings(tmp_path, "http://127.0.0.1:9/v1")
    mapping = config.seeds[0].mapping
    assert mapping is not None
    wrong = config.seeds[0].model_copy(update={"mapping": mapping.model_copy(update={"gold": "anwser"})})
    with pytest.raises(SeedError, match=r"'anwser' is missing \(there are: id, problem, answer\)"):
        await grown(config.model_copy(update={"seeds": (wrong,)}))


async def test_a_run_that_asked_nothing_binds_its_directory_to_nothing(tmp_path: Path) -> None:
    """A wrong column is corrected and the same command run again: no flag, no other directory."""
    problems(tmp_path / "problems.csv", count=2)
    async with ChaosServer(answer) as server:
        config = settings(tmp_path, server.url)
        mapping = config.seeds[0].mapping
        assert mapping is not None
        wrong = config.seeds[0].model_copy(update={"mapping": mapping.model_copy(update={"gold": "anwser"})})
        with pytest.raises(SeedError):
            await grown(config.model_copy(update={"seeds": (wrong,)}))
        report = await grown(config)
        assert (report.settled, report.grown, report.inputs) == (2, 2, 2), "nothing of the first try is left"
        with pytest.raises(StoreError, match=r"another configuration(.|\n)*gold"):
            await grown(config.model_copy(update={"seeds": (wrong,)}))


async def test_a_misspelt_grader_is_named_whatever_the_directory_holds(tmp_path: Path) -> None:
    problems(tmp_path / "problems.csv", count=2)
    config = settings(tmp_path, "http://127.0.0.1:9/v1")
    seed = config.seeds[0].model_copy(update={"grader": "maths"})
    with pytest.raises(
        ConfigError, match=r"seeds.0.grader: there is no grader 'maths'.*Did you mean 'math'\?"
    ):
        run(config.model_copy(update={"seeds": (seed,)}))
    assert not config.output.exists()


def test_every_unknown_name_of_a_file_is_told_at_once_on_its_line(tmp_path: Path) -> None:
    path = tmp_path / "names.yaml"
    path.write_text("""\
seeds:
  - {dataset: generic, path: a.csv}
  - dataset: SVAMPP
    path: b.json
    tools: [pyhton]
selection: {rules: [near_duplicates, lenth, {name: mathqa_patern}]}
models:
  actor: {provider: openai, model: m}
  other:
    provider: simulatted
    model: m
growth: {ladder: [{name: s, model: actor, samples: 4}]}
critic: {model: actor}
sandbox:
  tools:
    glosary: {}
export: {formats: [sft, paair]}
""")
    with pytest.raises(ConfigError) as caught:
        load_config(path, ["seeds.0.grader=maths", "models.actor.provider=opnai"])
    assert str(caught.value).splitlines() == [
        f"{path} has 9 problem(s):",
        "  on the command line: seeds.0.grader: there is no grader 'maths'. Did you mean 'math'?",
        "  on the command line: models.actor.provider: there is no provider 'opnai'. Did you mean 'openai'?",
        "  line 3: seeds.1.dataset: there is no dataset 'SVAMPP'. Did you mean 'svamp'?",
        "  line 5: seeds.1.tools.0: there is no tool 'pyhton'. Did you mean 'python'?",
        "  line 6: selection.rules.1: there is no rule 'lenth'; there are: drop_solved, mathqa_patterns, "
        "near_duplicates, numglue_tasks, tabmwp_levels.",
        "  line 6: selection.rules.2: there is no rule 'mathqa_patern'. Did you mean 'mathqa_patterns'?",
        "  line 10: models.other.provider: there is no provider 'simulatted'. Did you mean 'simulated'?",
        "  line 16: sandbox.tools.glosary: there is no tool 'glosary'; there are: python, wikipedia_search.",
        "  line 17: export.formats.1: there is no export 'paair'. Did you mean 'pair'?",
        "See `ultrainteract config docs` for every field.",
    ]


async def test_a_run_that_is_not_there_is_no_dataset_of_the_hub(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    problems(tmp_path / "problems.csv", count=1)
    async with ChaosServer(answer) as server:
        config = settings(tmp_path, server.url, output=str(tmp_path / "runs" / "mine"))
        await grown(config)
    monkeypatch.chdir(tmp_path)
    for read in (
        lambda: find_tree("runs/mien"),
        lambda: stats("runs/mien"),
        lambda: list(list_inputs("runs/mien")),
    ):
        with pytest.raises(StoreError, match=r"There is no runs/mien\. In runs there are: mine\."):
            read()


@pytest.mark.parametrize(("fault", "told"), [("429-retry-after", "overloaded"), ("500", "failed: HTTP 500")])
async def test_the_log_of_a_run_has_times_and_every_fault(fault: Fault, told: str, tmp_path: Path) -> None:
    problems(tmp_path / "problems.csv", count=4)
    async with ChaosServer(answer, Chaos({fault: 1.0}, failing_attempts=1, retry_after_s=0.01)) as server:
        config = settings(tmp_path, server.url)
        await grown(config)
    lines = (config.output / "run.log").read_text().splitlines()
    assert any(told in line for line in lines)
    assert all(line[:4].isdigit() and line[4] == "-" for line in lines if line)


def test_what_is_wrong_with_every_row_is_said_once_with_what_may_be_meant(tmp_path: Path) -> None:
    """A misspelt column, and a forgotten mapping of choices, which a table holds as text."""
    lines = ["frage,richtig,antworten", *(f'What is {n} + 1?,B,"[""{n}"", ""{n + 1}""]"' for n in range(12))]
    (tmp_path / "choice.csv").write_text("\n".join(lines))

    def seeds(**mapping: str) -> tuple[str, tuple[str, ...]]:
        seed = {
            "dataset": "generic", "path": str(tmp_path / "choice.csv"), "name": "mc", "tasks": ["Logic"],
            "grader": "choice", "mapping": {"question": "frage", "gold": "richtig", **mapping},
        }  # fmt: skip
        models = {name: {"provider": "simulated", "model": name} for name in ("actor", "critic")}
        config = settings(tmp_path, "", models=models).model_dump() | {"seeds": [seed]}
        checks = validate(RunConfig.model_validate(config), base=ROOT).checks
        (found,) = [check for check in checks if check.name == "seeds"]
        return found.detail, found.items

    detail, (line,) = seeds(question="frag", choices="antworten")
    assert detail == "0 instructions; 12 left out"
    assert line.endswith(
        "choice.csv:2 and 11 more: field 'frag' is missing (there are: frage, richtig, antworten); did you mean 'frage'?"
    )
    detail, (line,) = seeds()
    assert "there are no answer choices (in a mapping, `choices` names the field that holds them)" in line
    assert seeds(choices="antworten") == ("12 instructions (mc/Logic 12); 0 left out", ())
