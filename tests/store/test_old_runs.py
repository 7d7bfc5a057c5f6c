"""Runs of an older store format open, resume, merge and export to the same bytes; their ledgers still add up."""

from __future__ import annotations

import hashlib
import shutil
import tarfile
from pathlib import Path

import pytest
import yaml

from ultrainteract import export, load_config, run, schema
from ultrainteract.config import RunConfig, Shard
from ultrainteract.config.binding import binding
from ultrainteract.schema import TreeState
from ultrainteract.seeds import SeedIssue, loading
from ultrainteract.store import RunStore, merge, open_runs, skipped_key

DATA = Path(__file__).parent / "data" / "old_run.tar.xz"
EXPORTED = {
    "pair/train-00000-of-00001.parquet": "0bd7bfddbebe8539053fde54cb717f2f0ee31465e51fa40d916c3dd35e49a71f",
    "sft/train-00000-of-00001.parquet": "b9d6a94f820dec294ab6e4e2bd51425cb840622e2cf191e22661b88536b4f972",
}


@pytest.fixture
def old(tmp_path: Path) -> Path:
    with tarfile.open(DATA) as archive:
        archive.extractall(tmp_path, filter="data")
    return tmp_path


def configuration(old: Path, output: str) -> RunConfig:
    return load_config(old / "config.yaml", [f"output={old / output}", "executor.processes=1"])


def exported(store: RunStore, folder: Path) -> dict[str, str]:
    export(store, folder)
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*.parquet"))
    }


def ledger(store: RunStore) -> dict[tuple[str, str], tuple[str, str]]:
    """State and rule of every input: the words after the rule may have changed since the run was made."""
    return {(o.dataset, o.source): (o.state.value, o.reason.partition(":")[0]) for o in store.outcomes()}


def test_a_finished_run_is_read_as_it_is(old: Path) -> None:
    with RunStore.open(old / "finished") as store:
        assert store.meta("format") == "2"
        assert exported(store, old / "exports") == EXPORTED
        assert sum(store.counts().values()) == store.inputs() == 26
        assert store.counts()[TreeState.SKIPPED] == 8
        assert store.config().name == "old"


@pytest.mark.bubblewrap
def test_an_interrupted_run_resumes_and_ends_as_the_finished_one(old: Path) -> None:
    with RunStore.open(old / "interrupted") as store:
        spent = sum(spend.requests for spend in store.spend())
        assert sum(store.counts().values()) < 26
    with RunStore.open(old / "finished") as store:
        wanted, total = ledger(store), sum(spend.requests for spend in store.spend())
    report = run(configuration(old, "interrupted"), base=old)
    assert report.inputs == report.settled == 26
    with RunStore.open(old / "interrupted") as store:
        assert ledger(store) == wanted
        assert exported(store, old / "exports") == EXPORTED
        assert spent < sum(spend.requests for spend in store.spend()) == total, "nothing was paid for twice"
        assert store.admitted() == []


def test_an_old_run_that_had_ended_gets_no_second_line_for_an_input(old: Path) -> None:
    with RunStore.open(old / "finished") as store:
        before = ledger(store)
    report = run(configuration(old, "finished"), base=old)
    assert report.settled == report.inputs == 26
    with RunStore.open(old / "finished") as store:
        assert ledger(store) == before
        assert store.meta("format") == "3"


def test_old_runs_merge_with_each_other_and_with_migrated_ones(old: Path) -> None:
    RunStore.open(
        old / "interrupted", readonly=False
    ).close()  # migrated: its skipped inputs have other keys now
    merge([old / "finished", old / "interrupted"], old / "merged")
    with RunStore.open(old / "merged") as store:
        assert sum(store.counts().values()) == 26
        assert store.meta("format") == "3"
        assert exported(store, old / "exports") == EXPORTED
        for outcome in store.outcomes():
            if outcome.state is TreeState.SKIPPED and not outcome.reason.startswith("the actor solves"):
                rule = outcome.reason.partition(":")[0]
                assert outcome.key == skipped_key(outcome.dataset, outcome.source, rule)


def test_old_shards_merge_to_the_whole_and_resume(old: Path) -> None:
    from contextlib import ExitStack

    shards = sorted((old / "sharded").iterdir())
    merge(shards, old / "merged")
    with RunStore.open(old / "merged") as store:
        assert exported(store, old / "exports") == EXPORTED
        assert sum(store.counts().values()) == store.inputs() == 26
    for index in (1, 2):  # skipped inputs may belong to another shard than before: each takes its own
        config = configuration(old, "sharded").model_copy(update={"shard": Shard(index=index, count=2)})
        report = run(config, base=old)
        assert report.settled == report.inputs
    with ExitStack() as stack:
        runs = open_runs([str(old / "sharded")], stack)
        assert sum(runs.counts().values()) == runs.inputs() == 26


def test_a_reworded_reason_changes_no_ledger(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every sentence that an issue may hold is another one in the second session; dataset, source and rule stay."""
    text = yaml.safe_load((old / "config.yaml").read_text("utf-8"))
    text["seeds"] = text["seeds"][:1]
    text["selection"] = {"decontaminate": text["selection"]["decontaminate"]}
    text["seeds"][0]["tasks"] = ["Math_CoT"]
    (old / "reworded.yaml").write_text(yaml.safe_dump(text), encoding="utf-8")
    config = load_config(old / "reworded.yaml", [f"output={old / 'reworded'}"])
    first = run(config, base=old)
    with RunStore.open(old / "reworded") as store:
        before = [(o.key, o.state, o.source) for o in store.outcomes()]
        skipped = [o for o in store.outcomes() if o.state is TreeState.SKIPPED]
    assert {o.reason.partition(":")[0] for o in skipped} == {"unusable", "duplicate", "decontaminate"}

    class Reworded(SeedIssue):
        def model_post_init(self, _: object) -> None:
            object.__setattr__(self, "reason", f"said in other words ({len(self.reason)})")

    monkeypatch.setattr(loading, "SeedIssue", Reworded)
    second = run(config, base=old)
    with RunStore.open(old / "reworded") as store:
        assert [(o.key, o.state, o.source) for o in store.outcomes()] == before
        assert any("said in other words" in o.reason for o in store.outcomes())
    assert second.inputs == first.inputs == second.settled
    shutil.rmtree(old / "reworded")


def test_a_field_that_is_added_later_unbinds_no_run_until_it_is_used() -> None:
    class SamplingParams(schema.SamplingParams):
        top_k: int | None = None

    plain = binding(schema.SamplingParams(temperature=0.5))
    assert plain == {"temperature": 0.5, "top_p": 1.0, "max_tokens": 2048, "stop": [], "seed": None}
    assert binding(SamplingParams(temperature=0.5)) == plain
    assert binding(SamplingParams(temperature=0.5, top_k=4)) == {**plain, "top_k": 4}
