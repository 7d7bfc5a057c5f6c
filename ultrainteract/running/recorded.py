"""What was asked and answered, sample by sample, out of a run directory.

The record holds answers under a hash of what was sent, not what was sent: a conversation is made anew by growing its
tree once more over the record, which calls nobody. So every sample is there, also those that no tree kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from ultrainteract.errors import ProviderError, SandboxError, UltraInteractError
from ultrainteract.grading import Graders
from ultrainteract.models import price_of
from ultrainteract.models.base import ChatRequest, Offer, Purpose, Reply
from ultrainteract.replay import RecordedSampler, Sample
from ultrainteract.replay.sessions import Request
from ultrainteract.running.worker import LazySandbox
from ultrainteract.sandbox.base import Sandbox
from ultrainteract.schema import Instruction, Message, Record, SamplingParams
from ultrainteract.store import RunStore, Spend, StoreRecord
from ultrainteract.tree import Grower
from ultrainteract.tree.environment import Environment


class RecordedCall(Record):
    """One sample, or one refusal."""

    id: str
    """Id of the instruction."""
    source: str
    """Where the instruction comes from."""
    turn: int
    """Turn of the tree, from 1."""
    role: str
    """Role that asked."""
    step: str
    """Ladder step or role."""
    model: str
    """Model name at the provider."""
    sampling: SamplingParams
    """How it was drawn."""
    messages: tuple[Message, ...]
    """The conversation that was sent."""
    ordinal: int
    """Number of the sample among those of this conversation, from 0."""
    text: str = ""
    """The completion as the model wrote it."""
    reasoning: str | None = None
    """A reasoning model's separate chain of thought."""
    finish_reason: str = ""
    """Why the completion ended."""
    tokens: int = 0
    """Completion tokens."""
    refused: str = ""
    """What the provider said, where it refused; the other fields of the completion are then empty."""


async def recorded_calls(store: RunStore, instruction: Instruction, graders: Graders) -> list[RecordedCall]:
    """The recorded samples of one tree, in the order in which they were asked for.

    Args:
        store: The run directory.
        instruction: The tree's instruction.
        graders: Graders that are open.
    """
    config, record = store.config(), _ReadOnly(store)
    sampler = _Tracing(record, {name: _Silent(name) for name in config.models}, config, price_of)
    environment = Environment(record, LazySandbox(_no_sandbox), graders, config.sandbox)
    # A tree that failed, or that was active when the run ended, goes no further than its record.
    with suppress(UltraInteractError):
        await Grower(config, sampler, environment).grow(instruction)
    return sampler.traced


class _Tracing(RecordedSampler):
    """Answers from the record, and keeps what was asked."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.traced: list[RecordedCall] = []

    async def draw(
        self, tree: str, request: Request, first: int, n: int, model: str, messages: tuple[Message, ...],
        sampling: SamplingParams, purpose: Purpose, offer: Offer | None = None,
    ) -> list[Sample]:  # fmt: skip
        """As of `RecordedSampler`; a sample that is not recorded ends the tree."""
        samples = await super().draw(tree, request, first, n, model, messages, sampling, purpose, offer)
        assert purpose.instruction is not None
        call = RecordedCall(
            id=tree, source=purpose.instruction.source, turn=purpose.turn, role=purpose.role, step=purpose.step,
            model=self.config.models[model].model, sampling=sampling, messages=messages, ordinal=first,
        )  # fmt: skip
        for ordinal, sample in enumerate(samples, first):
            found = sample.completion
            made = {
                "ordinal": ordinal,
                "text": found.text,
                "reasoning": found.reasoning,
                "tokens": found.tokens,
            }
            self.traced.append(call.model_copy(update=made | {"finish_reason": found.finish_reason}))
        if len(samples) < n:
            refused = next((reply.refused for reply in request.replies or () if reply.refused), "")
            self.traced.append(call.model_copy(update={"ordinal": first + len(samples), "refused": refused}))
        return samples


class _Silent:
    """A model that is never asked."""

    provider = "record"
    simulated = False

    def __init__(self, name: str) -> None:
        self.name = self.model = name

    async def sample(self, request: ChatRequest) -> Reply:
        raise ProviderError("This sample is not recorded.")

    async def close(self) -> None:
        """Nothing to close."""


class _ReadOnly:
    """The record of a run, to which nothing is added."""

    def __init__(self, store: RunStore) -> None:
        self.call, self.observation = store.call, store.observation

    def spend(self) -> list[Spend]:
        return []

    async def put(self, records: Sequence[StoreRecord]) -> None:
        """Adds nothing."""


def _no_sandbox() -> Sandbox:
    raise SandboxError("This execution is not recorded.")
