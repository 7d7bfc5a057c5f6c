"""The engine: draws inputs from a seed, in child processes with limits, and keeps each input that breaks a target.

Three things are faults: an exception; more processor time than the target's limit (or a memory limit that is reached);
a result that differs between two processes, which have another hash seed, another depth of the stack and empty caches.
"""

from __future__ import annotations

import hashlib
import json
import os
import resource
import signal
import subprocess
import sys
import time
import traceback
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings

from tests.fuzz.registry import Target, targets

EXAMPLES = Path(__file__).parent / "examples"
MEMORY = 2 << 30
ROUND_S = 900.0
"""Longest time of a round on a busy machine, before it counts as hanging."""
PER_ROUND = 500


def check(target: Target, value: Any) -> Any:
    """Runs one input and returns its result.

    Raises:
        Exception: What the target raised, or a TimeoutError where it took too long.
    """
    signal.setitimer(signal.ITIMER_PROF, 5 * target.limit_s)  # what hangs in C code is killed
    start = time.process_time()
    result = target.run(value)
    took = time.process_time() - start
    signal.setitimer(signal.ITIMER_PROF, 0)
    if took > target.limit_s:
        raise TimeoutError(f"took {took:.1f} s of processor time, where {target.limit_s:g} s are allowed")
    return result


def child(name: str, number: int, progress: Path, most: int) -> None:
    """One round of one target in this process: prints a JSON line for every fault, then one with all inputs' results."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    target = targets()[name]
    seen: list[tuple[Any, Any]] = []
    broken: dict[str, Any] = {}

    @seed(number)
    @settings(
        max_examples=most, database=None, deadline=None, phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck), print_blob=False,
    )  # fmt: skip
    @given(target.inputs())
    def explore(value: Any) -> None:
        progress.write_text(json.dumps(value))
        try:
            seen.append((value, check(target, value)))
        except Exception:
            broken["value"] = value  # the last one is the smallest
            raise

    try:
        explore()
    except Exception as error:
        print(json.dumps({"fault": "".join(traceback.format_exception(error))[-3000:], **broken}), flush=True)
    print(json.dumps({"seen": seen}), flush=True)


def replay(name: str) -> None:
    """Runs the inputs that standard input lists, deep in the stack, and prints their results."""
    sys.setrecursionlimit(3_000)  # as much room as above: only the depth differs

    def deep(levels: int) -> list[Any]:
        return deep(levels - 1) if levels else [targets()[name].run(value) for value in json.load(sys.stdin)]

    print(json.dumps(deep(300)))


def one_round(
    name: str, number: int, folder: Path, most: int = PER_ROUND
) -> tuple[int, list[tuple[Any, str]]]:
    """One round of one target.

    Args:
        name: The target.
        number: Seed of the inputs.
        folder: Where the input that is being tried is noted.
        most: How many inputs are tried.

    Returns:
        The inputs that were tried, and the faults: input and what happened.
    """
    progress = folder / f"{name}.json"
    code = f"from pathlib import Path; from tests.fuzz.engine import child; child({name!r}, {number}, Path({str(progress)!r}), {most})"
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, env=_environment(0)
    ) as process:
        try:
            out, _ = process.communicate(timeout=ROUND_S)
        except subprocess.TimeoutExpired:
            process.kill()
            return 0, [(json.loads(progress.read_text()), "hangs")]
    if process.returncode:
        end = f"hangs or ends its process (status {process.returncode})"
        return 0, [(json.loads(progress.read_text()) if progress.exists() else None, end)]
    lines = [json.loads(line) for line in out.splitlines()]
    faults = [(line.get("value"), line["fault"]) for line in lines if "fault" in line]
    seen = lines[-1]["seen"]
    again = subprocess.run(
        [sys.executable, "-c", f"from tests.fuzz.engine import replay; replay({name!r})"],
        input=json.dumps([value for value, _ in seen]), capture_output=True, text=True, env=_environment(number % 1000 + 1),
    )  # fmt: skip
    if again.returncode:
        faults.append((None, f"the second process failed: {again.stderr[-2000:]}"))
        return len(seen), faults
    for (value, first), second in zip(seen, json.loads(again.stdout), strict=True):
        if first != second:
            faults.append((value, f"depends on the process: {first} and {second}"))
            break
    return len(seen), faults


def _environment(hash_seed: int) -> dict[str, str]:
    return {**os.environ, "PYTHONHASHSEED": str(hash_seed), "PYTHONWARNINGS": "ignore"}


def keep(name: str, value: Any) -> Path:
    """Writes an input down as an example, which the tests replay."""
    text = json.dumps({"target": name, "value": value}, indent=1, sort_keys=True)
    path = EXAMPLES / f"{name}-{hashlib.sha256(text.encode()).hexdigest()[:12]}.json"
    EXAMPLES.mkdir(exist_ok=True)  # the first of all: nothing had been found
    path.write_text(text + "\n")
    return path
