"""What the grower asks for: somebody who samples and somebody who observes.

A run answers from its record, models, sandbox and graders; a rehearsal from drawn pass rates; a calibration from
simulated models and a coin in the sandbox's place. The grower cannot tell them apart.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from ultrainteract.models.base import Offer, Purpose
from ultrainteract.replay.provenance import Sample
from ultrainteract.schema import Action, Instruction, Message, Observation, Record, SamplingParams, Verdict

Ask = Callable[[tuple[Message, ...], str], Awaitable[str]]
"""ModelDemand a model for one text; the second argument names the form of the question."""


class Observed(Record):
    """What the environment says of an action, and what is known about it."""

    observation: Observation
    """Output and status."""
    verdict: Verdict
    """Correct, wrong or undetermined."""


class Session(Protocol):
    """The samples of one tree."""

    refusal: str
    """What the provider last said on refusing a request of this tree; empty where it refused none."""

    async def sample(
        self,
        model: str,
        messages: tuple[Message, ...],
        n: int,
        purpose: Purpose,
        sampling: SamplingParams | None = None,
        offer: Offer | None = None,
    ) -> list[Sample]:
        """The next `n` samples of this request: no tree meets a sample twice.

        Args:
            model: A key of the configuration's `models`.
            messages: The conversation.
            n: How many.
            purpose: Why; the instruction is filled in.
            sampling: Sampling parameters; the model's own if None.
            offer: Functions on offer, for a model that takes them natively.

        Returns:
            The samples; fewer than `n` only where the provider refuses the request.

        Raises:
            ProviderError: The model could not be reached, or refuses everything.
            BudgetExceeded: Samples are missing and the budget is used up.
            StoreError: The record could not be written.
        """
        ...


class Sampler(Protocol):
    """Draws samples for trees."""

    def session(self, instruction: Instruction) -> Session:
        """A session for one tree, which begins with the first sample of every request."""
        ...


class Observer(Protocol):
    """Runs actions, says what happened, and decides what is known about them."""

    async def observe(
        self,
        instruction: Instruction,
        cells: Sequence[str],
        actions: Sequence[Action],
        ask: Ask | None = None,
    ) -> list[Observed]:
        """Observes several actions that share a history, side by side, in order.

        Args:
            instruction: The instruction.
            cells: Code of the earlier turns, oldest first: the notebook's state.
            actions: The actions.
            ask: ModelDemand the judge model; needed where nothing but a judge can check the instruction.

        Raises:
            SandboxError: The sandbox failed, again and again: the tree is to be tried later.
            StoreError: The record could not be written.
        """
        ...

    async def call_tools(
        self, instruction: Instruction, cells: Sequence[str], actions: Sequence[Action]
    ) -> list[str]:
        """Runs tool calls that are not yet answers and returns what the actor is shown, in order.

        Raises:
            SandboxError, StoreError: As of `observe`.
        """
        ...

    async def call_functions(
        self, instruction: Instruction, actions: Sequence[Action]
    ) -> list[tuple[str, ...]]:
        """Makes the function calls of messages that are not yet the end of an attempt.

        Returns:
            The results of each message's calls, as the actor is shown them, in order.

        Raises:
            SandboxError, StoreError: As of `observe`.
        """
        ...

    async def earlier_results(self, instruction: Instruction) -> tuple[str, ...]:
        """The results of the calls that an instruction's dialogue holds, in order.

        Raises:
            SandboxError, StoreError: As of `observe`.
        """
        ...
