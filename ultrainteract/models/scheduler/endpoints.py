"""One model at one address: who may send next, how many at once, and whether it is up.

Every request holds a `Lease` while it is under way. An endpoint hands leases out

* up to a concurrency that adapts: it grows by a 32nd of its maximum, at least by one, a round trip, and is halved
  when the server says that it is overloaded, once for all requests that were sent before the last halving;
* fairly between lanes (a configured model and a role): the lane with the fewest requests under way is next,
  and within it the deepest turn, then the longest waiting;
* only while it is up: after too many failures (a *sample* of them, never one bad prompt) the circuit opens,
  and after a pause a single lease is given for a health check.

All waiting is done by the callers, in `acquire`; the endpoint is plain synchronous state plus one timer, so
that a cancelled caller leaves nothing behind. What those who wait for any of several endpoints share is a
`Fleet`.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from ultrainteract.errors import ProviderError
from ultrainteract.models.clock import Clock
from ultrainteract.models.openai.wire import Dialect
from ultrainteract.models.scheduler.fleet import Fleet, Waiter, ticks
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


class Lane(NamedTuple):
    """Requests that compete as one: those of a role on a configured model."""

    name: str
    role: str
    maximum: int
    """Most requests under way at once for `name`, over all its roles, at one endpoint."""


@dataclass(eq=False, slots=True)
class Lease:
    """Permission for one request. Exactly one of the outcome methods counts; further calls do nothing."""

    endpoint: Endpoint
    lane: Lane
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
            self.endpoint.note_nothing(self.health_check)

    def _release(self) -> bool:
        if not self._held:
            return False
        self._held = False
        self.endpoint.give_back(self.lane)
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
    """Most requests at once: the largest `max_concurrency` of those who use it."""
    limit: float = 1.0
    """Adaptive concurrency, between 1 and `maximum`."""
    in_flight: int = 0
    version: int = 0
    """Changes whenever the room for further requests does."""
    disabled: str | None = None
    """Why the endpoint is of no use to the run at all (bad key, unknown model, never an answer)."""
    answered: bool = False
    """Whether it has ever given a usable answer, or passed a health check."""
    startup_timeout_s: float = math.inf
    """Longest wait for an endpoint that has never answered, seconds."""
    max_retry_s: float = math.inf
    """Longest time without a usable answer from an endpoint that answers, seconds."""

    def __post_init__(self) -> None:
        self._by_lane: Counter[Lane] = Counter()
        self._by_name: Counter[str] = Counter()
        self.fleets: dict[Fleet, int] = {}
        """Those it belongs to, with its place in each."""
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
        self._dead_at = 0  # tick of the last failed health check
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
            self.limit = float(maximum)
            self._step = max(1.0, maximum / ROUND_TRIPS)
            self.dispatch()

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

    # ----------------------------------------------------------------------------------- waiting in line

    def waiters(self) -> list[Waiter]:
        """All who are in line for it."""
        return [waiter for fleet in self.fleets for waiter in fleet.waiters()]

    def dispatch(self) -> None:
        """Hands leases to those in line while the endpoint takes requests."""
        takes = self._takes_requests()
        while takes and (waiter := self._next()) is not None:
            waiter.fleet.leave(waiter)
            if waiter.future.done():  # cancelled, and not yet run to say so
                continue
            waiter.future.set_result(self._lease(waiter.lane, self._dead_at > waiter.since))
            takes = self._takes_requests()
        self._tell(takes)

    def _next(self) -> Waiter | None:
        """Who is served next: of the lane with the fewest requests under way, among those that may have more."""
        chosen: Lane | None = None
        heads: list[Waiter] = []
        for fleet in self.fleets:
            if not fleet.lines or self._by_name[fleet.name] >= fleet.maximum:
                continue
            for lane in fleet.lines:
                if chosen is None or self._by_lane[lane] < self._by_lane[chosen]:
                    chosen, heads = lane, [fleet.first(lane)]
                elif lane == chosen:
                    heads.append(fleet.first(lane))
        return min(heads, key=lambda waiter: (-waiter.depth, waiter.arrived), default=None)

    def lease(self, lane: Lane) -> Lease:
        """A lease at once, of an endpoint that has room: whoever could take it from the line has done so."""
        lease = self._lease(lane, False)
        self._tell(self._takes_requests())
        return lease

    def _lease(self, lane: Lane, after_outage: bool) -> Lease:
        self.in_flight += 1
        self._by_lane[lane] += 1
        self._by_name[lane.name] += 1
        check, self._checking = self._open, self._open
        return Lease(self, lane, self.clock.now(), check, after_outage)

    def _tell(self, takes: bool) -> None:
        """Tells all fleets what room there is."""
        self.version += 1
        if takes:
            for fleet, place in self.fleets.items():
                self._offer(fleet, place)

    def tell(self, fleet: Fleet) -> None:
        """Tells one fleet what room there is."""
        if self._takes_requests():
            self._offer(fleet, self.fleets[fleet])

    def _offer(self, fleet: Fleet, place: int) -> None:
        if self._by_name[fleet.name] < fleet.maximum:
            fleet.offer(self.load, place, self.version)

    def _takes_requests(self) -> bool:
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
        self.dispatch()

    # ----------------------------------------------------------------------------------------- outcomes

    def give_back(self, lane: Lane) -> None:
        """Ends a lease; its outcome follows at once."""
        self.in_flight -= 1
        self._by_lane[lane] -= 1
        self._by_name[lane.name] -= 1

    def note_success(self) -> None:
        """An answer came: proof of life, and room for a little more."""
        self._recent.append(None)
        self._pause, self._broken_since = FIRST_PAUSE_S, None
        self.limit = min(float(self.maximum), self.limit + self._step / self.limit)
        self.recovered()
        self.dispatch()

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
        self.dispatch()

    def note_failure(self, request: object, why: str, unreachable: bool) -> None:
        """A failure, which opens the circuit when a sufficient sample agrees."""
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
        self.dispatch()

    def note_nothing(self, was_check: bool) -> None:
        """A lease ended without news; if it was to check the endpoint's health, the next one shall."""
        if was_check:
            self._checking = False
        self.dispatch()

    def still_down(self, why: str, *, unreachable: bool = True) -> None:
        """A health check failed."""
        self._dead_at = next(ticks)
        self._unreachable = max(1, self._unreachable) if unreachable else 0
        self._note_broken()
        self._break(why)
        self.dispatch()

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
        """Takes the endpoint out for good, and tells those in line who have no other."""
        if self.disabled:
            return
        self.disabled = why
        log.error("%s (%s) is given up: %s", self.label, self.model, why)
        self._tell(False)
        for fleet in self.fleets:
            if all(endpoint.disabled for endpoint in fleet.endpoints):
                for waiter in list(fleet.waiters()):
                    fleet.leave(waiter)
                    if not waiter.future.done():
                        waiter.future.set_exception(ProviderError(why, fatal=True))


async def acquire(endpoints: Sequence[Endpoint], lane: Lane, depth: int) -> Lease:
    """Waits for permission to send one request to any of several endpoints, the least loaded first.

    Waiting lasts as long as it takes (all may be down) and can be cancelled at any time.

    Args:
        endpoints: Those that serve the model.
        lane: Whose request it is.
        depth: Turn of the tree; deeper ones go first.

    Raises:
        ProviderError: All of them are given up (fatal).
    """
    if all(endpoint.disabled for endpoint in endpoints):
        raise ProviderError(endpoints[0].disabled or "", fatal=True)
    fleet = Fleet.of(endpoints, lane.name, lane.maximum)
    if (endpoint := fleet.least_loaded()) is not None:
        return endpoint.lease(lane)
    now = next(ticks)
    future: asyncio.Future[Lease] = asyncio.get_running_loop().create_future()
    waiter = Waiter(lane, depth, now, now, future, fleet)
    fleet.join(waiter)
    try:
        return await future
    except asyncio.CancelledError:
        waiter.fleet.leave(waiter)
        if future.done() and not future.cancelled() and future.exception() is None:
            future.result().dropped()
        raise


def move(left: Sequence[Endpoint], joined: Sequence[Endpoint]) -> None:
    """Lets those who wait in line for a model's endpoints wait for others instead.

    Args:
        left: The endpoints so far.
        joined: Those that count from now on.
    """
    for fleet in [fleet for fleet in left[0].fleets if fleet.consists_of(left)]:
        fleet.disband()
        other = Fleet.of(joined, fleet.name, fleet.maximum)
        for waiter in list(fleet.waiters()):
            waiter.since = next(ticks)
            other.join(waiter)
    for endpoint in joined:
        endpoint.dispatch()
