"""Who may send when: adaptive concurrency, fairness, the circuit breaker."""

from __future__ import annotations

import asyncio
import logging

import pytest

from tests.models.helpers import HandClock
from ultrainteract.models.scheduler.endpoints import MIN_SAMPLE, Endpoint, Lease, RequestClass
from ultrainteract.models.scheduler.queue import Dispatcher, acquire, move_waiters

ACTOR = RequestClass("actor", "actor", 100)
CRITIC = RequestClass("critic", "critic", 100)


def endpoint(clock: HandClock, maximum: int = 4, label: str = "http://a") -> Endpoint:
    made = Endpoint(label, "m", clock)
    made.allow(maximum)
    return made


async def take(e: Endpoint, count: int, lane: RequestClass = ACTOR) -> list[Lease]:
    return [await acquire([e], lane, 1) for _ in range(count)]


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_concurrency_falls_by_half_once_a_round_trip_and_rises_by_one() -> None:
    clock = HandClock()
    e = endpoint(clock, 16)
    leases = await take(e, 16)
    clock.advance(1)
    for lease in leases[:8]:
        lease.overloaded(None, "busy")
    assert e.limit == 8
    for lease in leases[8:]:
        lease.succeeded()
    assert 8.9 < e.limit < 9.1
    for _ in range(1000):
        (lease,) = await take(e, 1)
        lease.succeeded()
    assert e.limit == 16


async def test_a_large_concurrency_is_back_after_sixteen_round_trips() -> None:
    clock = HandClock()
    e = endpoint(clock, 512)
    lane = RequestClass("actor", "actor", 512)
    (stray,) = await take(e, 1, lane)
    stray.overloaded(None, "busy")
    assert e.limit == 256
    trips = 0
    while e.limit < 512:
        for lease in await take(e, int(e.limit), lane):
            lease.succeeded()
        trips += 1
    assert trips in (16, 17)


async def test_never_more_at_once_than_the_maximum_of_endpoint_and_model() -> None:
    clock = HandClock()
    e = endpoint(clock, 10)
    small = RequestClass("critic", "critic", 2)
    waiting = [asyncio.create_task(acquire([e], small, 1)) for _ in range(5)]
    await settle()
    assert sum(task.done() for task in waiting) == 2
    actors = [asyncio.create_task(acquire([e], ACTOR, 1)) for _ in range(20)]
    await settle()
    assert sum(task.done() for task in actors) == 8
    assert e.in_flight == 10
    for task in (*waiting, *actors):
        task.cancel()
    await asyncio.gather(*waiting, *actors, return_exceptions=True)


async def test_deeper_turns_go_first_and_roles_take_turns() -> None:
    clock = HandClock()
    e = endpoint(clock, 1)
    (held,) = await take(e, 1)
    order: list[str] = []

    async def one(name: str, lane: RequestClass, depth: int) -> None:
        lease = await acquire([e], lane, depth)
        order.append(name)
        await asyncio.sleep(0)
        lease.succeeded()

    async with asyncio.TaskGroup() as group:
        for name, lane, depth in (
            ("a1", ACTOR, 1), ("a1'", ACTOR, 1), ("a3", ACTOR, 3), ("a2", ACTOR, 2),
            ("c1", CRITIC, 1), ("c2", CRITIC, 2),
        ):  # fmt: skip
            group.create_task(one(name, lane, depth))
        await settle()
        held.succeeded()
    actors = [name for name in order if name[0] == "a"]
    assert actors == ["a3", "a2", "a1", "a1'"]
    assert [name for name in order if name[0] == "c"] == ["c2", "c1"]


async def test_a_busy_role_does_not_starve_another() -> None:
    clock = HandClock()
    e = endpoint(clock, 4)
    held = await take(e, 4)
    actors = [asyncio.create_task(acquire([e], ACTOR, 5)) for _ in range(50)]
    critics = [asyncio.create_task(acquire([e], CRITIC, 1)) for _ in range(50)]
    await settle()
    for lease in held:
        lease.succeeded()
    await settle()
    assert sum(task.done() for task in actors) == sum(task.done() for task in critics) == 2
    for task in (*actors, *critics):
        task.cancel()
    await asyncio.gather(*actors, *critics, return_exceptions=True)


async def test_one_bad_request_never_opens_the_circuit() -> None:
    e = endpoint(HandClock())
    bad = object()
    for _ in range(100):
        (lease,) = await take(e, 1)
        lease.failed(bad, "HTTP 500")
    assert e.down is None


async def test_a_sample_of_bad_requests_opens_it_and_a_health_check_closes_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.WARNING)
    clock = HandClock()
    e = endpoint(clock)
    for _ in range(MIN_SAMPLE):
        (lease,) = await take(e, 1)
        lease.failed(object(), "HTTP 500: no memory")
    assert e.down is not None
    assert "10 of the last 10 requests failed" in e.down
    assert "no memory" in caplog.text
    waiting = [asyncio.create_task(acquire([e], ACTOR, 1)) for _ in range(3)]
    await settle()
    assert not any(task.done() for task in waiting)
    clock.advance(1.1)
    await settle()
    (first,) = [task.result() for task in waiting if task.done()]  # one alone, to check
    assert first.health_check
    e.still_down("HTTP 503")
    first.dropped()
    clock.advance(1.1)
    await settle()
    assert sum(task.done() for task in waiting) == 1  # the second pause is longer
    clock.advance(1.1)
    await settle()
    (second,) = [task.result() for task in waiting if task.done() and task.result() is not first]
    assert second.health_check
    assert second.after_outage
    e.recovered()
    e.changed()
    await settle()
    assert all(task.done() for task in waiting)
    assert e.down is None
    (third,) = [task.result() for task in waiting if task.result() not in (first, second)]
    assert not third.health_check


async def test_a_cancelled_health_check_is_passed_on() -> None:
    clock = HandClock()
    e = endpoint(clock)
    e.still_down("refused")
    clock.advance(2)
    first = await acquire([e], ACTOR, 1)
    other = asyncio.create_task(acquire([e], ACTOR, 1))
    await settle()
    assert not other.done()
    first.dropped()
    assert (await other).health_check


async def test_refused_connections_open_it_at_once_and_the_other_endpoint_takes_over() -> None:
    clock = HandClock()
    one, two = endpoint(clock, label="http://one"), endpoint(clock, label="http://two")
    for _ in range(3):
        (lease,) = await take(one, 1)
        lease.failed(object(), "refused", unreachable=True)
    assert one.down
    leases = [await acquire([one, two], ACTOR, 1) for _ in range(4)]
    assert {lease.endpoint for lease in leases} == {two}


async def test_retry_after_is_kept_even_by_those_in_line() -> None:
    clock = HandClock()
    e = endpoint(clock, 2)
    held = await take(e, 2)
    waiting = asyncio.create_task(acquire([e], ACTOR, 1))
    await settle()
    held[0].overloaded(30, "HTTP 429")
    held[1].succeeded()
    assert e.down == "it asks to wait, for 30 s more (HTTP 429)"
    clock.advance(29)
    assert e.down is None  # too short a wait to speak of
    await settle()
    assert not waiting.done()
    clock.advance(1.1)
    await settle()
    (await waiting).dropped()


async def test_those_in_line_follow_a_model_that_moves_to_other_servers() -> None:
    clock = HandClock()
    old, new = endpoint(clock, 1), endpoint(clock, 2, "http://b")
    (held,) = await take(old, 1)
    waiting = [asyncio.create_task(acquire([old], ACTOR, turn)) for turn in (1, 3, 2)]
    await settle()
    move_waiters([old], [new])
    await settle()
    assert [task.done() for task in waiting] == [False, True, True], "deeper turns first"
    assert {task.result().endpoint for task in waiting[1:]} == {new}
    assert not [waiter for group in Dispatcher.of(old).groups for waiter in group.waiters()]
    waiting[1].result().succeeded()
    assert (await waiting[0]).endpoint is new
    held.succeeded()
    assert old.in_flight == 0
