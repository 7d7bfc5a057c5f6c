"""A million instructions on 64 nodes and thousands of model servers, with the real scheduler, on a virtual clock.

One scheduler is what one worker process of a cluster has: its `SharedLimits`, endpoints, lanes and rates, and as
many trees alive as `max_inflight_trees` allows. Here are as many schedulers as nodes, all in one event loop whose
time moves on when everybody waits. Each sees the servers of its own node (the actor, which is its own critic, and a
pool model) and one hosted model, whose rate all nodes share as the Ray executor divides it; `--nodes 1` shows one
scheduler with all servers. Workers take the next instruction from one line, as they take leases from a driver.

A tree's requests are those of a tree that the real growth policy grew in a rehearsal. How requests are repeated is
what the OpenAI client does. Servers have speeds of their own; some allow fewer requests at once than they are
configured for (HTTP 429), some requests end in HTTP 500, servers die and come back, the hosted one keeps its rate.
The environment answers at once: it is no part of the scheduler.

The ideal: in the models that saturate first, every slot of every server that is up is busy all the time, at the
server's own speed. Utilisation is requests answered to those the ideal answers, between a tenth and nine
tenths of the trees. CPU a tree is that of the last three tenths to the first three, without the very first and the
very last tenth: one fills the nodes, the other empties them. It is counted in units of a fixed piece of work that is
done a thousand times in between, since a machine that is shared is not always as fast.
"""

from __future__ import annotations

import argparse
import asyncio
import heapq
import logging
import math
import os
import random
import resource
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from _report import finish
from _synthetic import synthetic_instructions
from _virtual import HEALTH_S, Fault, LoopClock, Server, VirtualLoop

from ultrainteract.config import ModelConfig, parse_config
from ultrainteract.models.faults import backoff
from ultrainteract.models.scheduler.endpoints import Endpoint, RequestClass
from ultrainteract.models.scheduler.limits import KeyLimits, SharedLimits
from ultrainteract.models.scheduler.queue import acquire
from ultrainteract.planning.rehearsal import Asked, PassRates, rehearse
from ultrainteract.schema import Usage

REHEARSED = 400
LATENCY_S = {"actor": 6.0, "pool": 8.0, "strong": 12.0}
HOSTED = "strong"
RESERVE = 1.3
"""Capacity of the other models, as a multiple of what they need when the actor is busy all the time."""
WEAK = 0.05
"""Share of servers that allow a request less at once than they are configured for."""
UP_S, DOWN_S = 7_200.0, 120.0
USED = Usage(prompt_tokens=700, completion_tokens=350)
MAX_RETRIES = 8


def profiles() -> list[list[Asked]]:
    """The requests of some hundred trees, as the real growth policy makes them."""
    config = parse_config(
        {
            "seeds": [{"dataset": "gsm8k", "path": "synthetic"}],
            "models": {name: {"provider": "simulated", "model": name} for name in LATENCY_S},
            "growth": {
                "waves": 8,
                "ladder": [
                    {"name": "sample", "model": "actor", "samples": 16},
                    {"name": "stronger", "model": "strong", "samples": 8},
                    {"name": "guided", "model": "strong", "samples": 4, "guided": True},
                ],
                "pool": ["pool"],
            },
            "critic": {"model": "actor"},
        }
    )
    return rehearse(config, synthetic_instructions(REHEARSED), PassRates()).asked


class Waits:
    """How long requests of one kind waited until they were sent."""

    def __init__(self) -> None:
        self.count = 0
        self.sum = self.longest = 0.0
        self.sizes = [0] * 64  # the n-th counts waits of up to 2 ** (n / 4) / 100 seconds

    def add(self, seconds: float) -> None:
        """Counts one."""
        self.count += 1
        if seconds < 0.01:
            self.sizes[0] += 1
            return
        self.sum += seconds
        if seconds > self.longest:
            self.longest = seconds
        self.sizes[min(63, math.ceil(4 * math.log2(seconds * 100)))] += 1

    def take_in(self, other: Waits) -> None:
        """Counts what another has counted."""
        self.count += other.count
        self.sum += other.sum
        self.longest = max(self.longest, other.longest)
        self.sizes = [a + b for a, b in zip(self.sizes, other.sizes, strict=True)]

    @property
    def mean(self) -> float:
        """Seconds."""
        return self.sum / max(1, self.count)

    def percentile(self, share: float) -> float:
        """What this share of them waited at most, to a fifth; seconds."""
        left = share * self.count
        for size, count in enumerate(self.sizes):
            left -= count
            if left <= 0:
                return float(min(self.longest, 2 ** (size / 4) / 100))
        return self.longest


class Node:
    """One worker process: a scheduler of its own, over the servers it sees."""

    def __init__(self, run: Run, servers: dict[str, list[Server]]) -> None:
        self.run = run
        self.rng = random.Random(run.rng.random())
        shared = SharedLimits(run.clock)
        self.server_of: dict[Endpoint, Server] = {}
        self.endpoints: dict[str, tuple[Endpoint, ...]] = {}
        self.limits: dict[str, KeyLimits] = {}
        self.maximum: dict[str, int] = {}
        for name, group in servers.items():
            hosted = name == HOSTED
            config = ModelConfig(
                model=name,
                api_key_env="HOSTED_KEY" if hosted else "NODE_KEY",
                max_concurrency=run.hosted_at_once if hosted else run.options.slots,
                requests_per_minute=max(1, int(run.hosted_per_minute)) if hosted else None,
            )
            for number, server in enumerate(group):
                self.server_of[shared.endpoint(config, f"{name}-{number}")] = server
            self.limits[name] = shared.key_limits(config, name)
            self.endpoints[name] = tuple(
                endpoint for endpoint, server in self.server_of.items() if server in group
            )
            self.maximum[name] = config.max_concurrency
        shared.divide(run.options.nodes)

    async def work(self) -> None:
        """Grows one tree after another while there are any; as many of these run as trees may be alive."""
        run = self.run
        for number in run.numbers:
            run.alive += 1
            run.peak = max(run.peak, run.alive)
            waited, well = 0.0, True
            for asked in run.profiles[int(self.rng.random() * len(run.profiles))]:
                seconds = await self.send(asked)
                if seconds is None:
                    well = False
                    break
                waited += seconds
            run.alive -= 1
            run.settle(number, waited, well)

    async def send(self, asked: Asked) -> float | None:
        """Sends a request until it is answered; how long it waited, None where it was given up."""
        model, clock, waits = asked.model, self.run.clock, self.run.waits
        request_class = RequestClass(model, asked.role, self.maximum[model])
        limits = self.limits[model]
        failures, waited, token = 0, 0.0, object()
        while True:
            began = clock.now()
            lease = await acquire(self.endpoints[model], request_class, asked.turn)
            endpoint, server = lease.endpoint, self.server_of[lease.endpoint]
            try:
                if lease.health_check:
                    await clock.sleep(HEALTH_S)
                    if server.down:
                        endpoint.still_down("it does not answer")
                        failures = 0
                        waited += clock.now() - began
                        continue
                    endpoint.recovered()
                    endpoint.changed()
                if lease.after_outage:
                    failures = 0
                reservation = await limits.reserve(USED.prompt_tokens, USED.completion_tokens)
                lease.sent_at = clock.now()
                waited += lease.sent_at - began
                usage = None
                try:
                    await server.answer()
                    usage = USED
                finally:
                    limits.settle(reservation, usage)
                lease.succeeded()
                waits[model, asked.role, asked.turn].add(waited)
                return waited
            except Fault as fault:
                if fault.kind == "overloaded":
                    lease.overloaded(fault.retry_after, "HTTP 429")
                else:
                    lease.failed(token, "HTTP 500", unreachable=fault.kind == "unreachable")
                failures += 1
                if failures > MAX_RETRIES:
                    return None
                pause = 0.0 if fault.retry_after else backoff(failures, self.rng)
            finally:
                lease.dropped()
            waited += pause
            await clock.sleep(pause)


def fixed_work() -> None:
    """Some milliseconds of heaps and dictionaries, as in a scheduler, but with nothing for the garbage collector."""
    heap: list[float] = []
    counts: dict[int, int] = {}
    for number in range(4_000):
        heapq.heappush(heap, number * 7919 % 4003 / 4003)
        counts[number % 97] = counts.get(number % 97, 0) + 1
    while heap:
        counts[int(heapq.heappop(heap) * 97)] -= 1


class Run:
    """The whole of it: servers, nodes, what is counted."""

    def __init__(self, options: argparse.Namespace, loop: VirtualLoop) -> None:
        self.options = options
        self.loop = loop
        self.clock = LoopClock(loop)
        self.rng = random.Random(options.seed)
        self.profiles = profiles()
        self.needs = {
            name: sum(asked.model == name for tree in self.profiles for asked in tree) / len(self.profiles)
            for name in LATENCY_S
        }
        self.numbers: Iterator[int] = iter(range(options.instructions))
        self.alive = self.peak = self.settled = self.failed = 0
        self.seen = bytearray(options.instructions)
        self.waits: defaultdict[tuple[str, str, int], Waits] = defaultdict(Waits)
        self.longest_tree_s = 0.0
        self.fixed_s = 0.0
        self.fixed_times = 0
        self.slice = max(1, options.instructions // 1_000)
        self.marks: list[dict[str, float]] = []
        self.answered: dict[str, tuple[int, float]] = {}
        self.done = asyncio.Event()
        self._place_servers()

    def _place_servers(self) -> None:
        options = self.options
        per_node = max(2, options.endpoints // options.nodes)
        slot_s = {name: self.needs[name] * LATENCY_S[name] for name in ("actor", "pool")}
        share = RESERVE * slot_s["pool"] / (slot_s["actor"] + RESERVE * slot_s["pool"])
        pool = min(per_node - 1, max(1, math.ceil(per_node * share)))
        self.nodes_servers: list[dict[str, list[Server]]] = []
        for _ in range(options.nodes):
            self.nodes_servers.append(
                {
                    name: [self._server(LATENCY_S[name]) for _ in range(count)]
                    for name, count in (("actor", per_node - pool), ("pool", pool))
                }
            )
        actors = [server for servers in self.nodes_servers for server in servers["actor"]]
        trees_s = sum((server.slots or 0) / server.latency_s for server in actors) / self.needs["actor"]
        self.hosted_per_minute = 60 * RESERVE * trees_s * self.needs[HOSTED]
        hosted_a_node = self.hosted_per_minute / 60 * LATENCY_S[HOSTED] / options.nodes
        self.hosted_at_once = math.ceil(RESERVE * hosted_a_node)
        self.hosted = Server(
            self.clock, self._rng(), LATENCY_S[HOSTED], None, self.hosted_per_minute, options.busy
        )
        for servers in self.nodes_servers:
            servers[HOSTED] = [self.hosted]

    def _rng(self) -> random.Random:
        return random.Random(self.rng.random())

    def _server(self, latency_s: float) -> Server:
        slots = self.options.slots - (self.options.slots > 1 and self.rng.random() < WEAK)
        return Server(self.clock, self._rng(), latency_s * self.rng.uniform(0.6, 1.4), slots)

    def servers(self, name: str) -> list[Server]:
        """All servers of a model."""
        return list(dict.fromkeys(server for node in self.nodes_servers for server in node[name]))

    async def run(self) -> None:
        """Grows all trees."""
        self.mark()
        async with asyncio.TaskGroup() as tasks:
            lives = [
                tasks.create_task(server.live(UP_S, DOWN_S))
                for name in ("actor", "pool")
                for server in self.servers(name)
            ]
            for servers in self.nodes_servers:
                node = Node(self, servers)
                for _ in range(self.options.inflight):
                    tasks.create_task(node.work())
            await self.done.wait()
            for task in lives:
                task.cancel()

    def settle(self, number: int, waited: float, well: bool) -> None:
        """Counts a tree that ended."""
        assert not self.seen[number], "a tree was grown twice"
        self.seen[number] = 1
        self.settled += 1
        self.failed += not well
        self.longest_tree_s = max(self.longest_tree_s, waited)
        if self.settled % self.slice == 0:
            began = time.process_time()
            fixed_work()
            self.fixed_times += 1
            self.fixed_s += time.process_time() - began
        if self.settled * 10 // self.options.instructions == len(self.marks):
            self.mark()
        if self.settled == self.options.instructions:
            self.done.set()

    def mark(self) -> None:
        """Notes where the run is, and says so."""
        mark = {
            "settled": self.settled,
            "virtual_s": self.clock.now(),
            "cpu_s": time.process_time() - self.fixed_s,
            "fixed_s": self.fixed_s,
            "fixed_times": self.fixed_times,
            "rss_mb": resident_mb(),
        }
        for name in LATENCY_S:
            servers = self.servers(name)
            mark[f"answered {name}"] = sum(server.answered for server in servers)
            mark[f"possible {name}"] = (
                self.hosted_per_minute / 60 * self.clock.now()
                if name == HOSTED
                else sum(server.up_s() * (server.slots or 0) / server.latency_s for server in servers)
            )
        if self.marks:
            before = self.marks[-1]
            delta = {key: value - before[key] for key, value in mark.items()}
            print(
                f"{self.settled:10,} trees  virtual {mark['virtual_s']:8,.0f} s  "
                f"{delta['settled'] / max(delta['virtual_s'], 1e-9):7,.1f} trees/s  {self.alive:7,} alive  "
                f"RSS {mark['rss_mb']:5,.0f} MB  CPU {1000 * delta['cpu_s'] / delta['settled']:.3f} ms a tree  "
                f"fixed work {1000 * delta['fixed_s'] / delta['fixed_times']:.2f} ms",
                flush=True,
            )
        self.marks.append(mark)

    def between(self, first: int, last: int, key: str) -> float:
        """By how much a figure grew between two tenths."""
        return self.marks[last][key] - self.marks[first][key]


def resident_mb() -> float:
    """Memory of this process now, MiB."""
    try:
        pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def report(run: Run) -> dict[str, float]:
    """Prints what came of it; returns the ratios."""
    use = {
        name: run.between(1, 9, f"answered {name}") / run.between(1, 9, f"possible {name}")
        for name in LATENCY_S
    }
    first = max(use, key=use.__getitem__)
    rate = run.between(1, 9, "settled") / run.between(1, 9, "virtual_s")
    print(f"\npeak {run.peak:,} trees alive; {run.failed:,} of {run.settled:,} failed and are kept for retry")
    print("model    servers  outages     429s  requests answered / the ideal's")
    for name, share in use.items():
        servers = run.servers(name)
        outages, away = sum(s.outages for s in servers), sum(s.turned_away for s in servers)
        print(
            f"{name:8} {len(servers):7,} {outages:8,} {away:8,}  {share:.3f}{'  <- saturates first' * (name == first)}"
        )
    print("waiting until sent, virtual s        mean      99 %   longest   requests")
    roles: defaultdict[tuple[str, str], Waits] = defaultdict(Waits)
    turns: defaultdict[int, Waits] = defaultdict(Waits)
    for (model, role, turn), waits in sorted(run.waits.items()):
        roles[model, role].take_in(waits)
        turns[turn].take_in(waits)
    lines = [(f"{model}, role {role}", waits) for (model, role), waits in roles.items()]
    for name, waits in (*lines, *((f"turn {turn}", turns[turn]) for turn in sorted(turns))):
        figures = f"{waits.mean:8.2f}  {waits.percentile(0.99):8.2f}  {waits.longest:8.2f} {waits.count:10,}"
        print(f"  {name:32} {figures}")
    print(f"a tree waited for {run.longest_tree_s:,.0f} s in all its turns at the most")
    return {
        "utilisation / ideal": use[first],
        "trees settled / instructions": sum(run.seen) / run.options.instructions,
        "RSS at the end / at a tenth": run.marks[-1]["rss_mb"] / run.marks[1]["rss_mb"],
        "CPU a tree, last tenths / first": (run.between(6, 9, "cpu_s") / run.between(6, 9, "fixed_s"))
        / (run.between(1, 4, "cpu_s") / run.between(1, 4, "fixed_s")),
        "CPU ms a tree": 1000 * run.between(1, 9, "cpu_s") / run.between(1, 9, "settled"),
        "trees/s, virtual": rate,
        "virtual hours": run.marks[-1]["virtual_s"] / 3600,
        "longest wait of a request, virtual s": max(waits.longest for waits in run.waits.values()),
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--instructions", type=int, default=1_000_000)
    parser.add_argument("--endpoints", type=int, default=3_200, help="model servers, over all nodes")
    parser.add_argument("--nodes", type=int, default=64)
    parser.add_argument("--slots", type=int, default=4, help="requests at once, a server")
    parser.add_argument("--inflight", type=int, default=256, help="trees alive, a node")
    parser.add_argument(
        "--busy",
        type=float,
        default=0.0002,
        help="share of requests that the hosted server turns away at random",
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--check", action="store_true", help="exit 1 where a target is missed")
    options = parser.parse_args()
    logging.getLogger("ultrainteract").setLevel(logging.CRITICAL)
    started = time.perf_counter()
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        loop = runner.get_loop()
        assert isinstance(loop, VirtualLoop)
        run = Run(options, loop)
        runner.run(run.run())
    ratios = report(run)
    print(f"{time.perf_counter() - started:,.0f} s of real time")
    targets = {
        "utilisation / ideal": (">=", 0.9),
        "trees settled / instructions": (">=", 1.0),
        "RSS at the end / at a tenth": ("<=", 1.1),
        "CPU a tree, last tenths / first": ("<=", 1.1),
    }
    finish(ratios, targets, check=options.check)


if __name__ == "__main__":
    main()
