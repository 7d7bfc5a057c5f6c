"""What the host makes of the bytes that come from a sandbox, which may be anyone's."""

from __future__ import annotations

import asyncio
import socket
import struct

import pytest

from ultrainteract.sandbox.channel import Answer, Channel, ConnectionLost

pytestmark = pytest.mark.asyncio


def framed(*parts: bytes) -> bytes:
    body = b"".join(parts)
    return len(body).to_bytes(4, "little") + body


async def connected() -> tuple[Channel, socket.socket]:
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    _, channel = await asyncio.get_running_loop().create_unix_connection(Channel, sock=ours)
    return channel, theirs


async def answer_with(data: bytes) -> Answer | BaseException:
    channel, supervisor = await connected()
    request = asyncio.create_task(channel.request({"zygote": "bare"}, b"body"))
    await asyncio.sleep(0)
    supervisor.sendall(data)
    try:
        [result] = await asyncio.wait_for(asyncio.gather(request, return_exceptions=True), 5)
        return result
    finally:
        channel.close()
        supervisor.close()


REPLY = struct.Struct("=BQBB2d6iH")


async def test_a_reply_in_pieces_is_put_together() -> None:
    channel, supervisor = await connected()
    request = asyncio.create_task(channel.request({"zygote": "bare"}, b"body"))
    await asyncio.sleep(0)
    data = framed(
        REPLY.pack(1, 1, 1, 1, 0.5, 0.25, 3, 0, -1, 4, -1, -1, 2), b"why", b"out"[:2], b"t", b"race"
    )
    for byte in data[:-1]:
        supervisor.sendall(bytes([byte]))
        await asyncio.sleep(0)
    assert not request.done()
    supervisor.sendall(data[-1:])
    answer = await asyncio.wait_for(request, 5)
    assert (answer.status, answer.truncated, answer.wall_s, answer.cpu_s) == ("error", True, 0.5, 0.25)
    assert (answer.detail, answer.parts) == ("wh", (b"you", b"", None, b"trac", None, None))
    channel.close()
    supervisor.close()


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(framed(b""), id="nothing"),
        pytest.param(framed(b"\x01short"), id="half a reply"),
        pytest.param(framed(REPLY.pack(1, 1, 99, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)), id="a status that is none"),
        pytest.param(framed(b"\x02"), id="half a tool call"),
        pytest.param(framed(b"\x00{"), id="a broken greeting"),
        pytest.param(framed(b"\x09?"), id="an unknown kind"),
        pytest.param(b"\xff\xff\xff\x7f", id="a frame of 2 GiB"),
    ],
)
async def test_what_no_supervisor_sends_ends_the_connection(data: bytes) -> None:
    assert isinstance(await answer_with(data), ConnectionLost)


async def test_a_reply_to_nobody_is_dropped() -> None:
    data = framed(REPLY.pack(1, 7, 0, 0, 0, 0, 0, 0, -1, -1, -1, -1, 0))
    data += framed(REPLY.pack(1, 1, 0, 0, 0, 0, 0, 0, -1, -1, -1, -1, 0))
    answer = await answer_with(data)
    assert isinstance(answer, Answer)
    assert answer.status == "ok"
