"""Recorded replies, and the samples that trees take from them, each with where it comes from."""

from __future__ import annotations

from collections.abc import Sequence

from ultrainteract.models.base import Completion
from ultrainteract.schema import Provenance, Record, SamplingParams, Usage


class Sample(Record):
    """One recorded completion and where it comes from."""

    completion: Completion
    """What the model wrote."""
    provenance: Provenance
    """Which model, how, which sample, at what cost."""


class StoredReply(Record):
    """One reply as it is recorded, or the provider's refusal ever to answer this request."""

    completions: tuple[Completion, ...] = ()
    """The completions, in order."""
    usage: Usage = Usage()
    """Tokens of the whole request."""
    cost: float | None = None
    """US dollars; None where the price is unknown."""
    provider: str = ""
    """Provider that answered."""
    simulated: bool = False
    """Whether no real model was asked."""
    refused: str = ""
    """Why the provider refuses the request; empty where it answered."""


def samples_of(
    replies: Sequence[StoredReply], first: int, n: int, model: str, sampling: SamplingParams, step: str
) -> list[Sample]:
    """Samples `first` to `first + n - 1` of the recorded ones, in order.

    Args:
        replies: All replies to one request, in order.
        first: Ordinal of the first sample.
        n: How many.
        model: The model's name at the provider.
        sampling: How they were drawn.
        step: Ladder step or role that asked.
    """
    samples: list[Sample] = []
    begin = 0
    for reply in replies:
        if begin + len(reply.completions) <= first or begin >= first + n:
            begin += len(reply.completions)
            continue
        total = sum(completion.tokens for completion in reply.completions)
        for ordinal, completion in enumerate(reply.completions, begin):
            if not first <= ordinal < first + n:
                continue
            share = completion.tokens / total if total else 1 / len(reply.completions)
            provenance = Provenance(
                model=model,
                provider=reply.provider,
                simulated=reply.simulated,
                sampling=sampling,
                step=step,
                ordinal=ordinal,
                prompt_tokens=reply.usage.prompt_tokens,
                completion_tokens=completion.tokens,
                reasoning_tokens=completion.reasoning_tokens,
                cost=None if reply.cost is None else reply.cost * share,
            )
            samples.append(Sample(completion=completion, provenance=provenance))
        begin += len(reply.completions)
    return samples
