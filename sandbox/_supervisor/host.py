"""The connection to the host: requests come in, replies and tool calls go out, and nothing waits for it."""

from __future__ import annotations

import errno
import json
import marshal
import select
import socket
import struct
from collections.abc import Iterator, Sequence
from typing import Any

STATUSES = ("ok", "error", "timeout", "memory", "output_limit", "killed", "fault")
_REPLY = struct.Struct("=BQBB2d6iH")
"""Head of a reply: a one, number of the request, index of its status, whether output was cut, wall and CPU seconds, the
bytes of standard output, standard error, value, traceback, error type and binary data (-1 for none) and those of the
detail, which comes first."""
_CALL = struct.Struct("=BQ")
"""Head of a tool call: a two and the number of the request. A line for the host's log begins with a three."""
_GONE = (errno.EPIPE, errno.ECONNRESET, errno.ENOTCONN, errno.EBADF, errno.ESHUTDOWN, errno.ECONNABORTED)
_DETAIL_BYTES = 1000
_LOG_BYTES = 8000
_LOGS = 200
"""Lines for the host's log that one supervisor may write: the first tell what is wrong, and thousands may come."""


class Gone(Exception):
    """The host has hung up."""


class Host:
    """One connection; a frame is its length (4 bytes, little endian) and what it holds.

    Args:
        connection: The connected socket.
        epoll: Told whether there is something left to send.
    """

    def __init__(self, connection: socket.socket, epoll: select.epoll) -> None:
        connection.setblocking(False)
        self.connection = connection
        self._epoll = epoll
        self._incoming = bytearray()
        self._outgoing = bytearray()
        self._blocked = False
        self._logs = 0

    def requests(self) -> Iterator[tuple[dict[str, Any], bytes]]:
        """Headers and payloads of the requests that have come.

        Raises:
            Gone: There will be no more.
        """
        try:
            data = self.connection.recv(1 << 20)
        except OSError as error:
            if error.errno in _GONE:
                raise Gone from None
            return  # it is asked again
        if not data:
            raise Gone
        buffer = self._incoming
        buffer += data
        while len(buffer) >= 4:
            end = 4 + int.from_bytes(buffer[:4], "little")
            if len(buffer) < end:
                break
            size = int.from_bytes(buffer[4:8], "little")
            head, payload = bytes(buffer[8 : 8 + size]), bytes(buffer[8 + size : end])
            del buffer[:end]
            yield marshal.loads(head), payload

    def greet(self, facts: dict[str, Any]) -> None:
        """The first message."""
        self._send(b"\0", json.dumps(facts).encode())

    def reply(
        self,
        number: int,
        status: str,
        detail: str,
        parts: Sequence[bytes | bytearray | None],
        truncated: bool = False,
        wall: float = 0.0,
        cpu: float = 0.0,
    ) -> None:
        """The last message about a request; see `_REPLY`."""
        told = detail.encode("utf-8", "replace")[:_DETAIL_BYTES]
        sizes = [-1 if part is None else len(part) for part in parts]
        head = _REPLY.pack(1, number, STATUSES.index(status), truncated, wall, cpu, *sizes, len(told))
        self._send(head, told, *[part for part in parts if part is not None])

    def call(self, number: int, message: bytes) -> None:
        """A program's call of a tool."""
        self._send(_CALL.pack(2, number), message)

    def log(self, text: str) -> None:
        """A line, or a traceback, for the host's log."""
        self._logs += 1
        if self._logs <= _LOGS:
            self._send(b"\3", text.encode("utf-8", "replace")[-_LOG_BYTES:])

    def _send(self, *parts: bytes | bytearray) -> None:
        self._outgoing += sum(map(len, parts)).to_bytes(4, "little")
        for part in parts:
            self._outgoing += part

    def flush(self) -> None:
        """Sends what there is, as far as the connection takes it.

        Raises:
            Gone: It takes nothing any more.
        """
        blocked = False
        while self._outgoing and not blocked:
            try:
                sent = self.connection.send(self._outgoing)
                del self._outgoing[:sent]
            except OSError as error:
                if error.errno in _GONE:
                    raise Gone from None
                blocked = True
        if blocked != self._blocked:
            self._blocked = blocked
            events = select.EPOLLIN | (select.EPOLLOUT if blocked else 0)
            self._epoll.modify(self.connection.fileno(), events)
