"""llama.cpp's own server engine inside this process, by the package xllamacpp, without HTTP between.

The engine batches all sequences in flight continuously and keeps the prompt prefix of each slot. A sample is one
request: the engine counts tokens per request, so that only then has each sample a true count and a seed of its own.

Guarantees: with a seed, sample k of a request is drawn with seed + k (its text can differ all the same, since sums of
floats depend on what else is in the batch; a run answers from its record); sampling follows `sampling` alone
(llama.cpp's own truncations, top-k 40 and min-p 0.05, are off unless `extra_body` sets them); a cancelled sample stops
at its next token; the port that the engine opens on 127.0.0.1 serves no one without a key that is drawn at random.
"""

from __future__ import annotations

import asyncio
import importlib.util
import os
import secrets
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import orjson

from ultrainteract.config import ModelConfig
from ultrainteract.errors import ConfigError, ProviderError, require
from ultrainteract.models.base import ChatRequest, Completion, Reply
from ultrainteract.models.openai.wire import Dialect, WireError, build_body, parse_answer
from ultrainteract.models.processes import Lazy
from ultrainteract.models.providers import Resources, provider
from ultrainteract.models.vllm.sequence_gate import SequenceGate
from ultrainteract.schema import Usage

SEQUENCES = 8
"""Default of the option `n_parallel`: sequences that are generated side by side."""
TOKENS_PER_SEQUENCE = 2048
"""Default of the option `n_ctx`, per sequence; all sequences share one cache, so that one may take more."""
_DEFAULTS: dict[str, Any] = {"kv_unified": True, "warmup": False, "verbosity": 0, "endpoint_slots": False}
_NEUTRAL = {"top_k": 0, "min_p": 0.0}
_OURS = {"model", "messages", "n", "seed", "stream", "stop", "max_tokens", "temperature", "top_p"}
_TOO_LONG = "exceed_context_size_error"


@provider("llamacpp", one_process=True)
class LlamaCppModel:
    """A GGUF model on an engine of its own in this process.

    `config.model` is the path of a GGUF file, or `PACKAGE/FILE` for one that an installed package ships.
    `config.options` are `n_threads` and llama.cpp's parameters by the names of `xllamacpp.CommonParams` (`n_parallel`,
    `n_ctx`, `n_gpu_layers` …); `config.extra_body` holds further fields of a request, as llama.cpp's server takes them.

    Args:
        name: Name in the configuration.
        config: Its configuration.
        resources: What the run's models share; nothing of it is used.

    Raises:
        ConfigError: xllamacpp is not installed, there is no such file, or an option is unknown or wrong.
    """

    provider = "llamacpp"
    simulated = False

    def __init__(self, name: str, config: ModelConfig, resources: Resources | None = None) -> None:
        require("xllamacpp", "llamacpp")
        self.name = name
        self.model = config.model
        self.config = config
        forbidden = sorted(_OURS & set(config.extra_body))
        if forbidden:
            raise ConfigError(
                f"models.{name}.extra_body: {', '.join(map(repr, forbidden))} is set by the pipeline, from `sampling`."
            )
        self._parameters = _parameters(name, config)
        self._lazy = Lazy(self._start)
        self._closed = threading.Event()
        parallel: int = self._parameters.n_parallel
        chosen = "max_concurrency" in config.model_fields_set
        self._gate = SequenceGate(config.max_concurrency if chosen else parallel)
        self._threads = ThreadPoolExecutor(self._gate.limit, thread_name_prefix=f"llamacpp-{name}")

    async def start(self) -> None:
        """Loads the model ahead of the first request.

        Raises:
            ProviderError: It cannot be loaded; always fatal.
        """
        await self._lazy.get()

    async def sample(self, request: ChatRequest) -> Reply:
        """Draws `request.n` completions.

        Raises:
            ProviderError: The prompt is longer than the context (refused), the model cannot be loaded or was closed
                (fatal), or the engine fails.
        """
        if self._closed.is_set():
            raise ProviderError(f"Model '{self.name}' was closed.", fatal=True)
        engine = await self._lazy.get()
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(self._draw(engine, request, place)) for place in range(request.n)]
        except ExceptionGroup as failures:
            raise failures.exceptions[0] from None
        drawn = [task.result() for task in tasks]
        return Reply(
            completions=tuple(completion for completion, _ in drawn),
            usage=Usage(
                prompt_tokens=drawn[0][1].prompt_tokens,
                completion_tokens=sum(completion.tokens for completion, _ in drawn),
            ),
        )

    async def close(self) -> None:
        """Stops what is being generated and frees the model. Idempotent."""
        if self._closed.is_set():
            return
        self._closed.set()
        engine = await self._lazy.stop()
        await asyncio.to_thread(self._threads.shutdown, wait=True, cancel_futures=True)
        if engine is not None:
            await asyncio.to_thread(
                engine.clear
            )  # the last reference: its destructor waits for the engine's thread

    # ------------------------------------------------------------------------------------------ one sample

    async def _start(self) -> list[Any]:
        import xllamacpp

        try:
            return [await asyncio.to_thread(xllamacpp.Server, self._parameters)]
        except (RuntimeError, ValueError, MemoryError) as error:
            raise ProviderError(
                f"llama.cpp cannot load model '{self.name}' ({self.model}): {error}", fatal=True
            ) from error

    async def _draw(self, engine: list[Any], request: ChatRequest, place: int) -> tuple[Completion, Usage]:
        body = _NEUTRAL | build_body(
            request, self.config, Dialect(token_field="max_tokens"), 1, request.first + place
        )
        body |= {"stream": True, "stream_options": {"include_usage": True}}
        async with self._gate.hold(1, request.purpose.role, request.purpose.turn):
            cancelled = threading.Event()
            call = asyncio.get_running_loop().run_in_executor(
                self._threads, self._call, engine, orjson.dumps(body), cancelled
            )
            try:
                raw = await asyncio.shield(call)
            except asyncio.CancelledError:
                cancelled.set()
                await asyncio.wait({call})  # its slot is free at its next token
                raise
        return self._read(raw, request)

    def _call(self, engine: list[Any], body: bytes, cancelled: threading.Event) -> bytes:
        """Generates one sample; runs in a thread, which xllamacpp lets the others run beside.

        Returns:
            A chat completion, or an error, as the server would answer without streaming.
        """
        if cancelled.is_set() or self._closed.is_set():
            return b""
        texts: dict[str, list[str]] = {"content": [], "reasoning_content": []}
        choice: dict[str, Any] = {"index": 0, "message": {}, "finish_reason": None}
        answer: dict[str, Any] = {"choices": [choice]}
        logprobs: list[Any] = []

        def take(chunk: bytes) -> bool:
            data = orjson.loads(chunk)
            if error := data.get("error"):
                answer.update(choices=[], error=error)
            for part in data.get("choices", ()):
                for field, pieces in texts.items():
                    pieces.append(part["delta"].get(field) or "")
                logprobs.extend((part.get("logprobs") or {}).get("content") or ())
                choice["finish_reason"] = part.get("finish_reason") or choice["finish_reason"]
            answer["usage"] = data.get("usage") or answer.get("usage")
            return cancelled.is_set() or self._closed.is_set()

        engine[0].handle_chat_completions(body, take)
        choice["message"] = {field: "".join(pieces) for field, pieces in texts.items()}
        choice["logprobs"] = {"content": logprobs} if logprobs else None
        return orjson.dumps(answer)

    def _read(self, raw: bytes, request: ChatRequest) -> tuple[Completion, Usage]:
        if not raw or self._closed.is_set():
            raise ProviderError(f"Model '{self.name}' was closed with requests in flight.", fatal=True)
        try:
            (completion,), usage = parse_answer(raw, request)
        except WireError as error:
            told = orjson.loads(raw).get("error") or {}
            raise ProviderError(
                f"llama.cpp refuses a request to model '{self.name}': {told.get('message') or error}",
                refused=told.get("type") == _TOO_LONG,
            ) from error
        last = request.messages[-1]
        if last.role == "assistant":  # llama.cpp repeats what it continues
            completion = completion.model_copy(update={"text": completion.text.removeprefix(last.content)})
        return completion, usage


def find_weights(name: str, model: str) -> Path:
    """The GGUF file that `model` names.

    Args:
        name: The model's name in the configuration.
        model: A path, or `PACKAGE/FILE` for a file that an installed package ships.

    Raises:
        ConfigError: There is no such file.
    """
    path = Path(model)
    if not path.is_file():
        package, _, file = model.partition("/")
        spec = importlib.util.find_spec(package) if package.isidentifier() and file else None
        places = [Path(place) / file for place in (spec.submodule_search_locations or ())] if spec else []
        found = next((place for place in places if place.is_file()), None)
        if found is None:
            raise ConfigError(
                f"models.{name}.model: there is no file {model}, and no installed package ships it. Write the path of "
                "a GGUF file, or PACKAGE/FILE."
            )
        path = found
    with path.open("rb") as file_:
        if file_.read(4) != b"GGUF":
            raise ConfigError(f"models.{name}.model: {path} is no GGUF file.")
    return path


def _parameters(name: str, config: ModelConfig) -> Any:
    """llama.cpp's parameters.

    Raises:
        ConfigError: An option is unknown or its value wrong.
    """
    # Read when OpenMP is loaded. Threads that spin while they wait stand still together on a machine with other work.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    import xllamacpp

    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(find_weights(name, config.model))
    options = {"n_parallel": SEQUENCES, **_DEFAULTS, **config.options}
    affinity = getattr(os, "sched_getaffinity", None)  # Linux alone has it
    threads = options.pop("n_threads", None) or (len(affinity(0)) if affinity else os.cpu_count() or 1)
    options.setdefault("n_ctx", options["n_parallel"] * TOKENS_PER_SEQUENCE)
    for option, value in options.items():
        if not isinstance(getattr(parameters, option, None), (bool, int, float, str)):
            raise ConfigError(
                f"models.{name}.options: xllamacpp.CommonParams has no plain parameter '{option}'."
            )
        try:
            setattr(parameters, option, value)
        except (TypeError, ValueError, OverflowError) as error:
            raise ConfigError(f"models.{name}.options.{option}: {error}") from error
    parameters.cpuparams.n_threads = parameters.cpuparams_batch.n_threads = threads
    parameters.api_keys = [secrets.token_urlsafe(32)]
    return parameters
