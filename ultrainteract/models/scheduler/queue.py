"""Who waits for the endpoints of a model, and in which order they are served.

Whether a model has one endpoint or thousands, a request costs the same: the least-loaded endpoint lies on top of a
heap, and all that wait for any of a model's endpoints wait in one queue. An endpoint that several models share serves
them fairly: the request class (a configured model and a role) with the fewest requests in flight is next, and within
it the deepest turn, then the longest waiting.

All waiting is done by the callers, in `acquire`, so that a cancelled caller leaves nothing behind. Endpoints know
nothing of this module: each has a `Dispatcher`, which is its `changed` callback.
"""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ultrainteract.errors import ProviderError
from ultrainteract.models.scheduler.endpoints import Endpoint, Lease, RequestClass, ticks

_STALE = 4
"""Entries of the heap per endpoint, most of them outdated by then, at which it is cleaned."""


@dataclass(eq=False, slots=True)
class Waiter:
    """One request that waits."""

    request_class: RequestClass
    depth: int
    """Turn of the tree."""
    arrived: int
    """When it came, as a tick."""
    since: int
    """When it began to wait for these endpoints, as a tick."""
    future: asyncio.Future[Lease]
    group: EndpointGroup


class Dispatcher:
    """Serves those who wait for one endpoint whenever its room changes.

    Args:
        endpoint: The endpoint.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self.version = 0
        """Changes whenever the room for further requests does."""
        self.groups: dict[EndpointGroup, int] = {}
        """Those the endpoint belongs to, with its position in each."""

    @classmethod
    def of(cls, endpoint: Endpoint) -> Dispatcher:
        """The one dispatcher of an endpoint."""
        if not isinstance(endpoint.changed, cls):
            endpoint.changed = cls(endpoint)
        return endpoint.changed

    def __call__(self) -> None:
        """Hands leases to those who wait while the endpoint takes requests."""
        endpoint = self.endpoint
        takes = endpoint.takes_requests()
        while takes and (waiter := self._next()) is not None:
            waiter.group.leave(waiter)
            if waiter.future.done():  # cancelled, and not yet run to say so
                continue
            waiter.future.set_result(endpoint.lease(waiter.request_class, waiter.since))
            takes = endpoint.takes_requests()
        self._offer_all(takes)
        if endpoint.disabled:
            self._fail(endpoint.disabled)

    def lease(self, request_class: RequestClass) -> Lease:
        """A lease at once, of an endpoint that has room: whoever could take it from the queue has done so."""
        lease = self.endpoint.lease(request_class, next(ticks))
        self._offer_all(self.endpoint.takes_requests())
        return lease

    def offer(self, group: EndpointGroup) -> None:
        """Notes the room there is with one group."""
        if self.endpoint.takes_requests():
            self._offer(group, self.groups[group])

    def _next(self) -> Waiter | None:
        """Who is served next: of the class with the fewest requests in flight, among those that may have more."""
        endpoint = self.endpoint
        chosen: RequestClass | None = None
        heads: list[Waiter] = []
        for group in self.groups:
            if not group.queues or not endpoint.takes(group.name, group.maximum):
                continue
            for request_class in group.queues:
                if chosen is None or endpoint.by_class[request_class] < endpoint.by_class[chosen]:
                    chosen, heads = request_class, [group.first(request_class)]
                elif request_class == chosen:
                    heads.append(group.first(request_class))
        return min(heads, key=lambda waiter: (-waiter.depth, waiter.arrived), default=None)

    def _offer_all(self, takes: bool) -> None:
        self.version += 1
        if takes:
            for group, position in self.groups.items():
                self._offer(group, position)

    def _offer(self, group: EndpointGroup, position: int) -> None:
        if self.endpoint.takes(group.name, group.maximum):
            group.offer(self.endpoint.load, position, self.version)

    def _fail(self, why: str) -> None:
        """Fails waiters that have no other endpoint."""
        for group in self.groups:
            if all(endpoint.disabled for endpoint in group.endpoints):
                for waiter in list(group.waiters()):
                    group.leave(waiter)
                    if not waiter.future.done():
                        waiter.future.set_exception(ProviderError(why, fatal=True))


class EndpointGroup:
    """The endpoints of one configured model: which of them is least loaded, and who waits for any of them.

    Args:
        endpoints: The endpoints, each once.
        name: The model's name in the configuration.
        maximum: Its maximum number of concurrent requests per endpoint.
    """

    def __init__(self, endpoints: Sequence[Endpoint], name: str, maximum: int) -> None:
        self.endpoints = tuple(endpoints)
        self.name = name
        self.maximum = maximum
        self.queues: dict[RequestClass, dict[int, dict[Waiter, None]]] = {}
        """Who waits, by request class and turn, in order of arrival."""
        self._dispatchers = tuple(map(Dispatcher.of, self.endpoints))
        self._room: list[
            tuple[float, int, int]
        ] = []  # load, position in `endpoints`, version of the dispatcher
        for position, dispatcher in enumerate(self._dispatchers):
            dispatcher.groups[self] = position
            dispatcher.offer(self)

    @classmethod
    def of(cls, endpoints: Sequence[Endpoint], name: str, maximum: int) -> EndpointGroup:
        """The one group of these endpoints and this model."""
        for group in Dispatcher.of(endpoints[0]).groups:
            if group.name == name and group.maximum == maximum and group.consists_of(endpoints):
                return group
        return cls(endpoints, name, maximum)

    def consists_of(self, endpoints: Sequence[Endpoint]) -> bool:
        """Whether these are its endpoints."""
        return self.endpoints is endpoints or self.endpoints == tuple(endpoints)

    def disband(self) -> None:
        """Lets go of the endpoints."""
        for dispatcher in self._dispatchers:
            dispatcher.groups.pop(self, None)

    # ------------------------------------------------------------------------------------------------ room

    def offer(self, load: float, position: int, version: int) -> None:
        """Notes that an endpoint has room, until its dispatcher's version changes."""
        heapq.heappush(self._room, (load, position, version))
        if len(self._room) > _STALE * len(self.endpoints) + 64:
            self._room = [entry for entry in self._room if self._dispatchers[entry[1]].version == entry[2]]
            heapq.heapify(self._room)

    def least_loaded(self) -> Endpoint | None:
        """The endpoint with the most spare capacity, or None."""
        while self._room:
            _, position, version = self._room[0]
            if self._dispatchers[position].version == version:
                return self.endpoints[position]
            heapq.heappop(self._room)
        return None

    # ------------------------------------------------------------------------------------------------ queue

    def join(self, waiter: Waiter) -> None:
        """Puts a waiter into the queue."""
        waiter.group = self
        self.queues.setdefault(waiter.request_class, {}).setdefault(waiter.depth, {})[waiter] = None

    def leave(self, waiter: Waiter) -> None:
        """Takes a waiter out of the queue, if it is there."""
        depths = self.queues.get(waiter.request_class, {})
        if waiter in depths.get(waiter.depth, ()):
            del depths[waiter.depth][waiter]
            if not depths[waiter.depth]:
                del depths[waiter.depth]
            if not depths:
                del self.queues[waiter.request_class]

    def first(self, request_class: RequestClass) -> Waiter:
        """Who is next of a class that has waiters: of the deepest turn the one that came first."""
        depths = self.queues[request_class]
        return next(iter(depths[max(depths)]))

    def waiters(self) -> Iterator[Waiter]:
        """All who wait."""
        for depths in self.queues.values():
            for waiters in depths.values():
                yield from waiters


async def acquire(endpoints: Sequence[Endpoint], request_class: RequestClass, depth: int) -> Lease:
    """Waits for permission to send one request to any of several endpoints, the least loaded first.

    Waiting lasts as long as it takes (all may be down) and can be cancelled at any time.

    Args:
        endpoints: Those that serve the model.
        request_class: Whose request it is.
        depth: Turn of the tree; deeper ones go first.

    Raises:
        ProviderError: All of them are disabled (fatal).
    """
    if all(endpoint.disabled for endpoint in endpoints):
        raise ProviderError(endpoints[0].disabled or "", fatal=True)
    group = EndpointGroup.of(endpoints, request_class.name, request_class.maximum)
    if (endpoint := group.least_loaded()) is not None:
        return Dispatcher.of(endpoint).lease(request_class)
    now = next(ticks)
    future: asyncio.Future[Lease] = asyncio.get_running_loop().create_future()
    waiter = Waiter(request_class, depth, now, now, future, group)
    group.join(waiter)
    try:
        return await future
    except asyncio.CancelledError:
        waiter.group.leave(waiter)
        if future.done() and not future.cancelled() and future.exception() is None:
            future.result().dropped()
        raise


def move_waiters(left: Sequence[Endpoint], joined: Sequence[Endpoint]) -> None:
    """Lets those who wait for a model's endpoints wait for others instead.

    Args:
        left: The endpoints so far.
        joined: Those that count from now on.
    """
    for group in [group for group in Dispatcher.of(left[0]).groups if group.consists_of(left)]:
        group.disband()
        other = EndpointGroup.of(joined, group.name, group.maximum)
        for waiter in list(group.waiters()):
            waiter.since = next(ticks)
            other.join(waiter)
    for endpoint in joined:
        endpoint.changed()
