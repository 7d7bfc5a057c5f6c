"""The program of a worker process: answers the calls that come over a socket until it is closed.

The process ends when its parent does, however that ends: the socket is closed then. An interrupt at the terminal is the
parent's affair, which drains all workers.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import sys
import traceback
from collections.abc import Callable
from typing import Any

from ultrainteract.running.processes.frames import Answer, Call, open_stream, receive, send
from ultrainteract.running.remote import RemoteWorker


async def serve(end: socket.socket, kind: Callable[..., Any] = RemoteWorker) -> None:
    """Answers calls of the methods of a `kind`; the first call brings what it is made of."""
    reader, writer = await open_stream(end)
    made: Call = await receive(reader)
    worker = kind(*made.arguments)
    running: set[asyncio.Task[None]] = set()

    async def answer(call: Call) -> None:
        try:
            value = getattr(worker, call.name)(*call.arguments)
            if asyncio.iscoroutine(value):
                value = await value
            reply = Answer(call.number, value)
        except Exception:  # the driver's process crashes with it: a bug must not pass for a lost worker
            reply = Answer(call.number, bug=traceback.format_exc())
        if call.number:
            send(writer, reply)
            with contextlib.suppress(ConnectionError):
                await writer.drain()

    try:
        while True:
            call: Call = await receive(reader)
            task = asyncio.create_task(answer(call))
            running.add(task)
            task.add_done_callback(running.discard)
    except EOFError:
        for task in running:
            task.cancel()
        await worker.close()
        writer.close()


def main() -> None:
    """Serves the socket whose descriptor is the argument."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with contextlib.suppress(EOFError):  # the parent ended before it said anything
        asyncio.run(serve(socket.socket(fileno=int(sys.argv[1]))))


if __name__ == "__main__":
    main()
