"""How fast completions are graded: plain answers a core, programs through the reward function, and both over HTTP.

Programs are compared with the sandbox alone in the same run, at the same concurrency and with the same program; the
service with the reward function in the same run, in batches of 64. The measurements alternate, and each ratio is the
median over the rounds. Verdicts on plain answers are per second of processor time, of this process and its workers.

    python scripts/bench/rewards.py [--rounds N] [--kind docker|bubblewrap] [--check]
"""

from __future__ import annotations

import argparse
import asyncio
import random
import statistics
import sys
import threading
import time
from collections.abc import Sequence
from itertools import count
from pathlib import Path

import psutil
from _report import finish

sys.path.insert(0, str(Path(__file__).parents[2]))

from ultrainteract.config import SandboxConfig
from ultrainteract.dataset.verifiable import packed
from ultrainteract.rewards import Attempt, RewardFunction, ScorerConfig
from ultrainteract.rewards.client import RemoteRewardFunction
from ultrainteract.rewards.server import serve_until
from ultrainteract.sandbox import open_sandbox
from ultrainteract.schema import Instruction, Task

BATCH = 64
CONCURRENCY = 8
MATH_RATE = 2_000
TARGETS: dict[str, tuple[str, float]] = {
    "math_over_required": (">=", 1.0),
    "programs_vs_sandbox": (">=", 0.8),
    "http_math_vs_function": (">=", 0.7),
    "http_programs_vs_function": (">=", 0.7),
}
_numbers = count()


def problem(number: int) -> str:
    """A problem whose gold answer is `number`, answered in words."""
    text = f"Solve the following math problem step-by-step.\nWhat is {number}?"
    return packed(
        Instruction(
            task=Task.MATH_COT, dataset="gsm8k", prompt=text, question=f"What is {number}?", grader="math",
            gold=str(number),
        )
    )  # fmt: skip


PROGRAM = packed(
    Instruction(
        task=Task.MATH_POT, dataset="MATH", prompt="Solve.\nWhat is 1 + 1?", question="What is 1 + 1?", grader="math",
        gold="2", tools=("python",),
    )
)  # fmt: skip


def answers(size: int) -> list[Attempt]:
    """Completions of problems in groups of 8, as policies write them; about half of them right."""
    rng = random.Random(next(_numbers))
    found = []
    for _ in range(size // 8):
        gold = rng.randint(-500, 100_000)
        text = problem(gold)
        for _ in range(8):
            said = gold if rng.random() < 0.5 else gold + rng.randint(1, 10**6)
            thought = f"Step 1: Look at {rng.random():.6f}.\nStep 2: It follows that x = {said - 1}.\n" * 4
            form = rng.choice(
                ["\\boxed{{{}}}", "Answer: {}", "The answer is {}.", "#### {}", "Answer:\n\\boxed{{{}}}"]
            )
            found.append(Attempt(problem=text, text=thought + "\n" + form.format(said)))
    return found


def program() -> str:
    """A trivial program that nobody has run before."""
    return f"print(1 + 1)  # {next(_numbers)}"


def programs(size: int) -> list[Attempt]:
    """As many programs as completions."""
    return [
        Attempt(problem=PROGRAM, text=f"Step 1: Compute.\n```python\n{program()}\n```") for _ in range(size)
    ]


def cpu() -> float:
    """Seconds of processor time of this process and those it started."""
    processes = [psutil.Process(), *psutil.Process().children(recursive=True)]
    return sum(sum(process.cpu_times()[:2]) for process in processes)


def graded(function: RewardFunction, attempts: Sequence[Attempt]) -> float:
    """Attempts a second, in batches that follow one another two at a time, as a trainer's ranks send them."""
    batches = [attempts[start : start + BATCH] for start in range(0, len(attempts), BATCH)]
    left = iter(batches)

    async def work() -> None:
        for batch in left:
            scores = await function.score(batch)
            if all(score.reward is None for score in scores):
                raise SystemExit(f"nothing was graded: {scores[0].verdict.reason}")

    async def both() -> None:
        await asyncio.gather(work(), work())

    begun = time.perf_counter()
    asyncio.run(both())
    return len(attempts) / (time.perf_counter() - begun)


class Server:
    """The service on a thread of this process."""

    def __init__(self, function: RewardFunction) -> None:
        ready = threading.Event()

        async def serving() -> None:
            self.loop, self.stop = asyncio.get_running_loop(), asyncio.Event()

            def started(url: str) -> None:
                self.url = url
                ready.set()

            await serve_until(self.stop, function, "127.0.0.1", 0, None, started)

        self.thread = threading.Thread(target=lambda: asyncio.run(serving()))
        self.thread.start()
        ready.wait()

    def close(self) -> None:
        """Ends it."""
        self.loop.call_soon_threadsafe(self.stop.set)
        self.thread.join()


def measure(kind: str, rounds: int, size: int) -> dict[str, float]:
    """All ratios."""
    sandbox = SandboxConfig.model_validate({"kind": kind, "containers": 1, "concurrency": CONCURRENCY})
    config = ScorerConfig(sandbox=sandbox)
    loop = asyncio.new_event_loop()
    alone = open_sandbox(sandbox)

    async def rate(number: int) -> float:
        left = iter(range(number))

        async def work() -> None:
            for _ in left:
                result = await alone.run([program()])
                if result.stdout != "2\n":
                    raise SystemExit(f"the sandbox gave {result!r}")

        begun = time.perf_counter()
        await asyncio.gather(*(work() for _ in range(CONCURRENCY)))
        return number / (time.perf_counter() - begun)

    rates: dict[str, list[float]] = {}

    def note(name: str, value: float) -> None:
        rates.setdefault(name, []).append(value)
        print(f"  {name:24s} {value:10.1f}", flush=True)

    function = RewardFunction(config, workers=1)
    server = Server(function)
    remote = RemoteRewardFunction(server.url)
    try:
        loop.run_until_complete(alone.start())
        graded(function, [*programs(BATCH), *answers(BATCH)])
        for number in range(rounds):
            print(f"round {number + 1}")
            attempts = answers(8 * size)
            before = cpu()
            note("math", graded(function, attempts))
            note("math_per_core", len(attempts) / (cpu() - before))
            note("math_http", graded(remote, answers(8 * size)))
            note("sandbox", loop.run_until_complete(rate(size)))
            note("programs", graded(function, programs(size)))
            note("programs_http", graded(remote, programs(size)))
    finally:
        remote.close()
        server.close()
        function.close()
        loop.run_until_complete(alone.close())
        loop.close()

    def ratio(over: str, under: str) -> float:
        return statistics.median(a / b for a, b in zip(rates[over], rates[under], strict=True))

    return {
        "math_over_required": statistics.median(rates["math_per_core"]) / MATH_RATE,
        "programs_vs_sandbox": ratio("programs", "sandbox"),
        "http_math_vs_function": ratio("math_http", "math"),
        "http_programs_vs_function": ratio("programs_http", "programs"),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kind", default="auto", help="docker or bubblewrap")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--size", type=int, default=512, help="programs a round; eight times as many answers")
    parser.add_argument("--check", action="store_true", help="exit with 1 below a target")
    options = parser.parse_args()
    finish(measure(options.kind, options.rounds, options.size), TARGETS, check=options.check)


if __name__ == "__main__":
    main()
