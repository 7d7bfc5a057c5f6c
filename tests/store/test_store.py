"""The run directory: durable, bound to one configuration, answered from its record."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import sqlite3
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tests.builders import Scripted, config, cycle, math_cot
from ultrainteract.config import Shard
from ultrainteract.errors import BudgetExceeded, ProviderError, StoreError
from ultrainteract.models import price_of
from ultrainteract.models.base import ChatRequest, Purpose
from ultrainteract.replay import RecordedSampler, Session
from ultrainteract.schema import Message, TreeState
from ultrainteract.store import STORE_FILE, CallRecord, Outcome, RunStore, resume_run

ASK = (Message(role="user", content="?"),)
PURPOSE = Purpose(role="actor", step="sample")


def session(store: RunStore, model: Scripted, **fields: object) -> Session:
    settings = config(**fields)
    return RecordedSampler(store, {"actor": model}, settings, price_of).session(math_cot())


def outcome(key: str, state: TreeState = TreeState.UNSOLVED) -> Outcome:
    return Outcome(key=key, state=state, dataset="gsm8k", source="x")


async def test_samples_are_answered_from_the_record_in_order(tmp_path: Path) -> None:
    model = Scripted("actor", lambda request, ordinal: f"text {ordinal}")
    with RunStore.create(tmp_path, config()) as store:
        calls = session(store, model)
        first = await calls.sample("actor", ASK, 3, PURPOSE)
        more = await calls.sample("actor", ASK, 2, PURPOSE)
        assert [s.completion.text for s in first + more] == [f"text {n}" for n in range(5)]
        assert [s.provenance.ordinal for s in first + more] == list(range(5))
    with RunStore.open(tmp_path, readonly=False) as store:
        again = await session(store, model).sample("actor", ASK, 7, PURPOSE)
    assert again[:5] == first + more
    assert model.drawn == 7, "five were recorded, two are new"
    assert model.requests[-1].first == 5


async def test_two_trees_with_the_same_request_pay_once(tmp_path: Path) -> None:
    class Slow(Scripted):
        async def sample(self, request: ChatRequest):
            await asyncio.sleep(0.01)
            return await super().sample(request)

    model = Slow("actor", cycle("a", "b"))
    with RunStore.create(tmp_path, config()) as store:
        calls = RecordedSampler(store, {"actor": model}, config(), price_of)
        sessions = [calls.session(math_cot()) for _ in range(5)]
        found = await asyncio.gather(*(s.sample("actor", ASK, 4, PURPOSE) for s in sessions))
    assert model.drawn == 4
    assert all(samples == found[0] for samples in found)


async def test_a_short_reply_is_topped_up_and_a_refusal_is_remembered(tmp_path: Path) -> None:
    class OneAtATime(Scripted):
        async def sample(self, request: ChatRequest):
            return await super().sample(request.model_copy(update={"n": 1}))

    class Refusing(Scripted):
        async def sample(self, request: ChatRequest):
            self.requests.append(request)
            raise ProviderError("content policy", refused=True)

    short, refusing = OneAtATime("actor", lambda request, ordinal: str(ordinal)), Refusing("actor", cycle(""))
    with RunStore.create(tmp_path, config()) as store:
        found = await session(store, short).sample("actor", ASK, 3, PURPOSE)
        assert [s.completion.text for s in found] == ["0", "1", "2"]
        other = (Message(role="user", content="forbidden"),)
        for _ in range(2):
            assert await session(store, refusing).sample("actor", other, 4, PURPOSE) == []
    assert len(refusing.requests) == 1


async def test_spending_is_counted_by_role_step_model_and_task(tmp_path: Path) -> None:
    settings = config(models={"actor": {"provider": "simulated", "model": "m", "price": {"input": 1.0, "output": 10.0}},
                              "pool": {"model": "p"}, "critic": {"model": "c"}})  # fmt: skip
    with RunStore.create(tmp_path, settings) as store:
        calls = RecordedSampler(store, {"actor": Scripted("m", cycle("x"))}, settings, price_of).session(
            math_cot()
        )
        samples = await calls.sample("actor", ASK, 2, PURPOSE)
        (spend,) = store.spend()
    assert (spend.role, spend.step, spend.model, spend.task) == ("actor", "sample", "m", "Math_CoT")
    assert (spend.requests, spend.completions, spend.prompt_tokens, spend.completion_tokens) == (
        1,
        2,
        100,
        20,
    )
    assert spend.cost == pytest.approx((100 * 1.0 + 20 * 10.0) / 1e6)
    assert sum(s.provenance.cost or 0 for s in samples) == pytest.approx(spend.cost)


async def test_a_budget_stops_requests_and_its_record_stays(tmp_path: Path) -> None:
    settings = config(budget={"max_tokens": 500})
    model = Scripted("actor", cycle("x"))
    with RunStore.create(tmp_path, settings) as store:
        calls = session(store, model, budget={"max_tokens": 500})

        async def spend_all() -> None:
            for _ in range(100):
                await calls.sample("actor", ASK, 1, PURPOSE)

        with pytest.raises(BudgetExceeded, match="raise the budget"):
            await spend_all()
        assert 400 <= sum(s.prompt_tokens + s.completion_tokens for s in store.spend()) <= 660
        raised = session(store, model, budget={"max_tokens": 5000})
        before = len(model.requests)
        await raised.sample("actor", ASK, before, PURPOSE)
        assert len(model.requests) == before, "everything up to here was recorded"
        await raised.sample("actor", ASK, 1, PURPOSE)
        assert len(model.requests) == before + 1


async def test_another_configuration_is_refused_field_by_field(tmp_path: Path) -> None:
    with RunStore.create(tmp_path, config()) as store:
        await session(store, Scripted("actor", cycle("x"))).sample("actor", ASK, 1, PURPOSE)
    changed = config({"max_turns": 3}, seed=9)
    with pytest.raises(StoreError) as caught:
        RunStore.resume(tmp_path, changed)
    assert "growth.max_turns: 5 → 3" in str(caught.value)
    assert "seed: 0 → 9" in str(caught.value)
    RunStore.resume(tmp_path, changed, accept_config=True).close()
    RunStore.resume(tmp_path, changed).close()


def test_delivery_settings_may_change_between_sessions(tmp_path: Path) -> None:
    RunStore.create(tmp_path, config()).close()
    models = {
        n: {"provider": "simulated", "model": n, "max_concurrency": 3}
        for n in ("actor", "strong", "pool", "critic")
    }
    RunStore.resume(tmp_path, config(models=models, max_inflight_trees=2, budget={"max_cost": 5})).close()


async def test_accepting_a_configuration_keeps_calls_and_drops_trees(tmp_path: Path) -> None:
    model = Scripted("actor", cycle("x"))
    with RunStore.create(tmp_path, config()) as store:
        await session(store, model).sample("actor", ASK, 1, PURPOSE)
        await store.put_outcomes([(outcome("a"), None)])
    with RunStore.resume(tmp_path, config({"max_turns": 2}), accept_config=True) as store:
        assert sum(store.counts().values()) == 0
        await session(store, model).sample("actor", ASK, 1, PURPOSE)
    assert model.drawn == 1


async def test_the_ledger_has_one_line_an_input_and_failed_ones_may_change(tmp_path: Path) -> None:
    with RunStore.create(tmp_path, config()) as store:
        await store.put_outcomes([(outcome("a", TreeState.FAILED), None), (outcome("b"), None)])
        assert store.counts()[TreeState.FAILED] == 1
        await store.put_outcomes([(outcome("a", TreeState.UNSOLVED), None)])
        assert store.counts() == {s: 2 if s is TreeState.UNSOLVED else 0 for s in TreeState}


def test_two_processes_cannot_write_to_one_run(tmp_path: Path) -> None:
    with RunStore.create(tmp_path, config()):
        with pytest.raises(StoreError, match="Another process"):
            RunStore.open(tmp_path, readonly=False)
        RunStore.open(tmp_path).close()


def test_no_run_directory_and_a_damaged_one_are_said_to_be_so(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="not a run directory"):
        RunStore.open(tmp_path)
    (tmp_path / "store.sqlite").write_bytes(b"not a database at all" * 500)
    with pytest.raises(StoreError, match="not a database"):
        RunStore.open(tmp_path)


def _limit_files() -> None:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000))


def test_a_full_disk_stops_the_run_and_loses_nothing(tmp_path: Path) -> None:
    RunStore.create(tmp_path, config()).close()
    program = textwrap.dedent(
        """
        import asyncio, sys
        from ultrainteract.errors import StoreError
        from ultrainteract.store import ObservationRecord, RunStore

        async def main():
            store = RunStore.open(sys.argv[1], readonly=False)
            for number in range(10_000):
                try:
                    payload = bytes(range(256)) * 8 + number.to_bytes(8, "big")
                    await store.put([ObservationRecord("t", number.to_bytes(8, "big"), payload)])
                except StoreError as error:
                    print(number, error)
                    try:
                        await store.put([ObservationRecord("t", b"later", b"x")])
                    except StoreError:
                        print("still refused")
                    store.close()
                    return
        asyncio.run(main())
        """
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, preexec_fn=_limit_files,
        cwd=os.getcwd(), timeout=60,
    )  # fmt: skip
    head, refused = done.stdout.splitlines()
    number = int(head.split()[0])
    assert number > 10
    assert "resume" in head
    assert refused == "still refused"
    with RunStore.open(tmp_path, readonly=False) as store:
        assert all(store.observation(n.to_bytes(8, "big")) for n in range(number))


async def test_a_commit_that_nobody_heard_of_does_not_come_back_after_shards_were_cut_anew(
    tmp_path: Path,
) -> None:
    """A writer is killed after its commit reached the disk and before its index said so, while someone reads."""

    def shard(index: int, count: int) -> RunStore:
        return resume_run(config(output=tmp_path, shard=Shard(index=index, count=count)))

    def seen(folder: Path) -> int:
        with RunStore.open(folder) as store:
            return len(store.call(b"key"))

    with shard(1, 1) as store:
        folder = store.folder
        await store.put([CallRecord("a" * 64, b"key", 0, b"{}")])
        reader = sqlite3.connect(f"{(folder / STORE_FILE).as_uri()}?mode=ro", uri=True)
        reader.execute("SELECT count(*) FROM calls").fetchone()
        index = folder / f"{STORE_FILE}-shm"
        before = index.read_bytes()[:96]
        await store.put([CallRecord("a" * 64, b"key", 1, b"{}")])
    with index.open("r+b") as file:
        file.write(before)
    assert seen(folder) == 1
    with shard(1, 2) as one, shard(2, 2) as two:
        assert sum(len(store.call(b"key")) for store in (one, two)) == 1
    reader.close()
    assert seen(folder) == 1
