"""The `vllm serve` provider on a real server with a tiny model."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio

from tests.models.helpers import ask
from tests.tinymodel import build_tiny_model
from ultrainteract.config import ModelConfig
from ultrainteract.errors import ConfigError, ProviderError
from ultrainteract.models import build_model
from ultrainteract.schema import Message

if TYPE_CHECKING:
    from ultrainteract.models.vllm.server import VLLMServerModel

pytestmark = [
    pytest.mark.vllm,
    pytest.mark.slow,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.timeout(600),
]


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_tiny_model(tmp_path_factory.mktemp("tiny"))


def make(weights: Path, *, options: dict[str, Any] | None = None) -> VLLMServerModel:
    engine = {
        "max_model_len": 256,
        "max_num_seqs": 32,
        "dtype": "float32",
        "enforce_eager": True,
        "served_model_name": ["tiny", "second-name"],
        "log_dir": str(weights.parent / "logs"),
        "start_timeout_s": 400,
    }
    config = ModelConfig(
        provider="vllm-server", model=str(weights), options=engine | (options or {}), timeout_s=60
    )
    model: Any = build_model("the actor", config)
    return model


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def model(weights: Path) -> AsyncIterator[VLLMServerModel]:
    model = make(weights)
    yield model
    await model.close()


def group(model: VLLMServerModel) -> list[int]:
    """Processes of the server, alive."""
    import psutil

    assert model._process is not None
    found = []
    for process in psutil.process_iter(["status"]):
        try:
            if (
                process.info["status"] != psutil.STATUS_ZOMBIE
                and os.getpgid(process.pid) == model._process.pid
            ):
                found.append(process.pid)
        except ProcessLookupError:
            continue
    return found


async def test_samples_seeds_and_usage(model: VLLMServerModel) -> None:
    whole = await model.sample(ask(n=6, seed=7, max_tokens=16))
    parts = await asyncio.gather(
        model.sample(ask(n=2, seed=7, max_tokens=16)), model.sample(ask(n=4, first=2, seed=7, max_tokens=16))
    )
    texts = [one.text for one in whole.completions]
    assert texts == [one.text for part in parts for one in part.completions]
    assert len(set(texts)) == 6
    assert whole.usage.completion_tokens == sum(one.tokens for one in whole.completions) > 0
    assert {one.finish_reason for one in whole.completions} <= {"length", "stop"}


async def test_the_last_message_is_continued(model: VLLMServerModel) -> None:
    opened = ask(max_tokens=4)
    continued = opened.model_copy(
        update={"messages": (*opened.messages, Message(role="assistant", content="I think"))}
    )
    replies = [await model.sample(request) for request in (opened, continued)]
    added = replies[1].usage.prompt_tokens - replies[0].usage.prompt_tokens
    assert 0 < added < 8  # the words alone: no end mark, no new assistant mark


async def test_a_prompt_that_is_too_long_is_refused(model: VLLMServerModel) -> None:
    with pytest.raises(ProviderError, match="256") as caught:
        await model.sample(ask("word " * 400, max_tokens=8))
    assert not caught.value.fatal


async def test_cancelling_and_closing(model: VLLMServerModel) -> None:
    task = asyncio.create_task(model.sample(ask(n=8, max_tokens=200)))
    await asyncio.sleep(0.2)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    task = asyncio.create_task(model.sample(ask(n=64, max_tokens=200)))
    await asyncio.sleep(0.1)
    assert len(group(model)) > 1
    began = time.monotonic()
    await model.close()
    assert time.monotonic() - began < 5
    assert not group(model)
    with pytest.raises(ProviderError, match="closed"):
        await task
    await model.close()


async def test_a_dead_server_is_fatal_and_says_why(weights: Path) -> None:
    model = make(weights)
    await model.start()
    assert model._process is not None
    task = asyncio.create_task(model.sample(ask(n=8, max_tokens=200)))
    await asyncio.sleep(0.1)
    os.kill(model._process.pid, signal.SIGKILL)
    for request in (task, model.sample(ask())):
        with pytest.raises(ProviderError, match=r"signal 9[\s\S]*vllm-server-the_actor") as caught:
            await request
        assert caught.value.fatal
    await model.close()
    assert not group(model)


async def test_closing_during_the_start_ends_it(weights: Path) -> None:
    model = make(weights)
    task = asyncio.create_task(model.start())
    while model._process is None:
        await asyncio.sleep(0.05)
    began = time.monotonic()
    await model.close()
    assert time.monotonic() - began < 5
    assert not group(model)
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_wrong_settings_are_told_apart(weights: Path) -> None:
    model = make(weights, options={"tensor_paralel_size": 2})
    with pytest.raises(ConfigError, match="tensor-paralel-size"):
        await model.start()
    await model.close()
    with pytest.raises(ConfigError, match="base_url"):
        build_model("m", ModelConfig(provider="vllm-server", model="m", base_url="http://127.0.0.1:1/v1"))
