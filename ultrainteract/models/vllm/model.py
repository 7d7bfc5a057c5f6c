"""vLLM inside this process: the fastest way from a tree to a GPU on the same machine.

Requests go straight to vLLM's asynchronous engine, without HTTP or JSON. The engine batches them
continuously, draws the `n` samples of a request on one shared prefix, and keeps prefixes for the turns that follow;
only finished samples come back, and become text at once instead of token by token where no stop string has to
be watched for. The chat template is applied by vLLM's own renderer, as its server does.

Guarantees: with a seed, sample k of a request is drawn with seed + k, however the samples are split over requests.
A cancelled request is aborted in the engine. `close` leaves no process.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from itertools import count
from typing import TYPE_CHECKING, Any

from ultrainteract.config import ModelConfig
from ultrainteract.errors import ConfigError, ProviderError, require
from ultrainteract.models.base import ChatRequest, Completion, FinishReason, Offer, Reply
from ultrainteract.models.openai.functions import message_body
from ultrainteract.models.reasoning import split_reasoning
from ultrainteract.models.vllm.engine import Engine
from ultrainteract.models.vllm.sequence_gate import SequenceGate
from ultrainteract.schema import Message, Usage
from ultrainteract.schema.calls import api_names

if TYPE_CHECKING:
    from vllm.outputs import CompletionOutput, RequestOutput
    from vllm.v1.engine.async_llm import AsyncLLM

QUEUE_FACTOR = 2
"""Sequences under way for each that the engine can run: the rest waits in the engine, ready for a free place."""

_FINISH: dict[str | None, FinishReason] = {"stop": "stop", "length": "length"}
_OURS = {"n", "temperature", "top_p", "max_tokens", "stop", "seed", "output_kind", "detokenize"}
_CONTEXT_TOKENS = 8
"""Prompt tokens decoded with a completion, so that it begins as it continues the prompt."""
_GAVE_UP = {"abort", "error"}
_RENDERING = ("chat_template", "chat_template_kwargs")


class VLLMModel:
    """A model on an engine of its own in this process.

    `config.options` are vLLM's engine arguments (and `log_dir`, `start_timeout_s`); `config.extra_body` holds
    further sampling parameters by vLLM's names, `logprobs`, `chat_template` and `chat_template_kwargs`, as its
    server takes them in a request.

    Args:
        name: Name in the configuration.
        config: Its configuration.

    Raises:
        ConfigError: vLLM is not installed, or an option is unknown or wrong.
    """

    provider = "vllm"
    simulated = False

    def __init__(self, name: str, config: ModelConfig) -> None:
        require("vllm", "vllm")
        self.name = name
        self.model = config.model
        self.config = config
        self._engine = Engine(name, config)
        self._gate: SequenceGate | None = None
        self._reasoning: _ReasoningParser | None = None
        self._numbers = count()
        self._template = {key: value for key, value in config.extra_body.items() if key in _RENDERING}
        self._sampling = _sampling_fields(name, config)

    async def start(self) -> None:
        """Starts the engine ahead of the first request.

        Raises:
            ConfigError: vLLM refuses the options.
            ProviderError: It does not start.
        """
        await self._ready()

    async def sample(self, request: ChatRequest) -> Reply:
        """Draws `request.n` completions.

        Raises:
            ProviderError: The engine refuses the prompt (too long), gave this request up, or is dead (fatal).
        """
        engine, gate = await self._ready()
        greedy = request.sampling.temperature == 0  # vLLM draws one greedy sample a request
        most = 1 if greedy else min(self.config.n_per_request or request.n, gate.limit)
        spans = [(start, min(most, request.n - start)) for start in range(0, request.n, most)]
        if len(spans) == 1:
            outputs = [await self._draw(engine, gate, request, *spans[0])]
        else:
            try:
                async with asyncio.TaskGroup() as group:
                    tasks = [group.create_task(self._draw(engine, gate, request, *span)) for span in spans]
            except ExceptionGroup as failures:
                raise failures.exceptions[
                    0
                ] from None  # the same engine, the same prompt: one says it for all
            outputs = [task.result() for task in tasks]
        completions = tuple(
            self._completion(engine, output, one, self._late_text(request))
            for output in outputs
            for one in output.outputs
        )
        return Reply(
            completions=completions,
            usage=Usage(
                prompt_tokens=len(outputs[0].prompt_token_ids or ()),
                completion_tokens=sum(completion.tokens for completion in completions),
                reasoning_tokens=sum(completion.reasoning_tokens for completion in completions),
            ),
        )

    async def log_probabilities(self, messages: tuple[Message, ...], answer: str) -> tuple[float, ...]:
        """Log-probabilities of an answer's tokens after a conversation: from the first token that the answer decides.

        Raises:
            ProviderError: The engine refuses the text (too long), or is dead (fatal); or the answer has no token.
        """
        from vllm.sampling_params import RequestOutputKind, SamplingParams

        engine, gate = await self._ready()
        params = SamplingParams(
            max_tokens=1,
            temperature=0,
            prompt_logprobs=0,
            detokenize=False,
            output_kind=RequestOutputKind.FINAL_ONLY,
        )
        async with gate.hold(1, "actor", 1):
            with self._faults(engine):
                asked = await self._render(engine, messages)
                whole = await self._render(engine, (*messages, Message(role="assistant", content=answer)))
                name = f"{self.name}-{next(self._numbers)}"
                outputs = [output async for output in engine.generate(whole, params, name)]
        if not outputs or self._engine.closed:
            raise self._engine.death()
        tokens, before = list(outputs[-1].prompt_token_ids or ()), list(asked["prompt_token_ids"])
        pairs = zip(tokens, before, strict=False)
        begin = next(
            (at for at, (one, other) in enumerate(pairs) if one != other), min(len(tokens), len(before))
        )
        found = list(outputs[-1].prompt_logprobs or ())[begin:]
        if not found:
            raise ProviderError(f"Model '{self.name}': the answer has no token.", refused=True)
        return tuple(float(at[token].logprob) for at, token in zip(found, tokens[begin:], strict=True) if at)

    async def close(self) -> None:
        """Ends the engine and its processes within seconds. Idempotent; requests in flight fail."""
        await self._engine.close()

    # ------------------------------------------------------------------------------------------ one request

    async def _ready(self) -> tuple[AsyncLLM, SequenceGate]:
        engine = await self._engine.get()
        if self._gate is None:
            chosen = "max_concurrency" in self.config.model_fields_set
            runnable: int = engine.vllm_config.scheduler_config.max_num_seqs
            replicas: int = engine.vllm_config.parallel_config.data_parallel_size
            self._gate = SequenceGate(
                self.config.max_concurrency if chosen else QUEUE_FACTOR * runnable * replicas
            )
            if "reasoning_parser" in self.config.options:
                parser = self.config.options["reasoning_parser"]
                self._reasoning = _ReasoningParser(self.name, parser, engine, self._template)
        return engine, self._gate

    async def _render(
        self, engine: AsyncLLM, messages: tuple[Message, ...], offer: Offer | None = None
    ) -> Any:
        from vllm.renderers import ChatParams

        continued = messages[-1].role == "assistant"
        template = {
            **self._template.get("chat_template_kwargs", {}),
            "add_generation_prompt": not continued,
            "continue_final_message": continued,
        }
        spelled: dict[str, str] = {}
        if offer is not None:
            spelled = api_names(offer.functions)
            template["tools"] = [function.tool(spelled[function.name]) for function in offer.functions]
        _, prompts = await engine.renderer.render_chat_async(
            [[message_body(message, spelled) for message in messages]],
            ChatParams(chat_template=self._template.get("chat_template"), chat_template_kwargs=template),
        )
        return prompts[0]

    async def _draw(
        self, engine: AsyncLLM, gate: SequenceGate, request: ChatRequest, start: int, n: int
    ) -> RequestOutput:
        from vllm.sampling_params import RequestOutputKind, SamplingParams

        wanted = request.sampling
        async with gate.hold(n, request.purpose.role, request.purpose.turn):
            with self._faults(engine):
                params = SamplingParams(
                    n=n,
                    temperature=wanted.temperature,
                    top_p=wanted.top_p,
                    max_tokens=wanted.max_tokens,
                    stop=list(wanted.stop),
                    # vLLM draws sample i of a request with seed + i
                    seed=None if wanted.seed is None else wanted.seed + request.first + start,
                    output_kind=RequestOutputKind.FINAL_ONLY,
                    detokenize=not self._late_text(request),
                    **{**self._sampling, "skip_special_tokens": self._skip_special},
                )
                prompt = await self._render(engine, request.messages, request.offer)
                # to its end, though one output is all that comes: leaving early would send an abort
                outputs = [
                    output
                    async for output in engine.generate(prompt, params, f"{self.name}-{next(self._numbers)}")
                ]
        gave_up = {one.finish_reason for output in outputs for one in output.outputs} & _GAVE_UP
        if not outputs or (gave_up and self._engine.closed):
            raise self._engine.death()
        if gave_up:
            raise ProviderError(
                f"The vLLM engine of model '{self.name}' gave a request up ({', '.join(sorted(gave_up))}). "
                f"Resume the run to ask again."
            )
        return outputs[-1]

    @contextlib.contextmanager
    def _faults(self, engine: AsyncLLM) -> Iterator[None]:
        """Turns vLLM's errors into ours."""
        from vllm.exceptions import VLLMClientError, VLLMError
        from vllm.renderers.chat_utils import ChatTemplateResolutionError

        try:
            yield
        except ChatTemplateResolutionError:
            raise ProviderError(
                f"Model '{self.name}' ({self.model}) has no chat template. Use one that was trained on "
                f"conversations, or set extra_body.chat_template.",
                fatal=True,
            ) from None
        except TimeoutError as error:
            raise ProviderError(f"Model '{self.name}': vLLM did not make a prompt in time: {error}") from None
        except VLLMClientError as error:
            raise ProviderError(
                f"Model '{self.name}' ({self.model} in vLLM) refuses the request: {error}. Its context is "
                f"{engine.model_config.max_model_len} tokens.",
                refused=True,
            ) from None
        except VLLMError as error:
            if engine.errored:
                raise self._engine.death() from None
            raise ProviderError(
                f"The vLLM engine of model '{self.name}' failed on a request: {error.__cause__ or error}. "
                f"Resume the run to ask again."
            ) from error

    @property
    def _skip_special(self) -> bool:
        default = self._reasoning is None or self._reasoning.skip
        return bool(self._sampling.get("skip_special_tokens", default))

    def _late_text(self, request: ChatRequest) -> bool:
        """Whether tokens become text here, at the end, which takes a third of the CPU time off each token."""
        return not request.sampling.stop and not self._sampling.get("include_stop_str_in_output")

    def _completion(
        self, engine: AsyncLLM, prompt: RequestOutput, output: CompletionOutput, late_text: bool
    ) -> Completion:
        text, reasoning = output.text, None
        if late_text:
            written = list(output.token_ids)
            if output.finish_reason == "stop":
                written.pop()  # the token that ended it is no part of the text
            before = list(prompt.prompt_token_ids or ())[-_CONTEXT_TOKENS:]
            text = _text_after(engine.get_tokenizer(), before, written, self._skip_special)
        if self._reasoning is not None:
            text, reasoning = self._reasoning.split(text)
        if reasoning is None:
            text, reasoning = split_reasoning(text, self.config.reasoning_tags)
        logprobs = None
        if output.logprobs is not None:
            pairs = zip(output.logprobs, output.token_ids, strict=True)
            logprobs = tuple(position[token].logprob for position, token in pairs)
        return Completion(
            text=text,
            finish_reason=_FINISH.get(output.finish_reason, "other"),
            reasoning=reasoning,
            tokens=len(output.token_ids),
            reasoning_tokens=len(output.token_ids)
            * len(reasoning or "")
            // max(1, len(text) + len(reasoning or "")),
            logprobs=logprobs,
        )


def _text_after(tokenizer: Any, before: list[int], written: list[int], skip_special: bool) -> str:
    """The text of `written`, decoded behind the end of the prompt: some tokenizers drop a text's first space."""
    head: str = tokenizer.decode(before, skip_special_tokens=skip_special)
    whole: str = tokenizer.decode(before + written, skip_special_tokens=skip_special)
    return whole[len(head) :]


class _ReasoningParser:
    """Takes a reasoning model's chain of thought off its answers, as vLLM's server does."""

    def __init__(self, name: str, parser: str, engine: AsyncLLM, template: dict[str, Any]) -> None:
        from vllm.entrypoints.openai.chat_completion.protocol import ChatCompletionRequest
        from vllm.reasoning import ReasoningParserManager

        try:
            self._class = ReasoningParserManager.get_reasoning_parser(parser)
        except KeyError:
            raise ConfigError(
                f"models.{name}.options.reasoning_parser: vLLM has no '{parser}'; it has "
                f"{', '.join(sorted(ReasoningParserManager.list_registered()))}."
            ) from None
        self._tokenizer = engine.get_tokenizer()
        self._settings = {
            "chat_template_kwargs": template.get("chat_template_kwargs", {}),
            "model_config": engine.model_config,
        }
        self._request = self._new().adjust_request(ChatCompletionRequest(messages=[], model=""))
        self.skip: bool = self._request.skip_special_tokens
        """`skip_special_tokens`, without which some parsers do not see the marks they look for."""

    def split(self, text: str) -> tuple[str, str | None]:
        """The answer and the chain of thought; the answer is empty where the text ends before it."""
        reasoning, answer = self._new().extract_reasoning(text, self._request)
        return answer or "", reasoning

    def _new(self) -> Any:
        return self._class(self._tokenizer, **self._settings)  # a parser keeps state: one for each text


def _sampling_fields(name: str, config: ModelConfig) -> dict[str, Any]:
    """Further sampling parameters, from `config.extra_body`.

    Raises:
        ConfigError: vLLM has no such parameter, it is set elsewhere, or its value is wrong.
    """
    from vllm.exceptions import VLLMError
    from vllm.sampling_params import SamplingParams

    fields = {key: value for key, value in config.extra_body.items() if key not in _RENDERING}
    unknown = sorted(set(fields) - {field for field in SamplingParams.__struct_fields__ if field[0] != "_"})
    if unknown:
        raise ConfigError(f"models.{name}.extra_body: vLLM does not know {', '.join(map(repr, unknown))}.")
    ours = sorted(set(fields) & _OURS)
    if ours:
        raise ConfigError(
            f"models.{name}.extra_body: {', '.join(map(repr, ours))} is set by the pipeline, from `sampling`."
        )
    if isinstance(fields.get("logprobs"), bool):  # the servers' way of asking; 0: of the drawn token alone
        fields["logprobs"] = 0 if fields["logprobs"] else None
    try:
        SamplingParams(**fields)
    except (TypeError, ValueError, VLLMError) as error:
        raise ConfigError(f"models.{name}.extra_body: {error}") from error
    return fields
