"""Batches: collected, resumed, completed whatever the provider leaves out, and never paid twice."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.models.helpers import BATCHED, ask, batch_client
from tests.servers.batch import BatchChaos, BatchServer
from tests.servers.chaos import Chaos, digest, echo, in_thread
from ultrainteract.config import ModelConfig
from ultrainteract.errors import ConfigError, ProviderError
from ultrainteract.models.openai.batch import OpenAIBatchModel


async def check_all(model: OpenAIBatchModel, requests: list[Any] = BATCHED) -> None:
    replies = await asyncio.wait_for(asyncio.gather(*map(model.sample, requests)), 30)
    for request, reply in zip(requests, replies, strict=True):
        messages = [message.model_dump() for message in request.messages]
        body = {"messages": messages, "seed": 5 + request.first}
        assert [c.text for c in reply.completions] == [echo(body, index) for index in range(request.n)]
        assert reply.usage.completion_tokens == sum(c.tokens for c in reply.completions)


async def test_requests_of_a_window_go_in_one_batch(tmp_path: Path) -> None:
    async with BatchServer() as server:
        model = batch_client(server.url, tmp_path)
        await check_all(model)
        await model.close()
        await model.close()
    assert len(server.batches) == 1
    assert server.books.paid_twice == 0
    assert server.books.requests == 0  # nothing was sent live


async def test_a_full_batch_is_sent_at_once(tmp_path: Path) -> None:
    async with BatchServer() as server:
        model = batch_client(server.url, tmp_path, options={"max_requests": 16, "window_s": 5})
        await check_all(model)
        await model.close()
    totals = [batch["request_counts"]["total"] for batch in server.batches.values()]
    assert sorted(totals) == [8, 16, 16]  # sent side by side: in any order


async def test_expired_and_partial_batches_are_completed_by_the_next(tmp_path: Path) -> None:
    chaos = BatchChaos(answered=lambda number: (0.5, 0.0, 1.0)[min(number, 2)])
    async with BatchServer(batch_chaos=chaos) as server:
        model = batch_client(server.url, tmp_path)
        await check_all(model)
        await model.close()
    assert [batch["request_counts"]["total"] for batch in server.batches.values()] == [40, 20, 20]
    assert server.books.paid_twice == 0


async def test_failed_rows_are_sent_again_and_refused_ones_are_not(tmp_path: Path) -> None:
    failing = {digest([m.model_dump() for m in BATCHED[3].messages])}

    def row_error(body: dict[str, Any]) -> tuple[int, dict[str, Any]] | None:
        name = digest(body["messages"])
        if name in failing:
            failing.remove(name)
            return 500, {"error": {"message": "server error"}}
        if "Question 7" in body["messages"][-1]["content"]:
            return 400, {"error": {"message": "content filter", "code": "content_filter"}}
        return None

    async with BatchServer(batch_chaos=BatchChaos(row_error=row_error)) as server:
        model = batch_client(server.url, tmp_path)
        replies = await asyncio.gather(*map(model.sample, BATCHED), return_exceptions=True)
        await model.close()
    (refused,) = [reply for reply in replies if isinstance(reply, BaseException)]
    assert refused is replies[7]
    assert isinstance(refused, ProviderError)
    assert not refused.fatal
    assert len(server.batches) == 2
    assert server.books.paid_twice == 0


async def test_a_refused_field_is_learned_from_the_rows(tmp_path: Path) -> None:
    async with BatchServer(chaos=Chaos(refuses=frozenset({"max_completion_tokens"}))) as server:
        model = batch_client(server.url, tmp_path)
        await check_all(model)
        await model.close()
    assert len(server.batches) == 2


async def test_short_replies_are_given_as_they_are(tmp_path: Path) -> None:
    async with BatchServer(chaos=Chaos(ignores_n=True)) as server:
        model = batch_client(server.url, tmp_path)
        assert len((await model.sample(ask(n=3, seed=5))).completions) == 1
        assert len((await model.sample(ask(n=2, first=1, seed=5))).completions) == 1
        await model.close()
    assert server.books.paid_twice == 0


@pytest.mark.parametrize(
    "chaos",
    [
        BatchChaos(flaky=3),
        BatchChaos(lost_creations=1),
        BatchChaos(cut_downloads=2),
        BatchChaos(refused=lambda number: "token_limit_exceeded" if number == 0 else None),
    ],
    ids=["500s", "a creation whose answer is lost", "downloads cut short", "a full queue"],
)
async def test_faults_of_the_api_cost_nothing(tmp_path: Path, chaos: BatchChaos) -> None:
    async with BatchServer(batch_chaos=chaos) as server:
        model = batch_client(server.url, tmp_path, options={"poll_s": 3})
        await check_all(model)
        await model.close()
    began = [batch for batch in server.batches.values() if batch["status"] != "failed"]
    assert len(began) == 1
    assert server.books.paid_twice == 0


async def test_a_batch_that_cannot_begin_stops_the_run_and_says_why(tmp_path: Path) -> None:
    async with BatchServer(batch_chaos=BatchChaos(refused=lambda number: "model_not_found")) as server:
        model = batch_client(server.url, tmp_path)
        with pytest.raises(ProviderError, match="model_not_found") as caught:
            await model.sample(BATCHED[0])
        assert caught.value.fatal
        with pytest.raises(ProviderError):
            await model.sample(BATCHED[1])
        await model.close()


async def test_a_closed_model_is_resumed_by_the_next(tmp_path: Path) -> None:
    async with BatchServer(batch_chaos=BatchChaos(polls=10**6)) as server:
        model = batch_client(server.url, tmp_path)
        waiting = [asyncio.create_task(model.sample(request)) for request in BATCHED]
        while not server.batches:
            await asyncio.sleep(0.005)
        await model.close()
        outcomes = await asyncio.gather(*waiting, return_exceptions=True)
        assert all(isinstance(outcome, ProviderError) and outcome.fatal for outcome in outcomes)
        server._polls["batch-0"] = 0
        for _ in range(3):  # the answers stay at hand, for a process that is killed before it records them
            model = batch_client(server.url, tmp_path)
            await check_all(model)
            await model.close()
    assert len(server.batches) == 1
    assert server.books.paid_twice == 0


async def test_turns_whose_waves_are_narrow_can_go_live(tmp_path: Path) -> None:
    async with BatchServer() as server:
        model = batch_client(server.url, tmp_path, options={"live_from_turn": 2})
        await check_all(model, [ask("First", seed=5), ask("Second", seed=5, turn=2)])
        await model.close()
    assert server.books.requests == 1
    assert server.batches["batch-0"]["request_counts"]["total"] == 1


async def test_what_cannot_work_is_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="one address"):
        OpenAIBatchModel(
            "actor", ModelConfig(model="m", base_url=("http://localhost/1", "http://localhost/2"))
        )
    with pytest.raises(ConfigError, match="no option polls"):
        batch_client("http://localhost/v1", tmp_path, options={"polls": 3})
    model = batch_client("http://localhost/v1", None)
    with pytest.raises(ConfigError, match="state_dir"):
        await model.sample(BATCHED[0])
    await model.close()


_RUN = """
import asyncio, sys
from tests.models.helpers import BATCHED, batch_client
from pathlib import Path

async def main():
    model = batch_client(sys.argv[1], Path(sys.argv[2]))
    replies = await asyncio.gather(*map(model.sample, BATCHED))
    await model.close()
    print(sum(len(reply.completions) for reply in replies))

asyncio.run(main())
"""


def test_a_run_that_is_killed_at_any_stage_pays_once(tmp_path: Path) -> None:
    stages: list[Callable[[BatchServer], object]] = [
        lambda server: list(tmp_path.rglob("*.input.jsonl")),
        lambda server: server.batches,
        lambda server: any(batch["status"] == "completed" for batch in server.batches.values()),
        lambda server: list(tmp_path.rglob("*.output.jsonl")),
    ]
    with in_thread(lambda: BatchServer(batch_chaos=BatchChaos(polls=50))) as server:
        assert isinstance(server, BatchServer)
        command = [sys.executable, "-c", _RUN, server.url, str(tmp_path)]
        environment = {**os.environ, "PYTHONPATH": os.getcwd()}
        for stage in stages:
            process = subprocess.Popen(command, stdout=subprocess.DEVNULL, env=environment)
            while not stage(server) and process.poll() is None:
                time.sleep(0.001)
            process.kill()
            process.wait()
        finished = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=60)
    assert finished.stdout.strip() == str(sum(request.n for request in BATCHED)), finished.stderr
    assert server.books.paid_twice == 0
    assert sum(batch["request_counts"]["total"] for batch in server.batches.values()) == len(BATCHED)
