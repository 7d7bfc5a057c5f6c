"""Grading as a service: batches over HTTP, its client, its token, and what is left when a trainer is killed."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import psutil
import pytest

from tests.rewards.problems import CODING, MATH, RIGHT, SANDBOX, WRONG, Faulty
from ultrainteract.errors import ConfigError, DataError, GraderError
from ultrainteract.rewards import Attempt, RewardFunction, ScorerConfig
from ultrainteract.rewards.client import RemoteRewardFunction
from ultrainteract.rewards.server import make_app, serve_until

ROOT = Path(__file__).parents[2]
TOKEN = "a-secret-of-this-test"


class Served:
    """A service on a thread."""

    def __init__(self, function: RewardFunction, token: str | None = TOKEN) -> None:
        self.function, self.url = function, ""
        ready = threading.Event()

        async def serving() -> None:
            self.loop, self.stop = asyncio.get_running_loop(), asyncio.Event()

            def started(address: str) -> None:
                self.url = address
                ready.set()

            await serve_until(self.stop, function, "127.0.0.1", 0, token, started)

        self.thread = threading.Thread(target=lambda: asyncio.run(serving()))
        self.thread.start()
        ready.wait()

    def close(self) -> None:
        self.loop.call_soon_threadsafe(self.stop.set)
        self.thread.join()
        self.function.close()


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    one = Served(RewardFunction(SANDBOX, workers=0))
    yield one
    one.close()


async def get(url: str, token: str | None = TOKEN) -> tuple[int, str]:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with aiohttp.ClientSession(headers=headers) as session, session.get(url) as response:
        return response.status, await response.text()


def test_the_client_has_the_scores_of_the_function(served: Served) -> None:
    attempts = [Attempt(problem=MATH, text=f"Answer: {number % 50}") for number in range(200)]
    attempts += [
        Attempt(problem=MATH, text="Hm."),
        Attempt(problem=MATH, text="Answer: 42", finish_reason="length"),
    ]
    with RemoteRewardFunction([served.url] * 2, token=TOKEN) as remote:
        assert remote.grade(attempts) == served.function.grade(attempts)


@pytest.mark.bubblewrap
def test_programs_are_run_at_the_server(served: Served) -> None:
    with RemoteRewardFunction(served.url, token=TOKEN) as remote:
        assert remote([RIGHT, WRONG], [CODING] * 2) == [1.0, 0.0]


def test_a_wrong_token_and_a_bad_batch_are_refused(served: Served) -> None:
    with (
        RemoteRewardFunction(served.url, token="another") as remote,
        pytest.raises(GraderError, match="token"),
    ):
        remote(["Answer: 42"], [MATH])

    async def post(body: bytes) -> tuple[int, str]:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        async with (
            aiohttp.ClientSession(headers=headers) as session,
            session.post(f"{served.url}/grade", data=body) as response,
        ):
            return response.status, (await response.json())["error"]

    for body in (b"[", b"{}", b'{"problems": [], "attempts": [{"problem": 0, "text": "x"}]}'):
        status, said = asyncio.run(post(body))
        assert (status, "no batch of attempts" in said) == (400, True)
    status, said = asyncio.run(post(b'{"problems": ["x"], "attempts": [{"problem": 0, "text": "x"}]}'))
    assert (status, "no problem of an rl export" in said) == (400, True)


def test_health_and_metrics(served: Served) -> None:
    served.function(["Answer: 42"], [MATH])
    status, health = asyncio.run(get(f"{served.url}/health", token=None))
    assert (status, '"status": "ok"' in health) == (200, True)
    assert asyncio.run(get(f"{served.url}/metrics", token=None))[0] == 401
    status, metrics = asyncio.run(get(f"{served.url}/metrics"))
    assert status == 200
    assert f'ultrainteract_attempts_total{{label="correct"}} {served.function.counts["correct"]}' in metrics


def test_others_need_a_token() -> None:
    function = RewardFunction(workers=0)
    with pytest.raises(ConfigError, match="Set a token"):
        asyncio.run(serve_until(asyncio.Event(), function, "0.0.0.0", 0, None))


async def test_a_busy_server_says_so_and_is_asked_again() -> None:
    from aiohttp.test_utils import TestClient, TestServer

    released = asyncio.Event()

    class Waiting(Faulty):
        async def run_tests(self, program: str, *_: Any, **__: Any) -> Any:
            while not released.is_set():
                await asyncio.sleep(0.01)
            return await super().run_tests(program)

    function = RewardFunction(ScorerConfig(max_pending=1), workers=0)
    function.scorer._sandbox._open = Waiting
    async with TestClient(TestServer(make_app(function))) as client:
        body = {"problems": [CODING, MATH]}
        first = asyncio.create_task(
            client.post("/grade", json=body | {"attempts": [{"problem": 0, "text": RIGHT}]})
        )
        while not function.pending:
            await asyncio.sleep(0.01)
        answer = {"attempts": [{"problem": 1, "text": "Answer: 42"}]}
        busy = await client.post("/grade", json=body | answer)
        assert (busy.status, busy.headers["Retry-After"]) == (503, "1")
        remote = RemoteRewardFunction(str(client.make_url("")))
        asked = asyncio.create_task(remote.score([Attempt(problem=MATH, text="Answer: 42")]))
        await asyncio.sleep(0)
        released.set()
        assert [score.reward for score in await asked] == [1.0]
        assert (await (await first).json())["scores"][0]["reward"] is None
    await asyncio.to_thread(remote.close)
    await asyncio.to_thread(function.close)


def test_a_server_that_is_not_there_costs_the_rewards_of_the_batch() -> None:
    with RemoteRewardFunction("http://127.0.0.1:9", config=ScorerConfig(deadline_s=0.3)) as remote:
        assert remote(["Answer: 42"], [MATH]) == [None]


# ------------------------------------------------------------------------------------------------ processes

TRAINER = """
import sys, time
from tests.rewards.problems import CODING, MATH, RIGHT, SANDBOX
from ultrainteract.rewards import RewardFunction
function = RewardFunction(SANDBOX, workers=2)
rewards = function(["Answer: 42", "\\\\boxed{2\\\\sqrt{441}}", RIGHT] * 20, [MATH, MATH, CODING] * 20)
print(rewards[:3], flush=True)
time.sleep(600)
"""


def descendants(pid: int) -> list[psutil.Process]:
    return psutil.Process(pid).children(recursive=True)


@pytest.mark.bubblewrap
@pytest.mark.slow
def test_a_trainer_that_is_killed_leaves_no_process_behind_and_starts_again() -> None:
    for _ in range(2):
        trainer = subprocess.Popen(
            [sys.executable, "-c", TRAINER], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        assert trainer.stdout is not None
        assert trainer.stdout.readline() == "[1.0, 1.0, 1.0]\n"
        below = descendants(trainer.pid)
        assert len(below) >= 3  # grading processes, algebra, a sandbox
        trainer.kill()
        trainer.wait(30)
        _, alive = psutil.wait_procs(below, timeout=30)
        assert not alive, [(process.pid, process.cmdline()) for process in alive]
        trainer.stdout.close()


def test_the_command_serves_until_it_is_told_to_stop(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "ultrainteract", "serve", "--port", "0", "--workers", "1"]
    environment = {**os.environ, "ULTRAINTERACT_TOKEN": TOKEN}
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, env=environment)
    assert process.stdout is not None
    url = process.stdout.readline().strip()
    with RemoteRewardFunction(url, token=TOKEN) as remote:
        assert remote(["Answer: 42", "Answer: 41"], [MATH] * 2) == [1.0, 0.0]
    below = descendants(process.pid)
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0
    assert not psutil.wait_procs(below, timeout=30)[1]
    process.stdout.close()


@pytest.mark.ray
@pytest.mark.bubblewrap
def test_ray_actors_grade() -> None:
    ray = pytest.importorskip("ray")
    from ultrainteract.rewards.ray.pool import RayRewardFunction

    ray.init(num_cpus=2, log_to_driver=False, include_dashboard=False)
    try:
        with RayRewardFunction(SANDBOX, actors=2, options={"num_cpus": 0.1}) as pool:
            texts = ["Answer: 42", "Answer: 41"] * 50 + [RIGHT, WRONG]
            assert pool(texts, [MATH] * 100 + [CODING] * 2) == [1.0, 0.0] * 51
            with pytest.raises(DataError):
                pool(["x"], ["y"])
    finally:
        ray.shutdown()
