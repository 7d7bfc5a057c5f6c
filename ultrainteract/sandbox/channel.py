"""The connection to one supervisor: many requests at once over one stream of frames.

A frame is its length (4 bytes, little endian), the length of its header, the header as JSON, and a payload.
Whatever the sandbox sends is treated as untrusted bytes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, cast

import orjson

MAX_FRAME = 256 << 20
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
        text = orjson.dumps(header)
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
            size = int.from_bytes(frame[:4], "little")
            self._received(orjson.loads(frame[4 : 4 + size]), frame[4 + size :])
        del buffer[:at]

    def _received(self, header: dict[str, Any], payload: bytes) -> None:
        if "hello" in header:
            if not self._hello.done():
                self._hello.set_result(header)
            return
        number = header["id"]
        if "tool" in header:
            task = asyncio.get_running_loop().create_task(self._answer_tool(number, payload))
            self._calls.add(task)
            task.add_done_callback(lambda done: self._tool_done(number, done))
            return
        future = self._waiting.get(number)
        if future is None or future.done():
            return
        parts: list[bytes | None] = []
        at = 0
        for size in header.get("sizes", ()):
            parts.append(None if size < 0 else payload[at : at + size])
            at += max(0, size)
        future.set_result(
            Answer(
                header["status"],
                header.get("detail", ""),
                header.get("truncated", False),
                header.get("wall", 0.0),
                header.get("cpu", 0.0),
                tuple(parts) or (b"", b"", None, None, None, None),
            )
        )

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
