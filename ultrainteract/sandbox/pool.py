"""A pool of workers behind the `Sandbox` protocol: bounded, lazily started, replaced when they fail.

A request waits for a place before it is sent, so that its clock never runs while it queues. It has a deadline
longer than the sandbox's own; a worker that misses it, or dies, is replaced and what it had is tried elsewhere: each
request alone, so that the one that is to blame is found (see `quarantine`).
"""

from __future__ import annotations

import asyncio
import logging
import marshal
import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from ultrainteract.config import Limits, SandboxConfig
from ultrainteract.errors import SandboxError
from ultrainteract.sandbox.base import Execution, TestReport, ToolHandler
from ultrainteract.sandbox.channel import MAX_REQUEST, Answer, ConnectionLost, ToolCall
from ultrainteract.sandbox.quarantine import IN_QUARANTINE, Quarantine, Request
from ultrainteract.sandbox.text import display, shown_output, zygote_for
from ultrainteract.sandbox.worker import Worker
from ultrainteract.schema import TestSuite

ATTEMPTS = 6
"""Times a request is tried before the fault is reported."""
MAX_COST = 2
"""Workers that a request may cost while it is all that they have."""
SPARE_SLOTS = 4
"""Slots of a worker beyond its share of the concurrency: children that wait, slots being cleaned."""
TOOL_ANSWER_BYTES = 60_000
TOOL_DEADLINE_S = 60.0
_log = logging.getLogger(__name__)


class Pool:
    """A `Sandbox` made of workers of one kind.

    Args:
        config: Sizes and default limits.
        kind: Name of the backend.
        make: Makes a worker, not started yet, with the given number of slots.
    """

    def __init__(
        self, config: SandboxConfig, kind: str, make: Callable[[SandboxConfig, int], Worker]
    ) -> None:
        cores = os.cpu_count() or 1
        self.kind = kind
        self.config = config
        self.containers = config.containers or -(-cores // 2)
        self.concurrency = max(config.concurrency or 4 * cores, 1)
        self._make = make
        self._places = asyncio.Semaphore(self.concurrency)
        self._workers: list[Worker] = []
        self._starting = asyncio.Lock()
        self._closed = False
        self._proven = False
        self.quarantine = Quarantine(lambda: make(config, 1 + SPARE_SLOTS))

    async def start(self) -> None:
        """Starts one worker and runs a program in it.

        Raises:
            SandboxError: Isolation does not work here; the message says what is missing.
        """
        result = await self.run(["print(6 * 7)"])
        if result.stdout != "42\n":
            raise SandboxError(f"The {self.kind} sandbox does not work here: its self-test gave {result!r}.")

    async def run(
        self,
        cells: Sequence[str],
        *,
        stdin: str = "",
        limits: Limits | None = None,
        tools: Mapping[str, ToolHandler] | None = None,
    ) -> Execution:
        """See `Sandbox.run`."""
        if not cells:
            raise ValueError("run() needs at least one cell")
        limits = limits or self.config.limits
        fields: dict[str, Any] = {"kind": "cells", "cells": list(cells)}
        if stdin:
            fields["stdin"] = stdin
        call: ToolCall | None = None
        if tools:
            fields["tools"] = sorted(tools)
            call = _tool_call(tools)
        answer = await self.execute(fields, limits, zygote_for(cells), tool=call)
        return _execution(answer, limits)

    async def run_tests(
        self,
        program: str,
        suite: TestSuite,
        *,
        limits: Limits | None = None,
        stop_at_first_failure: bool = True,
    ) -> TestReport:
        """See `Sandbox.judge`."""
        from ultrainteract.sandbox.assertions import run_assertions
        from ultrainteract.sandbox.test_runs import run_tests

        limits = limits or self.config.limits
        run = run_assertions if suite.kind == "asserts" else run_tests
        return await run(self, program, suite, limits, stop_at_first_failure)

    async def execute(
        self,
        fields: dict[str, Any],
        limits: Limits,
        zygote: str,
        *,
        tool: ToolCall | None = None,
        output_bytes: int | None = None,
    ) -> Answer:
        """One execution in a child of `zygote`, tried again on another worker after a fault of the sandbox.

        Raises:
            SandboxError: No worker can be started.
        """
        body = marshal.dumps(fields, 2)  # a form that every Python reads alike, lone surrogates included
        if len(body) > MAX_REQUEST:
            return _fault(f"a request of {len(body):,} bytes is too long")
        header = {
            "zygote": zygote,
            "wall": limits.wall_s,
            "cpu": limits.cpu_s,
            "memory": limits.memory_mb,
            "file": limits.file_mb,
            "processes": limits.processes,
            "output": output_bytes or limits.output_bytes,
            "tools": tool is not None,
        }
        request = Request(header, body, tool, 4 * limits.wall_s + 40 + (10 * TOOL_DEADLINE_S if tool else 0))
        async with self._places:
            if self.quarantine.holds(request):
                return _fault(IN_QUARANTINE)
            return await self._tried(request)

    async def _tried(self, request: Request) -> Answer:
        fault, suspected, cost = "", False, 0
        for attempt in range(ATTEMPTS):
            try:
                if suspected:
                    answer = await self.quarantine.alone(request)
                else:
                    answer = await self._beside_others(request)
            except SandboxError as error:
                # Where one came up before, this one was killed from outside, or the machine is short of something.
                if self._closed or not self._proven or attempt + 1 == ATTEMPTS:
                    raise
                fault = str(error)
                continue
            except (ConnectionLost, TimeoutError) as error:
                fault = str(error) or "the sandbox missed the deadline"
                cost += suspected or (isinstance(error, _Lost) and error.alone)
                suspected = True
                if cost == MAX_COST:
                    self.quarantine.put(request)
                    break
                continue
            if answer.status != "fault":
                return answer
            fault = answer.detail
        _log.warning("sandbox fault after %d attempts: %s", attempt + 1, fault)
        return _fault(fault)

    async def _beside_others(self, request: Request) -> Answer:
        worker = await self._worker()
        worker.inflight += 1
        try:
            return await request.ask(worker)
        except (ConnectionLost, TimeoutError) as error:
            worker.lost_with = worker.lost_with or worker.inflight  # as the first of them finds it
            alone = worker.lost_with == 1
            await self._discard(worker)
            raise _Lost(str(error), alone) from error
        finally:
            worker.inflight -= 1

    # ------------------------------------------------------------------------------------------ workers

    async def _worker(self) -> Worker:
        """The least busy worker; another one is started while all are at their share."""
        share = -(-self.concurrency // self.containers)
        if (worker := self._least_busy(share)) is not None:
            return worker
        async with self._starting:
            if (worker := self._least_busy(share)) is not None:
                return worker
            if self._closed:
                raise SandboxError("The sandbox is closed.")
            for dead in [worker for worker in self._workers if not worker.usable]:
                await self._discard(dead)
            worker = self._make(self.config, share + SPARE_SLOTS)
            await worker.start()
            if not self._proven and worker.info.get("private") is False:
                _log.warning(
                    "Executions share /tmp and /dev/shm here: this %s may not make mount namespaces.",
                    self.kind,
                )
            self._proven = True
            self._workers.append(worker)
            return worker

    def _least_busy(self, share: int) -> Worker | None:
        """The worker to ask; None where another one is to be started."""
        usable = [worker for worker in self._workers if worker.usable]
        worker = min(usable, key=lambda worker: worker.inflight, default=None)
        if worker is not None and worker.inflight >= share and len(usable) < self.containers:
            return None
        return worker

    async def _discard(self, worker: Worker) -> None:
        if worker in self._workers:
            self._workers.remove(worker)
            await worker.close()

    async def close(self) -> None:
        """Ends all workers. Idempotent."""
        self._closed = True
        workers, self._workers = self._workers, []
        await self.quarantine.close()
        async with asyncio.TaskGroup() as group:
            for worker in workers:
                group.create_task(worker.close())

    async def __aenter__(self) -> Pool:
        """Starts the pool."""
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Closes the pool."""
        await self.close()


class _Lost(ConnectionLost):
    """A worker was lost.

    Args:
        why: What is known of it.
        alone: It had no other request.
    """

    def __init__(self, why: str, alone: bool) -> None:
        super().__init__(why or "the sandbox missed the deadline")
        self.alone = alone


def _fault(why: str) -> Answer:
    return Answer("fault", why, False, 0.0, 0.0, (b"", b"", None, None, None, None))


def _tool_call(tools: Mapping[str, ToolHandler]) -> Callable[[bytes], Awaitable[bytes]]:
    async def call(message: bytes) -> bytes:
        name, _, argument = message.decode("utf-8", "replace").partition("\n")
        handler = tools.get(name)
        if handler is None:
            return b""
        try:
            async with asyncio.timeout(TOOL_DEADLINE_S):
                text = await handler(argument)
        except TimeoutError:
            text = f"{name} did not answer in time."
        return text.encode("utf-8", "replace")[:TOOL_ANSWER_BYTES].decode("utf-8", "ignore").encode()

    return call


def _execution(answer: Answer, limits: Limits) -> Execution:
    stdout, stderr, value, traceback, error_type, _ = answer.parts
    shown = None if traceback is None else shown_output(traceback, limits.output_bytes)
    if shown is None and answer.status != "ok":
        shown = _explanation(answer)
    if shown is not None and error_type is None and answer.status == "memory":
        error_type = b"MemoryError"
    cap = limits.output_bytes
    return Execution(
        status=answer.status,
        stdout=shown_output(stdout or b"", cap),
        stderr=shown_output(stderr or b"", cap),
        value=None if value is None else shown_output(value, cap),
        traceback=shown,
        error_type=display(error_type),
        truncated=answer.truncated or len(value or b"") > cap,
        wall_s=answer.wall_s,
        cpu_s=answer.cpu_s,
    )


def _explanation(answer: Answer) -> str:
    """What to show where the program left no traceback of its own."""
    name = {
        "timeout": "TimeoutError",
        "memory": "MemoryError",
        "output_limit": "OutputLimitExceeded",
        "killed": "Killed",
        "fault": "SandboxFault",
    }.get(answer.status, "ProcessExit")
    return f"{name}: {answer.detail}"
