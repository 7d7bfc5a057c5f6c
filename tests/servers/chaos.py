"""A server that speaks chat completions and breaks in every way a server can, on a fixed schedule.

The text of a sample is a pure function of (messages, seed + index), so that a run against a broken server can
be compared byte for byte with one against a sound one. Whether and how an attempt fails is a pure function of
the request's content and of how often it was sent. The server keeps books: what it served whole, what it
broke, and so what a client paid twice or asked for in vain.

As a program (`python -m tests.servers.chaos --help`) it serves other processes, and prints its address.
"""

from __future__ import annotations

import argparse
import asyncio
import email.utils
import hashlib
import json
import threading
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from aiohttp import web

Fault = Literal[
    "429",  # without Retry-After
    "429-retry-after",  # in seconds
    "429-date",  # an HTTP date
    "500",
    "503",
    "hang",  # no answer, ever
    "stall",  # half a body, and then nothing
    "reset",  # the connection is reset within the body
    "truncated",  # the body ends early
    "malformed",  # not JSON
    "wrong-json",  # JSON, but no chat completion
    "error-200",  # an error object with status 200
    "empty",  # no choices
    "n-ignored",  # one sample instead of n: not a failure
]
FAULTS: tuple[Fault, ...] = get_args(Fault)
BROKEN = frozenset(FAULTS) - {"n-ignored"}

Body = dict[str, Any]
Answer = Callable[[Body, int], str | Awaitable[str]]


def digest(*parts: Any) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def fraction(*parts: Any) -> float:
    """A number in [0, 1) that depends on nothing but its arguments."""
    return int(digest(*parts)[:13], 16) / 16**13


def echo(body: Body, index: int) -> str:
    """The default answer: a text that names the messages and the sample."""
    number = (body.get("seed") or 0) + index
    return f"Sample {number} of {digest(body['messages'])[:12]}. Answer:{number}"


@dataclass
class Chaos:
    """What goes wrong."""

    rates: Mapping[Fault, float] = field(default_factory=dict)
    """Probability of each fault at an attempt that may fail."""
    failing_attempts: int = 2
    """Attempts of one request that may fail; later ones succeed."""
    seed: int = 0
    poison: Callable[[Body], bool] = lambda body: False
    """Requests that get a 500 however often they are sent."""
    filtered: Callable[[Body], bool] = lambda body: False
    """Requests that the content filter refuses, with a 400."""
    too_long: Callable[[Body], bool] = lambda body: False
    """Requests that exceed the context."""
    ignores_n: bool = False
    """One sample a request, whatever was asked for."""
    retry_after_s: float = 1
    """What a 429 asks for."""
    refuses: frozenset[str] = frozenset()
    """Fields of the body that the server does not know."""
    delay_s: float = 0
    """Latency."""
    capacity: int | None = None
    """Requests at once beyond which it answers 429."""

    def fault(self, body: Body, attempt: int) -> Fault | None:
        """The fault of an attempt (from 0) at a request, if any."""
        if attempt >= self.failing_attempts:
            return None
        point = fraction(self.seed, body["model"], body["messages"], body.get("seed"), attempt)
        for fault, rate in self.rates.items():
            if point < rate:
                return fault
            point -= rate
        return None


@dataclass
class Books:
    """What the server did."""

    requests: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    refused: int = 0
    """400s: for content, length, unknown fields."""
    served: Counter[tuple[str, int]] = field(default_factory=Counter)
    """Samples delivered whole, by (hash of model and messages, seed + index)."""
    whole: int = 0
    """Requests answered whole."""
    bodies: list[Body] = field(default_factory=list)
    headers: list[Mapping[str, str]] = field(default_factory=list)
    most_at_once: int = 0

    @property
    def paid_twice(self) -> int:
        """Samples delivered more than once."""
        return sum(count - 1 for count in self.served.values())

    def waste(self, needed: int) -> float:
        """Share of requests beyond those that failed here and those that `needed` samples had to cost."""
        beyond = self.requests - sum(self.faults[fault] for fault in BROKEN | {"poison", "dead"}) - needed
        return beyond / needed


class ChaosServer:
    """Use as an asynchronous context manager; `url` is its base URL.

    Args:
        answer: Text of sample `index` of a request, or an awaitable of it; pure, or a run could not be
            compared.
        chaos: What goes wrong.
        port: Port to listen on; any if 0.
    """

    def __init__(self, answer: Answer = echo, chaos: Chaos | None = None, port: int = 0) -> None:
        self.answer = answer
        self.chaos = chaos or Chaos()
        self.books = Books()
        self.port = port
        self.alive = asyncio.Event()
        self._attempts: Counter[str] = Counter()
        self._busy = 0
        self._stopping = asyncio.Event()
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    async def __aenter__(self) -> ChaosServer:
        await self.revive()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.die()

    async def die(self) -> None:
        """Stops listening and breaks all connections, as a crash does."""
        self.alive.clear()
        self._stopping.set()
        runner, self._runner = self._runner, None
        if runner is not None:
            for connection in list(runner.server.connections if runner.server else ()):
                if connection.transport is not None:
                    connection.transport.abort()
            await runner.cleanup()

    async def revive(self) -> None:
        """Listens (again), on the same port."""
        self._stopping.clear()
        app = web.Application(client_max_size=1 << 30)
        app.router.add_post("/v1/chat/completions", self._complete)
        app.router.add_get("/v1/models", self._models)
        self.add_routes(app)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.01)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port, backlog=1024)
        await site.start()
        self.port = self._runner.addresses[0][1]
        self.alive.set()

    def add_routes(self, app: web.Application) -> None:
        """For servers that speak more than this."""

    async def _models(self, request: web.Request) -> web.Response:
        return web.json_response({"object": "list", "data": [{"id": "m", "object": "model"}]})

    async def _complete(self, request: web.Request) -> web.StreamResponse:
        body = json.loads(await request.read())
        self.books.requests += 1
        self.books.bodies.append(body)
        self.books.headers.append(dict(request.headers))
        self._busy += 1
        self.books.most_at_once = max(self.books.most_at_once, self._busy)
        try:
            if self.chaos.delay_s:
                await asyncio.sleep(self.chaos.delay_s)
            if request.transport is None or request.transport.is_closing():  # it died, or the client left
                self.books.faults["dead"] += 1
                return web.Response(status=500)
            if self.chaos.capacity and self._busy > self.chaos.capacity:
                return self._fail("429")
            return await self._serve(request, body)
        finally:
            self._busy -= 1

    async def _serve(self, request: web.Request, body: Body) -> web.StreamResponse:
        chaos = self.chaos
        if (refusal := self.refusal(body)) is not None:
            self.books.refused += 1
            return web.json_response({"error": refusal}, status=400)
        if chaos.poison(body):
            return self._fail("poison")
        key = digest(body.get("model"), body["messages"], body.get("seed"))
        attempt = self._attempts[key]
        self._attempts[key] += 1
        fault = chaos.fault(body, attempt)
        if fault in BROKEN:
            return await self._break(fault, request, body)
        if fault:
            self.books.faults[fault] += 1
        texts = await self.texts(body, 1 if fault == "n-ignored" or chaos.ignores_n else body.get("n", 1))
        payload = self.completion(body, texts)
        return web.Response(body=payload, content_type="application/json")

    def refusal(self, body: Body) -> Body | None:
        """The error object of a request that can never be served."""
        chaos = self.chaos
        if unknown := sorted(chaos.refuses & body.keys()):
            return {
                "message": f"Unsupported parameter: '{unknown[0]}' is not supported with this model.",
                "type": "invalid_request_error",
                "param": unknown[0],
                "code": "unsupported_parameter",
            }
        if chaos.filtered(body):
            return {"message": "The prompt triggered the content filter.", "code": "content_filter"}
        if chaos.too_long(body):
            return {
                "message": "This model's maximum context length is 4096 tokens. Reduce the length of the "
                "messages or max_tokens.",
                "code": "context_length_exceeded",
            }
        return None

    async def texts(self, body: Body, n: int) -> list[str]:
        """The first `n` samples of a request."""
        answers = [self.answer(body, index) for index in range(n)]
        return [answer if isinstance(answer, str) else await answer for answer in answers]

    def completion(self, body: Body, texts: list[str]) -> bytes:
        """A whole answer, entered in the books."""
        first, name = body.get("seed") or 0, digest(body.get("model"), body["messages"])
        self.books.whole += 1
        self.books.served.update((name, first + index) for index in range(len(texts)))
        return json.dumps(self.completion_object(body, texts)).encode()

    def completion_object(self, body: Body, texts: list[str]) -> Body:
        words = sum(len(text.split()) for text in texts)
        prompt = sum(len(message["content"].split()) for message in body["messages"])
        return {
            "id": "chatcmpl-" + digest(body)[:24],
            "object": "chat.completion",
            "created": 1_700_000_000,
            "model": body["model"],
            "choices": [
                {"index": i, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}
                for i, text in enumerate(texts)
            ],
            "usage": {
                "prompt_tokens": prompt,
                "completion_tokens": words,
                "total_tokens": prompt + words,
            },
        }

    def _fail(self, fault: str) -> web.Response:
        self.books.faults[fault] += 1
        status = 500 if fault == "poison" else int(fault[:3])
        headers = {}
        if fault == "429-retry-after":
            headers["Retry-After"] = f"{self.chaos.retry_after_s:g}"
        elif fault == "429-date":
            headers["Retry-After"] = email.utils.formatdate(
                time.time() + self.chaos.retry_after_s, usegmt=True
            )
        return web.json_response({"error": {"message": f"injected {fault}"}}, status=status, headers=headers)

    async def _break(self, fault: str, request: web.Request, body: Body) -> web.StreamResponse:
        if fault[:3].isdigit():
            return self._fail(fault)
        self.books.faults[fault] += 1
        texts = await self.texts(body, body.get("n", 1))
        whole = json.dumps(self.completion_object(body, texts)).encode()
        match fault:
            case "malformed":
                return web.Response(body=whole[: len(whole) // 2] + b'"}', content_type="application/json")
            case "wrong-json":
                return web.json_response({"object": "list", "data": [], "choices": {"0": None}})
            case "error-200":
                return web.json_response({"error": {"message": "upstream failed", "code": 502}})
            case "empty":
                return web.json_response({**json.loads(whole), "choices": []})
            case "hang":
                await self._stopping.wait()
                return web.Response(status=500)
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        response.content_length = len(whole)
        await response.prepare(request)
        await response.write(whole[: len(whole) // 2])
        assert request.transport is not None
        if fault == "stall":
            await self._stopping.wait()
        elif fault == "reset":
            request.transport.abort()
        else:
            request.transport.close()
        return response


EVERYTHING: dict[Fault, float] = dict.fromkeys(FAULTS, 0.03)
"""A fault of each kind in 3 of 100 attempts."""


@contextmanager
def in_thread(make: Callable[[], ChaosServer]) -> Iterator[ChaosServer]:
    """Serves from a thread of its own, for tests that block or start processes."""
    ready: list[ChaosServer] = []
    started, loop = threading.Event(), asyncio.new_event_loop()
    stop = asyncio.Event()

    async def serve() -> None:
        async with make() as server:
            ready.append(server)
            started.set()
            await stop.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()), daemon=True)
    thread.start()
    if not started.wait(10):
        raise RuntimeError("the server did not start")
    try:
        yield ready[0]
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)
        loop.close()


async def _main() -> None:
    parser = argparse.ArgumentParser(description="Serves chat completions, and breaks.")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--fault-rate", type=float, default=0.0, help="of each kind of fault")
    parser.add_argument("--delay", type=float, default=0.0, help="seconds")
    options = parser.parse_args()
    chaos = Chaos(dict.fromkeys(FAULTS, options.fault_rate), delay_s=options.delay)
    async with ChaosServer(chaos=chaos, port=options.port) as server:
        print(server.url, flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_main())
