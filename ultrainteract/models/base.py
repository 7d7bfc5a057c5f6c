"""What a model is to the rest of the program: one method that draws samples for one request."""

from __future__ import annotations

from typing import Literal, Protocol, runtime_checkable

from ultrainteract.schema import (
    Function,
    Instruction,
    Message,
    ReasoningSchema,
    Record,
    SamplingParams,
    Usage,
)

Role = Literal["actor", "guided", "incorrect", "critic", "judge", "testgen"]
FinishReason = Literal["stop", "length", "content_filter", "other"]


class Purpose(Record):
    """Why a request is made: for accounting, scheduling and simulation. Never sent, never part of a key."""

    role: Role
    """The role that asks."""
    step: str
    """Ladder step (or role) name, as it appears in provenance and reports."""
    turn: int = 1
    """Turn of the tree, from 1: deeper turns are served first."""
    reasoning_schema: ReasoningSchema = "cot"
    """Schema asked for."""
    form: str = ""
    """Guided form (`refine`, `masked`, `translate`, `plan`, `modular`), or the critic's `again`."""
    instruction: Instruction | None = None
    """The instruction at hand. Read by the simulated model alone, which has no other knowledge."""


class Offer(Record):
    """Functions that a model is offered natively."""

    functions: tuple[Function, ...]
    """The functions."""
    choice: Literal["auto", "required", "none"] = "auto"
    """Whether it may, must or must not call one."""
    parallel: bool | None = None
    """Whether it may make several calls in one message; the server's own way if None."""


class ChatRequest(Record):
    """Draw `n` completions of `messages`."""

    messages: tuple[Message, ...]
    """The conversation; where the last message is the assistant's, it is to be continued."""
    sampling: SamplingParams
    """How to draw."""
    n: int = 1
    """How many to draw."""
    first: int = 0
    """Ordinal of the first sample: sample i of the reply has ordinal `first + i`. With a `sampling.seed`,
    sample k of a key is drawn with seed `sampling.seed + k` where the server allows."""
    purpose: Purpose
    """Why."""
    offer: Offer | None = None
    """Functions on offer, for a model that takes them natively; its calls come back in Hermes tags, at the end of the
    text."""


class Completion(Record):
    """One sample."""

    text: str
    """The answer, without the reasoning part."""
    finish_reason: FinishReason = "stop"
    """`length` means the text was cut off: whatever it says is undetermined."""
    reasoning: str | None = None
    """A reasoning model's separate chain of thought, whether its server split it off or the client did."""
    tokens: int = 0
    """Completion tokens of this sample, reasoning included."""
    reasoning_tokens: int = 0
    """Of these, tokens of reasoning."""
    logprobs: tuple[float, ...] | None = None
    """Log-probabilities of the tokens, where they were asked for."""


class Reply(Record):
    """What came back for one request."""

    completions: tuple[Completion, ...]
    """At least one; fewer than `n` where the server gave fewer (the caller asks again for the rest)."""
    usage: Usage
    """Tokens of the request."""


class ChatModel(Protocol):
    """A named model of the configuration.

    Implementations own retries, rate limits and deadlines: whatever `sample` raises is final.
    """

    name: str
    """Name in the configuration."""
    model: str
    """Name at the provider."""
    provider: str
    """Provider's name, for provenance."""
    simulated: bool
    """True where no language model answers."""

    async def sample(self, request: ChatRequest) -> Reply:
        """Draws up to `request.n` completions.

        Raises:
            ProviderError: The request cannot be served; `fatal` says whether others still can.
        """
        ...

    async def close(self) -> None:
        """Closes connections and processes. Idempotent."""
        ...


@runtime_checkable
class ScoresAnswers(Protocol):
    """A model that can say how likely a given answer is. Optional."""

    async def log_probabilities(self, messages: tuple[Message, ...], answer: str) -> tuple[float, ...]:
        """Log-probabilities of an answer's tokens after a conversation, nats; at least one.

        Raises:
            ProviderError: The request cannot be served; `fatal` says whether others still can.
        """
        ...


@runtime_checkable
class ReportsStatus(Protocol):
    """A model that may keep its callers waiting, and can say why. Optional."""

    def status(self) -> str | None:
        """Why requests wait just now (all endpoints are down, say), in a few words; None where they do not."""
        ...
