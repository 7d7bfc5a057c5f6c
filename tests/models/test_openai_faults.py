"""The client against servers that fail, break and answer oddly: what is retried, kept, given up and paid for."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from aiohttp import web

from tests.models.helpers import FastClock, ask, client, expected, texts
from tests.servers.chaos import BROKEN, EVERYTHING, Chaos, ChaosServer, Fault, digest
from ultrainteract.errors import ProviderError
from ultrainteract.models.base import Reply


class Saying(ChaosServer):
    """Answers every request with the same object."""

    def __init__(self, payload: dict[str, Any], status: int = 200) -> None:
        super().__init__()
        self.payload, self.status = payload, status

    async def _serve(self, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        return web.json_response(self.payload, status=self.status)


@pytest.mark.parametrize("fault", sorted(BROKEN))
async def test_each_transient_fault_is_survived(fault: Fault) -> None:
    clock = FastClock()
    async with ChaosServer(chaos=Chaos({fault: 1.0}, failing_attempts=2, retry_after_s=3)) as server:
        silent = fault in ("hang", "stall")  # waited for; all others come by themselves, however late
        model = client(server.url, clock=clock, timeout_s=0.2 if silent else 60)
        request = ask(n=2)
        assert texts(await model.sample(request)) == expected(request)
        await model.close()
    assert server.books.faults[fault] == 2
    assert server.books.requests == 3
    assert server.books.paid_twice == 0
    assert sum(model.stats.faults.values()) == 2


async def test_a_storm_of_faults_loses_nothing_and_pays_for_nothing_twice() -> None:
    requests = [ask(f"Question {number}", n=1 + number % 4, turn=1 + number % 3) for number in range(300)]
    poisoned = {digest([m.model_dump() for m in requests[i].messages]) for i in range(0, 300, 50)}
    filtered = {digest([m.model_dump() for m in requests[i].messages]) for i in range(1, 300, 50)}
    chaos = Chaos(
        {**EVERYTHING, "hang": 0.01, "stall": 0.01},
        poison=lambda body: digest(body["messages"]) in poisoned,
        filtered=lambda body: digest(body["messages"]) in filtered,
    )
    async with ChaosServer(chaos=chaos) as server:
        model = client(server.url, timeout_s=1, max_concurrency=16, max_retries=5)
        replies = await asyncio.gather(*map(model.sample, requests), return_exceptions=True)
        await model.close()
    failed = 0
    for number, (request, reply) in enumerate(zip(requests, replies, strict=True)):
        if number % 50 in (0, 1):
            failed += 1
            assert isinstance(reply, ProviderError)
            assert not reply.fatal
            assert ("content filter" in str(reply)) is (number % 50 == 1)
        else:
            assert texts(reply) == expected(request)
    assert failed == 12
    assert server.books.paid_twice == 0
    assert all(server.books.faults[fault] for fault in EVERYTHING)
    # Needed: one for each that was answered or refused, and one more for each answer cut to one sample.
    needed = len(requests) - len(poisoned) + server.books.faults["n-ignored"]
    assert server.books.waste(needed) <= 0.02


async def test_an_endless_500_ends_after_the_configured_attempts() -> None:
    clock = FastClock()
    async with ChaosServer(chaos=Chaos(poison=lambda body: True)) as server:
        model = client(server.url, clock=clock, max_retries=3)
        with pytest.raises(ProviderError, match=r"4 attempts.*injected poison.*Resume") as caught:
            await model.sample(ask())
        await model.close()
    assert not caught.value.fatal
    assert server.books.requests == 4
    assert [0.25, 0.5, 1.0] < clock.slept < [0.5, 1.0, 2.0]


async def test_retries_are_capped_by_time_too() -> None:
    async with ChaosServer(chaos=Chaos(poison=lambda body: True)) as server:
        model = client(server.url, max_retries=1000, max_retry_s=30)
        with pytest.raises(ProviderError, match="attempts"):
            await model.sample(ask())
        await model.close()
    assert 4 < server.books.requests < 12


@pytest.mark.parametrize("fault", ["429-retry-after", "429-date"])
async def test_retry_after_holds_everybody_back(fault: Fault) -> None:
    clock = FastClock()
    async with ChaosServer(chaos=Chaos({fault: 1.0}, failing_attempts=1, retry_after_s=8)) as server:
        model = client(server.url, clock=clock)
        began = clock.now()
        first = asyncio.create_task(model.sample(ask("First")))
        while not server.books.faults[fault]:
            await asyncio.sleep(0.001)
        server.chaos.rates = {}
        await model.sample(ask("Another"))
        assert clock.now() - began > 6
        await first
        await model.close()


async def test_a_redirect_is_not_followed_but_named() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(
            b"HTTP/1.1 302 Found\r\nLocation: https://user:secret@elsewhere/v1\r\nContent-Length: 0\r\n\r\n"
        )

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        model = client(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1")
        with pytest.raises(ProviderError, match=r"redirects to https://elsewhere/v1.*base_url") as caught:
            await model.sample(ask())
        await model.close()
    assert "secret" not in str(caught.value)


async def test_an_overloaded_server_is_asked_for_less() -> None:
    async with ChaosServer(chaos=Chaos(capacity=4, delay_s=0.002)) as server:
        model = client(server.url, max_concurrency=32)
        requests = [ask(f"Question {number}") for number in range(150)]
        replies = await asyncio.gather(*map(model.sample, requests))
        (endpoint,) = model._endpoints
        await model.close()
    assert [texts(reply) for reply in replies] == [expected(request) for request in requests]
    assert endpoint.limit < 16
    assert server.books.faults["429"] < 150


@pytest.mark.parametrize(
    ("status", "error", "fatal", "says"),
    [
        (400, {"message": "too long", "code": "context_length_exceeded"}, False, "max_tokens"),
        (400, {"message": "flagged", "code": "content_filter"}, False, "content filter"),
        (422, {"detail": [{"loc": ["body", "top_k"], "msg": "bad"}]}, False, "extra_body"),
        (401, {"message": "Incorrect API key provided"}, True, "api_key_env"),
        (403, {"message": "no access"}, True, "api_key_env"),
        (403, {"message": "Your input was flagged by moderation"}, False, "content filter"),
        (404, {"message": "The model `m` does not exist", "code": "model_not_found"}, True, "base_url"),
        (400, {"message": "Unknown model m"}, True, "base_url"),
        (429, {"message": "You exceeded your current quota", "code": "insufficient_quota"}, True, "credit"),
    ],
)  # fmt: skip
async def test_a_permanent_error_is_not_retried(
    status: int, error: dict[str, Any], fatal: bool, says: str
) -> None:
    class Refusing(ChaosServer):
        async def _serve(self, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
            return web.json_response({"error": error} if "detail" not in error else error, status=status)

    async with Refusing() as server:
        model = client(server.url)
        with pytest.raises(ProviderError, match=says) as caught:
            await model.sample(ask())
        if fatal:  # the next one is not even sent
            with pytest.raises(ProviderError, match=says):
                await model.sample(ask())
        await model.close()
    assert caught.value.fatal is fatal
    assert server.books.requests == 1


@pytest.mark.parametrize(
    ("error", "fatal", "says"),
    [
        ({"message": "x", "code": "context_length_exceeded"}, False, "max_tokens"),
        ({"message": "x", "code": "insufficient_quota"}, True, "credit"),
        ({"message": "x", "code": "model_not_found"}, True, "base_url"),
        ({"message": "x", "code": "401"}, True, "api_key_env"),
    ],
)
async def test_permanent_errors_sent_with_status_200_are_not_retried(
    error: dict[str, Any], fatal: bool, says: str
) -> None:
    async with Saying({"error": error}) as server:
        model = client(server.url)
        with pytest.raises(ProviderError, match=says) as caught:
            await model.sample(ask())
        await model.close()
    assert caught.value.fatal is fatal
    assert server.books.requests == 1


def choice(text: Any, **fields: Any) -> dict[str, Any]:
    return {"index": 0, "finish_reason": "stop", "message": {"content": text}, **fields}


@pytest.mark.parametrize(
    ("payload", "status", "text"),
    [
        ({"choices": [choice("4")]}, 201, "4"),
        ({"choices": [choice(["2", {"type": "output_text", "text": "2"}])]}, 200, "22"),
        ({"choices": [choice("4", index="0"), choice("5", index=None)]}, 200, "4"),
        ({"choices": [choice("4 \ud800")]}, 200, "4 \ufffd"),  # half a surrogate pair, as JSON may hold it
        ({"choices": [choice("", finish_reason="error", error={"code": 502}), choice("4")]}, 200, "4"),
        ({"choices": [choice("4", logprobs={"content": [{"logprob": float("-inf")}]})]}, 200, "4"),
        ({"choices": [choice("4", logprobs={"content": [{"logprob": None}]})]}, 200, "4"),
        ({"choices": [choice("4")], "usage": {"prompt_tokens": 0, "completion_tokens": -1}}, 200, "4"),
    ],
)
async def test_unusual_answers_that_were_paid_for_are_kept(
    payload: dict[str, Any], status: int, text: str
) -> None:
    async with Saying(payload, status) as server:
        model = client(server.url)
        reply = await model.sample(ask())
        await model.close()
    assert texts(reply) == [text]
    assert server.books.requests == 1
    assert reply.usage.prompt_tokens > 0
    assert reply.usage.completion_tokens > 0
    assert Reply.model_validate_json(reply.model_dump_json()) == reply


async def test_an_answer_whose_choices_all_broke_off_is_asked_for_again() -> None:
    async with Saying({"choices": [choice("", error={"code": 502, "message": "upstream"})]}) as server:
        model = client(server.url, max_retries=2)
        with pytest.raises(ProviderError, match=r"3 attempts.*upstream"):
            await model.sample(ask())
        await model.close()


@pytest.mark.parametrize("field", ["temperature", "top_p"])
async def test_a_default_that_a_server_does_not_take_is_left_out(field: str) -> None:
    async with ChaosServer(chaos=Chaos(refuses=frozenset({field}))) as server:
        model = client(server.url)
        request = ask(temperature=1.0, top_p=1.0)
        assert texts(await model.sample(request)) == expected(request)
        await model.close()
    assert field not in server.books.bodies[-1]


@pytest.mark.parametrize(
    ("field", "sampling", "config"),
    [("temperature", {"temperature": 0.5}, {}), ("top_k", {}, {"extra_body": {"top_k": 20}})],
)
async def test_a_setting_that_a_server_does_not_take_stops_the_run(
    field: str, sampling: dict[str, Any], config: dict[str, Any]
) -> None:
    """It would have every instruction recorded as refused, for good."""
    async with ChaosServer(chaos=Chaos(refuses=frozenset({field}))) as server:
        model = client(server.url, **config)
        with pytest.raises(ProviderError, match=f"does not take {field}.*sampling") as caught:
            await model.sample(ask(**sampling))
        await model.close()
    assert caught.value.fatal
    assert server.books.requests == 1


async def test_samples_after_a_failed_one_are_kept_for_when_it_is_asked_for_again() -> None:
    broken = True

    def poison(body: dict[str, Any]) -> bool:
        return broken and body.get("seed") == 2

    async with ChaosServer(chaos=Chaos(poison=poison, refuses=frozenset({"n"}))) as server:
        model = client(server.url, max_retries=1)
        request = ask(n=5)
        short = await model.sample(request)
        assert texts(short) == expected(request)[:2]
        broken = False
        rest = await model.sample(ask(n=3, first=2))
        assert texts(rest) == expected(request)[2:]
        await model.close()
    assert server.books.paid_twice == 0
