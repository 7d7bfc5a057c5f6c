"""An event loop on which waiting takes no time, and servers that answer on it."""

from __future__ import annotations

import asyncio
import random
import selectors
from collections.abc import Callable
from dataclasses import dataclass

from ultrainteract.models.clock import SystemClock
from ultrainteract.models.scheduler.limits import TokenBucket

SPREAD = 0.35
"""Standard deviation of the logarithm of a server's answering times."""
BROKEN = 0.001
"""Share of requests that end in HTTP 500."""
RETRY_AFTER_S = 1.0
HEALTH_S = 0.05
_TIMES = [random.Random(n).lognormvariate(-SPREAD * SPREAD / 2, SPREAD) for n in range(4096)]


class _Selector(selectors.SelectSelector):
    """Instead of waiting, moves its time on."""

    now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise RuntimeError("Everybody waits and no timer is set: the scheduler has forgotten somebody.")
        self.now += max(timeout, 0.0)
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose time passes only when everybody waits, and then at once."""

    def __init__(self) -> None:
        self._virtual = _Selector()
        super().__init__(self._virtual)

    def time(self) -> float:
        """Virtual seconds since the loop was made."""
        return self._virtual.now


class LoopClock(SystemClock):
    """The time of a virtual loop, for the model clients."""

    def __init__(self, loop: VirtualLoop) -> None:
        self.now: Callable[[], float] = loop.time  # type: ignore[method-assign]
        self.wall: Callable[[], float] = loop.time  # type: ignore[method-assign]


@dataclass(frozen=True)
class Fault(Exception):
    """How a server fails."""

    kind: str
    retry_after: float | None = None


class Server:
    """A simulated server: answers as many requests at once as it has slots, at its own speed, and dies now and then.

    Args:
        clock: Source of time.
        rng: Source of its randomness.
        latency_s: Mean time of an answer.
        slots: Requests at once; one more is turned away (HTTP 429). None: as many as its rate allows.
        per_minute: Requests a minute it allows; None: no limit.
        busy: Share of requests that it turns away whatever its limits, where it has a rate.
    """

    def __init__(
        self,
        clock: LoopClock,
        rng: random.Random,
        latency_s: float,
        slots: int | None,
        per_minute: float | None = None,
        busy: float = 0.0,
    ) -> None:
        self.latency_s = latency_s
        self.slots = slots
        self.answered = 0
        self.turned_away = 0
        self.down = False
        self.outages = 0
        self._clock = clock
        self._rng = rng
        self._busy = 0
        self._turns_away = busy
        self._rate = None if per_minute is None else TokenBucket(per_minute, clock)
        self._down_s = 0.0
        self._died_at = 0.0

    def up_s(self) -> float:
        """Seconds it has been up so far."""
        now = self._clock.now()
        return now - self._down_s - (now - self._died_at if self.down else 0.0)

    async def live(self, every_s: float, lasting_s: float) -> None:
        """Dies and comes back until it is cancelled.

        Args:
            every_s: Mean time up.
            lasting_s: Mean time down.
        """
        while True:
            await asyncio.sleep(self._rng.expovariate(1 / every_s))
            self.down, self._died_at, self._busy = True, self._clock.now(), 0
            self.outages += 1
            await asyncio.sleep(self._rng.uniform(0.5, 1.5) * lasting_s)
            self.down = False
            self._down_s += self._clock.now() - self._died_at

    async def answer(self) -> None:
        """Answers one request.

        Raises:
            Fault: It does not.
        """
        if self.down:
            raise Fault("unreachable")
        draw = self._rng.random()
        if self.slots is None:
            assert self._rate is not None
            if self._rate.wait(1.0) > 0 or self._rng.random() < self._turns_away:
                self.turned_away += 1
                raise Fault("overloaded", RETRY_AFTER_S)
            self._rate.take(1.0)
        elif self._busy >= self.slots:
            self.turned_away += 1
            raise Fault("overloaded")
        self._busy += 1
        life = self.outages
        await asyncio.sleep(self.latency_s * _TIMES[int(draw * 4096)])
        if life != self.outages:
            raise Fault("unreachable")
        self._busy -= 1
        if self._rng.random() < BROKEN:
            raise Fault("failed")
        self.answered += 1
