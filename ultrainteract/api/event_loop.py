"""Runs a coroutine to its end from ordinary code, in a notebook too, where an event loop is running already."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")


def complete(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """The result of `work()`.

    Args:
        work: Makes the coroutine. It runs on an event loop of its own: on this thread, or on another one where this
            thread's loop is running. An interrupted notebook cell cancels it and waits until it has ended.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work())
    started: list[tuple[asyncio.AbstractEventLoop, asyncio.Task[Any] | None]] = []

    async def noted() -> T:
        started.append((asyncio.get_running_loop(), asyncio.current_task()))
        return await work()

    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="ultrainteract") as thread:
        result = thread.submit(lambda: asyncio.run(noted()))
        try:
            return result.result()
        except KeyboardInterrupt:
            for loop, task in started:
                if task is not None:
                    loop.call_soon_threadsafe(task.cancel)
            raise
