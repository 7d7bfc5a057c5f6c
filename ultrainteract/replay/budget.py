"""The budget: what is spent, what is in flight, and when no further request may be sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ultrainteract.config import RunConfig
from ultrainteract.errors import BudgetExceeded
from ultrainteract.store import Spend


@dataclass(frozen=True)
class Spent:
    """What was spent, and how many requests are in flight."""

    requests: int = 0
    unpriced: int = 0
    """Requests whose price is unknown."""
    tokens: int = 0
    """Prompt and completion tokens."""
    cost: float = 0.0
    """US dollars, over the requests whose price is known."""
    in_flight: int = 0
    reasoning_tokens: int = 0
    """Completion tokens of reasoning."""

    def __add__(self, other: Spent) -> Spent:
        return Spent(
            requests=self.requests + other.requests,
            unpriced=self.unpriced + other.unpriced,
            tokens=self.tokens + other.tokens,
            cost=self.cost + other.cost,
            in_flight=self.in_flight + other.in_flight,
            reasoning_tokens=self.reasoning_tokens + other.reasoning_tokens,
        )

    def __sub__(self, other: Spent) -> Spent:
        return Spent(
            requests=self.requests - other.requests,
            unpriced=self.unpriced - other.unpriced,
            tokens=self.tokens - other.tokens,
            cost=self.cost - other.cost,
            in_flight=self.in_flight - other.in_flight,
            reasoning_tokens=self.reasoning_tokens - other.reasoning_tokens,
        )


class Budget:
    """Counts what is spent and in flight, and stops new requests when a limit would be passed.

    Args:
        config: Its `budget` holds the limits.
        spent: What was spent before.
    """

    def __init__(self, config: RunConfig, spent: Sequence[Spend] = ()) -> None:
        self._limits = config.budget
        self._in_flight = 0
        self.requests = self.unpriced = self.tokens = self.reasoning_tokens = 0
        self.cost = 0.0
        self.elsewhere = Spent()
        """What other processes of the run have spent and have in flight, as far as is known here."""
        for spend in spent:
            self.add(spend)

    def add(self, spend: Spend) -> None:
        """Counts a finished request."""
        self.requests += spend.requests
        self.unpriced += spend.unpriced
        self.tokens += spend.prompt_tokens + spend.completion_tokens
        self.reasoning_tokens += spend.reasoning_tokens
        self.cost += spend.cost

    def absorb(self, spent: Spent) -> None:
        """Counts what another process has spent since it was counted last."""
        self.requests += spent.requests
        self.unpriced += spent.unpriced
        self.tokens += spent.tokens
        self.reasoning_tokens += spent.reasoning_tokens
        self.cost += spent.cost

    def spent(self) -> Spent:
        """What was spent, and what is in flight here."""
        return Spent(
            requests=self.requests,
            unpriced=self.unpriced,
            tokens=self.tokens,
            cost=self.cost,
            in_flight=self._in_flight,
            reasoning_tokens=self.reasoning_tokens,
        )

    def request(self) -> Budget:
        """Admits one request; use as a context manager around it.

        Raises:
            BudgetExceeded: What is spent, and what the requests in flight will cost at the average so far,
                reaches a limit.
        """
        if all(limit is None for _, limit in self._limits):
            return self
        so_far = self.spent() + self.elsewhere
        ahead = 1 + so_far.in_flight / so_far.requests if so_far.requests else 1.0
        for limit, spent, unit in (
            (self._limits.max_cost, so_far.cost, "US dollars"),
            (self._limits.max_tokens, so_far.tokens, "tokens"),
            (self._limits.max_reasoning_tokens, so_far.reasoning_tokens, "reasoning tokens"),
        ):
            if limit is not None and spent and spent * ahead >= limit:
                raise BudgetExceeded(
                    f"The budget of {limit:g} {unit} is used up ({spent:,.6g} spent, {so_far.in_flight} requests "
                    "in flight). Everything paid for is recorded: raise the budget and run the same command to resume."
                )
        return self

    def __enter__(self) -> None:
        self._in_flight += 1

    def __exit__(self, *_: object) -> None:
        self._in_flight -= 1
