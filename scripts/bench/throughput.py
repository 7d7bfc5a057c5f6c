"""Requests and completions per second against a local server: whole trees beside what their parts can do.

In the same run, alternating: a raw aiohttp loop (the limit of HTTP in Python), a loop over the bare `openai` SDK, our
model client, whole trees (prompt, call, durable record, parse, verdict) as `ultrainteract run` grows them by default,
and in one process. Each contender runs in a process of its own, the server in another. Three settings: an instant
server, one of 200 ms with 256 connections (ideal: 1,280 requests/s), and 20 samples per request. Half as many trees
again as there are connections are active, since a tree whose record is being written has no request in flight. Rates
of trees are taken between shares of them that are settled, after all processes are at work: at the end of a run the
deepest trees are alone. CPU and memory (PSS, which counts shared pages once) are those of all processes of the
contender.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import psutil
from _report import finish
from _server import serving


@dataclass(frozen=True)
class Setting:
    """How the server behaves and what is asked of it."""

    latency_s: float
    connections: int
    n: int
    requests: int
    trees: int = 1
    """Times as many requests that whole trees send: they have to be long at work in all processes."""


SETTINGS = {
    "instant": Setting(latency_s=0, connections=64, n=1, requests=6_000, trees=3),
    "200ms": Setting(latency_s=0.2, connections=256, n=1, requests=12_800),
    "n20": Setting(latency_s=0, connections=64, n=20, requests=1_500, trees=3),
}
SYSTEM = "You solve mathematics problems by reasoning in words and formulas. " * 12
TARGETS = {
    "200ms: trees / ideal": (">=", 0.9),
    "instant: trees / sdk": (">=", 4.5),
    "n20: trees / sdk": (">=", 2.8),
    "trees: peak PSS MB": ("<=", 400.0),
    "instant: trees CPU ms above the client": ("<=", 0.35),
}


def workers() -> list[psutil.Process]:
    """The further processes of a local run of this one."""
    found = []
    for child in psutil.Process().children():
        with contextlib.suppress(psutil.NoSuchProcess):
            if "ultrainteract.running.processes.worker" in child.cmdline():
                found.append(child)
    return found


def workers_cpu() -> float:
    """CPU seconds of the workers."""
    times = [worker.cpu_times() for worker in workers()]
    return sum(time.user + time.system for time in times)


def memory_mb() -> float:
    """Proportional set size of this process and all its children but the sandbox, MB."""
    total = 0
    for process in (psutil.Process(), *psutil.Process().children(recursive=True)):
        with contextlib.suppress(psutil.NoSuchProcess):
            total += process.memory_full_info().pss
    return total / 1e6


def question(number: int) -> str:
    return f"What is {number} + {number * 7 % 1000}?"


class Count(NamedTuple):
    """What was done, and in how long."""

    requests: int
    completions: int
    seconds: float
    cpu: float
    """CPU seconds of this process and its workers."""

    @classmethod
    def now(cls, requests: int, completions: int) -> Count:
        """As counted now, with the clocks."""
        return cls(requests, completions, time.perf_counter(), time.process_time() + workers_cpu())

    def since(self, earlier: Count) -> Count:
        """What came after `earlier`."""
        return Count(*(b - a for a, b in zip(earlier, self, strict=True)))


async def drive(setting: Setting, send: Callable[[str], Awaitable[int]]) -> Count:
    """Sends all requests over the setting's connections."""
    began = Count.now(0, 0)
    numbers = iter(range(setting.requests))
    completions = 0

    async def connection() -> None:
        nonlocal completions
        for number in numbers:
            drawn = await send(question(number))
            completions += drawn

    async with asyncio.TaskGroup() as group:
        for _ in range(setting.connections):
            group.create_task(connection())
    return Count.now(setting.requests, completions).since(began)


def body(text: str, n: int) -> dict[str, Any]:
    messages = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": text}]
    return {"model": "bench", "messages": messages, "temperature": 1.0, "max_tokens": 2048, "n": n}


async def raw(setting: Setting, url: str) -> Count:
    import aiohttp

    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar()) as session:

        async def send(text: str) -> int:
            async with session.post(f"{url}/chat/completions", json=body(text, setting.n)) as response:
                return len(json.loads(await response.read())["choices"])

        return await drive(setting, send)


async def sdk(setting: Setting, url: str) -> Count:
    from openai import AsyncOpenAI

    async with AsyncOpenAI(api_key="none", base_url=url, max_retries=0, timeout=600) as client:

        async def send(text: str) -> int:
            return len((await client.chat.completions.create(**body(text, setting.n))).choices)

        return await drive(setting, send)


async def client(setting: Setting, url: str) -> Count:
    from ultrainteract.config import ModelConfig
    from ultrainteract.models import build_model
    from ultrainteract.models.base import ChatRequest, Purpose
    from ultrainteract.schema import Message, SamplingParams

    config = ModelConfig(model="bench", base_url=url, max_concurrency=setting.connections)
    model = build_model("bench", config)

    async def send(text: str) -> int:
        request = ChatRequest(
            messages=(Message(role="system", content=SYSTEM), Message(role="user", content=text)),
            sampling=SamplingParams(),
            n=setting.n,
            purpose=Purpose(role="actor", step="bench"),
        )
        return len((await model.sample(request)).completions)

    try:
        return await drive(setting, send)
    finally:
        await model.close()


async def grow(setting: Setting, url: str, processes: int | str) -> Count:
    from ultrainteract.config import parse_config
    from ultrainteract.running import Runner
    from ultrainteract.store import RunStore

    with tempfile.TemporaryDirectory() as folder:
        seeds = Path(folder, "seeds.jsonl")
        count = setting.requests // 4 * setting.trees  # about as many requests as the others send, or more
        rows = ({"question": question(i), "answer": str(i + i * 7 % 1000)} for i in range(count))
        seeds.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        model = {"model": "bench", "base_url": url, "max_concurrency": setting.connections}
        config = parse_config(
            {
                "output": str(Path(folder, "run")),
                "seeds": [
                    {"dataset": "generic", "name": "sums", "path": str(seeds), "tasks": ["Math_CoT"],
                     "grader": "math", "mapping": {"question": "question", "gold": "answer"}}
                ],
                "models": {"actor": model},
                "growth": {
                    "ladder": [{"name": "sample", "model": "actor", "samples": 20}],
                    "waves": 1 if setting.n == 1 else "off",
                    "rejected_from": "actor",
                },
                "critic": {"model": "actor"},
                "max_inflight_trees": setting.connections * 3 // 2,
                "executor": {"processes": processes},
                "export": {"formats": []},
            }
        )  # fmt: skip
        marks: list[Count] = []
        with RunStore.resume(config.output, config) as store:
            runner = Runner(config, store, base=Path(folder))

            async def watch() -> None:
                for share in MEASURED:
                    while runner.progress.grown < share * count:
                        await asyncio.sleep(0.02)
                    spend = store.spend()
                    marks.append(Count.now(sum(s.requests for s in spend), sum(s.completions for s in spend)))
                Memory.peak = max(Memory.peak, memory_mb())

            watching = asyncio.create_task(watch())
            await runner.run()
            await watching
        return marks[1].since(marks[0])


class Memory:
    """What was seen while trees grew."""

    peak = 0.0


async def trees(setting: Setting, url: str) -> Count:
    return await grow(setting, url, "auto")


async def one_process(setting: Setting, url: str) -> Count:
    return await grow(setting, url, 1)


CONTENDERS = {"raw": raw, "sdk": sdk, "client": client, "trees": trees, "one process": one_process}
MEASURED = (0.4, 0.85)
"""Shares of settled trees between which rates are taken."""


def measure(name: str, setting: Setting, url: str) -> dict[str, float]:
    """Runs one contender in this process."""

    async def timed() -> dict[str, float]:
        await CONTENDERS[name](
            Setting(setting.latency_s, 8, setting.n, 40), url
        )  # imports, first connections
        count = await CONTENDERS[name](setting, url)
        return {
            "requests": count.requests / count.seconds,
            "completions": count.completions / count.seconds,
            "ms": 1e3 * count.cpu / count.requests,
            "mb": max(Memory.peak, memory_mb()),
        }

    return asyncio.run(timed())


def measure_in_process(name: str, setting_name: str, scale: float) -> dict[str, float]:
    with serving(SETTINGS[setting_name].latency_s) as url:
        command = [sys.executable, __file__, "--one", name, setting_name, url, "--scale", str(scale)]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{name} failed")
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    names = list(CONTENDERS)
    parser.add_argument("--contenders", nargs="+", default=names, choices=names)
    parser.add_argument("--settings", nargs="+", default=list(SETTINGS), choices=list(SETTINGS))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--scale", type=float, default=1.0, help="share of the requests to send")
    parser.add_argument("--quick", action="store_true", help="one round of a quarter of the requests")
    parser.add_argument("--check", action="store_true", help="exit 1 below the target")
    parser.add_argument("--one", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.quick:
        options.rounds, options.scale = 1, 0.25
    if options.one:
        name, setting_name, url = options.one
        whole = SETTINGS[setting_name]
        setting = replace(whole, requests=max(whole.connections, int(whole.requests * options.scale)))
        print(json.dumps(measure(name, setting, url)))
        return

    found: dict[tuple[str, str], dict[str, float]] = {}
    print("setting  contender    requests/s  completions/s   CPU ms  PSS MB")
    for setting_name in options.settings:
        runs: dict[str, list[dict[str, float]]] = {name: [] for name in options.contenders}
        for _ in range(options.rounds):
            for name in options.contenders:
                runs[name].append(measure_in_process(name, setting_name, options.scale))
        for name, results in runs.items():
            median = {key: statistics.median(result[key] for result in results) for key in results[0]}
            found[setting_name, name] = median
            print(
                f"{setting_name:8} {name:11} {median['requests']:11,.0f} {median['completions']:14,.0f} "
                f"{median['ms']:8.3f} {median['mb']:8.0f}",
                flush=True,
            )
    report(found, options.check)


def report(found: dict[tuple[str, str], dict[str, float]], check: bool) -> None:
    ratios: dict[str, float] = {}
    for (setting_name, name), result in found.items():
        setting = SETTINGS[setting_name]
        if setting.latency_s:
            ratios[f"{setting_name}: {name} / ideal"] = result["requests"] / (
                setting.connections / setting.latency_s
            )
        if name != "sdk" and (peer := found.get((setting_name, "sdk"))):
            ratios[f"{setting_name}: {name} / sdk"] = result["completions"] / peer["completions"]
        if name in ("trees", "one process") and (bare := found.get((setting_name, "client"))):
            ratios[f"{setting_name}: {name} CPU ms above the client"] = result["ms"] - bare["ms"]
        peak = f"{name}: peak PSS MB"
        ratios[peak] = max(ratios.get(peak, 0.0), result["mb"])
    finish(ratios, {name: target for name, target in TARGETS.items() if name in ratios}, check=check)


if __name__ == "__main__":
    main()
