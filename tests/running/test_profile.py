"""`run --profile`: how late the event loop was, and where."""

from __future__ import annotations

import asyncio
import io
import time

import pytest
from rich.console import Console

from ultrainteract.cli.views.run import show_loop
from ultrainteract.running.profile import LoopLag, watched


def keep_the_loop(seconds: float) -> None:
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        pass


@pytest.mark.clock
async def test_a_stall_is_counted_with_its_place() -> None:
    async with watched() as watch:
        await asyncio.sleep(0.05)
        keep_the_loop(0.3)
        await asyncio.sleep(0.05)
    lag = watch.lag()
    assert lag.longest_ms > 200
    assert lag.stalls >= 1
    assert lag.worst[0].lag_ms >= lag.worst[-1].lag_ms > 50
    assert any("test_profile.py" in stall.where and "keep_the_loop" in stall.where for stall in lag.worst)
    # Whatever had become due in the stall waited for the rest of it: not one moment of many, but a share of time.
    assert lag.p99_ms > 100
    assert LoopLag.model_validate_json(lag.model_dump_json()) == lag


@pytest.mark.clock
async def test_a_thread_that_works_is_no_place_of_the_loop() -> None:
    async with watched() as watch:
        await asyncio.to_thread(keep_the_loop, 0.2)
    assert not any("keep_the_loop" in stall.where for stall in watch.lag().worst)


def test_the_figures_are_printed() -> None:
    console = Console(width=200, record=True, file=io.StringIO())
    lag = LoopLag(seconds=10, cpu_share=0.5, p99_ms=3.2, longest_ms=20, stalls=0, worst=())
    show_loop(lag, console)
    text = console.export_text()
    assert "late by 20 ms at most" in text
    assert "0 stalls over 50 ms" in text
    assert "busy for 50%" in text
