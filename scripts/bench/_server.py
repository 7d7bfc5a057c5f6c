"""A chat completions server that costs next to nothing: one process, a fixed latency, sums it can solve.

It answers the last `What is A + B?` of a request, rightly half of the time, in the format that actors are
asked for; to a critic it says that the sum should be checked.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import random
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from subprocess import PIPE, Popen

import orjson

_SUM = re.compile(r"What is (\d+) \+ (\d+)\?")
_THOUGHT = "Step 1: We are asked for the sum of two numbers, added digit by digit, from the right. " * 5
_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
_COMMENT = "The addition in Step 1 is set up well, but a carry was lost on the way; add the columns again."

_NUMBERS = itertools.count()


class _Connection(asyncio.Protocol):
    def __init__(self, latency: float, jitter: float) -> None:
        self.latency = latency
        self.jitter = jitter
        self.rng = random.Random(next(_NUMBERS))
        self.buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: asyncio.Transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while (end := self.buffer.find(b"\r\n\r\n")) >= 0:
            head = self.buffer[:end].lower()
            at = head.find(b"content-length:")
            length = int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
            if len(self.buffer) < end + 4 + length:
                return
            body, self.buffer = self.buffer[end + 4 : end + 4 + length], self.buffer[end + 4 + length :]
            if self.latency:
                delay = self.latency * (1 + self.jitter * self.rng.uniform(-1, 1))
                asyncio.get_running_loop().call_later(delay, self.reply, body)
            else:
                self.reply(body)

    def reply(self, body: bytes) -> None:
        asked = orjson.loads(body) if body else {"messages": []}
        n = asked.get("n", 1)
        texts = [self.text(asked["messages"]) for _ in range(n)]
        payload = orjson.dumps(
            {
                "id": "c",
                "object": "chat.completion",
                "created": 1,
                "model": "bench",
                "choices": [
                    {"index": i, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}
                    for i, text in enumerate(texts)
                ],
                "usage": {"prompt_tokens": 500, "completion_tokens": 150 * n, "total_tokens": 500 + 150 * n},
            }
        )
        self.transport.write(_HEAD % len(payload) + payload)

    def text(self, messages: list[dict[str, str]]) -> str:
        asker = next((m["content"] for m in messages if m["role"] == "user"), "")
        found = _SUM.findall(asker)
        if not found or "attempt" in messages[0]["content"][:200]:
            return _COMMENT
        answer = int(found[-1][0]) + int(found[-1][1]) + self.rng.choice((0, 0, 0, 1, 10, 100))
        return (
            f"<thought>\n{_THOUGHT}The answer is $\\boxed{{{answer}}}$.\n</thought>\n"
            f"<solution>\nAnswer: \\boxed{{{answer}}}\n</solution>"
        )


@contextmanager
def serving(latency: float, jitter: float = 0.0) -> Iterator[str]:
    """Starts the server in a process of its own; yields its base URL.

    Args:
        latency: Mean seconds until an answer.
        jitter: How far from it an answer may come, as a share of it: evenly spread.
    """
    command = [sys.executable, __file__, "--latency", str(latency), "--jitter", str(jitter)]
    with Popen(command, stdout=PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().strip()
        finally:
            process.kill()


async def _main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--latency", type=float, default=0.0)
    parser.add_argument("--jitter", type=float, default=0.0)
    options = parser.parse_args()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: _Connection(options.latency, options.jitter), "127.0.0.1", 0, backlog=1024
    )
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_main())
