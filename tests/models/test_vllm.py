"""The in-process vLLM provider on a real engine with a tiny model."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio

from tests.models.helpers import ask
from tests.tinymodel import build_tiny_model
from ultrainteract.config import ModelConfig
from ultrainteract.errors import ConfigError, ProviderError
from ultrainteract.models import build_model
from ultrainteract.models.base import Completion
from ultrainteract.schema import Message

if TYPE_CHECKING:
    from ultrainteract.models.vllm.model import VLLMModel

pytestmark = [pytest.mark.vllm, pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

ENGINE: dict[str, Any] = {
    "max_model_len": 256,
    "max_num_seqs": 32,
    "dtype": "float32",
    "enforce_eager": True,
    "start_timeout_s": 240,
}


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_tiny_model(tmp_path_factory.mktemp("tiny"))


def make(weights: Path, *, options: dict[str, Any] | None = None, **config: Any) -> VLLMModel:
    config = {"provider": "vllm", "model": str(weights), "options": {**ENGINE, **(options or {})}, **config}
    model: Any = build_model("actor", ModelConfig(**config))
    return model


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def model(weights: Path) -> AsyncIterator[VLLMModel]:
    model = make(weights, extra_body={"logprobs": True})
    yield model
    await model.close()


def texts(completions: tuple[Completion, ...]) -> list[str]:
    return [completion.text for completion in completions]


async def test_n_samples_with_usage_and_logprobs(model: VLLMModel) -> None:
    reply = await model.sample(ask(n=5, seed=None, max_tokens=16))
    assert len(reply.completions) == 5
    assert len(set(texts(reply.completions))) == 5
    assert reply.usage.completion_tokens == sum(one.tokens for one in reply.completions)
    assert 10 < reply.usage.prompt_tokens < 60
    for one in reply.completions:
        assert one.logprobs is not None
        assert len(one.logprobs) == one.tokens
        assert all(logprob <= 0 for logprob in one.logprobs)


async def test_a_seeded_sample_is_the_same_however_samples_are_split(model: VLLMModel) -> None:
    whole = await model.sample(ask(n=6, seed=7, max_tokens=16))
    again = await model.sample(ask(n=6, seed=7, max_tokens=16))
    left, right = await asyncio.gather(
        model.sample(ask(n=2, seed=7, max_tokens=16)),
        model.sample(ask(n=4, first=2, seed=7, max_tokens=16)),
    )
    assert texts(whole.completions) == texts(again.completions)
    assert texts(whole.completions) == texts(left.completions + right.completions)
    assert len(set(texts(whole.completions))) == 6


async def test_temperature_zero_is_greedy(model: VLLMModel) -> None:
    reply = await model.sample(ask(n=3, temperature=0.0, max_tokens=8))
    assert len(set(texts(reply.completions))) == 1


async def test_finish_reasons_and_stop_strings(model: VLLMModel) -> None:
    cut = (await model.sample(ask(seed=3, max_tokens=12))).completions[0]
    assert (cut.finish_reason, cut.tokens) == ("length", 12)
    stop = cut.text[4:6]
    stopped = (await model.sample(ask(seed=3, max_tokens=12, stop=(stop,)))).completions[0]
    assert stopped.finish_reason == "stop"
    assert stopped.text == cut.text[: cut.text.index(stop)]


async def test_text_is_the_same_whether_it_is_made_at_the_end_or_token_by_token(model: VLLMModel) -> None:
    """A stop string that never comes makes vLLM decode token by token."""
    at_once = await model.sample(ask(n=16, seed=11, max_tokens=24))
    by_token = await model.sample(ask(n=16, seed=11, max_tokens=24, stop=("no model says this",)))
    for one, other in zip(at_once.completions, by_token.completions, strict=True):
        assert one.text.rstrip("\ufffd") == other.text.rstrip("\ufffd")  # a character that was cut in half


async def test_a_continuation_keeps_its_first_space() -> None:
    """Tokenizers of the SentencePiece kind drop it from a text that they decode alone."""
    from tokenizers import Tokenizer, decoders
    from tokenizers.models import WordLevel
    from transformers import PreTrainedTokenizerFast

    from ultrainteract.models.vllm.model import _text_after

    words = Tokenizer(WordLevel({"<unk>": 0, "\u2581one": 1, "\u2581two": 2}, unk_token="<unk>"))
    words.decoder = decoders.Metaspace()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=words)
    assert tokenizer.decode([2]) == "two"
    assert _text_after(tokenizer, [1], [2], True) == " two"


async def test_the_chat_template_opens_or_continues_the_answer(model: VLLMModel) -> None:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(model.model)
    messages = (
        Message(role="user", content="Add one and one."),
        Message(role="assistant", content="I think"),
    )
    asked = ask(max_tokens=4)
    for conversation, rendered in (
        (messages[:1], "<|user|>Add one and one.<|end|><|assistant|>"),
        (messages, "<|user|>Add one and one.<|end|><|assistant|>I think"),
    ):
        reply = await model.sample(asked.model_copy(update={"messages": conversation}))
        assert reply.usage.prompt_tokens == len(tokenizer.encode(rendered, add_special_tokens=False))


async def test_a_prompt_that_is_too_long_is_refused_and_harms_nobody(model: VLLMModel) -> None:
    with pytest.raises(ProviderError, match="256") as caught:
        await model.sample(ask("word " * 400, max_tokens=8))
    assert caught.value.refused
    assert not caught.value.fatal
    assert len((await model.sample(ask(max_tokens=8))).completions) == 1


async def test_a_cap_beyond_the_context_ends_at_the_context(model: VLLMModel) -> None:
    reply = await model.sample(ask(seed=1, max_tokens=100_000))
    assert reply.completions[0].finish_reason in ("length", "stop")
    assert reply.usage.prompt_tokens + reply.usage.completion_tokens <= 256


async def test_cancelling_aborts_the_request_in_the_engine(model: VLLMModel) -> None:
    engine = await model._engine.get()
    task = asyncio.create_task(model.sample(ask(n=16, max_tokens=230)))
    while engine.output_processor.get_num_unfinished_requests() < 16:
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not engine.output_processor.has_unfinished_requests()
    assert model._gate is not None
    assert model._gate.in_flight == 0
    assert len((await model.sample(ask(max_tokens=4))).completions) == 1


async def test_the_queue_is_full_but_bounded(model: VLLMModel) -> None:
    await model.start()
    gate, engine = model._gate, await model._engine.get()
    assert gate is not None
    assert gate.limit == 2 * 32
    most = 0

    async def watch() -> None:
        nonlocal most
        while True:
            most = max(most, engine.output_processor.get_num_unfinished_requests())
            await asyncio.sleep(0.001)

    watcher = asyncio.create_task(watch())
    replies = await asyncio.gather(*(model.sample(ask(f"{i}", n=20, max_tokens=8)) for i in range(12)))
    watcher.cancel()
    assert all(len(reply.completions) == 20 for reply in replies)
    assert most == 60  # three requests of 20


async def test_log_probabilities_of_a_given_answer_are_those_of_transformers(
    model: VLLMModel, weights: Path
) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    asked, answer = (Message(role="user", content="What is 2 + 3?"),), "It is five, of course."
    found = await model.log_probabilities(asked, answer)
    tokenizer = AutoTokenizer.from_pretrained(weights)
    network = AutoModelForCausalLM.from_pretrained(weights, dtype=torch.float32).eval()
    talk = [{"role": "user", "content": asked[0].content}]
    before = tokenizer.apply_chat_template(talk, add_generation_prompt=True, tokenize=True, return_dict=False)
    whole = tokenizer.apply_chat_template(
        [*talk, {"role": "assistant", "content": answer}],
        continue_final_message=True,
        tokenize=True,
        return_dict=False,
    )
    assert whole[: len(before)] == before
    with torch.no_grad():
        logits = network(torch.tensor([whole])).logits[0].log_softmax(-1)
    expected = [float(logits[at - 1, whole[at]]) for at in range(len(before), len(whole))]
    assert found == pytest.approx(expected, abs=1e-3)


async def test_settings_pass_through_or_are_refused(weights: Path) -> None:
    with pytest.raises(ConfigError, match="'tensor_paralel_size'"):
        make(weights, options={"tensor_paralel_size": 2})
    with pytest.raises(ConfigError, match="'top_kk'"):
        make(weights, extra_body={"top_kk": 5})
    with pytest.raises(ConfigError, match="'temperature' is set by the pipeline"):
        make(weights, extra_body={"temperature": 0.5})
    model = make(weights, options={"max_model_len": 10_000_000})
    with pytest.raises(ConfigError, match="max_model_len"):
        await model.start()
    await model.close()
    model = make(weights.parent / "nowhere")
    with pytest.raises(ConfigError, match="nowhere"):
        await model.start()
    await model.close()


async def test_the_models_reasoning_is_kept_apart(weights: Path) -> None:
    from transformers import AutoTokenizer

    from ultrainteract.models.vllm.model import _ReasoningParser

    tokenizer = AutoTokenizer.from_pretrained(weights)
    tokenizer.add_tokens(["<think>", "</think>"])
    engine: Any = SimpleNamespace(get_tokenizer=lambda: tokenizer, model_config=None)
    with pytest.raises(ConfigError, match=r"'deep_seek'; it has .*deepseek_r1"):
        _ReasoningParser("actor", "deep_seek", engine, {})
    parser = _ReasoningParser("actor", "deepseek_r1", engine, {})
    assert parser.split("One and one.</think>Two.") == ("Two.", "One and one.")
    assert parser.split("One and") == ("", "One and")


def children() -> list[str]:
    import psutil

    mine = psutil.Process().children(recursive=True)
    return [
        " ".join(child.cmdline()) for child in mine if "resource_tracker" not in " ".join(child.cmdline())
    ]


async def test_closing_during_the_start_ends_it(weights: Path) -> None:
    before = len(children())
    model = make(weights)
    task = asyncio.create_task(model.sample(ask()))
    while not model._engine._children:
        await asyncio.sleep(0.05)
    began = time.monotonic()
    await model.close()
    assert time.monotonic() - began < 5
    with pytest.raises((asyncio.CancelledError, ProviderError)):
        await task
    assert len(children()) == before


async def test_a_dead_engine_is_fatal_and_says_why(weights: Path) -> None:
    model = make(weights)
    await model.start()
    task = asyncio.create_task(model.sample(ask(n=32, max_tokens=240)))
    await asyncio.sleep(0.3)
    os.kill(model._engine._children[0].pid, signal.SIGKILL)
    for request in (task, model.sample(ask())):
        with pytest.raises(ProviderError, match="signal 9") as caught:
            await request
        assert caught.value.fatal
    await model.close()


ORPHAN = """
import asyncio, os, sys
from tests.models.test_vllm import make
from tests.models.helpers import ask
from pathlib import Path

async def main():
    model = make(Path(sys.argv[1]))
    await model.sample(ask(max_tokens=2))
    print("ready", *(child.pid for child in model._engine._children), flush=True)
    await asyncio.sleep(600)

if __name__ == "__main__":
    asyncio.run(main())
"""


async def test_a_killed_run_leaves_no_engine(weights: Path, tmp_path: Path) -> None:
    import psutil

    script = tmp_path / "orphan.py"
    script.write_text(ORPHAN, encoding="utf-8")
    run = subprocess.Popen(
        [sys.executable, str(script), str(weights)],
        stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )  # fmt: skip
    assert run.stdout is not None
    line = ""
    while not line.startswith("ready"):
        line = await asyncio.to_thread(run.stdout.readline)
        assert line, "the run ended early"
    engine = psutil.Process(int(line.split()[1]))
    family = [engine, *engine.children(recursive=True)]
    assert len(family) > 1
    run.kill()
    run.wait()
    gone_by = time.monotonic() + 10
    while any(alive(process) for process in family):
        assert time.monotonic() < gone_by, f"still there: {family}"
        await asyncio.sleep(0.1)


def alive(process: Any) -> bool:
    import psutil

    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


async def test_close_ends_requests_and_processes_within_5_s(model: VLLMModel) -> None:
    """The last one: an engine takes long to start, so it closes the shared one."""
    assert (model.name, model.provider, model.simulated) == ("actor", "vllm", False)
    await model.start()
    assert children()
    task = asyncio.create_task(model.sample(ask(n=32, max_tokens=240)))
    await asyncio.sleep(0.2)
    began = time.monotonic()
    await model.close()
    assert time.monotonic() - began < 5
    with pytest.raises(ProviderError, match="closed"):
        await task
    assert not children()
    with pytest.raises(ProviderError, match="closed"):
        await model.sample(ask())
    await model.close()
