"""Frames on a socket between two processes of this program: a length, then a pickled (number, name, arguments).

Both ends are this program's own processes and the socket is a pair that no other process holds, so pickle is safe.
"""

from __future__ import annotations

import asyncio
import pickle
import socket
from typing import Any, NamedTuple

_LENGTH = 8
LIMIT = 1 << 20
"""Bytes that a stream buffers before its writer has to wait."""


class Call(NamedTuple):
    """A question; number 0 asks for no answer."""

    number: int
    name: str
    arguments: tuple[Any, ...] = ()


class Answer(NamedTuple):
    """An answer, or the text of a bug's traceback."""

    number: int
    value: Any = None
    bug: str = ""


async def open_stream(end: socket.socket) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """The streams of one end of a socket pair."""
    return await asyncio.open_connection(sock=end, limit=LIMIT)


def send(writer: asyncio.StreamWriter, frame: Call | Answer) -> None:
    """Writes a frame without waiting."""
    payload = pickle.dumps(frame, pickle.HIGHEST_PROTOCOL)
    writer.write(len(payload).to_bytes(_LENGTH, "big"))
    writer.write(payload)


async def receive(reader: asyncio.StreamReader) -> Any:
    """The next frame.

    Raises:
        EOFError: The other end is gone.
    """
    try:
        head = await reader.readexactly(_LENGTH)
        return pickle.loads(await reader.readexactly(int.from_bytes(head, "big")))
    except (asyncio.IncompleteReadError, ConnectionError) as error:
        raise EOFError("the connection was closed") from error
