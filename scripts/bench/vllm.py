"""Tokens a second of the pipeline on in-process vLLM against `LLM.generate` over the same prompts and lengths.

Both engines are alive in this process, with the same arguments; in each round the pipeline goes first, and then
`LLM.generate` gets all its prompts at once, as token ids, with the same numbers of samples of the same lengths:
the best that vLLM does when it knows everything from the start. The pipeline's rate is taken while it draws the tokens
between the first tenth and the last fifth: at the end of a run the deepest trees are alone. What drives the model:

* `chains`: the model client under many conversations, each of several turns of several samples;
* `trees`: whole runs (admission, prompts, durable records, grading, growth), tool-free tasks;
* `sandbox`: the same with programs that run in the sandbox.

Without `--model` the network has random weights, so what its samples say is not of use: under `trees` and `sandbox` the
simulated model writes the texts, while vLLM does the work for every one of them. On a CPU the sandbox and the pipeline
take their share from the engine's own cores; the default network is just large enough to be what a run waits for.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

ROOT = Path(__file__).resolve().parents[2]
# Where scripts look for modules first is this folder, in which `vllm` would be this file.
sys.path[:] = [
    str(ROOT),
    *(entry for entry in sys.path if Path(entry).resolve() != Path(__file__).resolve().parent),
]

from scripts.bench._report import finish  # noqa: E402
from tests.tinymodel import Shape, build_tiny_model  # noqa: E402
from ultrainteract.config import ModelConfig, parse_config  # noqa: E402
from ultrainteract.models import build_model  # noqa: E402
from ultrainteract.models.base import ChatModel, ChatRequest, Purpose, Reply  # noqa: E402
from ultrainteract.schema import Message, SamplingParams, content_hash  # noqa: E402

if TYPE_CHECKING:
    from vllm import LLM

TARGET = 0.95
WINDOW = (0.1, 0.8)
"""Shares of the tokens between which the pipeline's rate is taken."""
SHAPES = {
    "tiny": Shape(),
    "3m": Shape(hidden=256, layers=4, heads=4, kv_heads=2, intermediate=768),
    "1b": Shape(hidden=2048, layers=16, heads=32, kv_heads=8, intermediate=8192),
    "8b": Shape(hidden=4096, layers=32, heads=32, kv_heads=8, intermediate=14336),
}


class Load(NamedTuple):
    """What is asked of the engines."""

    conversations: int
    """Chains, or trees alive at once: half of a run."""
    turns: int
    samples: int
    lengths: tuple[int, int]
    """Shortest and longest completion, tokens."""
    engine: dict[str, Any]


LOADS = {
    "cpu": Load(64, 3, 4, (16, 64), {"dtype": "float32", "enforce_eager": True, "max_num_seqs": 64}),
    "cuda": Load(4096, 3, 4, (64, 512), {"dtype": "bfloat16", "gpu_memory_utilization": 0.42}),
}
CONTEXT = 4096


class Sent(NamedTuple):
    """A request as vLLM got it."""

    messages: tuple[Message, ...]
    n: int
    tokens: int


class Recorder:
    """The model under test: gives each request its length, and keeps what was asked.

    Args:
        model: The vLLM model.
        lengths: Shortest and longest completion, tokens.
        writer: Whose texts to return in place of the network's; None for its own.
    """

    def __init__(self, model: ChatModel, lengths: tuple[int, int], writer: ChatModel | None = None) -> None:
        self.name, self.model, self.provider, self.simulated = model.name, model.model, model.provider, True
        self.sent: list[Sent] = []
        self.drawn: list[tuple[float, int]] = []
        """When each reply came, and its tokens."""
        self._inner = model
        self._lengths = lengths
        self._writer = writer

    async def sample(self, request: ChatRequest) -> Reply:
        """Draws samples of a length that follows from the messages."""
        tokens = random.Random(content_hash([request.messages, request.first])).randint(*self._lengths)
        self.sent.append(Sent(request.messages, request.n, tokens))
        sampling = request.sampling.model_copy(update={"max_tokens": tokens, "seed": None, "stop": ()})
        reply = await self._inner.sample(request.model_copy(update={"sampling": sampling}))
        self.drawn.append((time.perf_counter(), sum(one.tokens for one in reply.completions)))
        if self._writer is None:
            return reply
        written = (await self._writer.sample(request)).completions
        completions = tuple(
            drawn.model_copy(update={"text": text.text, "finish_reason": text.finish_reason})
            for drawn, text in zip(reply.completions, written, strict=True)
        )
        return reply.model_copy(update={"completions": completions})

    def tokens(self) -> int:
        """Tokens drawn."""
        return sum(tokens for _, tokens in self.drawn)

    def rate(self) -> float:
        """Tokens a second between `WINDOW`."""
        marks: list[tuple[float, int]] = []
        total, done = self.tokens(), 0
        for moment, tokens in self.drawn:
            done += tokens
            if done >= WINDOW[len(marks)] * total:
                marks.append((moment, done))
                if len(marks) == len(WINDOW):
                    break
        (begin, first), (end, last) = marks
        return (last - first) / (end - begin)

    async def close(self) -> None:
        """The caller closes the model."""


Drive = Callable[[ChatModel, Load, int], Awaitable[None]]


def words(rng: random.Random, count: int) -> str:
    return " ".join("".join(rng.choices("aeioubdgklmnprstvz", k=rng.randint(2, 7))) for _ in range(count))


async def chains(model: ChatModel, load: Load, round_number: int) -> None:
    """Every conversation asks for samples, takes one as its turn, gets feedback, and asks again."""
    system = Message(role="system", content=words(random.Random(round_number), 150))

    async def converse(number: int) -> None:
        rng = random.Random(f"{round_number} {number}")
        messages = (system, Message(role="user", content=words(rng, rng.randint(30, 90))))
        for turn in range(1, load.turns + 1):
            request = ChatRequest(
                messages=messages,
                sampling=SamplingParams(),
                n=load.samples,
                purpose=Purpose(role="actor", step="bench", turn=turn),
            )
            reply = await model.sample(request)
            answer = Message(role="assistant", content=reply.completions[0].text)
            messages = (*messages, answer, Message(role="user", content=words(rng, rng.randint(20, 60))))

    async with asyncio.TaskGroup() as group:
        for number in range(load.conversations):
            group.create_task(converse(number))


def whole_run(task: str) -> Drive:
    """A drive that grows the trees of a run."""

    async def grow(model: ChatModel, load: Load, round_number: int) -> None:
        from ultrainteract.api import run_async
        from ultrainteract.store import RunStore

        with tempfile.TemporaryDirectory() as folder:
            # Twice as many trees as are alive at once: at the end of a run the engines have less and less to do.
            count = 2 * load.conversations
            numbers = range(round_number * count, (round_number + 1) * count)
            rows = (
                {"question": f"What is {i} + {i * 7 % 1000}?", "answer": str(i + i * 7 % 1000)}
                for i in numbers
            )
            Path(folder, "seeds.jsonl").write_text(
                "".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8"
            )
            config = parse_config(
                {
                    "output": str(Path(folder, "run")),
                    "seeds": [
                        {"dataset": "generic", "name": "sums", "path": "seeds.jsonl", "tasks": [task],
                         "grader": "math", "mapping": {"question": "question", "gold": "answer"}}
                    ],
                    "models": {"actor": {"provider": "vllm", "model": model.model}},
                    "growth": {
                        "ladder": [{"name": "sample", "model": "actor", "samples": 20}],
                        "waves": load.samples,
                        "rejected_from": "actor",
                    },
                    "critic": {"model": "actor"},
                    "max_inflight_trees": load.conversations,
                    "export": {"formats": []},
                }
            )  # fmt: skip
            with RunStore.resume(config.output, config) as store:
                await run_async(config, store, base=folder, models={"actor": model})

    return grow


DRIVES: dict[str, Drive] = {
    "chains": chains,
    "trees": whole_run("Math_CoT"),
    "sandbox": whole_run("Math_PoT"),
}


def reference(llm: LLM, sent: list[Sent]) -> tuple[float, int]:
    """Seconds and tokens of `LLM.generate` for what was sent."""
    from vllm import SamplingParams as EngineParams
    from vllm.inputs import TokensPrompt

    tokenizer = llm.get_tokenizer()
    prompts, params = [], []
    for messages, n, tokens in sent:
        continued = messages[-1].role == "assistant"
        ids = tokenizer.apply_chat_template(
            [{"role": message.role, "content": message.content} for message in messages],
            tokenize=True, return_dict=False,
            add_generation_prompt=not continued, continue_final_message=continued,
        )  # fmt: skip
        prompts.append(TokensPrompt(prompt_token_ids=ids))
        params.append(EngineParams(n=n, temperature=1.0, max_tokens=tokens, ignore_eos=True))
    began = time.perf_counter()
    outputs = llm.generate(prompts, params, use_tqdm=False)
    seconds = time.perf_counter() - began
    return seconds, sum(len(one.token_ids) for output in outputs for one in output.outputs)


@contextlib.contextmanager
def network(options: argparse.Namespace) -> Iterator[tuple[str, dict[str, Any]]]:
    """The model's folder and the arguments of both engines."""
    engine = {**LOADS[options.device].engine, "max_model_len": CONTEXT, "enable_prefix_caching": True}
    if options.max_num_seqs:
        engine["max_num_seqs"] = options.max_num_seqs
    if options.model:
        yield options.model, engine
        return
    with tempfile.TemporaryDirectory() as folder:
        shape = SHAPES[options.shape or ("3m" if options.device == "cpu" else "1b")]
        yield (
            str(build_tiny_model(Path(folder), shape=shape, positions=CONTEXT, weights=False)),
            engine | {"load_format": "dummy"},
        )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--device", choices=list(LOADS), default="cpu")
    parser.add_argument("--drive", nargs="+", choices=list(DRIVES), default=["chains"])
    parser.add_argument("--model", help="a model to load; one with random weights if missing")
    parser.add_argument("--shape", choices=list(SHAPES), help="size of the random network")
    parser.add_argument("--conversations", type=int, help="chains, or trees alive at once")
    parser.add_argument("--max-num-seqs", type=int, help="sequences an engine runs at once")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="one round of a quarter of the conversations")
    parser.add_argument("--check", action="store_true", help="exit 1 below the target")
    options = parser.parse_args()
    load = LOADS[options.device]
    # GiB for an engine on a CPU; with less, it computes prefixes again and again.
    os.environ.setdefault("VLLM_CPU_KVCACHE_SPACE", "3")
    if options.quick:
        options.rounds, load = 1, load._replace(conversations=load.conversations // 4)
    if options.conversations:
        load = load._replace(conversations=options.conversations)

    ratios: dict[str, float] = {}
    with network(options) as (folder, engine), asyncio.Runner() as runner:
        config = ModelConfig(provider="vllm", model=folder, options=engine, extra_body={"ignore_eos": True})
        model: Any = build_model("actor", config)
        writer = build_model("writer", ModelConfig(provider="simulated", model="simulated-actor"))
        try:
            runner.run(model.start())
            from vllm import LLM

            llm = LLM(model=folder, **engine)
            print("drive    round  requests     tokens  ours tok/s  LLM tok/s  ratio", flush=True)
            for name in options.drive:
                found = []
                for number in range(options.rounds + 1):  # the first one warms both engines up
                    recorder = Recorder(model, load.lengths, None if name == "chains" else writer)
                    size = load if number else load._replace(conversations=max(8, load.conversations // 8))
                    runner.run(DRIVES[name](recorder, size, number))
                    seconds, tokens = reference(llm, recorder.sent)
                    drawn = recorder.tokens()
                    assert tokens == drawn, f"LLM.generate drew {tokens} tokens, the pipeline {drawn}"
                    if number:
                        ours, theirs = recorder.rate(), tokens / seconds
                        found.append(ours / theirs)
                        print(
                            f"{name:8} {number:5} {len(recorder.sent):9,} {tokens:10,} {ours:11,.0f} "
                            f"{theirs:10,.0f} {ours / theirs:6.3f}",
                            flush=True,
                        )
                ratios[f"{name}: tokens/s / LLM.generate"] = statistics.median(found)
            llm.llm_engine.engine_core.shutdown()
        finally:
            runner.run(model.close())
    finish(ratios, dict.fromkeys(ratios, (">=", TARGET)), check=options.check)


if __name__ == "__main__":
    main()
