"""Replay: model calls answered from the record first, and recorded before they are used.

A call's key is a hash of what decides its answer: model, messages, sampling parameters. Samples under one key
are numbered; a tree takes them in order, so that growing it again meets the same samples. Whether a
sample was drawn just now or a month ago, alone or with nineteen others, makes no difference to the tree.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass
from typing import Protocol
from weakref import WeakValueDictionary

from ultrainteract.config import ModelConfig, RunConfig
from ultrainteract.errors import BudgetExceeded, ProviderError
from ultrainteract.models.base import ChatModel, ChatRequest, Completion, Purpose, Reply
from ultrainteract.schema import Instruction, Message, Provenance, Record, SamplingParams, Usage, content_hash
from ultrainteract.store.records import Recorder, Spend


class Sample(Record):
    """One recorded completion and where it comes from."""

    completion: Completion
    """What the model wrote."""
    provenance: Provenance
    """Which model, how, which sample, at what cost."""


class _Recorded(Record):
    """A row of the `calls` table: one reply, or the provider's refusal ever to answer this request."""

    completions: tuple[Completion, ...] = ()
    usage: Usage = Usage()
    cost: float | None = None
    provider: str = ""
    simulated: bool = False
    refused: str = ""


class Pricing(Protocol):
    """Price of a request; None where it is unknown."""

    def __call__(self, config: ModelConfig, usage: Usage) -> float | None:
        """US dollars of `usage` at the price of `config`."""
        ...


class Calls:
    """All model calls of a run.

    Args:
        store: Where replies are recorded.
        models: The models by their names in the configuration.
        config: The run's configuration.
        price: Computes the cost of a request.
    """

    def __init__(
        self, store: Recorder, models: Mapping[str, ChatModel], config: RunConfig, price: Pricing
    ) -> None:
        self.store = store
        self.models = models
        self.config = config
        self.budget = Budget(config, store.spend())
        self.begun: set[str] = set()
        """Trees that hold a sample, by id: what they were given is paid for."""
        self.sent = 0
        self.replayed = 0
        self._price = price
        self._requests: WeakValueDictionary[bytes, Request] = WeakValueDictionary()
        self._identity = {name: _identity(model) for name, model in config.models.items()}

    def session(self, instruction: Instruction) -> CallSession:
        """A tree's own view: it counts how many samples of each key the tree has taken."""
        return CallSession(self, instruction)

    def key(self, model: str, messages: Sequence[Message], sampling: SamplingParams) -> bytes:
        """The key under which samples of this request are recorded."""
        parts = [self._identity[model], [(m.role, m.content) for m in messages], sampling.model_dump()]
        return bytes.fromhex(content_hash(parts))

    def request(self, key: bytes) -> Request:
        """What is known of the samples under `key`: one object for all trees that ask for them."""
        request = self._requests.get(key)
        if request is None:
            request = self._requests[key] = Request(key)
        return request

    async def draw(
        self, tree: str, request: Request, first: int, n: int, model: str, messages: tuple[Message, ...],
        sampling: SamplingParams, purpose: Purpose,
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
                found = self.store.call(request.key)
                request.replies = [_Recorded.model_validate_json(payload) for _, payload in found]
            drawn = sum(len(recorded.completions) for recorded in request.replies)
            self.replayed += max(0, min(drawn, first + n) - first)
            while drawn < first + n and not any(recorded.refused for recorded in request.replies):
                asked = ChatRequest(
                    messages=messages, sampling=sampling, n=first + n - drawn, first=drawn, purpose=purpose
                )
                recorded = await self._send(tree, request.key, model, asked)
                request.replies.append(recorded)
                drawn += len(recorded.completions)
        return self._samples(request.replies, first, n, model, sampling, purpose)

    async def _send(self, tree: str, key: bytes, name: str, request: ChatRequest) -> _Recorded:
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
            recorded = _Recorded(
                completions=reply.completions[: request.n], usage=reply.usage, cost=cost,
                provider=model.provider, simulated=model.simulated, refused=refused,
            )  # fmt: skip
            purpose = request.purpose
            spend = Spend(
                role=purpose.role, step=purpose.step, model=model.model,
                task=purpose.instruction.task.value if purpose.instruction else "",
                requests=1, completions=len(reply.completions), prompt_tokens=reply.usage.prompt_tokens,
                completion_tokens=reply.usage.completion_tokens, cost=cost or 0.0, unpriced=int(cost is None),
            )  # fmt: skip
            self.budget.add(spend)
            await self.store.put_call(tree, key, request.first, recorded.model_dump_json().encode(), spend)
        return recorded

    def _samples(
        self, replies: Sequence[_Recorded], first: int, n: int, model: str, sampling: SamplingParams,
        purpose: Purpose,
    ) -> list[Sample]:  # fmt: skip
        """Samples `first` to `first + n - 1` of those that were recorded."""
        samples: list[Sample] = []
        begin = 0
        for recorded in replies:
            total = sum(completion.tokens for completion in recorded.completions)
            for ordinal, completion in enumerate(recorded.completions, begin):
                if not first <= ordinal < first + n:
                    continue
                share = completion.tokens / total if total else 1 / len(recorded.completions)
                provenance = Provenance(
                    model=self.config.models[model].model,
                    provider=recorded.provider,
                    simulated=recorded.simulated,
                    sampling=sampling,
                    step=purpose.step,
                    ordinal=ordinal,
                    prompt_tokens=recorded.usage.prompt_tokens,
                    completion_tokens=completion.tokens,
                    cost=None if recorded.cost is None else recorded.cost * share,
                )
                samples.append(Sample(completion=completion, provenance=provenance))
            begin += len(recorded.completions)
        return samples


class Request:
    """The samples under one key, in memory as long as a tree that asked for them grows."""

    def __init__(self, key: bytes) -> None:
        self.key = key
        self.lock = asyncio.Lock()
        self.replies: list[_Recorded] | None = None


class CallSession:
    """The calls of one tree: takes the samples of each key in order, from the first."""

    def __init__(self, calls: Calls, instruction: Instruction) -> None:
        self._calls = calls
        self._instruction = instruction
        self._taken: dict[bytes, tuple[Request, int]] = {}
        self.refusal = ""
        """What the provider last said on refusing a request of this tree."""

    async def sample(
        self,
        model: str,
        messages: tuple[Message, ...],
        n: int,
        purpose: Purpose,
        sampling: SamplingParams | None = None,
    ) -> list[Sample]:
        """The next `n` samples of this request.

        Args:
            model: A key of the configuration's `models`.
            messages: The conversation.
            n: How many.
            purpose: Why; the instruction is filled in.
            sampling: Sampling parameters; the model's own if None.

        Returns:
            The samples; fewer than `n` only where the provider refuses the request.

        Raises:
            ProviderError, BudgetExceeded, StoreError: See `Calls.draw`.
        """
        sampling = sampling or self._calls.config.models[model].sampling
        key = self._calls.key(model, messages, sampling)
        request, first = self._taken.get(key) or (self._calls.request(key), 0)
        # Before any await: the order of calls decides, not that of answers.
        self._taken[key] = request, first + n
        purpose = purpose.model_copy(update={"instruction": self._instruction})
        samples = await self._calls.draw(
            self._instruction.id, request, first, n, model, messages, sampling, purpose
        )
        self._calls.begun.add(self._instruction.id)
        if len(samples) < n:
            self.refusal = next((reply.refused for reply in request.replies or () if reply.refused), "")
        return samples


@dataclass(frozen=True)
class Spent:
    """What was spent, and what is under way."""

    requests: int = 0
    unpriced: int = 0
    tokens: int = 0
    cost: float = 0.0
    under_way: int = 0

    def __add__(self, other: Spent) -> Spent:
        return Spent(*(a + b for a, b in zip(astuple(self), astuple(other), strict=True)))

    def __sub__(self, other: Spent) -> Spent:
        return Spent(*(a - b for a, b in zip(astuple(self), astuple(other), strict=True)))


class Budget:
    """Counts what is spent and under way, and stops new requests when the limit would be passed."""

    def __init__(self, config: RunConfig, spent: Sequence[Spend]) -> None:
        self._limits = config.budget
        self._under_way = 0
        self.requests = self.unpriced = self.tokens = 0
        self.cost = 0.0
        self.elsewhere = Spent()
        """What other processes of the run have spent and have under way, as far as is known here."""
        for spend in spent:
            self.add(spend)

    def add(self, spend: Spend) -> None:
        """Counts a finished request."""
        self.requests += spend.requests
        self.unpriced += spend.unpriced
        self.tokens += spend.prompt_tokens + spend.completion_tokens
        self.cost += spend.cost

    def spent(self) -> Spent:
        """What was spent here."""
        return Spent(self.requests, self.unpriced, self.tokens, self.cost, self._under_way)

    def request(self) -> Budget:
        """Admits one request; use as a context manager around it.

        Raises:
            BudgetExceeded: What is spent, and what the requests under way will cost at the average so far,
                reaches a limit.
        """
        if self._limits.max_cost is None and self._limits.max_tokens is None:
            return self
        so_far = self.spent() + self.elsewhere
        ahead = 1 + so_far.under_way / so_far.requests if so_far.requests else 1.0
        for limit, spent, unit in (
            (self._limits.max_cost, so_far.cost, "US dollars"),
            (self._limits.max_tokens, so_far.tokens, "tokens"),
        ):
            if limit is not None and spent and spent * ahead >= limit:
                raise BudgetExceeded(
                    f"The budget of {limit:g} {unit} is used up ({spent:,.6g} spent, {so_far.under_way} requests "
                    "under way). Everything paid for is recorded: raise the budget and run the same command to resume."
                )
        return self

    def __enter__(self) -> None:
        self._under_way += 1

    def __exit__(self, *_: object) -> None:
        self._under_way -= 1


def _identity(model: ModelConfig) -> list[object]:
    simulation = model.options if model.provider == "simulated" else {}
    return [model.model, model.extra_body, simulation]
