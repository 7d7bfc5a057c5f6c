"""Rates of a key, kept over all who use it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.models.helpers import FastClock, HandClock, ask, client
from tests.servers.chaos import ChaosServer
from ultrainteract.config import ModelConfig, Price
from ultrainteract.models import price_of
from ultrainteract.models.scheduler.limits import KeyLimits, SharedLimits, TokenBucket
from ultrainteract.schema import Usage


def test_a_bucket_gives_its_rate_and_a_short_burst() -> None:
    clock = HandClock()
    bucket = TokenBucket(600, clock)
    taken = 0
    while not bucket.wait(1):
        bucket.take(1)
        taken += 1
    assert taken == 60  # six seconds' worth
    assert bucket.wait(1) == pytest.approx(0.1)
    clock.time += 30
    assert bucket.wait(60) == 0


def test_more_than_a_bucket_holds_is_paid_off_afterwards() -> None:
    clock = HandClock()
    bucket = TokenBucket(600, clock)
    assert bucket.wait(200) == 0
    bucket.take(200)
    assert bucket.wait(1) == pytest.approx(14.1)


def test_processes_divide_a_rate_and_get_more_when_others_end() -> None:
    clock = HandClock()
    shared = SharedLimits(clock=clock)
    limits = shared.key_limits(ModelConfig(model="m", requests_per_minute=600), "http://a")
    shared.divide(4)
    (bucket,) = limits._buckets.values()
    bucket.take(bucket.rate * 6)  # what the burst allows
    emptied = bucket.wait(1)
    shared.divide(1)
    assert bucket.wait(1) == pytest.approx(emptied / 4)


async def limited(**rates: int) -> tuple[KeyLimits, HandClock]:
    clock = HandClock()
    limits = KeyLimits(clock)
    limits.restrict(ModelConfig(model="m", **rates))  # type: ignore[arg-type]
    return limits, clock


@pytest.mark.parametrize(
    ("rates", "seconds"),
    [
        ({"requests_per_minute": 60}, 94),
        ({"input_tokens_per_minute": 6000}, 94),
        ({"output_tokens_per_minute": 3000}, 94),
        ({"requests_per_minute": 6000}, 0),
    ],
)
async def test_a_hundred_requests_take_as_long_as_they_must(rates: dict[str, int], seconds: float) -> None:
    limits, clock = await limited(**rates)
    began = clock.now()
    for _ in range(100):
        reservation = await limits.reserve(100, 400)
        limits.settle(reservation, Usage(prompt_tokens=100, completion_tokens=50))
    # An output reservation larger than the bucket waits for a full one: never faster than the rate.
    assert clock.now() - began >= seconds - 1
    if "output_tokens_per_minute" not in rates:
        assert clock.now() - began <= seconds + 1


async def test_without_limits_nothing_is_reserved() -> None:
    limits, _ = await limited()
    assert await limits.reserve(1e9, 1e9) is None


async def test_roles_with_one_key_share_its_rate_and_the_smallest_counts() -> None:
    clock = FastClock()
    shared = SharedLimits(clock)
    async with ChaosServer() as server:
        actor = client(server.url, shared=shared, requests_per_minute=600)
        critic = client(server.url, shared=shared, requests_per_minute=300)
        began = clock.now()
        await asyncio.gather(
            *(actor.sample(ask(f"a{i}")) for i in range(40)),
            *(critic.sample(ask(f"c{i}")) for i in range(40)),
        )
        took = clock.now() - began
        await actor.close()
        await critic.close()
    assert took >= 9.9  # 30 at once, then 5 a second


async def test_a_wait_for_the_rate_is_no_failed_attempt() -> None:
    async with ChaosServer() as server:
        model = client(server.url, requests_per_minute=10, max_retry_s=20, max_retries=0)
        replies = await asyncio.gather(*(model.sample(ask(f"a{i}")) for i in range(15)))
        await model.close()
    assert len(replies) == 15


@pytest.mark.parametrize(
    ("price", "cost"), [(Price(input=2.5, output=10), 0.0125), (None, None), (Price(input=0, output=0), 0.0)]
)
def test_prices(price: Price | None, cost: Any) -> None:
    config = ModelConfig(model="m", price=price)
    assert price_of(config, Usage(prompt_tokens=1000, completion_tokens=1000)) == cost
