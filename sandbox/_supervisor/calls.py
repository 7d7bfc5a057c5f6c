"""Calls of tools on their way from a program to the host and back: bounded in number, size and time."""

from __future__ import annotations

import time

from .layout import TOOL
from .limits import Excess
from .slot import Run, Slot

MAX_CALL_BYTES = 1 << 16
MAX_CALLS = 256
"""Calls of one execution."""


def take(slot: Slot, run: Run) -> tuple[bytes | None, Excess | None]:
    """Reads from the control socket; returns a call once one is complete, or why the execution has to end.

    Raises:
        EOFError: There will be no more.
    """
    assert slot.control is not None
    try:
        data = slot.control.recv(65_536)
    except BlockingIOError:
        return None, None
    except OSError:
        data = b""
    if not data:
        raise EOFError
    run.tool_buffer += data
    if (
        len(run.tool_buffer) > TOOL.size + MAX_CALL_BYTES
    ):  # no call of ours is that long, or comes before an answer
        return None, ("killed", "a malformed tool call")
    if run.tool_since or len(run.tool_buffer) < TOOL.size:
        return None, None
    size = TOOL.unpack(run.tool_buffer[: TOOL.size])[0]
    if size > MAX_CALL_BYTES:
        return None, ("killed", "a malformed tool call")
    if len(run.tool_buffer) < TOOL.size + size:
        return None, None
    if run.tool_calls == MAX_CALLS:
        return None, ("killed", f"more than {MAX_CALLS} tool calls")
    call, run.tool_buffer = run.tool_buffer[TOOL.size : TOOL.size + size], b""
    run.tool_calls += 1
    run.tool_since = time.monotonic()
    return call, None


def answer(slot: Slot, run: Run, payload: bytes) -> Excess | None:
    """Hands the host's answer to the program; returns why the execution has to end, if it has."""
    if not run.tool_since or slot.control is None:
        return None
    run.tool_wait += time.monotonic() - run.tool_since
    run.tool_since = 0.0
    message = TOOL.pack(len(payload)) + payload
    try:
        sent = slot.control.send(message)
    except OSError:
        sent = 0
    return None if sent == len(message) else ("killed", "the program does not read what its tools answer")
