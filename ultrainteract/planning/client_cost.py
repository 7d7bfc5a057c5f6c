"""What sending one request over HTTP costs a worker: the real client against a server on this machine."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager

import orjson

from ultrainteract.config import ModelConfig
from ultrainteract.errors import ProviderError
from ultrainteract.models import build_model
from ultrainteract.models.base import ChatRequest, Purpose
from ultrainteract.planning.demand import Figure
from ultrainteract.schema import Message, SamplingParams

_REQUESTS = 400
_AT_ONCE = 16
_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
_WORDS = "We are asked for the total, so we add what the two boxes hold and compare. "
_ASSUMED_S = 0.001


async def client_request_s(samples: int, completion_tokens: int) -> Figure:
    """CPU of one request of the OpenAI client, seconds.

    Args:
        samples: Completions of a request.
        completion_tokens: Tokens of a completion.
    """
    text = (_WORDS * (completion_tokens * 4 // len(_WORDS) + 1))[: completion_tokens * 4]
    with _serving(text) as url:
        config = ModelConfig(model="calibration", base_url=url, max_retries=0, timeout_s=10, max_retry_s=10)
        model = build_model("calibration", config)
        request = ChatRequest(
            messages=(Message(role="system", content=_WORDS * 12), Message(role="user", content=_WORDS * 8)),
            sampling=SamplingParams(),
            n=samples,
            purpose=Purpose(role="actor", step="calibration"),
        )

        async def send() -> None:
            for _ in range(_REQUESTS // _AT_ONCE):
                await model.sample(request)

        try:
            await model.sample(request)  # opens the connection, imports what is needed
            began = time.thread_time()
            await asyncio.gather(*(send() for _ in range(_AT_ONCE)))
            spent = time.thread_time() - began
        except ProviderError:  # a proxy that catches this machine's own addresses, say
            return Figure(value=_ASSUMED_S, basis="assumed: no server of this machine can be reached here")
        finally:
            await model.close()
    sent = _REQUESTS // _AT_ONCE * _AT_ONCE
    return Figure(
        value=spent / sent, basis=f"measured: {sent} requests of {samples} samples to a local server"
    )


class _Connection(asyncio.Protocol):
    """Answers every request with the same text, as many times as it asks for samples."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: asyncio.Transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = self._buffer[:end].lower()
            length = int(head.partition(b"content-length:")[2].split(b"\r\n", 1)[0] or 0)
            if len(self._buffer) < end + 4 + length:
                return
            body, self._buffer = self._buffer[end + 4 : end + 4 + length], self._buffer[end + 4 + length :]
            answer = self._answer(orjson.loads(body).get("n", 1))
            self._transport.write(_HEAD % len(answer) + answer)

    def _answer(self, n: int) -> bytes:
        message = {"role": "assistant", "content": self._text}
        choices = [{"index": i, "message": message, "finish_reason": "stop"} for i in range(n)]
        tokens = n * len(self._text) // 4
        usage = {"prompt_tokens": 400, "completion_tokens": tokens, "total_tokens": 400 + tokens}
        return orjson.dumps({"id": "c", "object": "chat.completion", "choices": choices, "usage": usage})


@contextmanager
def _serving(text: str) -> Iterator[str]:
    """A server in a thread of its own, whose CPU does not count as this thread's; yields its base URL."""
    started: Future[tuple[int, asyncio.AbstractEventLoop, asyncio.Event]] = Future()

    async def serve() -> None:
        loop, over = asyncio.get_running_loop(), asyncio.Event()
        try:
            server = await loop.create_server(lambda: _Connection(text), "127.0.0.1", 0)
        except OSError as error:
            started.set_exception(error)
            return
        async with server:
            started.set_result((server.sockets[0].getsockname()[1], loop, over))
            await over.wait()

    thread = threading.Thread(target=asyncio.run, args=(serve(),), name="calibration-server", daemon=True)
    thread.start()
    port, loop, over = started.result()
    try:
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join()
