"""Many endpoints as one: whoever has most room, and one line for all, at the same cost for one endpoint or thousands."""

from __future__ import annotations

import asyncio
import random

import pytest

from tests.models.helpers import HandClock
from ultrainteract.models.scheduler.endpoints import Endpoint, Lease, RequestClass
from ultrainteract.models.scheduler.queue import Dispatcher, EndpointGroup, acquire, move_waiters


def made(clock: HandClock, count: int, maximum: int) -> list[Endpoint]:
    endpoints = [Endpoint(f"http://{number}", "m", clock) for number in range(count)]
    for endpoint in endpoints:
        endpoint.allow(maximum)
    return endpoints


def takes(endpoint: Endpoint, group: EndpointGroup) -> bool:
    """Whether the endpoint takes a request of the group's model, by the rules alone."""
    return endpoint.takes_requests() and endpoint.by_name[group.name] < group.maximum


def check(groups: list[EndpointGroup]) -> None:
    for group in groups:
        free = [endpoint for endpoint in group.endpoints if takes(endpoint, group)]
        assert group.least_loaded() is min(free, key=lambda e: e.load, default=None)
        assert not (free and group.queues), "nobody waits while an endpoint has room"
        assert len(group._room) <= 4 * len(group.endpoints) + 64


@pytest.mark.parametrize("seed", range(8))
async def test_the_least_loaded_endpoint_is_found_whatever_happened_before(seed: int) -> None:
    rng, clock = random.Random(seed), HandClock()
    endpoints = made(clock, 6, 4)
    shared = (endpoints[:4], endpoints[2:], endpoints[5:])
    lanes = [
        RequestClass("a", "actor", 4),
        RequestClass("a", "critic", 4),
        RequestClass("b", "actor", 2),
        RequestClass("c", "critic", 3),
    ]
    of = {"a": shared[0], "b": shared[1], "c": shared[2]}
    groups = [EndpointGroup.of(of[lane.name], lane.name, lane.maximum) for lane in lanes]
    held: list[Lease] = []
    waiting: set[asyncio.Task[Lease]] = set()
    served = 0
    for _ in range(1500):
        match rng.randrange(8):
            case 0 | 1 | 2:
                lane = rng.choice(lanes)
                waiting.add(asyncio.create_task(acquire(of[lane.name], lane, rng.randint(1, 5))))
            case 3 | 4 if held:
                held.pop(rng.randrange(len(held))).succeeded()
            case 5 if held:
                held.pop(rng.randrange(len(held))).overloaded(rng.choice([None, 0.5, 3.0]), "busy")
            case 6 if held:
                lease = held.pop(rng.randrange(len(held)))
                if lease.health_check and rng.random() < 0.5:
                    lease.endpoint.still_down("HTTP 503")
                    lease.dropped()
                else:
                    lease.failed(object(), "refused", unreachable=rng.random() < 0.5)
            case 7 if waiting and rng.random() < 0.3:
                rng.choice(sorted(waiting, key=id)).cancel()
            case _:
                clock.advance(rng.random())
        for _ in range(3):
            await asyncio.sleep(0)
        for task in [task for task in waiting if task.done()]:
            waiting.discard(task)
            if not task.cancelled():
                held.append(task.result())
                served += 1
        check(groups)
    assert served > 200
    for endpoint in endpoints:
        assert endpoint.in_flight == sum(lease.endpoint is endpoint for lease in held)
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)


async def test_a_request_asks_no_endpoint_but_the_one_that_serves_it(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = HandClock()
    endpoints = tuple(made(clock, 500, 2))
    lane = RequestClass("a", "actor", 2)
    held = [await acquire(endpoints, lane, 1) for _ in range(1000)]
    assert all(endpoint.in_flight == 2 for endpoint in endpoints)
    asked: list[Endpoint] = []
    original = Endpoint.takes_requests
    monkeypatch.setattr(
        Endpoint,
        "takes_requests",
        lambda self: bool(asked.append(self) or original(self)),  # type: ignore[func-returns-value]
    )
    waiting = asyncio.create_task(acquire(endpoints, lane, 1))
    await asyncio.sleep(0)
    held[77].succeeded()
    lease = await waiting
    lease.succeeded()
    held[77] = await acquire(endpoints, lane, 1)
    assert held[77].endpoint is lease.endpoint
    assert set(asked) == {lease.endpoint}


async def test_those_of_the_same_lane_are_served_in_order_whichever_endpoints_they_wait_for() -> None:
    clock = HandClock()
    one, two = made(clock, 2, 1)
    lane = RequestClass("a", "actor", 1)
    first, second = await acquire([one], lane, 1), await acquire([two], lane, 1)
    order: list[str] = []

    async def wait(name: str, endpoints: list[Endpoint], depth: int) -> None:
        lease = await acquire(endpoints, lane, depth)
        order.append(name)
        lease.succeeded()

    tasks = []
    for name, endpoints, depth in (("one", [one], 1), ("both", [one, two], 1), ("deep", [one], 2)):
        tasks.append(asyncio.create_task(wait(name, endpoints, depth)))
        await asyncio.sleep(0)
    first.succeeded()
    await asyncio.gather(*tasks)
    assert order == ["deep", "one", "both"]
    second.succeeded()


async def test_a_model_that_moves_leaves_nothing_behind_and_takes_nobody_else_along() -> None:
    clock = HandClock()
    old, new = made(clock, 2, 1)
    mine, other = RequestClass("a", "actor", 1), RequestClass("b", "actor", 1)
    held = await acquire([old], mine, 1)
    waits = asyncio.create_task(acquire([old], mine, 1))
    stays = asyncio.create_task(acquire([old, new], other, 1))
    await asyncio.sleep(0)
    taken = await stays
    assert taken.endpoint is new
    stays = asyncio.create_task(acquire([old, new], other, 1))
    await asyncio.sleep(0)
    move_waiters([old], [new])
    assert not waits.done()
    assert [group.name for group in Dispatcher.of(old).groups] == ["b"]
    held.succeeded()
    assert (await stays).endpoint is old
    taken.succeeded()
    assert (await waits).endpoint is new


async def test_room_that_a_higher_maximum_makes_goes_to_those_in_line() -> None:
    (endpoint,) = made(HandClock(), 1, 1)
    lane = RequestClass("a", "actor", 4)
    await acquire([endpoint], lane, 1)
    waits = asyncio.create_task(acquire([endpoint], lane, 1))
    await asyncio.sleep(0)
    endpoint.allow(4)
    assert (await waits).endpoint is endpoint


async def test_processes_that_share_a_maximum_never_exceed_it_together() -> None:
    for maximum, parts in ((256, 2), (5, 3), (4, 4), (100, 7)):
        endpoints = made(HandClock(), parts, maximum)
        request_class = RequestClass("a", "actor", maximum)
        taken = 0
        for endpoint in endpoints:
            endpoint.divide(parts)
            waits = [asyncio.create_task(acquire([endpoint], request_class, 1)) for _ in range(maximum)]
            await asyncio.sleep(0)
            taken += endpoint.in_flight
            assert endpoint.in_flight >= 1
            endpoint.divide(1)
            assert endpoint.limit >= maximum // 2
            for task in waits:
                task.cancel()
        assert maximum - parts < taken <= maximum
