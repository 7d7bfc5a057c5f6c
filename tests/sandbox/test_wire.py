"""Both ends of the connection between host and supervisor, which are two programs, over the same frames."""

from __future__ import annotations

import asyncio
import importlib
import logging
import os
import select
import socket
import sys
from collections.abc import Iterator
from types import ModuleType

import pytest

from ultrainteract.sandbox import channel
from ultrainteract.sandbox.channel import Answer, Channel
from ultrainteract.sandbox.image import program_directory

PARTS = [bytearray(b"out\xff"), bytearray(b"err"), b"value", None, b"E", b""]


@pytest.fixture
def supervisor(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, ModuleType]]:
    """Modules of the program inside, loaded into this process."""
    monkeypatch.syspath_prepend(str(program_directory()))
    yield {
        name: importlib.import_module(f"_supervisor.{name}") for name in ("host", "layout", "limits", "slot")
    }
    for name in [name for name in sys.modules if name.partition(".")[0] == "_supervisor"]:
        del sys.modules[name]


async def connected(host: ModuleType) -> tuple[Channel, object]:
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    _, made = await asyncio.get_running_loop().create_unix_connection(Channel, sock=ours)
    epoll = select.epoll()
    epoll.register(theirs.fileno(), select.EPOLLIN)
    return made, host.Host(theirs, epoll)


async def asked(far: object) -> list[tuple[dict[str, object], bytes]]:
    found: list[tuple[dict[str, object], bytes]] = []
    while not found:
        await asyncio.sleep(0)
        found = list(far.requests())  # type: ignore[attr-defined]
    return found


@pytest.mark.asyncio
async def test_each_end_reads_what_the_other_writes(supervisor: dict[str, ModuleType]) -> None:
    near, far = await connected(supervisor["host"])
    far.greet({"python": "3"})  # type: ignore[attr-defined]
    far.flush()  # type: ignore[attr-defined]
    assert await near.hello() == {"python": "3"}
    for status in channel.STATUSES:
        task = asyncio.create_task(near.request({"zygote": "bare", "wall": 1.5}, b"body\0"))
        [(header, payload)] = await asked(far)
        assert (header["op"], header["zygote"], header["wall"], payload) == ("run", "bare", 1.5, b"body\0")
        far.reply(header["id"], status, "why\udcff" * 400, PARTS, True, 1.25, 0.5)  # type: ignore[attr-defined]
        far.flush()  # type: ignore[attr-defined]
        answer = await task
        assert answer == Answer(status, ("why?" * 400)[:1000], True, 1.25, 0.5, tuple(bytes(p) if p is not None else p for p in PARTS))  # fmt: skip
    near.close()


@pytest.mark.asyncio
async def test_tool_calls_and_the_supervisors_log_arrive(
    supervisor: dict[str, ModuleType], caplog: pytest.LogCaptureFixture
) -> None:
    near, far = await connected(supervisor["host"])

    async def tool(call: bytes) -> bytes:
        return call.upper()

    task = asyncio.create_task(near.request({}, b"", tool))
    [(header, _)] = await asked(far)
    with caplog.at_level(logging.ERROR):
        far.log("traceback\nOSError: gone")  # type: ignore[attr-defined]
        far.call(header["id"], b"name\nargument")  # type: ignore[attr-defined]
        far.flush()  # type: ignore[attr-defined]
        [(answer, payload)] = await asked(far)
    assert (answer, payload) == ({"op": "tool", "id": header["id"]}, b"NAME\nARGUMENT")
    assert "OSError: gone" in caplog.text
    task.cancel()
    near.close()


def test_constants_of_both_ends_are_equal(supervisor: dict[str, ModuleType]) -> None:
    assert supervisor["host"].STATUSES == channel.STATUSES
    assert supervisor["layout"].REGION_BYTES == channel.MAX_REQUEST


def test_what_goes_wrong_for_a_moment_does_not_hang_up(supervisor: dict[str, ModuleType]) -> None:
    class Connection:
        """A socket that is short of memory now, and broken later."""

        number = 12

        def setblocking(self, _: bool) -> None: ...
        def fileno(self) -> int:
            return 0

        def recv(self, _: int) -> bytes:
            raise OSError(self.number, "injected")

        def send(self, _: bytes) -> int:
            raise OSError(self.number, "injected")

    class Epoll:
        def modify(self, *_: object) -> None: ...

    connection = Connection()
    far = supervisor["host"].Host(connection, Epoll())
    assert list(far.requests()) == []
    far.log("x")
    far.flush()
    connection.number = 104
    with pytest.raises(supervisor["host"].Gone):
        list(far.requests())
    with pytest.raises(supervisor["host"].Gone):
        far.flush()


def test_the_log_is_bounded(supervisor: dict[str, ModuleType]) -> None:
    ours, theirs = socket.socketpair()
    far = supervisor["host"].Host(theirs, select.epoll())
    for _ in range(1000):
        far.log("x" * 100_000)
    assert len(far._outgoing) < 2_000_000
    ours.close()


def test_a_request_that_is_tried_again_has_the_output_of_one_child(supervisor: dict[str, ModuleType]) -> None:
    layout, slot = supervisor["layout"], supervisor["slot"]
    run = slot.Run(1, "bare", 4.0, 4.0, 256, 64, 32, 100, False, b"")
    for _ in range(2):
        place = slot.Slot(0, layout.Region())
        _, out, err = ends = place.open(layout.Layout(1, None, "/nowhere", False, 64))
        os.write(out, b"2\n")
        os.write(err, b"warned\n")
        slot.close_all(ends)
        for stream in (0, 1):
            place.drain(run, stream)
        place.close()
        assert (run.streams, run.totals) == ([b"2\n", b"warned\n"], [2, 7])
        run.anew()
