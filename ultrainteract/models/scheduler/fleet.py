"""The endpoints of one configured model together: which of them has most room, and who waits in line for any of them.

Whether a model has one endpoint or thousands, a request costs the same: an endpoint says when its room
changes, the least loaded one lies on top of a heap, and who waits is in one line for all.
"""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ultrainteract.models.scheduler.endpoints import Endpoint, Lane, Lease

_STALE = 4
"""Entries of the heap for each endpoint, most of them outdated by then, at which it is cleaned."""

ticks = count(1)
"""Numbers what happens, so that it can be told what came first."""


@dataclass(eq=False, slots=True)
class Waiter:
    """One request in line."""

    lane: Lane
    depth: int
    """Turn of the tree."""
    arrived: int
    """When it came, as a tick."""
    since: int
    """When it began to wait for these endpoints, as a tick."""
    future: asyncio.Future[Lease]
    fleet: Fleet


class Fleet:
    """The endpoints of one configured model.

    Args:
        endpoints: The endpoints, each once.
        name: The model's name in the configuration.
        maximum: Its most requests under way at one endpoint.
    """

    def __init__(self, endpoints: Sequence[Endpoint], name: str, maximum: int) -> None:
        self.endpoints = tuple(endpoints)
        self.name = name
        self.maximum = maximum
        self.lines: dict[Lane, dict[int, dict[Waiter, None]]] = {}
        """Who waits, by lane and turn, in order of arrival."""
        self._room: list[tuple[float, int, int]] = []  # load, place in `endpoints`, version of the endpoint
        for place, endpoint in enumerate(self.endpoints):
            endpoint.fleets[self] = place
            endpoint.tell(self)

    @classmethod
    def of(cls, endpoints: Sequence[Endpoint], name: str, maximum: int) -> Fleet:
        """The one fleet of these endpoints and this model."""
        for fleet in endpoints[0].fleets:
            if fleet.name == name and fleet.maximum == maximum and fleet.consists_of(endpoints):
                return fleet
        return cls(endpoints, name, maximum)

    def consists_of(self, endpoints: Sequence[Endpoint]) -> bool:
        """Whether these are its endpoints."""
        return self.endpoints is endpoints or self.endpoints == tuple(endpoints)

    def disband(self) -> None:
        """Lets go of the endpoints."""
        for endpoint in self.endpoints:
            endpoint.fleets.pop(self, None)

    # ------------------------------------------------------------------------------------------------ room

    def offer(self, load: float, place: int, version: int) -> None:
        """Notes that an endpoint has room, until its version changes."""
        heapq.heappush(self._room, (load, place, version))
        if len(self._room) > _STALE * len(self.endpoints) + 64:
            self._room = [entry for entry in self._room if self.endpoints[entry[1]].version == entry[2]]
            heapq.heapify(self._room)

    def least_loaded(self) -> Endpoint | None:
        """The endpoint with most room; None where none has any."""
        while self._room:
            _, place, version = self._room[0]
            if self.endpoints[place].version == version:
                return self.endpoints[place]
            heapq.heappop(self._room)
        return None

    # ------------------------------------------------------------------------------------------------ line

    def join(self, waiter: Waiter) -> None:
        """Puts a waiter in line."""
        waiter.fleet = self
        self.lines.setdefault(waiter.lane, {}).setdefault(waiter.depth, {})[waiter] = None

    def leave(self, waiter: Waiter) -> None:
        """Takes a waiter out of the line, if it is there."""
        depths = self.lines.get(waiter.lane, {})
        if waiter in depths.get(waiter.depth, ()):
            del depths[waiter.depth][waiter]
            if not depths[waiter.depth]:
                del depths[waiter.depth]
            if not depths:
                del self.lines[waiter.lane]

    def first(self, lane: Lane) -> Waiter:
        """Who is next in a lane that is not empty: of the deepest turn the one that came first."""
        depths = self.lines[lane]
        return next(iter(depths[max(depths)]))

    def waiters(self) -> Iterator[Waiter]:
        """All who are in line."""
        for depths in self.lines.values():
            for line in depths.values():
                yield from line
