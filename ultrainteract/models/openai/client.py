"""Any server that speaks OpenAI's chat completions protocol, at the speed of the wire.

The `openai` package says where a request goes and with which headers. The request itself is then sent over
aiohttp and its answer read straight from JSON, because the package's request and response objects cost five
times what the request costs. Its retries are not used: what to repeat, when and where is decided here,
where the state of all endpoints and limits is known.

Guarantees: what `sample` raises is final. A completion that was received is never asked for again. Nothing is
waited for without a deadline, except that a server comes back, which is logged. No key is ever logged.

This module is long because these guarantees are kept together: each bears on the life of one and the same request.
"""

from __future__ import annotations

import asyncio
import logging
import math
import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

import orjson

from ultrainteract.config import ModelConfig
from ultrainteract.errors import ProviderError
from ultrainteract.models.base import ChatRequest, Completion, Reply
from ultrainteract.models.faults import (
    Fault,
    advice,
    backoff,
    display_address,
    error_message,
    fault_of_status,
    retry_after,
)
from ultrainteract.models.openai.addresses import Address, resolve_addresses
from ultrainteract.models.openai.preflight import Probe, check_endpoints
from ultrainteract.models.openai.wire import (
    WireError,
    build_body,
    estimate_tokens,
    named_fields,
    parse_answer,
)
from ultrainteract.models.scheduler.endpoints import Endpoint, Lease, RequestClass
from ultrainteract.models.scheduler.limits import SharedLimits
from ultrainteract.models.scheduler.queue import acquire, move_waiters
from ultrainteract.schema import Usage, content_hash

if TYPE_CHECKING:
    import aiohttp

log = logging.getLogger(__name__)

CONNECT_TIMEOUT_S = 20.0
HEALTH_TIMEOUT_S = 10.0
_LONG_WAIT_S = 20.0
KEEPALIVE_S = 4.0
"""Below the 5 s after which common servers close an idle connection, so that none is used as it closes."""

_Drawn = tuple[list[Completion], Usage]


@dataclass
class ClientStats:
    """Counts of one model since it was made, for reports and tests."""

    requests: int = 0
    """Requests sent, retries included."""
    completions: int = 0
    """Samples received."""
    faults: Counter[str] = field(default_factory=Counter)
    """Failed attempts by kind."""


class OpenAIModel:
    """A model behind one or several OpenAI-compatible endpoints.

    Args:
        name: Name in the configuration.
        config: Its configuration.
        shared: Limits shared with other models; its own if None.
        rng: Source of the jitter between attempts; never of anything that is recorded.

    Raises:
        ConfigError: The key's environment variable is not set, or an address is none.
    """

    provider = "openai"
    simulated = False

    def __init__(
        self,
        name: str,
        config: ModelConfig,
        *,
        shared: SharedLimits | None = None,
        rng: random.Random | None = None,
    ) -> None:
        self.name = name
        self.model = config.model
        self.config = config
        self.stats = ClientStats()
        self._shared = shared = shared or SharedLimits()
        self._clock = shared.clock
        self._rng = rng or random.Random()
        self._redact: Callable[[str], str]
        addresses, self._redact = resolve_addresses(name, config, shared)
        self._addresses = {address.endpoint: address for address in addresses}
        self._endpoints = tuple(self._addresses)
        self._expected_tokens: float | None = None  # of one sample: a moving mean
        self._spare: dict[tuple[str, int], Completion] = {}
        self.sending: Counter[str] = Counter()
        """Requests in flight, by the id of the instruction they are made for."""
        self._sent_at: dict[Lease, float] = {}
        self._session: aiohttp.ClientSession | None = None
        self._closed = False

    def set_endpoints(self, base_urls: Sequence[str]) -> None:
        """Replaces the model's endpoints: new requests, and those that wait, go to these alone.

        Args:
            base_urls: Their addresses, at least one; where one is known already, what is known of it stays.
        """
        config = self.config.model_copy(update={"base_url": tuple(base_urls)})
        addresses, redact = resolve_addresses(self.name, config, self._shared)
        before = self._redact
        self._redact = lambda text: before(redact(text))
        self._addresses |= {address.endpoint: address for address in addresses}
        left, self._endpoints = self._endpoints, tuple(address.endpoint for address in addresses)
        move_waiters(left, self._endpoints)

    @property
    def is_dead(self) -> bool:
        """Whether no endpoint of the model answers at present."""
        return all(endpoint.is_dead for endpoint in self._endpoints)

    async def check(self) -> None:
        """Checks address, key and model's name, before anything is paid for.

        Raises:
            ProviderError: No endpoint can be used (fatal).
        """
        probes = [
            Probe(
                endpoint.label,
                partial(self._list_models, endpoint),
                partial(self._complete_briefly, endpoint),
            )
            for endpoint in self._endpoints
        ]
        await check_endpoints(self.name, self.model, probes, self.config.startup_timeout_s, self._clock)

    def notes(self) -> list[str]:
        """What makes a user wonder: a server that asked for less, a request that takes very long."""
        notes = []
        limit = sum(int(endpoint.limit) for endpoint in self._endpoints)
        maximum = sum(endpoint.part_of(endpoint.maximum) for endpoint in self._endpoints)
        if limit < maximum:
            notes.append(f"{self.name} slowed to {limit:,} of {maximum:,} requests at once")
        oldest = self._clock.now() - min(self._sent_at.values(), default=math.inf)
        if oldest > _LONG_WAIT_S:
            notes.append(f"{self.name}'s oldest request {oldest:.0f} s of {self.config.timeout_s:.0f} s")
        return notes

    def status(self) -> str | None:
        """Why the model waits, where none of its endpoints is up; None otherwise."""
        reasons = [f"{endpoint.label}: {endpoint.down}" for endpoint in self._endpoints if endpoint.down]
        if len(reasons) < len(self._endpoints):
            return None
        return f"model '{self.name}' waits, since no endpoint is up ({'; '.join(reasons)})"

    async def sample(self, request: ChatRequest) -> Reply:
        """Draws up to `request.n` completions.

        As few requests as the server allows are sent; what one leaves out is asked for in the next. Where
        some samples were drawn and the rest cannot be, the reply is short.

        Raises:
            ProviderError: None could be drawn.
        """
        await self._shared.ready()
        slots = self._spares(request)
        usage = Usage()
        error: ProviderError | None = None
        while error is None and (spans := self._spans(slots)):
            for (start, _), outcome in zip(spans, await self._draw_all(request, spans), strict=True):
                if isinstance(outcome, ProviderError):
                    error = outcome
                    continue
                completions, used = outcome
                slots[start : start + len(completions)] = completions
                usage = Usage(
                    prompt_tokens=usage.prompt_tokens + used.prompt_tokens,
                    completion_tokens=usage.completion_tokens + used.completion_tokens,
                    reasoning_tokens=usage.reasoning_tokens + used.reasoning_tokens,
                )
        drawn = self._in_order(request, slots)
        if not drawn and error is not None:
            raise error
        return Reply(completions=tuple(drawn), usage=usage)

    async def close(self) -> None:
        """Closes all connections. Idempotent; requests in flight fail."""
        self._closed = True
        if self._session is not None:
            await self._session.close()

    # -------------------------------------------------------------------------- samples over HTTP requests

    def _spans(self, slots: list[Completion | None]) -> list[tuple[int, int]]:
        """Requests to send, as (start, n): runs of empty slots, no longer than one request may ask for."""
        known = [endpoint.dialect.samples for endpoint in self._endpoints if not endpoint.disabled]
        longest = min([*(n for n in known if n), self.config.n_per_request or len(slots), len(slots)])
        spans: list[tuple[int, int]] = []
        for index, slot in enumerate(slots):
            if slot is not None:
                continue
            if spans and sum(spans[-1]) == index and spans[-1][1] < longest:
                spans[-1] = (spans[-1][0], spans[-1][1] + 1)
            else:
                spans.append((index, 1))
        return spans

    async def _draw_all(
        self, request: ChatRequest, spans: list[tuple[int, int]]
    ) -> list[_Drawn | ProviderError]:
        if len(spans) == 1:
            return [await self._draw(request, *spans[0])]
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._draw(request, *span)) for span in spans]
        return [task.result() for task in tasks]

    def _spares(self, request: ChatRequest) -> list[Completion | None]:
        """A slot for each sample, filled where one was received for an earlier request."""
        if not self._spare or request.sampling.seed is None:
            return [None] * request.n
        key = content_hash([request.messages, request.sampling, request.offer])
        return [self._spare.pop((key, request.first + index), None) for index in range(request.n)]

    def _in_order(self, request: ChatRequest, slots: list[Completion | None]) -> list[Completion]:
        """What to return. A seeded sample may not move to another's ordinal: those after a gap wait."""
        if request.sampling.seed is None or None not in slots:
            return [slot for slot in slots if slot is not None]
        key, gap = content_hash([request.messages, request.sampling, request.offer]), slots.index(None)
        for index, slot in enumerate(slots[gap:], gap):
            if slot is not None:
                self._spare[key, request.first + index] = slot
        return [slot for slot in slots[:gap] if slot is not None]

    # ----------------------------------------------------------------------------------- one HTTP request

    async def _draw(self, request: ChatRequest, start: int, n: int) -> _Drawn | ProviderError:
        """ModelDemand for samples until there is an answer or no hope; a failure is returned, to spare siblings."""
        request_class = RequestClass(self.name, request.purpose.role, self.config.max_concurrency)
        failures, elapsed, token = 0, 0.0, object()
        while True:
            try:
                lease = await acquire(self._endpoints, request_class, request.purpose.turn)
            except ProviderError as error:
                return error
            endpoint = lease.endpoint
            where = f"Model '{self.name}' ({self.model} at {endpoint.label})"
            try:
                if lease.health_check and not await self._healthy(endpoint):
                    failures, elapsed = 0, 0.0
                    continue
                if lease.after_outage:
                    failures, elapsed = 0, 0.0
                deadline = min(self.config.timeout_s, max(self.config.max_retry_s - elapsed, 0.001))
                body = build_body(request, self.config, endpoint.dialect, n, request.first + start)
                tree = request.purpose.instruction.id if request.purpose.instruction else ""
                self.sending[tree] += 1
                self._sent_at[lease] = self._clock.now()
                try:
                    return await self._attempt(lease, request, body, deadline)
                except Fault as caught:
                    fault = caught
                finally:
                    del self._sent_at[lease]
                    self.sending[tree] -= 1
                    if not self.sending[tree]:
                        del self.sending[tree]
                elapsed += self._clock.now() - lease.sent_at
                self.stats.faults[fault.kind] += 1
                log.debug("%s at %s: %s", self.name, endpoint.label, fault.what)
                if fault.kind == "refused":
                    endpoint.learn_from_refusal(named_fields(fault.what), request.sampling, n)
                    if body != build_body(request, self.config, endpoint.dialect, n, request.first + start):
                        continue  # whether this refusal taught it, or that of another request
                    if (wrong := self._configured(fault.what)) is not None:
                        # Not this request is at fault, and none may be recorded as refused.
                        fault = Fault(
                            "unusable", f"{fault.what} (it does not take {wrong})", None, fault.status
                        )
                if fault.kind == "overloaded":
                    lease.overloaded(fault.retry_after, fault.what)
                elif fault.kind == "unusable" and not self._closed:
                    endpoint.disable(f"{where} cannot be used: {fault.what}. {advice(fault)}")
                elif fault.kind in ("failed", "unreachable"):
                    lease.failed(token, fault.what, unreachable=fault.kind == "unreachable")
            except ProviderError as error:  # closed meanwhile
                return error
            finally:
                lease.dropped()
            if self._closed:
                return ProviderError(f"{where} was closed with requests in flight.", fatal=True)
            if fault.kind == "refused":
                return ProviderError(
                    f"{where} refuses the request: {fault.what}. {advice(fault)}", refused=True
                )
            if fault.kind == "unusable":
                continue  # on another endpoint, or to the error that says there is none
            failures += 1
            held_back = fault.kind == "overloaded" and fault.retry_after  # as are all, by the endpoint
            pause = 0.0 if held_back else max(backoff(failures, self._rng), fault.retry_after or 0.0)
            elapsed += pause
            if failures > self.config.max_retries or elapsed >= self.config.max_retry_s:
                return ProviderError(
                    f"{where} gave no usable answer in {failures} attempts, the last one with: {fault.what}. "
                    f"Resume the run to ask again."
                )
            await self._clock.sleep(pause)

    async def _attempt(
        self, lease: Lease, request: ChatRequest, body: dict[str, Any], deadline: float
    ) -> _Drawn:
        address = self._addresses[lease.endpoint]
        n = body.get("n", 1)
        expected = self._expected_tokens or request.sampling.max_tokens
        reservation = await address.limits.reserve(estimate_tokens(request), n * expected)
        usage: Usage | None = None
        lease.sent_at = self._clock.now()
        try:
            raw = await self._post(address, orjson.dumps(body), deadline)
            completions, usage = self._parse(raw, request)
        finally:
            address.limits.settle(reservation, usage)
        lease.succeeded()
        drawn, cap = usage.completion_tokens, request.sampling.max_tokens
        mean = drawn / len(completions)
        self._expected_tokens = mean if self._expected_tokens is None else 0.9 * expected + 0.1 * mean
        self.stats.completions += len(completions)
        lease.endpoint.learn_from_answer(n, len(completions), drawn, cap)
        return completions[:n], usage

    async def _post(self, address: Address, body: bytes, deadline: float) -> bytes:
        import aiohttp

        self.stats.requests += 1
        try:
            async with (
                asyncio.timeout(deadline),
                self._connections().post(
                    address.completions_url,
                    data=body,
                    headers=address.headers,
                    proxy=address.proxy,
                    allow_redirects=False,  # a redirected POST arrives as something else, elsewhere
                ) as response,
            ):
                raw = await response.read()
        except (aiohttp.ClientError, ConnectionError, TimeoutError) as error:
            raise self._fault_of_connection(error, deadline) from None
        if not 200 <= response.status < 300:
            wait = retry_after(response.headers, self._clock.wall())
            text = error_message(raw)
            if response.status < 400 and (elsewhere := response.headers.get("Location")):
                text = f"it redirects to {display_address(urljoin(address.completions_url, elsewhere))}"
            raise fault_of_status(response.status, self._redact(text), wait)
        return raw

    def _fault_of_connection(self, error: Exception, deadline: float) -> Fault:
        import aiohttp

        match error:
            case aiohttp.ConnectionTimeoutError():
                return Fault("unreachable", "no connection in time")
            case TimeoutError():
                return Fault("failed", f"no answer within {deadline:.0f} s")
            case aiohttp.ClientConnectorError():
                return Fault("unreachable", self._redact(f"no connection ({error.os_error})"))
        return Fault("failed", self._redact(f"the connection broke ({type(error).__name__}: {error})"))

    def _parse(self, raw: bytes, request: ChatRequest) -> _Drawn:
        try:
            return parse_answer(raw, request, self.config.reasoning_tags)
        except WireError as error:
            if error.status is None:
                raise Fault("failed", self._redact(str(error))) from None
            raise fault_of_status(error.status, self._redact(error_message(raw)), None) from None

    def _configured(self, refusal: str) -> str | None:
        """A setting of the configuration, the same for all requests, that a refusal complains about."""
        fields = named_fields(refusal, tuple(self.config.extra_body)) & {
            "temperature",
            "top_p",
            *self.config.extra_body,
        }
        return min(fields, default=None)

    async def _healthy(self, endpoint: Endpoint) -> bool:
        """Asks a paused endpoint for its models: any answer but a server error shows that it is up."""
        try:
            await self._list_models(endpoint)
        except Fault as fault:
            if fault.status is None or fault.status >= 500:
                endpoint.still_down(fault.what, unreachable=fault.kind == "unreachable")
                return False
        endpoint.recovered()
        endpoint.changed()
        return True

    async def _list_models(self, endpoint: Endpoint) -> bytes:
        import aiohttp

        address = self._addresses[endpoint]
        try:
            async with (
                asyncio.timeout(HEALTH_TIMEOUT_S),
                self._connections().get(
                    address.health_url, headers=address.headers, proxy=address.proxy
                ) as response,
            ):
                raw = await response.read()
        except TimeoutError:
            raise Fault("unreachable", f"no answer within {HEALTH_TIMEOUT_S:.0f} s") from None
        except (aiohttp.ClientError, ConnectionError) as error:
            raise self._fault_of_connection(error, HEALTH_TIMEOUT_S) from None
        if response.status >= 400:
            raise fault_of_status(response.status, self._redact(error_message(raw)), None)
        return raw

    async def _complete_briefly(self, endpoint: Endpoint) -> bytes:
        body = {
            "model": self.model,
            "messages": [{"role": "user", "content": "Say yes."}],
            endpoint.dialect.token_field: 16,
            **self.config.extra_body,
        }
        return await self._post(self._addresses[endpoint], orjson.dumps(body), self.config.timeout_s)

    def _connections(self) -> aiohttp.ClientSession:
        if self._closed:
            raise ProviderError(f"Model '{self.name}' was closed.", fatal=True)
        if self._session is None:
            import aiohttp

            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=KEEPALIVE_S),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_TIMEOUT_S),
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        return self._session
