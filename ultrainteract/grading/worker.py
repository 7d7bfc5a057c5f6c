"""The process in which algebra is done: reads requests from its standard input, one JSON line each, and answers.

Two processes share the pipes. The first loads sympy once and then only waits; the second, forked from it, serves.
Before each request the server sets a clock of CPU time and one of wall time whose alarms are the kernel's default
action, so that even a loop inside C code is killed, and its address space is capped. When it dies, the first process
answers in its place and forks the next one at once. Both end when standard input closes, and are killed when
their parent dies.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import resource
import signal
import sys
from typing import Any

import orjson

from ultrainteract.grading.algebra import NeedsAlgebra
from ultrainteract.grading.boundary import fault_of, settle_safely
from ultrainteract.grading.finding import Finding
from ultrainteract.grading.question import Question
from ultrainteract.grading.shapes import Scalar
from ultrainteract.grading.symbolic import SympyAlgebra

_SPOILT = 3
"""Exit status of a server that has answered but should not go on: it ran out of memory."""
_IDLE = 0
"""Stands for no request; requests are numbered from 1."""


def main() -> None:
    """Serves until standard input closes. Arguments: seconds a request, memory in MiB, pid of the parent."""
    seconds, memory_mb, parent = float(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    _die_with(parent)
    answers = os.dup(1)
    os.dup2(2, 1)  # whatever a library prints must not look like an answer

    algebra = SympyAlgebra()
    _warm_up(algebra)
    current = mmap.mmap(-1, 8)  # shared: the number of the request that the server is at
    os.write(answers, b"ready\n")
    while True:
        _set(current, _IDLE)
        supervisor = os.getpid()
        server = os.fork()
        if server == 0:
            _die_with(supervisor)
            _serve(answers, current, algebra, seconds, memory_mb)
        _, status = os.waitpid(server, 0)
        if os.WIFEXITED(status) and os.WEXITSTATUS(status) == _SPOILT:
            continue
        number = int.from_bytes(current[:8], "big")
        if number == _IDLE:  # the pipe was closed, or somebody killed the server: the host will notice
            return
        late = os.WIFSIGNALED(status)
        _reply(
            answers,
            number,
            Finding.unknown(
                "the comparison took too long" if late else "the comparison failed in its worker"
            ),
        )


def _set(current: mmap.mmap, number: int) -> None:
    current[:8] = number.to_bytes(8, "big")


def _reply(answers: int, number: int, found: Finding) -> None:
    reply = {
        "number": number, "outcome": found.outcome.value, "why": found.why, "basis": found.basis.value,
        "by_form": found.by_form,
    }  # fmt: skip
    os.write(answers, orjson.dumps(reply) + b"\n")


def _die_with(parent: int) -> None:
    if sys.platform == "linux":
        pr_set_pdeathsig = 1
        ctypes.CDLL(None, use_errno=True).prctl(pr_set_pdeathsig, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(0)


def _warm_up(algebra: SympyAlgebra) -> None:
    """Loads what sympy and the parser load on first use, before any clock runs."""
    for gold, answer in (
        (r"\frac{x\sqrt{2}}{2}+\pi", r"\frac{x}{\sqrt{2}}+\pi"),
        (r"|x-1|+\log 3", r"\binom{5}{2}+f(x)+n!"),
    ):
        algebra.scalars(Scalar(gold), Scalar(answer), program=False)


def _serve(answers: int, current: mmap.mmap, algebra: SympyAlgebra, seconds: float, memory_mb: int) -> None:
    limit = memory_mb * 1024 * 1024
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    while line := _read_line():
        request = orjson.loads(line)
        number = request["number"]
        _set(current, number)
        signal.setitimer(signal.ITIMER_PROF, seconds * 0.8)
        signal.setitimer(signal.ITIMER_REAL, seconds * 0.95)
        finding = _settle(request, algebra)
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)
        _set(current, _IDLE)
        _reply(answers, number, finding or Finding.unknown("the comparison needs too much memory"))
        if finding is None:
            os._exit(_SPOILT)
    os._exit(0)


def _read_line() -> bytes:
    """One line of standard input, empty at its end; no request comes before the last one is answered."""
    parts = []
    while chunk := os.read(0, 4096):
        parts.append(chunk)
        if chunk.endswith(b"\n"):
            return b"".join(parts)
    return b""


def _settle(request: dict[str, Any], algebra: SympyAlgebra) -> Finding | None:
    """The finding; None where memory ran out."""
    try:
        return settle_safely(Question.from_fields(request["question"]), request["answer"], algebra)
    except MemoryError:
        return None
    except NeedsAlgebra as error:
        return fault_of(error)


if __name__ == "__main__":
    main()
