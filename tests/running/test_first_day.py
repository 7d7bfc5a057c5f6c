"""A first day with one's own data: a corrected gold, stops, shards, refusals, checks before money, clear errors."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from tests.running.first_day import answer, problems, settings
from tests.servers.chaos import Chaos, ChaosServer, Fault, in_thread
from ultrainteract.api import (
    export,
    find_tree,
    list_inputs,
    load_config,
    recorded_calls,
    run,
    run_async,
    stats,
    validate,
)
from ultrainteract.cli import main
from ultrainteract.config import RunConfig, Shard
from ultrainteract.errors import ConfigError, SeedError, StoreError
from ultrainteract.running import RunReport
from ultrainteract.schema import TreeState
from ultrainteract.store import RunStore, merge, prune, resume_run, retry

ROOT = Path(__file__).parents[2]


async def grown(config: RunConfig, base: Path = ROOT, **options: Any) -> RunReport:
    with resume_run(config) as store:
        return await run_async(config, store, base=base, **options)


def golds(folder: Path) -> dict[str, str | None]:
    with RunStore.open(folder) as store:
        return {tree.instruction.source.rpartition("/")[2]: tree.instruction.gold for tree in store.trees()}


# ------------------------------------------------------------------------------------- 1: seeds that change


@pytest.mark.parametrize("place", ["anywhere", "in its folder"])
async def test_a_corrected_gold_leaves_no_wrong_label(
    tmp_path: Path, place: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    problems(tmp_path / "problems.csv", p3="999")
    monkeypatch.chdir(tmp_path)
    folder = tmp_path if place == "anywhere" else Path()
    async with ChaosServer(answer) as server:
        config = settings(folder, server.url)
        await grown(config, folder)
        assert golds(config.output)["p3"] == "999"
        paid = server.books.requests
        export(config.output)
        assert "changed since the run read them" not in caplog.text
        problems(tmp_path / "problems.csv", count=7)  # p3 is corrected, p7 is gone
        export(config.output)
        assert "changed since the run read them: its trees are of the earlier ones" in caplog.text
        report = await grown(config, folder)
        assert server.books.requests - paid <= 2 * 2 * 2, "what did not change is not asked again"
    assert "0 added, 1 removed, 1 changed" in caplog.text
    assert report.inputs == report.settled == 7
    assert report.set_aside == 2
    assert golds(config.output) == {f"p{n}": str(3 * n + 4) for n in range(7)}
    export(config.output)
    (file,) = (config.output / "exports" / "pair").glob("*.parquet")
    assert "999" not in {row["chosen"][-3:] for row in pq.read_table(file).to_pylist()}
    assert stats(config.output).trees == 7

    problems(tmp_path / "problems.csv", p3="999")  # as it was: what was paid for comes back
    report = await grown(config)
    assert (report.settled, report.grown, report.set_aside) == (8, 0, 1)
    with RunStore.open(config.output, readonly=False) as store:
        assert prune(store) == 1
        assert (store.count_set_aside(), sum(store.counts().values())) == (0, 8)


async def test_sums_follow_what_is_set_aside(tmp_path: Path) -> None:
    problems(tmp_path / "problems.csv")
    async with ChaosServer(answer) as server:
        config = settings(tmp_path, server.url)
        await grown(config)
        problems(tmp_path / "problems.csv", count=4)
        report = await grown(config)
    with RunStore.open(config.output) as store:
        trees = list(store.trees())
    assert report.pairs == sum(len(list(tree.pairs())) for tree in trees)
    assert report.turns == sum(tree.depth for tree in trees)


async def test_retry_draws_anew(tmp_path: Path) -> None:
    problems(tmp_path / "problems.csv", count=2)
    async with ChaosServer(answer) as server:
        config = settings(tmp_path, server.url)
        await grown(config)
        paid = server.books.requests
        with RunStore.open(config.output, readonly=False) as store:
            assert retry(store, TreeState.COMPLETE) == 2
        assert (await grown(config)).grown == 2
        assert server.books.requests == 2 * paid


async def test_limit_goes_on_to_the_whole_set_without_a_flag(tmp_path: Path) -> None:
    problems(tmp_path / "problems.csv")
    async with ChaosServer(answer) as server:
        config = settings(tmp_path, server.url)
        few = await grown(config.model_copy(update={"limit": 3}))
        assert (few.settled, few.stopped, few.finished) == (3, False, False)
        problems(tmp_path / "problems.csv", p1="5.0001")  # looked at, and fixed
        again = await grown(config.model_copy(update={"limit": 3}))
        assert (again.settled, again.grown, again.set_aside) == (3, 1, 1)
        whole = await grown(config)
    assert (whole.settled, whole.grown, whole.finished) == (8, 5, True)


# ------------------------------------------------------------------------------------------- 2: every stop ends


def started(folder: Path, *arguments: str, url: str, count: int = 8) -> subprocess.Popen[str]:
    problems(folder / "problems.csv", count)
    config = folder / "my.yaml"
    config.write_text(settings(folder, url).model_dump_json(exclude_none=True))
    command = [sys.executable, "-m", "ultrainteract", "run", str(config), *arguments]
    environment = {**os.environ, "COLUMNS": "120", "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def wait_for(condition: Any, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.02)


def test_a_stop_with_every_endpoint_down_ends_at_once(tmp_path: Path) -> None:
    with in_thread(lambda: ChaosServer(answer, Chaos(delay_s=0.05))) as server:
        process = started(tmp_path, url=server.url, count=400)
        wait_for(lambda: server.books.whole > 10)
    # The server is gone; the circuit opens after three refused connections.
    log = tmp_path / "run" / "run.log"
    wait_for(lambda: log.exists() and "is paused" in log.read_text())
    process.send_signal(signal.SIGTERM)
    began = time.monotonic()
    _, talk = process.communicate(timeout=30)
    assert process.returncode == 75, talk
    assert time.monotonic() - began < 15
    assert "are left for the next run" in " ".join(talk.split())
    assert "Traceback" not in talk


def test_an_interrupt_finishes_only_what_has_begun_and_says_how_many(tmp_path: Path) -> None:
    with in_thread(lambda: ChaosServer(answer, Chaos(delay_s=0.3))) as server:
        process = started(tmp_path, url=server.url, count=400)
        wait_for(lambda: server.books.whole > 8)
        process.send_signal(signal.SIGINT)
        _, talk = process.communicate(timeout=60)
        assert process.returncode == 75, talk
        words = " ".join(talk.split())
        assert "trees that have begun a turn are finished first" in words
        finishing, left = (
            int(words.split(f" {mark}")[0].split()[-1]) for mark in ("trees that have begun", "that have not")
        )
        assert 1 <= finishing <= 16
        assert left >= 96 - finishing - 1
    with RunStore.open(tmp_path / "run") as store:
        assert 1 <= sum(store.counts().values()) < 40


def test_a_server_that_was_never_there_ends_the_run_with_its_address(tmp_path: Path) -> None:
    problems(tmp_path / "problems.csv")
    config = settings(tmp_path, "http://127.0.0.1:9/v1").model_dump(mode="json", exclude_none=True)
    for model in config["models"].values():
        model["startup_timeout_s"] = 1.5
    (tmp_path / "my.yaml").write_text(json.dumps(config))
    command = [sys.executable, "-m", "ultrainteract", "run", str(tmp_path / "my.yaml")]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=60)
    assert done.returncode == 7, done.stderr
    assert "http://127.0.0.1:9/v1" in done.stderr
    assert "has not answered once" in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr


# ------------------------------------------------------------------------------------------------- 3: shards


async def test_shards_and_whole_runs_do_not_share_a_folder(tmp_path: Path) -> None:
    problems(tmp_path / "problems.csv")
    async with ChaosServer(answer) as server:
        config = settings(tmp_path, server.url)
        shard = config.model_copy(update={"shard": Shard(index=1, count=2)})
        await grown(shard)
        with pytest.raises(StoreError, match=r"--shard INDEX/2.*merge"):
            resume_run(config)
        whole = config.model_copy(update={"output": tmp_path / "whole"})
        await grown(whole)
        with pytest.raises(StoreError, match="Go on without --shard"):
            resume_run(shard.model_copy(update={"output": tmp_path / "whole"}))


async def test_a_shard_says_that_a_corrected_problem_may_belong_to_another(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    problems(tmp_path / "problems.csv", p3="999")
    async with ChaosServer(answer) as server:
        shards = [
            settings(tmp_path, server.url).model_copy(update={"shard": Shard(index=index, count=2)})
            for index in (1, 2)
        ]
        for shard in shards:
            await grown(shard)
        problems(tmp_path / "problems.csv")
        await grown(shards[0])
        with pytest.raises(
            ConfigError, match="shard-0001-of-0002 and shard-0002-of-0002 read different ones"
        ):
            export(shards[0].output)
        caplog.clear()
        stats(shards[0].output)
        assert "The seeds changed between shards" in caplog.text
        await grown(shards[1])
    assert "Run every shard again before you export" in caplog.text
    caplog.clear()
    export(shards[0].output)
    assert "The seeds changed" not in caplog.text
    (file,) = (shards[0].output / "exports" / "pair").glob("*.parquet")
    assert "999" not in {row["chosen"][-3:] for row in pq.read_table(file).to_pylist()}


async def test_runs_of_different_settings_are_mixed_by_a_flag_alone(tmp_path: Path) -> None:
    problems(tmp_path / "problems.csv")
    async with ChaosServer(answer) as server:
        one = settings(tmp_path, server.url)
        other = settings(tmp_path, server.url, seed=4, output=str(tmp_path / "other"))
        for config in (one, other):
            await grown(config)
    folders = (one.output, other.output)
    for read in (lambda: stats(*folders), lambda: export(folders, tmp_path / "exports")):
        with pytest.raises(ConfigError, match=r"different settings(.|\n)*seed: 0 → 4(.|\n)*--mixed"):
            read()
    assert stats(*folders, mixed=True).trees == 8, "an instruction counts once"
    rows = export(folders, tmp_path / "exports", mixed=True).rows["pair"]
    ids = [
        row["id"]
        for file in (tmp_path / "exports" / "pair").glob("*.parquet")
        for row in pq.read_table(file).to_pylist()
    ]
    assert len(ids) == len(set(ids)) == rows


# ---------------------------------------------------------------------------------------- 4: refused requests


async def test_a_refused_first_turn_is_failed_and_asked_again_by_the_next_run(tmp_path: Path) -> None:
    problems(tmp_path / "problems.csv", count=3)
    filtered = {"on": True}

    def refuses(body: dict[str, Any]) -> bool:
        return filtered["on"] and "What is 4 plus 3?" in str(body["messages"])

    async with ChaosServer(answer, Chaos(filtered=refuses)) as server:
        config = settings(tmp_path, server.url)
        report = await grown(config)
        assert report.states[TreeState.FAILED] == 1
        (outcome,) = list_inputs(config.output, "failed")
        assert "content filter" in outcome.reason
        filtered["on"] = False
        report = await grown(config)
    assert report.states[TreeState.FAILED] == 0
    assert report.settled == 3


async def test_the_samples_of_a_failed_input_are_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Turn 1 was answered, the critic never: there is no tree, but what was paid for can be looked at, also when merged."""
    problems(tmp_path / "problems.csv", count=3)

    def poison(body: dict[str, Any]) -> bool:
        return body["model"] == "critic" and "What is 4 plus 3?" in str(body["messages"])

    async with ChaosServer(answer, Chaos(poison=poison)) as server:
        config = settings(tmp_path, server.url)
        config = config.model_copy(update={"growth": config.growth.model_copy(update={"stop": "full"})})
        report = await grown(config)
        assert report.states[TreeState.FAILED] == 1
        merge([config.output], tmp_path / "merged")
        for folder in (config.output, tmp_path / "merged"):
            calls = list(recorded_calls(folder, "p1"))
            assert {call.role for call in calls} == {"actor"}
            assert "What is 4 plus 3?" in calls[0].messages[-1].content
            assert {call.source for call in recorded_calls(folder)} == {f"sums/train/p{n}" for n in range(3)}
        listed = {outcome.source[-2:]: outcome.task for outcome in list_inputs(config.output)}
        assert listed == dict.fromkeys(("p0", "p1", "p2"), "Math_CoT"), "also of the input without a tree"
        monkeypatch.setattr(sys, "argv", ["ultrainteract", "show", str(config.output), "p1", "--raw"])
        with pytest.raises(SystemExit, match="0"):
            main()
        assert "[sample 0" in capsys.readouterr().out
        server.chaos.poison = lambda body: False
        report = await grown(config)
        assert (report.states[TreeState.FAILED], report.settled) == (0, 3)
        with RunStore.open(config.output) as store:
            assert store.failed() == store.admitted() == []


async def test_no_incorrect_is_not_said_where_nothing_was_proved(tmp_path: Path) -> None:
    problems(tmp_path / "problems.csv", count=1)
    async with ChaosServer(lambda body, index: "I cannot say.") as server:
        config = settings(tmp_path, server.url).model_copy(update={"stop_unread_after": None})
        await grown(config)
    assert find_tree(config.output).ended == "no_verdict"


# ------------------------------------------------------------------------------------------------- 6: errors


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
