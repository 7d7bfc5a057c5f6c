"""The client and its endpoints: several of them, dead ones, the check before the first request, keys, closing."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from typing import Any

import pytest
from aiohttp import web

from tests.models.helpers import FastClock, ask, client, expected, texts
from tests.servers.chaos import Chaos, ChaosServer
from ultrainteract.config import parse_config
from ultrainteract.errors import ConfigError, ProviderError
from ultrainteract.models.base import Reply
from ultrainteract.models.openai.client import OpenAIModel
from ultrainteract.models.scheduler.limits import SharedLimits


async def test_several_endpoints_share_the_work() -> None:
    async with ChaosServer(chaos=Chaos(delay_s=0.005)) as one, ChaosServer(chaos=Chaos(delay_s=0.005)) as two:
        model = client(one.url, two.url, max_concurrency=8)
        await asyncio.gather(*(model.sample(ask(f"Question {number}")) for number in range(100)))
        await model.close()
    assert one.books.requests + two.books.requests == 100
    assert abs(one.books.requests - two.books.requests) <= 20
    assert max(one.books.most_at_once, two.books.most_at_once) <= 8


async def test_an_endpoint_that_dies_and_comes_back(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    async with ChaosServer(chaos=Chaos(delay_s=0.002)) as one, ChaosServer(chaos=Chaos(delay_s=0.002)) as two:
        model = client(one.url, two.url, max_concurrency=4)

        async def killer() -> None:
            await asyncio.sleep(0.05)
            await one.die()
            served = one.books.whole
            await asyncio.sleep(0.1)
            assert one.books.whole == served
            await one.revive()

        requests = [ask(f"Question {number}") for number in range(400)]
        async with asyncio.TaskGroup() as group:
            group.create_task(killer())
            tasks = [group.create_task(model.sample(request)) for request in requests]
        served = one.books.whole
        for number in range(10_000):  # it is used again
            if one.books.whole > served:
                break
            await asyncio.gather(*(model.sample(ask(f"More {number} {i}")) for i in range(8)))
        await model.close()
    assert [texts(task.result()) for task in tasks] == [expected(request) for request in requests]
    assert one.books.whole > served
    assert one.books.paid_twice + two.books.paid_twice == 0
    assert "is paused" in caplog.text
    assert "is up again" in caplog.text


async def test_when_all_are_down_the_client_waits_visibly(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    async with ChaosServer() as server:
        model = client(server.url, max_retries=3, max_retry_s=5)
        await model.sample(ask("A question that is answered"))  # a server that worked may come back
        await server.die()
        tasks = [asyncio.create_task(model.sample(ask(f"Question {number}"))) for number in range(5)]
        await asyncio.sleep(0.15)  # 150 s on its clock: far beyond the retries of any request
        assert not any(task.done() for task in tasks)
        status = model.status()
        assert status is not None
        assert "no endpoint is up" in status
        assert server.url in status
        await server.revive()
        replies = await asyncio.gather(*tasks)
        assert model.status() is None
        await model.close()
    assert all(len(reply.completions) == 1 for reply in replies)
    assert "trying again in" in caplog.text


async def test_a_server_that_never_answered_is_given_up_after_a_minute_with_its_address() -> None:
    async with ChaosServer() as server:
        await server.die()
        model = client(server.url)
        with pytest.raises(
            ProviderError, match=rf"{server.url}.*not answered once in 6\d s.*base_url"
        ) as failure:
            await model.sample(ask("A question"))
        await model.close()
    assert failure.value.fatal


async def test_a_server_that_answers_nonsense_is_given_up_after_max_retry_s() -> None:
    clock = FastClock()
    async with ChaosServer(chaos=Chaos(poison=lambda body: True)) as server:
        model = client(server.url, clock=clock, max_retry_s=300, max_retries=100)
        began = clock.now()
        failures = []
        for _ in range(40):  # as trees come and go; each is kept for retry until the endpoint is given up
            found = await asyncio.gather(
                *(model.sample(ask(f"Question {number}")) for number in range(12)), return_exceptions=True
            )
            failures += [error for error in found if isinstance(error, ProviderError)]
            assert failures
            assert not any(isinstance(item, Reply) for item in found)
            if any(error.fatal for error in failures):
                break
        await model.close()
    assert any(error.fatal for error in failures)
    assert "no usable answer for" in str(failures[-1])
    assert clock.now() - began < 3_000


def _preflight(*urls: str, **config: Any) -> OpenAIModel:
    shared = SharedLimits(FastClock())
    model = client(*urls, shared=shared, **config)
    shared.checks.append(model.check)
    return model


async def test_an_unknown_model_is_found_before_the_first_request() -> None:
    class Named(ChaosServer):
        def refusal(self, body: dict[str, Any]) -> dict[str, Any] | None:
            return None if body["model"] == "m" else {"message": "no such model", "code": "model_not_found"}

    async with Named() as server:
        model = _preflight(server.url, model="mm")
        with pytest.raises(ProviderError, match=r"no model 'mm' \(it has: m\)") as failure:
            await model.sample(ask("A question"))
        await model.close()
    assert failure.value.fatal
    assert len(server.books.bodies) == 1, "one short completion, and no question"


async def test_a_known_model_costs_no_completion_to_check_and_is_checked_once() -> None:
    async with ChaosServer() as server:
        model = _preflight(server.url)
        for _ in range(3):
            await model.sample(ask("A question"))
        await model.close()
    assert len(server.books.bodies) == 3


async def test_a_server_that_is_still_starting_is_waited_for() -> None:
    async with ChaosServer() as server:
        await server.die()
        model = _preflight(server.url, startup_timeout_s=100_000)
        task = asyncio.create_task(model.sample(ask("A question")))
        await asyncio.sleep(0.05)
        assert not task.done()
        await server.revive()
        assert len((await task).completions) == 1
        await model.close()


async def test_waiting_for_a_dead_server_can_be_interrupted() -> None:
    async with ChaosServer() as server:
        await server.die()
        model = client(server.url)
        tasks = [asyncio.create_task(model.sample(ask(f"Question {number}"))) for number in range(5)]
        await asyncio.sleep(0.05)
        for task in tasks:
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(isinstance(result, asyncio.CancelledError) for result in results)
        await server.revive()
        await model.sample(ask())  # and nobody holds the health check
        await model.close()


async def test_one_bad_key_does_not_stop_the_other_endpoint() -> None:
    class Locked(ChaosServer):
        async def _serve(self, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
            return web.json_response({"error": {"message": "no"}}, status=401)

    async with Locked() as one, ChaosServer() as two:
        model = client(one.url, two.url, max_concurrency=2)
        await asyncio.gather(*(model.sample(ask(f"Question {number}")) for number in range(20)))
        await model.close()
    assert 1 <= one.books.requests <= 2
    assert two.books.whole == 20


# ------------------------------------------------------------------------------- secrets, keys, closing


async def test_the_key_is_in_no_message_and_no_log(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    secret = "sk-very-secret-0123456789"
    monkeypatch.setenv("MY_KEY", secret)
    caplog.set_level(logging.DEBUG)

    class Leaky(ChaosServer):
        async def _serve(self, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
            text = f"bad key {request.headers['Authorization']} ({secret}) (sk-very-***6789)"
            if body["messages"][-1]["content"] == "malformed":
                return web.Response(text=text)
            status = int(body["messages"][-1]["content"])
            return web.json_response({"error": {"message": text}}, status=status)

    async with Leaky() as server:
        for said in ("500", "400", "429", "401", "malformed"):
            model = client(server.url, max_retries=1, api_key_env="MY_KEY")
            with pytest.raises(ProviderError) as caught:
                await model.sample(ask(said))
            await model.close()
            shown = f"{caught.value!r} {caught.value.__cause__!r} {caught.value.__context__!r}"
            assert secret not in shown
            assert "sk-very" not in shown
        assert server.books.headers[0]["Authorization"] == f"Bearer {secret}"
    dead = client(server.url, max_retries=0, api_key_env="MY_KEY")
    with pytest.raises(ProviderError) as caught:
        await dead.sample(ask("500"))
    await dead.close()
    assert secret not in caplog.text + str(caught.value) + repr(vars(model.config))


def test_an_address_with_a_password_is_refused_without_saying_it() -> None:
    model = {"provider": "openai", "model": "m", "base_url": "http://user:pass-word-9@localhost:1/v1"}
    with pytest.raises(ConfigError, match="must not carry credentials") as caught:
        parse_config({"models": {"a": model}})
    assert "pass-word-9" not in str(caught.value)


async def test_the_default_key_is_not_sent_to_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-for-openai-alone")
    async with ChaosServer() as server:
        model = client(server.url)
        await model.sample(ask())
        await model.close()
    assert "sk-for" not in json.dumps(server.books.headers)


def test_a_missing_key_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(ConfigError, match="OPENAI_API_KEY"):
        client("https://api.example.com/v1")
    with pytest.raises(ConfigError, match="no http"):
        client("ftp://localhost:8000/v1", api_key_env="PATH")


async def test_closing_is_quick_and_leaves_no_connection() -> None:
    async with ChaosServer(chaos=Chaos({"hang": 1.0})) as server:
        model = client(server.url)
        tasks = [asyncio.create_task(model.sample(ask(f"Question {number}"))) for number in range(20)]
        while server.books.requests < 20:
            await asyncio.sleep(0.005)
        began = time.monotonic()
        await model.close()
        await model.close()
        outcomes = await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), 5)
        assert time.monotonic() - began < 5
        assert all(isinstance(outcome, ProviderError) and outcome.fatal for outcome in outcomes)
        runner = server._runner
        assert runner is not None
        assert runner.server is not None
        for _ in range(100):
            if not [c for c in runner.server.connections if c.transport and not c.transport.is_closing()]:
                break
            await asyncio.sleep(0.01)
        else:
            pytest.fail("connections were left open")
        with pytest.raises(ProviderError, match="closed"):
            await model.sample(ask())


async def test_a_cancelled_request_frees_its_place() -> None:
    async with ChaosServer(chaos=Chaos({"hang": 1.0}, failing_attempts=1)) as server:
        model = client(server.url, max_concurrency=1)
        task = asyncio.create_task(model.sample(ask("Hangs")))
        while not server.books.requests:
            await asyncio.sleep(0.005)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        server.chaos.rates = {}
        await asyncio.wait_for(model.sample(ask("Goes")), 5)
        await model.close()


async def test_models_at_one_address_share_its_adaptive_limit() -> None:
    shared = SharedLimits(FastClock())
    one = client("http://127.0.0.1:9/v1", shared=shared, max_concurrency=4)
    two = client("http://127.0.0.1:9/v1", shared=shared, max_concurrency=9)
    assert one._endpoints[0] is two._endpoints[0]
    assert two._endpoints[0].maximum == 9


async def test_requests_under_way_when_a_field_is_refused_are_repaired_too() -> None:
    async with ChaosServer(chaos=Chaos(refuses=frozenset({"max_completion_tokens"}), delay_s=0.01)) as server:
        model = client(server.url)
        replies = await asyncio.gather(
            *(model.sample(ask(f"Question {number}", n=3)) for number in range(20))
        )
        forced = client(server.url, extra_body={"max_completion_tokens": 5})
        with pytest.raises(ProviderError, match="max_completion_tokens"):
            await forced.sample(ask())
        await model.close()
        await forced.close()
    assert all(len(reply.completions) == 3 for reply in replies)
    assert server.books.paid_twice == 0
