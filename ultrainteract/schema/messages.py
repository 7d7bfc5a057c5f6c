"""What is sent to a model, and what came back for what price."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from ultrainteract.schema.base import Record
from ultrainteract.schema.calls import Call


class Message(Record):
    """One chat message."""

    role: Literal["system", "user", "assistant", "tool"]
    """Who speaks; `tool`: the result of a call."""
    content: str
    """Text."""
    calls: tuple[Call, ...] = Field(default=(), exclude_if=lambda value: not value)
    """Calls that the assistant makes with this message."""
    call_id: str = Field(default="", exclude_if=lambda value: not value)
    """Of a result: the call it belongs to."""

    def key(self) -> tuple[Any, ...]:
        """What is hashed of it for the key of a request."""
        if not self.calls and not self.call_id:
            return (self.role, self.content)
        return (self.role, self.content, [call.model_dump_json() for call in self.calls], self.call_id)


class SamplingParams(Record):
    """How completions are drawn; part of the key under which they are recorded."""

    temperature: float = 1.0
    """Softmax temperature."""
    top_p: float = 1.0
    """Top-p (nucleus) probability mass."""
    max_tokens: int = 2048
    """Cap on completion tokens."""
    stop: tuple[str, ...] = ()
    """Stop strings."""
    seed: int | None = None
    """Base seed sent to servers that honour one; each sample gets a seed derived from it."""


class Usage(Record):
    """Tokens of one request, as the provider reports them."""

    prompt_tokens: int = 0
    """Tokens sent, counted once a request whatever `n`."""
    completion_tokens: int = 0
    """Tokens drawn, summed over the samples, reasoning included."""
    reasoning_tokens: int = 0
    """Of these, tokens of reasoning: as the provider reports them, else by its share of the text."""


class Provenance(Record):
    """Where a text comes from."""

    model: str
    """The model's name at its provider."""
    provider: str
    """`openai`, `vllm`, `simulated`, …"""
    simulated: bool = False
    """True where no language model wrote this: such data is refused for publication by default."""
    sampling: SamplingParams
    """Sampling parameters of the request."""
    step: str
    """Ladder step or role that asked: a step's name in the config, `incorrect`, `critic` …"""
    ordinal: int
    """Number of the sample among all drawn for the same request key."""
    prompt_tokens: int = 0
    """Prompt tokens of the request this sample came with (shared by its siblings)."""
    completion_tokens: int = 0
    """Completion tokens of this sample, reasoning included."""
    reasoning_tokens: int = 0
    """Of these, tokens of reasoning."""
    cost: float | None = None
    """This sample's share of the request's cost in US dollars; None where the price is unknown."""
    mutated: str = Field(default="", exclude_if=lambda value: not value)
    """Where no model wrote the action as it stands: the one fault that a right action was given, such as `type`."""


class Exchange(Record):
    """A tool call inside a turn that was not yet an answer, and what the tool returned."""

    text: str
    """The actor's message in its published rendering."""
    raw: str
    """The actor's message as written."""
    reasoning: str | None = None
    """The model's reasoning before it."""
    code: str | None = None
    """The code that was run."""
    output: str
    """What the interpreter printed, as shown to the actor (`Out: …` without the label)."""
    calls: tuple[Call, ...] = Field(default=(), exclude_if=lambda value: not value)
    """Function calls of the message, where it made some instead of running code."""
    results: tuple[str, ...] = Field(default=(), exclude_if=lambda value: not value)
    """What each of them gave, in order."""
