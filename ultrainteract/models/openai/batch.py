"""Batch APIs: the same completions for half the price and within a day.

Requests are collected until none has arrived for a short while, sent as one batch, and answered when it
ends. What it leaves out (expiry, partial results, failed rows) is sent again in the next one. Everything
sent is on disk first, so that a process that is killed, at any moment, finds its batches again: an answer
that was paid for is never asked for twice.

Options (`models.NAME.options`): `state_dir` (the run directory's `batches/` by default), `window_s` (20),
`max_requests` (5,000 a batch), `poll_s` (30), `completion_window` (`24h`), and `live_from_turn`: turns from
this one on, whose waves are narrow, are sent as ordinary requests instead.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import orjson

from ultrainteract.config import ModelConfig
from ultrainteract.errors import ConfigError, ProviderError
from ultrainteract.models.base import ChatRequest, Reply
from ultrainteract.models.faults import (
    Fault,
    Redactor,
    advice,
    backoff,
    display_address,
    error_message,
    fault_of_status,
    retry_after,
)
from ultrainteract.models.openai.addresses import find_key
from ultrainteract.models.openai.batch_files import BatchFiles, Submission, read_rows
from ultrainteract.models.openai.client import OpenAIModel
from ultrainteract.models.openai.wire import Dialect, WireError, build_body, named_fields, parse_answer
from ultrainteract.models.scheduler.limits import SharedLimits
from ultrainteract.schema import content_hash

if TYPE_CHECKING:
    from openai import AsyncOpenAI
    from openai.types import Batch

log = logging.getLogger(__name__)

_T = TypeVar("_T")
_URL: Literal["/v1/chat/completions"] = "/v1/chat/completions"
_DONE = ("completed", "failed", "expired", "cancelled")
_QUEUE_FULL = ("token_limit_exceeded", "request_limit_exceeded")
"""Errors of a whole batch that mean: too much is queued already."""


@dataclass(eq=False)
class _Wanted:
    """A request somebody waits for."""

    key: str
    request: ChatRequest
    answer: asyncio.Future[Reply]
    body: dict[str, Any] | None = None
    failures: int = 0


class OpenAIBatchModel:
    """A model behind OpenAI's Batch API.

    Args:
        name: Name in the configuration.
        config: Its configuration.
        shared: Limits shared with other models, for requests that are not sent in batches.
        state_dir: Where to remember batches, unless the options say.
        rng: Source of the jitter between attempts.

    Raises:
        ConfigError: The key's environment variable is not set, there are several addresses, or an option is
            unknown.
    """

    provider = "openai-batch"
    simulated = False

    def __init__(
        self,
        name: str,
        config: ModelConfig,
        *,
        shared: SharedLimits | None = None,
        state_dir: Path | None = None,
        rng: random.Random | None = None,
    ) -> None:
        from openai import AsyncOpenAI

        if isinstance(config.base_url, tuple):
            raise ConfigError(f"models.{name}.base_url: batches are sent to one address.")
        options = dict(config.options)
        self.name = name
        self.model = config.model
        self.config = config
        self.state_dir = Path(options.pop("state_dir")) if "state_dir" in options else state_dir
        self._window_s = float(options.pop("window_s", 20))
        self._max_requests = int(options.pop("max_requests", 5000))
        self._poll_s = float(options.pop("poll_s", 30))
        self._completion_window: Any = options.pop("completion_window", "24h")
        self._live_from_turn = options.pop("live_from_turn", None)
        for known in ("token_field", "continuation"):
            options.pop(known, None)
        if options:
            raise ConfigError(f"models.{name}.options: there is no option {', '.join(sorted(options))}.")
        self._shared = shared or SharedLimits()
        self._clock = self._shared.clock
        self._rng = rng or random.Random()
        key = find_key(name, config, config.base_url)
        self._redact = Redactor([key])
        self._client: AsyncOpenAI = AsyncOpenAI(
            api_key=key, base_url=config.base_url, max_retries=0, timeout=config.timeout_s
        )
        self._where = f"Model '{name}' ({config.model} at {display_address(str(self._client.base_url))})"
        self._live = OpenAIModel(name, config, shared=self._shared) if self._live_from_turn else None
        self._dialect = Dialect(token_field=str(config.options.get("token_field", Dialect.token_field)))
        self._wanted: dict[str, _Wanted] = {}
        self._collecting: list[_Wanted] = []
        self._arrived = asyncio.Event()
        self._answers: dict[str, tuple[Path, int]] = {}
        self._files: BatchFiles | None = None
        self._service: asyncio.Task[None] | None = None

    async def sample(self, request: ChatRequest) -> Reply:
        """Draws up to `request.n` completions, which may take as long as the provider's window.

        Raises:
            ProviderError: None could be drawn.
            ConfigError: There is no state directory.
        """
        if self._live is not None and request.purpose.turn >= self._live_from_turn:
            return await self._live.sample(request)
        if self._service is not None and self._service.done():
            raise ProviderError(f"{self._where} was closed.", fatal=True)
        if self._service is None:
            self._service = asyncio.create_task(
                self._serve(self._open_files()), name=f"batches of {self.name}"
            )
            self._service.add_done_callback(self._served)
        key = content_hash(
            [self.model, self.config.extra_body, request.messages, request.sampling, request.first, request.n]
            + ([request.offer] if request.offer else [])
        )
        wanted = self._wanted.get(key)
        if wanted is None:
            wanted = _Wanted(key, request, asyncio.get_running_loop().create_future())
            wanted.answer.add_done_callback(_mark_retrieved)
            self._wanted[key] = wanted
            if key in self._answers:
                self._answer_from_disk(wanted)
            else:
                self._collect(wanted)
        return await asyncio.shield(wanted.answer)

    def status(self) -> str | None:
        """What the model waits for, None where nothing."""
        if not self._wanted:
            return None
        return f"model '{self.name}' waits for the answers to {len(self._wanted)} requests in batches"

    async def close(self) -> None:
        """Stops waiting. Batches at the provider go on; resuming the run collects them. Idempotent."""
        if self._service is not None:
            self._service.cancel()
            await asyncio.wait([self._service])
        if self._live is not None:
            await self._live.close()
        await self._client.close()

    # ------------------------------------------------------------------------------ collecting and sending

    def _open_files(self) -> BatchFiles:
        if self.state_dir is None:
            raise ConfigError(
                f"Model '{self.name}' needs a directory to remember its batches in: set "
                f"models.{self.name}.options.state_dir."
            )
        return BatchFiles(self.state_dir / self.name)

    def _collect(self, wanted: _Wanted) -> None:
        self._collecting.append(wanted)
        self._arrived.set()

    def _served(self, service: asyncio.Task[None]) -> None:
        """Nobody may wait for a service that has ended."""
        error = None if service.cancelled() else service.exception()
        while isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        if error is None:
            error = ProviderError(f"{self._where} was closed with requests in flight.", fatal=True)
        for wanted in self._wanted.values():
            if not wanted.answer.done():
                wanted.answer.set_exception(error)

    async def _serve(self, files: BatchFiles) -> None:
        """Takes up the batches of an earlier process, then sends what is collected."""
        running: set[str] = set()
        async with asyncio.TaskGroup() as batches:
            for submission in files.submissions():
                if submission.ended:
                    self._index(files, submission)
                else:
                    keys = files.keys(submission)
                    running.update(keys)
                    batches.create_task(self._follow(files, submission, keys, running))
            while True:
                await self._arrived.wait()
                await self._let_more_arrive()
                collected, self._collecting = self._collecting, []
                ready: list[_Wanted] = []
                for wanted in collected:
                    if wanted.key in self._answers:  # by an earlier process, whose files were read just now
                        self._answer_from_disk(wanted)
                    elif wanted.key not in running:  # else its batch will answer
                        ready.append(wanted)
                for start in range(0, len(ready), self._max_requests):
                    part = ready[start : start + self._max_requests]
                    submission = await asyncio.to_thread(files.create, [self._row(w) for w in part])
                    keys = [wanted.key for wanted in part]
                    running.update(keys)
                    batches.create_task(self._follow(files, submission, keys, running))

    async def _let_more_arrive(self) -> None:
        """Waits until nothing has arrived for the window, or a batch is full."""
        while len(self._collecting) < self._max_requests:
            self._arrived.clear()
            window = asyncio.create_task(self._clock.sleep(self._window_s))
            arrival = asyncio.create_task(self._arrived.wait())
            try:
                await asyncio.wait([window, arrival], return_when=asyncio.FIRST_COMPLETED)
            finally:
                window.cancel()
                arrival.cancel()
            if not self._arrived.is_set():
                return
        self._arrived.clear()

    def _row(self, wanted: _Wanted) -> dict[str, Any]:
        n = min(wanted.request.n, self.config.n_per_request or wanted.request.n)
        wanted.body = build_body(wanted.request, self.config, self._dialect, n, wanted.request.first)
        return {"custom_id": wanted.key, "method": "POST", "url": _URL, "body": wanted.body}

    # -------------------------------------------------------------------------------------------- one batch

    async def _follow(
        self, files: BatchFiles, submission: Submission, keys: list[str], running: set[str]
    ) -> None:
        """Sees a batch through to its end, and what it leaves out into the next one."""
        batch_id = submission.batch_id
        if batch_id is None:
            batch_id = (await self._submit(files, submission)).id
            submission = submission.model_copy(update={"batch_id": batch_id})
            files.save(submission)
        while (batch := await self._ask(partial(self._retrieve, batch_id), forever=True)).status not in _DONE:
            await self._clock.sleep(self._poll_s)
        output = await self._download(batch)
        await asyncio.to_thread(files.end, submission, output)
        running.difference_update(keys)
        if batch.status == "failed":
            await self._refused(batch, keys)
            return
        log.info("batch %s of model '%s' %s", batch.id, self.name, batch.status)
        rows = {row.get("custom_id"): row for row in read_rows(output)}
        self._index(files, submission)
        for number, key in enumerate(keys):
            if wanted := self._wanted.get(key):
                self._settle(wanted, rows.get(key), batch.status)
            if number % 100 == 0:  # thousands of answers, and others have work to do
                await asyncio.sleep(0)

    async def _retrieve(self, batch_id: str) -> Batch:
        batch = await self._client.batches.retrieve(batch_id)
        if batch.id != batch_id or not getattr(batch, "status", None):
            raise Fault("failed", "the answer is no batch")
        return batch

    async def _download(self, batch: Batch) -> bytes:
        """All answers. A download that ends early would have answers paid for twice, so rows are counted."""
        output = b""
        for attempt in range(1, self.config.max_retries + 2):
            output = b""
            for file_id in filter(None, (batch.output_file_id, batch.error_file_id)):
                content = await self._ask(partial(self._client.files.content, file_id), forever=True)
                output += content.content.rstrip(b"\n") + b"\n"
            promised = batch.request_counts.completed if batch.request_counts else 0
            if sum(1 for row in read_rows(output) if row.get("response")) >= promised:
                return output
            log.warning("%s: the output of batch %s is incomplete; fetching it again", self._where, batch.id)
            await self._clock.sleep(backoff(attempt, self._rng))
        return output

    async def _submit(self, files: BatchFiles, submission: Submission) -> Batch:
        """Creates the batch, or finds the one that an attempt whose end is unknown has created."""
        first, file_id = submission.fresh, None

        async def create() -> Batch:
            nonlocal first, file_id
            if not first:
                async for batch in self._client.batches.list(limit=100):
                    if (batch.metadata or {}).get("submission") == submission.id:
                        return batch
            first = False
            if file_id is None:
                path = files.input_path(submission)
                file_id = (await self._client.files.create(file=path, purpose="batch")).id
            batch = await self._client.batches.create(
                input_file_id=file_id,
                endpoint=_URL,
                completion_window=self._completion_window,
                metadata={"submission": submission.id},
            )
            log.info("batch %s was sent for model '%s'", batch.id, self.name)
            return batch

        return await self._ask(create)

    async def _ask(self, call: Callable[[], Awaitable[_T]], *, forever: bool = False) -> _T:
        """One call of the API, repeated while that can help; what is already paid for is waited for forever.

        Raises:
            ProviderError: It does not work.
        """
        from openai import APIError, APIStatusError

        failures, began = 0, self._clock.now()
        while True:
            try:
                return await call()
            except APIStatusError as error:
                wait = retry_after(error.response.headers, self._clock.wall())
                fault = fault_of_status(
                    error.status_code, self._redact(error_message(error.response.content)), wait
                )
            except Fault as caught:
                fault = caught
            except (APIError, ValueError) as error:  # no connection, or no JSON
                fault = Fault("failed", self._redact(f"{error} {error.__cause__ or ''}"))
            if fault.kind in ("refused", "unusable"):
                raise ProviderError(
                    f"{self._where} refuses batches: {fault.what}. {advice(fault)}", fatal=True
                )
            failures += 1
            spent = self._clock.now() - began
            if not forever and (failures > self.config.max_retries or spent > self.config.max_retry_s):
                raise ProviderError(
                    f"{self._where} took no batch in {failures} attempts, the last one with: {fault.what}. "
                    "Resume the run to try again.",
                    fatal=True,
                )
            pause = max(backoff(failures, self._rng), fault.retry_after or 0.0)
            log.warning("%s: %s; trying again in %.0f s", self._where, fault.what, pause)
            await self._clock.sleep(pause)

    async def _refused(self, batch: Batch, keys: list[str]) -> None:
        """A batch that never began: sent again later where the provider's queue was full."""
        errors = (batch.errors.data if batch.errors else None) or []
        what = (
            self._redact("; ".join(f"{error.message} ({error.code})" for error in errors))
            or "no reason given"
        )
        if not any(error.code in _QUEUE_FULL for error in errors):
            raise ProviderError(f"{self._where} refuses batch {batch.id}: {what}", fatal=True)
        log.warning("%s: %s; sending the batch again later", self._where, what)
        await self._clock.sleep(10 * self._poll_s)
        for key in keys:
            if wanted := self._wanted.get(key):
                self._collect(wanted)

    # ---------------------------------------------------------------------------------------------- answers

    def _index(self, files: BatchFiles, submission: Submission) -> None:
        """Notes where the good answers of an ended batch are."""
        path, offset = files.output_path(submission), 0
        for line in path.read_bytes().splitlines(keepends=True):
            for row in read_rows(line):
                response = row.get("response")
                if isinstance(response, dict) and response.get("status_code") == 200:
                    self._answers.setdefault(str(row.get("custom_id")), (path, offset))
            offset += len(line)

    def _answer_from_disk(self, wanted: _Wanted) -> None:
        path, offset = self._answers[wanted.key]
        with path.open("rb") as file:
            file.seek(offset)
            row = orjson.loads(file.readline())
        self._settle(wanted, row, "completed")

    def _settle(self, wanted: _Wanted, row: dict[str, Any] | None, status: str) -> None:
        """Answers a request with its row, or sends it again."""
        if wanted.answer.done():
            self._wanted.pop(wanted.key, None)
            return
        fault = self._answer(wanted, row, status)
        if fault is None:
            self._wanted.pop(wanted.key)
            return
        self._answers.pop(wanted.key, None)
        if fault.kind == "refused" and wanted.body is not None:
            request = wanted.request
            self._dialect.learn_from_refusal(named_fields(fault.what), request.sampling, request.n)
            sent = wanted.body
            self._row(wanted)
            if wanted.body != sent:
                self._collect(wanted)
                return
        wanted.failures += 1
        if fault.kind not in ("refused", "unusable") and wanted.failures <= self.config.max_retries:
            self._collect(wanted)
            return
        self._wanted.pop(wanted.key)
        message = f"{self._where} answers in its batch: {fault.what}. {advice(fault)}"
        wanted.answer.set_exception(
            ProviderError(message, fatal=fault.kind == "unusable", refused=fault.kind == "refused")
        )

    def _answer(self, wanted: _Wanted, row: dict[str, Any] | None, status: str) -> Fault | None:
        response = (row or {}).get("response")
        if not isinstance(response, dict):
            error = (row or {}).get("error")
            what = (
                error_message(orjson.dumps({"error": error})) if error else f"no answer in a batch {status}"
            )
            return Fault("failed", self._redact(what))
        raw = orjson.dumps(response.get("body"))
        code = response.get("status_code")
        if code != 200:
            return fault_of_status(
                code if isinstance(code, int) else 500, self._redact(error_message(raw)), None
            )
        try:
            completions, usage = parse_answer(raw, wanted.request, self.config.reasoning_tags)
        except WireError as error:
            return Fault("failed", self._redact(str(error)))
        wanted.answer.set_result(Reply(completions=tuple(completions[: wanted.request.n]), usage=usage))
        return None


def _mark_retrieved(answer: asyncio.Future[Reply]) -> None:
    """Marks the exception as retrieved so that asyncio does not warn: those who waited may have been cancelled."""
    if not answer.cancelled():
        answer.exception()
