"""A first day with one's own data: a corrected gold, stops, shards, refusals, checks before money."""

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

from tests.running.first_day import ROOT, answer, grown, problems, settings
from tests.servers.chaos import Chaos, ChaosServer, in_thread
from ultrainteract.api import (
    export,
    find_tree,
    list_inputs,
    recorded_calls,
    stats,
)
from ultrainteract.cli import main
from ultrainteract.config import Shard
from ultrainteract.errors import ConfigError, StoreError
from ultrainteract.schema import TreeState
from ultrainteract.store import RunStore, merge, prune, resume_run, retry


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
