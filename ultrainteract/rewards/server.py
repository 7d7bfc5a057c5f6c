"""Grading as an HTTP service, so that trainers on many nodes share one set of sandboxes.

- `POST /grade`: `{"problems": [JSON text, …], "attempts": [{"problem": index, "text": …, "finish_reason": …}, …]}`
  gives `{"scores": [{"reward": 1 | 0 | null, "label": …, "reason": …, "check": …, "output": …}]}`, in order.
- `GET /health`: whether it takes work, and how much is pending. `GET /metrics`: counters in Prometheus' text format.

With too much pending it answers 503 and says when to come again, rather than letting requests pile up. Where a token is
set every request but `/health` needs it; without one the service binds to this machine alone.
"""

from __future__ import annotations

import asyncio
import hmac
import ipaddress
import time
from collections.abc import Awaitable, Callable
from typing import Any

import orjson
from aiohttp import web
from pydantic import TypeAdapter, ValidationError

from ultrainteract._version import __version__
from ultrainteract.errors import ConfigError, DataError, UltraInteractError
from ultrainteract.rewards.attempts import Attempt, Score
from ultrainteract.rewards.function import RewardFunction

MAX_BODY = 256 << 20
"""Bytes of a request."""
RETRY_AFTER_S = 1

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def make_app(function: RewardFunction, token: str | None = None) -> web.Application:
    """The service as an aiohttp application.

    Args:
        function: What grades; who made it closes it.
        token: What a request's `Authorization: Bearer …` has to hold; anybody may ask if None.
    """
    service = Service(function, token)
    app = web.Application(client_max_size=MAX_BODY, middlewares=[service.authorised])
    app.router.add_post("/grade", service.grade)
    app.router.add_get("/health", service.health)
    app.router.add_get("/metrics", service.metrics)
    return app


async def serve_until(
    stop: asyncio.Event, function: RewardFunction, host: str, port: int, token: str | None,
    started: Callable[[str], None] = lambda address: None,
) -> None:  # fmt: skip
    """Serves until `stop` is set; requests under way are answered first.

    Args:
        stop: Ends it.
        function: What grades.
        host: Address to bind to.
        port: Port; any free one if 0.
        token: See `make_app`.
        started: Is told the address.

    Raises:
        ConfigError: The address cannot be bound, or is open to others and there is no token.
    """
    if token is None and not _is_loopback(host):
        raise ConfigError(
            f"Binding to {host} lets everybody who can reach this machine run programs in its sandbox. Set a token, "
            "or bind to 127.0.0.1."
        )
    runner = web.AppRunner(make_app(function, token), access_log=None)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port)
        try:
            await site.start()
        except OSError as error:
            raise ConfigError(f"Cannot listen on {host}:{port}: {error.strerror or error}.") from error
        bound = runner.addresses[0]
        shown = f"[{bound[0]}]" if ":" in bound[0] else bound[0]
        started(f"http://{shown}:{bound[1]}")
        await stop.wait()
    finally:
        await runner.cleanup()


class Service:
    """The handlers.

    Args:
        function: What grades.
        token: See `make_app`.
    """

    def __init__(self, function: RewardFunction, token: str | None) -> None:
        self._function = function
        self._token = None if token is None else f"Bearer {token}".encode()
        self._requests = {"ok": 0, "busy": 0, "refused": 0, "failed": 0}
        self._seconds = 0.0

    @property
    def authorised(self) -> Any:
        """The middleware that checks the token."""

        @web.middleware
        async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
            given = request.headers.get("Authorization", "").encode()
            if (
                self._token is not None
                and request.path != "/health"
                and not hmac.compare_digest(given, self._token)
            ):
                return _error(401, "The token is missing or wrong.")
            return await handler(request)

        return check

    async def grade(self, request: web.Request) -> web.Response:
        """Grades a batch."""
        begun = time.monotonic()
        if self._function.pending >= self._function.config.max_pending:
            self._requests["busy"] += 1
            return _error(503, "Too much is pending. Ask again.", {"Retry-After": str(RETRY_AFTER_S)})
        try:
            attempts = _attempts(await request.read())
            scores = await self._function.score(attempts)
        except DataError as error:
            self._requests["refused"] += 1
            return _error(400, str(error))
        except UltraInteractError as error:
            self._requests["failed"] += 1
            return _error(500, str(error), name=type(error).__name__)
        self._requests["ok"] += 1
        self._seconds += time.monotonic() - begun
        body = orjson.dumps({"scores": [_plain(score) for score in scores]})
        return web.Response(body=body, content_type="application/json")

    async def health(self, request: web.Request) -> web.Response:
        """Whether it takes work."""
        pending, most = self._function.pending, self._function.config.max_pending
        body = {"status": "ok" if pending < most else "busy", "pending": pending, "version": __version__}
        return web.json_response(body)

    async def metrics(self, request: web.Request) -> web.Response:
        """Counters for Prometheus."""
        counts = self._function.counts
        lines = ["# TYPE ultrainteract_attempts_total counter"]
        for label in ("correct", "wrong", "undetermined"):
            lines.append(f'ultrainteract_attempts_total{{label="{label}"}} {counts[label]}')
        lines += [
            "# TYPE ultrainteract_faults_total counter",
            f"ultrainteract_faults_total {counts['fault']}",
        ]
        lines.append("# TYPE ultrainteract_requests_total counter")
        for outcome, number in self._requests.items():
            lines.append(f'ultrainteract_requests_total{{outcome="{outcome}"}} {number}')
        lines += [
            "# TYPE ultrainteract_request_seconds_total counter",
            f"ultrainteract_request_seconds_total {self._seconds:.6f}",
            "# TYPE ultrainteract_pending gauge",
            f"ultrainteract_pending {self._function.pending}",
        ]
        return web.Response(text="\n".join(lines) + "\n", content_type="text/plain")


_ATTEMPTS = TypeAdapter(list[Attempt])


def _attempts(body: bytes) -> list[Attempt]:
    try:
        asked = orjson.loads(body)
        problems = asked["problems"]
        return _ATTEMPTS.validate_python(
            [{**item, "problem": problems[item["problem"]]} for item in asked["attempts"]]
        )
    except (orjson.JSONDecodeError, KeyError, IndexError, TypeError, ValidationError) as error:
        said = " ".join(str(error).split())[:200]
        raise DataError(f"The request is no batch of attempts ({type(error).__name__}: {said}).") from error


def _plain(score: Score) -> dict[str, Any]:
    verdict = score.verdict
    evidence = verdict.evidence
    return {
        "reward": score.reward,
        "label": verdict.label.value,
        "reason": verdict.reason,
        "check": None if evidence is None else evidence.check,
        "detail": "" if evidence is None else evidence.detail,
        "reliability": None if evidence is None else evidence.reliability,
        "output": score.observation.output,
        "status": score.observation.status,
    }


def _error(status: int, message: str, headers: dict[str, str] | None = None, name: str = "") -> web.Response:
    return web.json_response({"error": message, "name": name}, status=status, headers=headers)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
