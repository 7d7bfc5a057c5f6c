"""A program that ends its worker costs two of them, never six, and no neighbour more than one."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from ultrainteract.config import Limits, SandboxConfig
from ultrainteract.sandbox.channel import Answer, ConnectionLost, ToolCall
from ultrainteract.sandbox.pool import Pool
from ultrainteract.sandbox.worker import Worker

pytestmark = pytest.mark.asyncio


class Mortal(Worker):
    """A worker that dies of any program with `killer` in it, and takes along what else it has."""

    started: list[Mortal] = []  # noqa: RUF012 (one list for a test, set by `pool`)

    def __init__(self, config: SandboxConfig, slots: int) -> None:
        super().__init__(config, slots)
        self.dead = asyncio.Event()
        self.asked: list[bytes] = []
        self.together = 0
        self.most = 0

    async def start(self) -> None:
        self.started.append(self)

    @property
    def usable(self) -> bool:
        return not self.dead.is_set()

    async def request(self, header: dict[str, Any], body: bytes, tool: ToolCall | None) -> Answer:
        if self.dead.is_set():
            raise ConnectionLost("gone")
        self.asked.append(body)
        self.together += 1
        self.most = max(self.most, self.together)
        try:
            for _ in range(5):
                await asyncio.sleep(0)
                if self.dead.is_set():
                    raise ConnectionLost("gone")
            if b"killer" in body:
                self.dead.set()
                raise ConnectionLost("gone")
        finally:
            self.together -= 1
        return Answer("ok", "", False, 0.0, 0.0, (b"fine", b"", None, None, None, None))

    async def close(self) -> None:
        self.dead.set()

    async def _launch(self) -> Any: ...
    async def _reap(self) -> None: ...
    async def _diagnosis(self) -> str:
        return ""

    def describe(self) -> str:
        return "mortal"


def pool() -> Pool:
    Mortal.started = []
    return Pool(SandboxConfig(containers=1, concurrency=8), "mortal", Mortal)


async def test_the_guilty_is_found_and_its_neighbours_are_run_elsewhere() -> None:
    sandbox = pool()
    programs = [*(f"print({n})" for n in range(7)), "killer = 1"]
    results = await asyncio.gather(*(sandbox.run([code]) for code in programs))
    assert [r.status for r in results] == ["ok"] * 7 + ["fault"]
    assert "cost" in (results[-1].traceback or "") or "gone" in (results[-1].traceback or "")
    assert sandbox.quarantine.count == 1
    assert sum(b"killer" in body for worker in Mortal.started for body in worker.asked) == 2
    alone = [worker for worker in Mortal.started[1:] if worker.asked]
    assert all(worker.most == 1 for worker in alone)
    await sandbox.close()


async def test_it_is_not_run_again() -> None:
    sandbox = pool()
    assert (await sandbox.run(["killer = 1"])).status == "fault"
    before = len(Mortal.started)
    again = await sandbox.run(["killer = 1"])
    assert (again.status, len(Mortal.started)) == ("fault", before)
    assert "is not run again" in (again.traceback or "")
    assert (
        await sandbox.run(["killer = 1", "print(1)"])
    ).status == "fault"  # another request, tried for itself
    assert sandbox.quarantine.count == 2
    assert (await sandbox.run(["print(1)"])).status == "ok"
    await sandbox.close()


async def test_a_worker_killed_from_outside_costs_nobody_the_answer() -> None:
    sandbox = pool()
    tasks = [asyncio.create_task(sandbox.run([f"print({n})"])) for n in range(8)]
    while not Mortal.started or not Mortal.started[0].asked:
        await asyncio.sleep(0)
    Mortal.started[0].dead.set()
    assert [(await task).status for task in tasks] == ["ok"] * 8
    assert sandbox.quarantine.count == 0
    await sandbox.close()


async def test_workers_of_suspects_are_closed() -> None:
    sandbox = pool()
    await asyncio.gather(*(sandbox.run([code]) for code in ("killer = 1", "print(1)", "killer = 2")))
    assert [worker.usable for worker in Mortal.started].count(True) <= 1  # the pool's own
    await sandbox.close()
    assert not any(worker.usable for worker in Mortal.started)


async def test_too_long_a_request_is_a_fault_at_once() -> None:
    sandbox = pool()
    result = await sandbox.run(["x"], stdin="y" * (65 << 20), limits=Limits())
    assert (result.status, Mortal.started) == ("fault", [])
    await sandbox.close()
