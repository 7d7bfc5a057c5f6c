"""Rates a provider allows a key, and the registry through which models share limits.

A key's requests and tokens per minute are one budget, whoever spends it: the actor, the critic and the judge
of a run draw on the same buckets when they use the same key at the same address. Likewise two configured
models that are the same model at the same address share one `Endpoint`, and so one adaptive concurrency.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from ultrainteract.config import ModelConfig
from ultrainteract.models.clock import Clock, SystemClock
from ultrainteract.models.scheduler.endpoints import Endpoint
from ultrainteract.schema import Usage

BURST_S = 6.0
"""A bucket holds at most this many seconds of its rate: providers meter in windows shorter than a minute."""

SHORTEST_WAIT_S = 1e-4
"""Shorter waits are none: rounding alone may leave one that no clock can measure."""


class TokenBucket:
    """A rate limit that may be overdrawn by one request and is then paid off by waiting.

    Args:
        per_minute: Units allowed per minute.
        clock: Source of time.
    """

    def __init__(self, per_minute: float, clock: Clock) -> None:
        self.per_minute = per_minute
        self._clock = clock
        self._at = clock.now()
        self.divide(1)
        self._level = self._capacity

    def divide(self, parts: int) -> None:
        """Allows one of `parts` of the rate from now on: several processes share it."""
        self.rate = self.per_minute / 60 / parts
        self._capacity = max(1.0, self.rate * BURST_S)

    def wait(self, amount: float) -> float:
        """Seconds until `amount` may be taken; an amount beyond the capacity waits for a full bucket."""
        self._refill()
        wait = (min(amount, self._capacity) - self._level) / self.rate
        return wait if wait > SHORTEST_WAIT_S else 0.0

    def take(self, amount: float) -> None:
        """Takes `amount`; a negative one gives back what was reserved and not used."""
        self._refill()
        self._level = min(self._capacity, self._level - amount)

    def _refill(self) -> None:
        now = self._clock.now()
        self._level = min(self._capacity, self._level + (now - self._at) * self.rate)
        self._at = now


@dataclass(slots=True)
class Reservation:
    """Tokens reserved for a request in flight."""

    prompt_tokens: float
    completion_tokens: float


class KeyLimits:
    """The rates of one key at one address, kept by reserving an estimate and settling with what was used.

    Args:
        clock: Source of time.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._rates: dict[str, float] = {}
        self._parts = 1
        self._buckets: dict[str, TokenBucket] = {}
        self._turn = asyncio.Lock()

    def restrict(self, config: ModelConfig) -> None:
        """Adds the limits of a model that uses this key; where several state one, the smallest holds."""
        for name in ("requests", "input_tokens", "output_tokens"):
            per_minute = getattr(config, f"{name}_per_minute")
            if per_minute is not None and per_minute < self._rates.get(name, per_minute + 1):
                self._rates[name] = per_minute
                self._buckets[name] = TokenBucket(per_minute, self._clock)
                self._buckets[name].divide(self._parts)

    def divide(self, parts: int) -> None:
        """Allows this process one of `parts` of the rates."""
        self._parts = parts
        for bucket in self._buckets.values():
            bucket.divide(parts)

    async def reserve(self, prompt_tokens: float, completion_tokens: float) -> Reservation | None:
        """Waits, in order of arrival, until the rates allow one more request of this size.

        Returns:
            The reservation to settle afterwards; None where the key has no limits.
        """
        if not self._buckets:
            return None
        amounts = {"requests": 1.0, "input_tokens": prompt_tokens, "output_tokens": completion_tokens}
        async with self._turn:
            while wait := max(bucket.wait(amounts[name]) for name, bucket in self._buckets.items()):
                await self._clock.sleep(wait)
            for name, bucket in self._buckets.items():
                bucket.take(amounts[name])
        return Reservation(prompt_tokens, completion_tokens)

    def settle(self, reservation: Reservation | None, usage: Usage | None) -> None:
        """Replaces the estimate by what was used; a failed request (None) keeps its input, not its output."""
        if reservation is None:
            return
        used_in = reservation.prompt_tokens if usage is None else usage.prompt_tokens
        used_out = 0 if usage is None else usage.completion_tokens
        for name, excess in (
            ("input_tokens", reservation.prompt_tokens - used_in),
            ("output_tokens", reservation.completion_tokens - used_out),
        ):
            if name in self._buckets:
                self._buckets[name].take(-excess)


@dataclass
class SharedLimits:
    """What the models of one run share: endpoints by address, key and model, and rates by address and key."""

    clock: Clock = field(default_factory=SystemClock)
    checks: list[Callable[[], Awaitable[None]]] = field(default_factory=list)
    """Made once, before the first request of any model is sent: a critic that is not there is found before the actor
    is paid for. A run that is answered from its record asks for nothing, and so checks nothing."""
    _checked: asyncio.Future[list[None]] | None = None
    _keys: dict[tuple[str, str], KeyLimits] = field(default_factory=dict)
    _endpoints: dict[tuple[str, str, str], Endpoint] = field(default_factory=dict)

    def key_limits(self, config: ModelConfig, address: str) -> KeyLimits:
        """The rates of the model's key at an address."""
        limits = self._keys.setdefault((config.api_key_env, address), KeyLimits(self.clock))
        limits.restrict(config)
        return limits

    async def ready(self) -> None:
        """Waits until all models of the run are checked.

        Raises:
            ProviderError: One of them cannot be used (fatal).
        """
        if not self.checks:
            return
        if self._checked is None:
            self._checked = asyncio.gather(*(check() for check in self.checks))
        await asyncio.shield(self._checked)
        self.checks.clear()

    def divide(self, parts: int, *, concurrency: bool = False) -> None:
        """Allows this process one of `parts` of the rates of all keys; as many processes share them.

        Args:
            parts: How many processes there are.
            concurrency: Whether they share the endpoints' maximum concurrency too.
        """
        for limits in self._keys.values():
            limits.divide(parts)
        for endpoint in self._endpoints.values() if concurrency else ():
            endpoint.divide(parts)

    def endpoint(self, config: ModelConfig, address: str) -> Endpoint:
        """The endpoint that serves the model at an address."""
        key = (address, config.api_key_env, config.model)
        if key not in self._endpoints:
            self._endpoints[key] = Endpoint(address, config.model, self.clock)
        self._endpoints[key].allow(config.max_concurrency)
        self._endpoints[key].be_patient(config.startup_timeout_s, config.max_retry_s)
        return self._endpoints[key]
