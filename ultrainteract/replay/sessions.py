"""Replay: model calls answered from the record first, and recorded before they are used.

A call's key is a hash of what decides its answer: model, messages, sampling parameters. Samples under one key
are numbered; a tree takes them in order, so that growing it again meets the same samples. Whether a
sample was drawn just now or a month ago, alone or with nineteen others, makes no difference to the tree.
"""

from __future__ import annotations

import asyncio
import functools
import hashlib
from collections.abc import Callable, Mapping, Sequence
from weakref import WeakValueDictionary

import orjson

from ultrainteract.config import ModelConfig, RunConfig
from ultrainteract.config.binding import binding
from ultrainteract.errors import ProviderError
from ultrainteract.models.base import ChatModel, ChatRequest, Offer, Purpose, Reply
from ultrainteract.replay.budget import Budget
from ultrainteract.replay.provenance import Sample, StoredReply, samples_of
from ultrainteract.schema import Instruction, Message, SamplingParams, Usage, canonical_json
from ultrainteract.store import CallRecord, Recorder, Spend

Pricing = Callable[[ModelConfig, Usage], float | None]
"""US dollars of a request at a model's price; None where the price is unknown."""


class RecordedSampler:
    """All model calls of a run: a `Sampler` over models and their record.

    Args:
        recorder: Where replies are recorded.
        models: The models by their names in the configuration.
        config: The run's configuration.
        price: Computes the cost of a request.
    """

    def __init__(
        self, recorder: Recorder, models: Mapping[str, ChatModel], config: RunConfig, price: Pricing
    ) -> None:
        self.models = models
        self.config = config
        self.budget = Budget(config, recorder.spend())
        self.begun: set[str] = set()
        """Trees that hold a sample, by id: what they were given is paid for."""
        self.sent = 0
        self.replayed = 0
        self._recorder = recorder
        self._price = price
        self._requests: WeakValueDictionary[bytes, Request] = WeakValueDictionary()
        self._identity = {name: b"[" + _identity(model) + b"," for name, model in config.models.items()}

    def session(self, instruction: Instruction) -> TreeSession:
        """A tree's own view: it counts how many samples of each key the tree has taken."""
        return TreeSession(self, instruction)

    def key(
        self, model: str, messages: Sequence[Message], sampling: SamplingParams, offer: Offer | None = None
    ) -> bytes:
        """The key under which samples of this request are recorded."""
        # The canonical JSON of [identity, messages, sampling] (see `content_hash`), of which messages alone are new.
        found = hashlib.sha256(self._identity[model])
        found.update(orjson.dumps([message.key() for message in messages]))
        found.update(_sampling_json(sampling))
        if offer is not None:
            found.update(offer.model_dump_json().encode())
        return found.digest()

    def request(self, key: bytes) -> Request:
        """What is known of the samples under `key`: one object for all trees that ask for them."""
        request = self._requests.get(key)
        if request is None:
            request = self._requests[key] = Request(key)
        return request

    async def draw(
        self, tree: str, request: Request, first: int, n: int, model: str, messages: tuple[Message, ...],
        sampling: SamplingParams, purpose: Purpose, offer: Offer | None = None,
    ) -> list[Sample]:  # fmt: skip
        """Samples `first` to `first + n - 1`, for the tree `tree`: from the record, the rest from the model.

        Returns:
            `n` samples in order; fewer only where the provider refuses the request.

        Raises:
            ProviderError: The model could not be reached, or refuses everything.
            BudgetExceeded: Samples are missing and the budget is used up.
            StoreError: The record could not be written.
        """
        async with request.lock:  # two trees with the same request must not both pay for it
            if request.replies is None:
                found = self._recorder.call(request.key)
                request.replies = [StoredReply.model_validate_json(payload) for _, payload in found]
            drawn = sum(len(reply.completions) for reply in request.replies)
            self.replayed += max(0, min(drawn, first + n) - first)
            while drawn < first + n and not any(reply.refused for reply in request.replies):
                asked = ChatRequest(
                    messages=messages, sampling=sampling, n=first + n - drawn, first=drawn, purpose=purpose,
                    offer=offer,
                )  # fmt: skip
                reply = await self._send(tree, request.key, model, asked)
                request.replies.append(reply)
                drawn += len(reply.completions)
        return samples_of(request.replies, first, n, self.config.models[model].model, sampling, purpose.step)

    async def _send(self, tree: str, key: bytes, name: str, request: ChatRequest) -> StoredReply:
        model = self.models[name]
        with self.budget.request():
            try:
                reply = await model.sample(request)
                refused = ""
            except ProviderError as error:
                if not error.refused:
                    raise
                reply = Reply(completions=(), usage=Usage())
                refused = str(error)
            if not refused and not reply.completions:
                raise ProviderError(f"Model '{name}' sent a reply without any completion.")
            self.sent += 1
            cost = self._price(self.config.models[name], reply.usage)
            stored = StoredReply(
                completions=reply.completions[: request.n], usage=reply.usage, cost=cost,
                provider=model.provider, simulated=model.simulated, refused=refused,
            )  # fmt: skip
            purpose = request.purpose
            spend = Spend(
                role=purpose.role, step=purpose.step, model=model.model,
                task=purpose.instruction.task.value if purpose.instruction else "",
                requests=1, completions=len(reply.completions), prompt_tokens=reply.usage.prompt_tokens,
                completion_tokens=reply.usage.completion_tokens, cost=cost or 0.0, unpriced=int(cost is None),
                reasoning_tokens=reply.usage.reasoning_tokens,
            )  # fmt: skip
            self.budget.add(spend)
            call = CallRecord(tree, key, request.first, stored.model_dump_json().encode())
            await self._recorder.put([call, spend])
        return stored


class Request:
    """The samples under one key, in memory as long as a tree that asked for them grows."""

    def __init__(self, key: bytes) -> None:
        self.key = key
        self.lock = asyncio.Lock()
        self.replies: list[StoredReply] | None = None


class TreeSession:
    """The calls of one tree: takes the samples of each key in order, from the first."""

    def __init__(self, sampler: RecordedSampler, instruction: Instruction) -> None:
        self._sampler = sampler
        self._instruction = instruction
        self._taken: dict[bytes, tuple[Request, int]] = {}
        self._last: tuple[str, Sequence[Message], SamplingParams, Offer | None, bytes] | None = None
        self.refusal = ""

    async def sample(
        self,
        model: str,
        messages: tuple[Message, ...],
        n: int,
        purpose: Purpose,
        sampling: SamplingParams | None = None,
        offer: Offer | None = None,
    ) -> list[Sample]:
        """The next `n` samples of this request; see `Session.sample`."""
        sampling = sampling or self._sampler.config.models[model].sampling
        key = self._key(model, messages, sampling, offer)
        request, first = self._taken.get(key) or (self._sampler.request(key), 0)
        # Before any await: the order of calls decides, not that of answers.
        self._taken[key] = request, first + n
        purpose = purpose.model_copy(update={"instruction": self._instruction})
        samples = await self._sampler.draw(
            self._instruction.id, request, first, n, model, messages, sampling, purpose, offer
        )
        self._sampler.begun.add(self._instruction.id)
        if len(samples) < n:
            self.refusal = next((reply.refused for reply in request.replies or () if reply.refused), "")
        return samples

    def _key(
        self, model: str, messages: tuple[Message, ...], sampling: SamplingParams, offer: Offer | None
    ) -> bytes:
        """The request's key; the next wave of a step asks with the very same messages."""
        last = self._last
        if last is not None and last[1] is messages and (last[0], *last[2:4]) == (model, sampling, offer):
            return last[4]
        key = self._sampler.key(model, messages, sampling, offer)
        self._last = model, messages, sampling, offer, key
        return key


def _identity(model: ModelConfig) -> bytes:
    simulation = model.options if model.provider == "simulated" else {}
    return canonical_json([model.model, model.extra_body, simulation])


@functools.lru_cache(maxsize=256)
def _sampling_json(sampling: SamplingParams) -> bytes:
    return b"," + canonical_json(binding(sampling)) + b"]"
