"""One model at one address: how many requests it takes at once, and whether it is up.

Every request holds a `Lease` while it is in flight. An endpoint hands leases out

* up to a concurrency that adapts: it grows by a 32nd of its maximum, at least by one, a round trip, and is halved
  when the server says that it is overloaded, once for all requests that were sent before the last halving;
* only while it is up: after too many failures (a *sample* of them, never one bad prompt) the circuit opens,
  and after a pause a single lease is given for a health check.

Whatever changes its room for requests is said by one callback, `changed`: who waits for it, and in which order they are
served, is the affair of `models.scheduler.queue`. The endpoint is plain synchronous state plus one timer, so that a
cancelled request leaves nothing behind.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import NamedTuple

from ultrainteract.models.clock import Clock
from ultrainteract.models.openai.wire import Dialect
from ultrainteract.schema import SamplingParams

log = logging.getLogger(__name__)

WINDOW = 20
"""Outcomes the circuit breaker looks back on."""
MIN_SAMPLE = 10
"""Outcomes, and distinct failed requests, below which it never opens for failures of single requests."""
MIN_UNREACHABLE = 3
"""Refused connections in a row that open it: these say nothing about a request and all about a server."""
FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 60.0
ROUND_TRIPS = 32
"""A halved concurrency is back at its maximum after half as many round trips. At one a round trip, 512 requests of 10 s
would take three quarters of an hour, so that a stray 429 now and then would keep a model slow for good."""
LONG_WAIT_S = 5.0
"""Waits that a server asks for are logged, and shown, from this length on."""


ticks = count(1)
"""Numbers what happens, so that it can be said what came first."""


class RequestClass(NamedTuple):
    """Requests that compete as one: those of a role on a configured model."""

    name: str
    role: str
    maximum: int
    """Maximum concurrent requests of `name`, over all its roles, per endpoint."""


@dataclass(eq=False, slots=True)
class Lease:
    """Permission for one request. Exactly one of the outcome methods counts; further calls do nothing."""

    endpoint: Endpoint
    request_class: RequestClass
    sent_at: float
    health_check: bool
    """The endpoint's circuit is open: the holder must check its health before anything else."""
    after_outage: bool
    """The endpoint was found dead while the holder waited: the wait is not the request's fault."""
    _held: bool = True

    def succeeded(self) -> None:
        """The server answered."""
        if self._release():
            self.endpoint.note_success()

    def overloaded(self, retry_after: float | None, why: str) -> None:
        """The server said that it has too much to do."""
        if self._release():
            self.endpoint.note_overload(self.sent_at, retry_after, why)

    def failed(self, request: object, why: str, *, unreachable: bool = False) -> None:
        """The server broke down on `request`, or could not be reached at all."""
        if self._release():
            self.endpoint.note_failure(request, why, unreachable)

    def dropped(self) -> None:
        """Nothing was learned about the server (cancelled, or the request itself was refused)."""
        if self._release():
            self.endpoint.note_no_outcome(self.health_check)

    def _release(self) -> bool:
        if not self._held:
            return False
        self._held = False
        self.endpoint.give_back(self.request_class)
        return True


@dataclass(eq=False)
class Endpoint:
    """The state of one model at one address, shared by all who use it in this process."""

    label: str
    """Address as shown to people: without credentials."""
    model: str
    clock: Clock
    dialect: Dialect = field(default_factory=Dialect)
    """What the server has shown it understands."""
    maximum: int = 0
    """Maximum concurrent requests: the largest `max_concurrency` of those who use it, over all processes."""
    limit: float = 1.0
    """Adaptive concurrency of this process, between 1 and its part of `maximum`."""
    in_flight: int = 0
    parts: int = 1
    """Processes that share `maximum`."""
    disabled: str | None = None
    """Why the endpoint is of no use to the run at all (bad key, unknown model, never an answer)."""
    answered: bool = False
    """Whether it has ever given a usable answer, or passed a health check."""
    startup_timeout_s: float = math.inf
    """Longest wait for an endpoint that has never answered, seconds."""
    max_retry_s: float = math.inf
    """Longest time without a usable answer from an endpoint that answers, seconds."""

    def __post_init__(self) -> None:
        self.by_class: Counter[RequestClass] = Counter()
        """Requests in flight by class."""
        self.by_name: Counter[str] = Counter()
        """Requests in flight by configured model."""
        self.changed: Callable[[], None] = _ignore
        """Called whenever the endpoint may take more requests than before, or fewer."""
        self._recent: deque[object | None] = deque(maxlen=WINDOW)
        self._unreachable = 0
        self._step = 1.0  # by how much concurrency grows in a round trip
        self._halved_at = float("-inf")
        self._hold_until, self._hold_why = float("-inf"), ""
        self._check_at = float("-inf")
        self._open = False
        self._checking = False
        self._pause = FIRST_PAUSE_S
        self._why = ""
        self.dead_at = 0
        """Tick of the last failed health check."""
        self._broken_since: float | None = None  # first failure after the last usable answer
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = 0.0

    # ------------------------------------------------------------------------------------ what is known

    def be_patient(self, startup_timeout_s: float, max_retry_s: float) -> None:
        """Takes over how long a configured model waits for it; the longest wait of several models holds."""
        known = [limit for limit in (self.startup_timeout_s, self.max_retry_s) if limit < math.inf]
        self.startup_timeout_s = max([startup_timeout_s, *known[:1]])
        self.max_retry_s = max([max_retry_s, *known[1:]])

    def allow(self, maximum: int) -> None:
        """Raises the maximum to that of a further configured model, and starts there."""
        if maximum > self.maximum:
            self.maximum = maximum
            self.limit = float(self.part_of(maximum))
            self._step = max(1.0, self.limit / ROUND_TRIPS)
            self.changed()

    def divide(self, parts: int) -> None:
        """Allows this process one of `parts` of the maximum from now on."""
        if parts != self.parts:
            self.limit, self.parts = self.limit * self.parts / parts, parts
            self.limit = min(max(1.0, self.limit), float(self.part_of(self.maximum)))
            self._step = max(1.0, self.part_of(self.maximum) / ROUND_TRIPS)
            self.changed()

    def part_of(self, maximum: int) -> int:
        """This process's part of a maximum; together the parts never exceed it."""
        return max(1, maximum // self.parts)

    @property
    def down(self) -> str | None:
        """Why the endpoint takes no requests now, None while it does."""
        if self.disabled:
            return self.disabled
        if self._open:
            return self._why
        if (wait := self._hold_until - self.clock.now()) > LONG_WAIT_S:
            return f"it asks to wait, for {wait:.0f} s more ({self._hold_why})"
        return None

    @property
    def is_dead(self) -> bool:
        """Whether it answers nothing at present, as far as is known."""
        return self.disabled is not None or self._open

    @property
    def load(self) -> float:
        """Share of the adaptive concurrency in use."""
        return self.in_flight / self.limit

    def learn_from_refusal(self, fields: set[str], sampling: SamplingParams, n: int) -> None:
        """Adapts the dialect to a refusal that names fields."""
        self._learned(self.dialect.learn_from_refusal(fields, sampling, n))

    def learn_from_answer(self, asked: int, got: int, tokens: int, cap: int) -> None:
        """Adapts the dialect to what the server ignores."""
        self._learned(self.dialect.learn_from_answer(asked, got, tokens, cap))

    def _learned(self, lesson: str | None) -> None:
        if lesson:
            log.warning("%s (%s): %s", self.label, self.model, lesson)

    # ------------------------------------------------------------------------------------------- leases

    def takes(self, name: str, maximum: int) -> bool:
        """Whether there is room for one more request of a configured model with this `max_concurrency`."""
        return self.by_name[name] < self.part_of(maximum)

    def lease(self, request_class: RequestClass, since: int) -> Lease:
        """A lease, of an endpoint that takes requests.

        Args:
            request_class: Whose request it is.
            since: Tick at which it began to wait.
        """
        self.in_flight += 1
        self.by_class[request_class] += 1
        self.by_name[request_class.name] += 1
        check, self._checking = self._open, self._open
        return Lease(self, request_class, self.clock.now(), check, self.dead_at > since)

    def takes_requests(self) -> bool:
        """Whether there is room for one more request."""
        if self.disabled or self._checking:
            return False
        until = max(self._hold_until, self._check_at) if self._open else self._hold_until
        if (wait := until - self.clock.now()) > 0:
            self._wake(until, wait)
            return False
        return self._open or self.in_flight < int(self.limit)

    def _wake(self, until: float, wait: float) -> None:
        if self._timer is not None:
            if self._timer_at <= until:
                return
            self._timer.cancel()
        self._timer, self._timer_at = self.clock.call_later(wait, self._woken), until

    def _woken(self) -> None:
        self._timer = None
        self.changed()

    # ----------------------------------------------------------------------------------------- outcomes

    def give_back(self, request_class: RequestClass) -> None:
        """Ends a lease; its outcome follows at once."""
        self.in_flight -= 1
        self.by_class[request_class] -= 1
        self.by_name[request_class.name] -= 1

    def note_success(self) -> None:
        """An answer came: proof of life, and room for a little more."""
        self._recent.append(None)
        self._pause, self._broken_since = FIRST_PAUSE_S, None
        self.limit = min(float(self.part_of(self.maximum)), self.limit + self._step / self.limit)
        self.recovered()
        self.changed()

    def note_overload(self, sent_at: float, retry_after: float | None, why: str) -> None:
        """The server asked for less."""
        if sent_at > self._halved_at:
            self._halved_at = self.clock.now()
            self.limit = max(1.0, self.limit / 2)
            log.info(
                "%s (%s) is overloaded: %s; now %d requests at once", self.label, self.model, why, self.limit
            )
        if retry_after:
            until = self.clock.now() + retry_after
            if until > self._hold_until + LONG_WAIT_S:
                log.warning("%s (%s) asks to wait %.0f s: %s", self.label, self.model, retry_after, why)
            if until > self._hold_until:
                self._hold_until, self._hold_why = until, why
        self._checking = False
        self.changed()

    def note_failure(self, request: object, why: str, unreachable: bool) -> None:
        """A failure, which opens the circuit when a sufficient sample agrees."""
        log.info("%s (%s): a request failed: %s", self.label, self.model, why)
        self._recent.append(request)
        self._unreachable = self._unreachable + 1 if unreachable else 0
        self._note_broken()
        distinct = {id(item) for item in self._recent if item is not None}
        if not self._open:
            if self._unreachable >= MIN_UNREACHABLE:
                self._break(f"{self._unreachable} connections in a row failed, the last one with: {why}")
            elif len(distinct) >= MIN_SAMPLE:
                self._break(
                    f"{sum(item is not None for item in self._recent)} of the last {len(self._recent)} "
                    f"requests failed, the last one with: {why}"
                )
        self.changed()

    def note_no_outcome(self, was_check: bool) -> None:
        """The lease was released with no verdict on the server; a pending health check passes to the next lease."""
        if was_check:
            self._checking = False
        self.changed()

    def still_down(self, why: str, *, unreachable: bool = True) -> None:
        """A health check failed."""
        self.dead_at = next(ticks)
        self._unreachable = max(1, self._unreachable) if unreachable else 0
        self._note_broken()
        self._break(why)
        self.changed()

    def recovered(self) -> None:
        """The endpoint answers (again)."""
        self._unreachable = 0
        self.answered = True
        if self._open:
            log.warning("%s (%s) is up again", self.label, self.model)
            self._open = self._checking = False
            self._recent.clear()

    def _note_broken(self) -> None:
        if self._broken_since is None:
            self._broken_since = self.clock.now()

    def _give_up(self, why: str) -> bool:
        """Gives the endpoint up where waiting longer helps nobody; one that worked and cannot be reached may return."""
        waited = self.clock.now() - (self._broken_since or math.inf)
        if self._unreachable and not self.answered and waited >= self.startup_timeout_s:
            told = f"it has not answered once in {waited:.0f} s ({why}). Start the server or check `base_url`"
        elif not self._unreachable and waited >= self.max_retry_s:
            told = f"it has given no usable answer for {waited:.0f} s ({why}). Look at the server's log"
        else:
            return False
        self.disable(f"The endpoint {self.label} ({self.model}) cannot be used: {told}, then resume the run.")
        return True

    def _break(self, why: str) -> None:
        if self._give_up(why):
            return
        self._open, self._checking, self._why = True, False, why
        self._check_at = self.clock.now() + self._pause
        log.warning("%s (%s) is paused: %s; trying again in %.0f s", self.label, self.model, why, self._pause)
        self._pause = min(LONGEST_PAUSE_S, self._pause * 2)

    def disable(self, why: str) -> None:
        """Disables the endpoint permanently."""
        if self.disabled:
            return
        self.disabled = why
        log.error("%s (%s) is given up: %s", self.label, self.model, why)
        self.changed()


def _ignore() -> None:
    pass
