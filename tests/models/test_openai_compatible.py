"""The client against servers that work, differ, refuse and break."""

from __future__ import annotations

from typing import Any

import pytest

from tests.models.helpers import ask, client, expected, texts
from tests.servers.chaos import Chaos, ChaosServer
from ultrainteract.schema import Message


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
