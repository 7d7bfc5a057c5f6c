"""The connection to one supervisor: many requests at once over one stream of frames.

A frame is its length (4 bytes, little endian) and what it holds: to the supervisor a header, marshalled, behind its
own length, and a payload; from it a byte for the kind of message, and the message. Whatever the sandbox sends is
treated as untrusted bytes.
"""

from __future__ import annotations

import asyncio
import logging
import marshal
import struct
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, cast

import orjson

MAX_FRAME = 256 << 20
MAX_REQUEST = 64 << 20
"""Bytes that a supervisor hands to an execution at the most."""
HELLO, REPLY, CALL, LOG = 0, 1, 2, 3
"""Kinds of message."""
STATUSES = ("ok", "error", "timeout", "memory", "output_limit", "killed", "fault")
_REPLY = struct.Struct("=QBB2d6iH")
"""Request, index of its status, whether output was cut, wall and CPU seconds, bytes of each part or -1, and those of
the detail, which comes before the parts."""
_CALL = struct.Struct("=Q")
_log = logging.getLogger(__name__)
ToolCall = Callable[[bytes], Awaitable[bytes]]


class ConnectionLost(Exception):
    """The supervisor is gone; nothing is known about the requests it had."""


@dataclass(frozen=True)
class Answer:
    """What the supervisor reports of one request; `parts` are stdout, stderr, value, traceback, type, binary."""

    status: str
    detail: str
    truncated: bool
    wall_s: float
    cpu_s: float
    parts: tuple[bytes | None, ...]


class Channel(asyncio.Protocol):
    """Sends requests and matches answers to them."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray()
        self._waiting: dict[int, asyncio.Future[Answer]] = {}
        self._tools: dict[int, ToolCall] = {}
        self._calls: set[asyncio.Task[None]] = set()
        self._number = 0
        self._hello: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self.lost = False

    # ---------------------------------------------------------------------------------------- requests

    async def hello(self) -> dict[str, Any]:
        """The supervisor's greeting.

        Raises:
            ConnectionLost: It ended before it greeted.
        """
        return await asyncio.shield(self._hello)

    async def request(self, header: dict[str, Any], body: bytes, tool: ToolCall | None = None) -> Answer:
        """Runs one request; cancelling the call cancels the execution, and so does a tool that fails.

        Raises:
            ConnectionLost: The supervisor ended before it answered.
            Exception: What the tool's handler raised.
        """
        if self.lost or self._transport is None:
            raise ConnectionLost("the connection to the sandbox is closed")
        self._number += 1
        number = self._number
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting[number] = future
        if tool is not None:
            self._tools[number] = tool
        self._send({"op": "run", "id": number, **header}, body)
        try:
            return await future
        except BaseException:
            if not self.lost:
                self._send({"op": "cancel", "id": number}, b"")
            raise
        finally:
            self._waiting.pop(number, None)
            self._tools.pop(number, None)

    def _send(self, header: dict[str, Any], payload: bytes) -> None:
        assert self._transport is not None
        text = marshal.dumps(header, 2)
        size = 4 + len(text) + len(payload)
        self._transport.write(
            b"".join((size.to_bytes(4, "little"), len(text).to_bytes(4, "little"), text, payload))
        )

    def close(self) -> None:
        """Hangs up, which ends the supervisor and all it runs."""
        if self._transport is not None:
            self._transport.abort()

    # ------------------------------------------------------------------------------------------- stream

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by asyncio."""
        # That of another event loop need not inherit from it.
        self._transport = cast(asyncio.Transport, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by asyncio."""
        self.lost = True
        error = ConnectionLost("the sandbox hung up" if exc is None else f"the sandbox hung up: {exc}")
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(error)
        if not self._hello.done():
            self._hello.set_exception(error)
            self._hello.exception()  # nobody may be waiting for it
        for call in self._calls:
            call.cancel()

    def data_received(self, data: bytes) -> None:
        """Called by asyncio."""
        buffer = self._buffer
        buffer += data
        at = 0
        while len(buffer) - at >= 4:
            end = at + 4 + int.from_bytes(buffer[at : at + 4], "little")
            if end - at > MAX_FRAME:
                self.close()
                return
            if len(buffer) < end:
                break
            frame = bytes(buffer[at + 4 : end])
            at = end
            try:
                self._received(frame)
            except (ValueError, IndexError, struct.error):
                self.close()  # no supervisor of ours sends this
                return
        del buffer[:at]

    def _received(self, frame: bytes) -> None:
        if frame[0] == HELLO:
            if not self._hello.done():
                self._hello.set_result(orjson.loads(frame[1:]))
        elif frame[0] == CALL:
            number = _CALL.unpack_from(frame, 1)[0]
            task = asyncio.get_running_loop().create_task(self._answer_tool(number, frame[1 + _CALL.size :]))
            self._calls.add(task)
            task.add_done_callback(lambda done: self._tool_done(number, done))
        elif frame[0] == REPLY:
            number, status, truncated, wall, cpu, *sizes, told = _REPLY.unpack_from(frame, 1)
            future = self._waiting.get(number)
            if future is None or future.done():
                return
            at = 1 + _REPLY.size + told
            detail = frame[1 + _REPLY.size : at].decode("utf-8", "replace")
            parts: list[bytes | None] = []
            for size in sizes:
                parts.append(None if size < 0 else frame[at : at + size])
                at += max(0, size)
            future.set_result(Answer(STATUSES[status], detail, bool(truncated), wall, cpu, tuple(parts)))
        elif frame[0] == LOG:
            _log.error("%s", frame[1:].decode("utf-8", "replace"))
        else:
            raise ValueError("an unknown kind of message")

    def _tool_done(self, number: int, task: asyncio.Task[None]) -> None:
        self._calls.discard(task)
        error = None if task.cancelled() else task.exception()
        future = self._waiting.get(number)
        if error is not None and future is not None and not future.done():
            future.set_exception(error)

    async def _answer_tool(self, number: int, call: bytes) -> None:
        handler = self._tools.get(number)
        answer = b"" if handler is None else await handler(call)
        if number in self._waiting and not self.lost:
            self._send({"op": "tool", "id": number}, answer)
