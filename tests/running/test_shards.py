"""Shards: together they are the unsharded run to the byte; cut anew in mid-run they keep what was recorded."""

from __future__ import annotations

import os
import signal
import sqlite3
import time
from contextlib import ExitStack
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.running.processes import digests, finish, recorded, start
from ultrainteract.cli import _assemble, app
from ultrainteract.config import RunConfig, Shard, load_config
from ultrainteract.errors import ConfigError, StoreError
from ultrainteract.running import RunReport
from ultrainteract.store import RunStore, open_runs

pytestmark = [pytest.mark.bubblewrap, pytest.mark.slow, pytest.mark.timeout(600)]

_assemble()


def command(*arguments: str) -> str:
    result = CliRunner().invoke(app, [*arguments])
    assert result.exit_code == 0, (result.output, result.exception)
    return result.output


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole") / "run"
    finish(start(folder))
    return folder


@pytest.fixture(scope="module")
def shards(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shards") / "run"
    for index in (1, 2, 3):
        finish(start(folder, "--shard", f"{index}/3"))
    return folder


def exported(folder: Path) -> dict[str, str]:
    return {name.partition("/")[2]: digest for name, digest in digests(folder).items()}


def test_shards_export_what_one_run_does(whole: Path, shards: Path, tmp_path: Path) -> None:
    command("export", str(shards), "-o", str(tmp_path / "a" / "exports"))
    command("export", str(shards / "shard-*"), "-o", f"file://{tmp_path}/b/exports")
    assert exported(tmp_path / "a") == exported(tmp_path / "b") == exported(whole)


def test_shards_report_and_merge_to_what_one_run_holds(whole: Path, shards: Path, tmp_path: Path) -> None:
    command("merge", str(shards), "-o", str(tmp_path / "merged"))
    command("merge", f"file://{shards}", "-o", str(tmp_path / "remote"))
    with ExitStack() as stack:
        one, *others = (
            RunReport.of(open_runs([str(place)], stack))
            for place in (whole, shards, tmp_path / "merged", tmp_path / "remote")
        )
    assert one.inputs == one.settled > 40
    for other in others:
        different = {"store_bytes": one.store_bytes, "kept_cost": one.kept_cost, "spend": one.spend}
        assert other.model_copy(update=different) == one
        assert sum(item.completions for item in other.spend) == sum(item.completions for item in one.spend)
    finish(start(tmp_path / "merged"))
    assert exported(tmp_path / "merged") == exported(whole)
    with RunStore.open(tmp_path / "merged") as store:
        assert sum(item.requests for item in store.spend()) == sum(item.requests for item in one.spend)


def test_shards_cut_anew_in_mid_run_keep_every_recorded_call(whole: Path, tmp_path: Path) -> None:
    run, total = tmp_path / "run", recorded(whole)
    for index in (1, 2):
        process = start(run, "--shard", f"{index}/2", "--no-export")
        deadline = time.monotonic() + 60
        while recorded(run / f"shard-000{index}-of-0002") < total // 5 and time.monotonic() < deadline:
            time.sleep(0.005)
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
    before = sum(recorded(run / f"shard-000{index}-of-0002") for index in (1, 2))
    assert total // 3 < before < total
    for index in (1, 2, 3, 4):
        finish(start(run, "--shard", f"{index}/4", "--no-export"))
    assert sum(recorded(run / f"shard-000{index}-of-0004") for index in (1, 2, 3, 4)) == total
    command("export", str(run), "-o", str(tmp_path / "exports"))
    assert exported(tmp_path) == exported(whole)
    with ExitStack() as stack:
        report = RunReport.of(open_runs([str(run)], stack))
        paid = sum(item.completions for item in report.spend)
    with RunStore.open(whole) as store:
        assert paid == sum(item.completions for item in store.spend()), "no recorded call was paid for twice"
        assert report.inputs == store.inputs() == report.settled
        assert report.pairs == store.tallies()["pairs"]


def test_a_compacted_run_keeps_its_trees_and_the_calls_of_unfinished_ones(
    whole: Path, tmp_path: Path
) -> None:
    run, total = tmp_path / "run", recorded(whole)
    process = start(run, "--no-export")
    deadline = time.monotonic() + 60
    while recorded(run) < total // 2 and time.monotonic() < deadline:
        time.sleep(0.005)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    with RunStore.open(run) as store:
        paid, finished = store.spend(), {outcome.key for outcome in store.outcomes()}
        size = store.size()
    command("compact", str(run))
    with RunStore.open(run) as store:
        assert store.size() < size
    assert 0 < recorded(run) < total // 2, "the calls of trees under way are still there"
    finish(start(run))
    assert exported(run) == exported(whole)
    with RunStore.open(run) as store, RunStore.open(whole) as other:
        assert store.spend() == other.spend() != paid, "nothing recorded was paid for twice"
        assert finished <= {outcome.key for outcome in store.outcomes()}
    changed = load_config("configs/demo.yaml", ["seed=99"])
    with pytest.raises(StoreError, match="was compacted"):
        RunStore.resume(run, changed, accept_config=True)


def test_a_shard_still_being_written_is_not_taken_over(tmp_path: Path) -> None:
    run = tmp_path / "run"
    finish(start(run, "--shard", "1/2", "--no-export"))
    with RunStore.open(run / "shard-0001-of-0002", readonly=False):
        process = start(run, "--shard", "1/4", "--no-export")
        _, talk = process.communicate(timeout=60)
        assert process.returncode == 4
        assert "Another process is running in" in talk
    finish(start(run, "--shard", "1/4", "--no-export"))


def test_parts_of_different_runs_are_refused_field_by_field(shards: Path, tmp_path: Path) -> None:
    finish(start(tmp_path / "other", "seed=99", "--no-export"))
    result = CliRunner().invoke(
        app, ["merge", str(shards), str(tmp_path / "other"), "-o", str(tmp_path / "x")]
    )
    assert isinstance(result.exception, StoreError)
    assert "seed: 7 → 99" in str(result.exception)
    assert not (tmp_path / "x").exists()


def test_a_slice_is_a_half_of_a_slice_twice_its_size() -> None:
    for number in (-(2**63), -5, -1, 0, 1, 7, 2**62 + 3):
        (of_four,) = (i for i in range(1, 5) if Shard(index=i, count=4).holds(number))
        (of_two,) = (i for i in range(1, 3) if Shard(index=i, count=2).holds(number))
        assert (of_four - 1) % 2 == of_two - 1
    for text in ("0/4", "5/4", "4", "a/b", "/", "1/0"):
        with pytest.raises(ConfigError, match="counted from 1"):
            Shard.parse(text)


def test_rates_and_budgets_are_divided_by_the_number_of_shards() -> None:
    changes = ["models.actor.requests_per_minute=60", "budget.max_tokens=1001"]
    config = load_config("configs/openai.yaml", changes).share(64)
    assert config.models["actor"].requests_per_minute == 0.9375
    assert config.budget.max_cost == 50 / 64
    assert config.budget.max_tokens == 15
    assert RunConfig.model_validate(config.model_dump()) == config, "workers on a cluster are told so"


def test_a_glob_that_matches_nothing_is_an_error(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["status", str(tmp_path / "shard-*")])
    assert isinstance(result.exception, StoreError)
    with sqlite3.connect(tmp_path / "store.sqlite") as connection:
        connection.execute("CREATE TABLE meta (key, value)")
    result = CliRunner().invoke(app, ["status", str(tmp_path)])
    assert isinstance(result.exception, StoreError)
