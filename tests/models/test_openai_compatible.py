"""The client against servers that work, differ, refuse and break."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from typing import Any

import pytest
from aiohttp import web

from tests.models.helpers import FastClock, ask, client
from tests.servers.chaos import BROKEN, EVERYTHING, Chaos, ChaosServer, Fault, digest, echo
from ultrainteract.config import parse_config
from ultrainteract.errors import ConfigError, ProviderError
from ultrainteract.models.base import ChatRequest, Reply
from ultrainteract.models.openai.client import OpenAIModel
from ultrainteract.models.scheduler.limits import SharedLimits
from ultrainteract.schema import Message


def expected(request: ChatRequest) -> list[str]:
    """What a sound server says."""
    messages = [message.model_dump() for message in request.messages]
    seed = (request.sampling.seed or 0) + request.first
    return [echo({"messages": messages, "seed": seed}, index) for index in range(request.n)]


class Saying(ChaosServer):
    """Answers every request with the same object."""

    def __init__(self, payload: dict[str, Any], status: int = 200) -> None:
        super().__init__()
        self.payload, self.status = payload, status

    async def _serve(self, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        return web.json_response(self.payload, status=self.status)


def texts(reply: Any) -> list[str]:
    return [completion.text for completion in reply.completions]


# --------------------------------------------------------------------------------------- the protocol


async def test_a_request_carries_what_was_asked_for() -> None:
    async with ChaosServer() as server:
        model = client(server.url, extra_body={"top_k": 20, "logprobs": True})
        request = ask(n=3, first=4, seed=7, temperature=0.5, top_p=0.9, max_tokens=99, stop=("END",))
        reply = await model.sample(request)
        await model.close()
    assert texts(reply) == expected(request)
    assert server.books.bodies == [
        {
            "model": "m",
            "messages": [message.model_dump() for message in request.messages],
            "temperature": 0.5,
            "top_p": 0.9,
            "max_completion_tokens": 99,
            "n": 3,
            "stop": ["END"],
            "seed": 11,
            "top_k": 20,
            "logprobs": True,
        }
    ]
    assert sum(completion.tokens for completion in reply.completions) == reply.usage.completion_tokens
    assert reply.usage.prompt_tokens == 8


@pytest.mark.parametrize(("options", "extra"), [({}, True), ({"continuation": "prefix"}, False)])
async def test_the_assistants_last_message_is_continued(options: dict[str, Any], extra: bool) -> None:
    async with ChaosServer() as server:
        model = client(server.url, options=options)
        request = ask()
        request = request.model_copy(
            update={"messages": (*request.messages, Message(role="assistant", content="So"))}
        )
        await model.sample(request)
        await model.close()
    (body,) = server.books.bodies
    assert (body.get("continue_final_message") is True and body["add_generation_prompt"] is False) is extra
    assert body["messages"][-1].get("prefix", False) is not extra


@pytest.mark.parametrize(
    ("refused", "kept"),
    [
        ("max_completion_tokens", {"max_tokens": 2048, "n": 2, "seed": 0}),
        ("seed", {"max_completion_tokens": 2048, "n": 2}),
        ("n", {"max_completion_tokens": 2048, "seed": 0}),
    ],
)
async def test_a_refused_field_is_replaced_once_and_for_all(refused: str, kept: dict[str, Any]) -> None:
    async with ChaosServer(chaos=Chaos(refuses=frozenset({refused}))) as server:
        model = client(server.url)
        for number in range(5):
            request = ask(f"Question {number}", n=2)
            assert len((await model.sample(request)).completions) == 2
        await model.close()
    assert server.books.refused == 1
    fields = {
        name: server.books.bodies[-2].get(name)
        for name in ("max_tokens", "max_completion_tokens", "n", "seed")
    }
    assert {name: value for name, value in fields.items() if value is not None} == kept


async def test_a_server_that_ignores_the_token_limit_gets_the_older_field() -> None:
    async with ChaosServer(answer=lambda body, i: "word " * 50) as server:
        model = client(server.url)
        for number in range(3):
            await model.sample(ask(f"Question {number}", max_tokens=10))
        await model.close()
    assert [("max_tokens" in body, "max_completion_tokens" in body) for body in server.books.bodies] == [
        (False, True), (True, False), (True, False),
    ]  # fmt: skip


async def test_ignored_n_is_detected_and_topped_up() -> None:
    async with ChaosServer(chaos=Chaos(ignores_n=True)) as server:
        model = client(server.url)
        for number in range(4):
            request = ask(f"Question {number}", n=5, first=10)
            assert texts(await model.sample(request)) == expected(request)
        await model.close()
    assert server.books.requests == 20
    assert server.books.paid_twice == 0
    assert sum("n" in body for body in server.books.bodies) == 2  # two in a row convinced it


async def test_a_server_that_caps_n_is_asked_for_the_rest() -> None:
    class Capped(ChaosServer):
        def completion(self, body: dict[str, Any], texts: list[str]) -> bytes:
            return super().completion(body, texts[:8])

    async with Capped() as server:
        model = client(server.url)
        request = ask(n=20)
        assert texts(await model.sample(request)) == expected(request)
        await model.close()
    assert [body["n"] for body in server.books.bodies] == [20, 12, 4]


async def test_n_per_request_is_kept() -> None:
    async with ChaosServer() as server:
        model = client(server.url, n_per_request=4)
        request = ask(n=10)
        assert texts(await model.sample(request)) == expected(request)
        await model.close()
    assert sorted(body.get("n", 1) for body in server.books.bodies) == [2, 4, 4]


@pytest.mark.parametrize(
    ("message", "text", "reasoning"),
    [
        ({"content": "4", "reasoning_content": "2 + 2"}, "4", "2 + 2"),
        ({"content": "4", "reasoning": "2 + 2"}, "4", "2 + 2"),
        ({"content": "4", "reasoning_content": ["2 ", {"type": "text", "text": "+ 2"}]}, "4", "2 + 2"),
        ({"content": "<think>\n2 + 2\n</think>\n\n4"}, "4", "2 + 2"),
        ({"content": "2 + 2\n</think>\n\n4"}, "4", "2 + 2"),
        ({"content": "<think>\n2 + 2 and"}, "", "2 + 2 and"),
        ({"content": None, "reasoning_content": "2 +"}, "", "2 +"),
        (
            {"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "2 + 2"}]},
                         {"type": "text", "text": "4"}]},
            "4",
            "2 + 2",
        ),
        ({"content": "4"}, "4", None),
    ],
)  # fmt: skip
async def test_reasoning_is_kept_apart(message: dict[str, Any], text: str, reasoning: str | None) -> None:
    class Reasoner(ChaosServer):
        def completion_object(self, body: dict[str, Any], _: list[str]) -> dict[str, Any]:
            whole = super().completion_object(body, ["x"])
            whole["choices"][0]["message"] = {"role": "assistant", **message}
            return whole

    async with Reasoner() as server:
        model = client(server.url)
        (completion,) = (await model.sample(ask())).completions
        await model.close()
    assert (completion.text, completion.reasoning) == (text, reasoning)


async def test_logprobs_finish_reasons_and_missing_usage() -> None:
    class Detailed(ChaosServer):
        def completion_object(self, body: dict[str, Any], _: list[str]) -> dict[str, Any]:
            whole = super().completion_object(body, ["a b", "c", "d", "e"])
            for choice, finish in zip(
                whole["choices"], ["length", "content_filter", "tool_calls", "stop"], strict=True
            ):
                choice["finish_reason"] = finish
            whole["choices"][0]["logprobs"] = {
                "content": [{"token": "a", "logprob": -0.5}, {"token": "b", "logprob": -1}]
            }
            whole["choices"].reverse()
            del whole["usage"]
            return whole

    async with Detailed() as server:
        model = client(server.url)
        reply = await model.sample(ask(n=4))
        await model.close()
    assert [completion.finish_reason for completion in reply.completions] == [
        "length",
        "content_filter",
        "other",
        "stop",
    ]
    assert reply.completions[0].logprobs == (-0.5, -1.0)
    assert reply.usage.prompt_tokens > 0  # estimated, so that a budget still holds
    assert reply.usage.completion_tokens == sum(completion.tokens for completion in reply.completions) > 0


# --------------------------------------------------------------------------------------------- faults


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


# ------------------------------------------------------------------------------------------ endpoints


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
