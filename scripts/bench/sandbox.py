"""Executions a second of the sandbox against its peers and against the physical limit, measured in one run.

Peers: `docker run` of the same image with the same hardening, `docker exec` into a warm container, a plain
subprocess. Limits, both in a container with the same modules preloaded: `bare_fork` forks and waits for children
that do nothing, `bare_run` for children that run the program and nothing else. For code that itself takes far longer
than a fork, only the second is a limit. The measurements alternate, those that are compared with a limit in short
pieces, and each ratio is the median over the rounds.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from _report import finish

from ultrainteract.config import SandboxConfig
from ultrainteract.sandbox.docker import DockerWorker
from ultrainteract.sandbox.pool import Pool
from ultrainteract.sandbox.text import zygote_for
from ultrainteract.schema import TestCase, TestSuite

PROGRAMS = {
    "trivial": "print(1 + 1)",
    "sympy": "import sympy\nx = sympy.Symbol('x')\nprint(sympy.solve(x**2 - 5 * x + 6, x))",
}
OUTPUT = {"trivial": "2\n", "sympy": "[2, 3]\n"}
SOLUTION = "import sys\nn, *rest = map(int, sys.stdin.read().split())\nprint(sum(rest[:n]))"
SUITE = TestSuite(
    cases=tuple(
        TestCase(input=f"{n}\n{' '.join(map(str, range(n)))}\n", expected=f"{n * (n - 1) // 2}\n")
        for n in range(1, 51)
    )
)
FORKER = """
import os, sys, time
sys.path.insert(0, "/opt/ultrainteract")
from _supervisor import zygote
for position, (name, _) in enumerate(zygote.CHAIN):
    zygote.load_link(position)
    if name == sys.argv[1]:
        break
print("ready", flush=True)
null = os.open(os.devnull, os.O_WRONLY)
for line in sys.stdin:
    count, together, program = eval(line)
    start, alive = time.perf_counter(), 0
    for _ in range(count):
        if alive == together:
            os.wait()
            alive -= 1
        if os.fork() == 0:
            if program:
                os.dup2(null, 1)
                exec(compile(program, "program", "exec"), {})
                sys.stdout.flush()
            os._exit(0)
        alive += 1
    while alive:
        os.wait()
        alive -= 1
    print(time.perf_counter() - start, flush=True)
"""
PIECES = 3
TARGETS: dict[str, tuple[str, float]] = {
    "trivial_c8_vs_docker_run": (">=", 80.0),
    "trivial_c8_vs_subprocess": (">=", 3.0),
    "sympy_c8_vs_subprocess": (">=", 30.0),
    "trivial_c8_vs_bare_fork": (">=", 0.65),
    "sympy_c8_vs_bare_run": (">=", 0.6),
    "judge50_time_vs_50_bare_forks": ("<=", 1.2),
    "judge50_c8_time_vs_50_bare_forks": ("<=", 1.5),
    "memory_mb": ("<=", 250.0),
}

BEFORE_IMMORTALS = {"trivial_c8_vs_bare_fork": (">=", 0.6)}
"""Targets where the image has Python 3.11: a child copies a page for every object of its parent's that it counts."""


class Forker:
    """A process in a container that does nothing but fork and wait."""

    def __init__(self, image: str, zygote: str) -> None:
        command = ["docker", "run", "--rm", "-i", "--network", "none", "--entrypoint", "python", image]
        self.process = subprocess.Popen(
            [*command, "-s", "-B", "-c", FORKER, zygote],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        if self.process.stdout.readline() != "ready\n":
            raise SystemExit("the fork + wait peer did not start")

    def rate(self, count: int, together: int, program: str = "") -> float:
        """Forks a second, of children that run a program and end."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        print((count, together, program), file=self.process.stdin, flush=True)
        return count / float(self.process.stdout.readline())

    def close(self) -> None:
        """Ends it."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(30)


async def rate(count: int, together: int, one: Callable[[], Awaitable[None]]) -> float:
    """Calls a second of `one`, `together` at a time."""
    left = iter(range(count))

    async def work() -> None:
        for _ in left:
            await one()

    start = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for _ in range(together):
            group.create_task(work())
    return count / (time.perf_counter() - start)


async def command(expected: str, *arguments: str) -> None:
    """Runs a command and checks what it prints."""
    process = await asyncio.create_subprocess_exec(*arguments, stdout=asyncio.subprocess.PIPE)
    out, _ = await process.communicate()
    if out.decode() != expected:
        raise SystemExit(f"{arguments[:3]} printed {out!r}")


def docker(*arguments: str) -> str:
    """Runs the `docker` command and returns what it prints."""
    return subprocess.run(["docker", *arguments], capture_output=True, text=True, check=True).stdout


def hardened(image: str) -> list[str]:
    """The options of our own containers as a command line, for a container an execution."""
    found = DockerWorker(SandboxConfig(image=image), 1).options(Path("/tmp"))
    command = ["docker", "run", "--rm", "--init", "--network", found["network_mode"], "--read-only"]
    command += ["--cap-drop", "ALL", *[f"--cap-add={name}" for name in found["cap_add"]]]
    command += [f"--security-opt={option}" for option in found["security_opt"]]
    command += ["--ipc", found["ipc_mode"], "--log-driver", "none"]
    command += ["--memory", found["mem_limit"], "--memory-swap", found["memswap_limit"]]
    command += ["--pids-limit", str(found["pids_limit"]), "--cpus", str(found["nano_cpus"] // 10**9)]
    command += ["--ulimit", "core=0", "--ulimit", "nofile=1024:1024", "--shm-size", found["shm_size"]]
    for path, options in found["tmpfs"].items():
        command += ["--tmpfs", f"{path}:{options}"]
    return [*command, "--user", "65534", "--entrypoint", "python", image, "-c"]


def memory_mb(container: str) -> float:
    """Memory of a warm container: what is charged to its control group, less the page cache."""
    for path in ("/sys/fs/cgroup/memory/memory.stat", "/sys/fs/cgroup/memory.stat"):
        text = subprocess.run(
            ["docker", "exec", container, "cat", path], capture_output=True, text=True
        ).stdout
        found = dict(line.split() for line in text.splitlines() if len(line.split()) == 2)
        if found:
            resident = next(found[name] for name in ("rss", "anon") if name in found)
            shared = found.get("shmem", found.get("total_shmem", "0"))
            return (int(resident) + int(shared)) / 2**20
    raise SystemExit("the memory of the container cannot be read")


async def measure(image: str, rounds: int, scale: float, slow: bool) -> dict[str, float]:
    """All ratios."""
    pool = Pool(SandboxConfig(image=image, containers=1, concurrency=8), "docker", DockerWorker)
    peer = docker("run", "--detach", "--rm", "--entrypoint", "sleep", image, "100000").strip()
    forkers: dict[str, Forker] = {}
    rates: dict[str, list[float]] = {}

    async def note(name: str, value: Awaitable[float] | float) -> None:
        found = value if isinstance(value, float) else await value
        rates.setdefault(name, []).append(found)
        print(f"  {name:34s} {found:10.1f}", flush=True)

    def ours(program: str, expected: str) -> Callable[[], Awaitable[None]]:
        async def one() -> None:
            result = await pool.run([program])
            if result.stdout != expected:
                raise SystemExit(f"the sandbox gave {result!r}")

        return one

    async def judged() -> None:
        report = await pool.run_tests(SOLUTION, SUITE)
        if not report.passed:
            raise SystemExit(f"the sandbox gave {report!r}")

    try:
        for name, program in PROGRAMS.items():
            forkers[name] = Forker(image, zygote_for([program]))
        for program in PROGRAMS.values():
            await pool.run([program])
        await pool.run(["import pandas"])  # the last of the modules that the supervisor loads ahead of time
        for number in range(rounds):
            print(f"round {number + 1}")
            for name, program in PROGRAMS.items():
                expected = OUTPUT[name]
                heavy = name == "sympy"
                for together in (1, 8):
                    key = f"{name}_c{together}"
                    count = int(scale * together**0.5 * (100 if heavy else 300))
                    small = int(scale * (6 if heavy else 60))
                    spent = dict.fromkeys(("ours", "bare_fork", "bare_run"), 0.0)
                    for _ in range(PIECES):
                        piece = count // PIECES
                        spent["ours"] += piece / await rate(piece, together, ours(program, expected))
                        spent["bare_fork"] += piece / forkers[name].rate(piece, together)
                        spent["bare_run"] += piece / forkers[name].rate(piece, together, program)
                    for measured, time_taken in spent.items():
                        await note(f"{key}_{measured}", PIECES * piece / time_taken)
                    await note(
                        f"{key}_subprocess",
                        rate(
                            max(small, together),
                            together,
                            lambda p=program, e=expected: command(e, sys.executable, "-c", p),
                        ),
                    )
                    if not slow:
                        continue
                    exec_ = ["docker", "exec", peer, "python", "-c", program]
                    await note(
                        f"{key}_docker_exec",
                        rate(2 * together, together, lambda a=exec_, e=expected: command(e, *a)),
                    )
                    run = [*hardened(image), program]
                    await note(
                        f"{key}_docker_run",
                        rate(together + 2, together, lambda a=run, e=expected: command(e, *a)),
                    )
            forks = 50 / forkers["trivial"].rate(200, 1)
            seconds = 1 / await rate(max(2, int(6 * scale)), 1, judged)
            await note("judge50_seconds", seconds)
            await note("judge50_bare_fork_seconds", forks)
            forks8 = 50 / forkers["trivial"].rate(400, 8)
            await note("judge50_c8_seconds", 1 / await rate(max(8, int(16 * scale)), 8, judged))
            await note("judge50_c8_bare_fork_seconds", forks8)
        [worker] = pool._workers
        assert isinstance(worker, DockerWorker)
        if worker.info["python"].startswith("3.11."):
            TARGETS.update(BEFORE_IMMORTALS)
        memory = memory_mb(worker.container)
    finally:
        for forker in forkers.values():
            forker.close()
        docker("rm", "--force", peer)
        await pool.close()

    def ratio(over: str, under: str) -> float:
        return statistics.median(a / b for a, b in zip(rates[over], rates[under], strict=True))

    ratios = {
        f"{key}_vs_{other}": ratio(f"{key}_ours", f"{key}_{other}")
        for key in [f"{name}_c{together}" for name in PROGRAMS for together in (1, 8)]
        for other in ("bare_fork", "bare_run", "subprocess", "docker_exec", "docker_run")
        if f"{key}_{other}" in rates
    }
    ratios["judge50_time_vs_50_bare_forks"] = ratio("judge50_seconds", "judge50_bare_fork_seconds")
    ratios["judge50_c8_time_vs_50_bare_forks"] = ratio("judge50_c8_seconds", "judge50_c8_bare_fork_seconds")
    ratios["memory_mb"] = memory
    print("medians, executions a second")
    for name, found in rates.items():
        print(f"  {name:34s} {statistics.median(found):10.3f}")
    return ratios


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--image", default="ultrainteract-sandbox:latest")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument(
        "--quick", action="store_true", help="fewer, smaller rounds, without docker run and exec"
    )
    parser.add_argument("--check", action="store_true", help="exit with 1 below a target")
    options = parser.parse_args()
    rounds, scale = (min(2, options.rounds), 0.5) if options.quick else (options.rounds, 1.0)
    ratios = asyncio.run(measure(options.image, rounds, scale, slow=not options.quick))
    targets = {name: target for name, target in TARGETS.items() if name in ratios}
    finish(ratios, targets, check=options.check)


if __name__ == "__main__":
    main()
