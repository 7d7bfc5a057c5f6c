"""What a sandbox is to its caller: stateless, closed, exact in what it reports."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Literal, Protocol

from ultrainteract.config import Limits
from ultrainteract.schema import Record, TestSuite

Status = Literal["ok", "error", "timeout", "memory", "output_limit", "killed", "fault"]
"""`fault` is the sandbox's own failure: never a verdict on the code, never recorded."""

ToolHandler = Callable[[str], Awaitable[str]]
"""Answers a tool call made by sandboxed code, on the host: one string in, one string out."""


class Execution(Record):
    """What the last cell did."""

    status: Status
    """How it ended."""
    stdout: str = ""
    """Standard output, cut at the limit."""
    stderr: str = ""
    """Standard error, cut at the limit."""
    value: str | None = None
    """`repr` of the last expression's value, unless it is None or the cell ends with a semicolon."""
    traceback: str | None = None
    """Notebook-style short traceback (`Cell In[1], line 2 …`)."""
    error_type: str | None = None
    """Class name of the exception, where there was one."""
    truncated: bool = False
    """True where output was cut."""
    wall_s: float = 0.0
    """Wall-clock seconds taken."""
    cpu_s: float = 0.0
    """CPU seconds taken."""

    @property
    def text(self) -> str:
        """What a notebook would show: output, then the value or the traceback, without a final newline."""
        parts = (self.stdout, self.stderr, self.traceback if self.traceback is not None else self.value)
        return "\n".join(part.rstrip("\n") for part in parts if part)


class CaseResult(Record):
    """What a program did on one test case."""

    passed: bool | None
    """True or False by the checker; None where a sandbox fault left it unknown."""
    status: Status
    """How the program ended on it."""
    output: str = ""
    """What it printed or returned, cut at the limit."""
    error: str = ""
    """Short traceback, where there was one."""
    wall_s: float = 0.0
    """Seconds taken."""


class TestReport(Record):
    """What a program did on a suite. Shorter than the suite where it stopped at the first failure."""

    __test__ = False

    results: tuple[CaseResult, ...]
    """In the suite's order."""
    error: str = ""
    """The program did not compile, or lacks the entry point: no case was run."""

    @property
    def fault(self) -> bool:
        """True where a fault of the sandbox left any case unknown."""
        return any(result.passed is None for result in self.results)

    @property
    def passed(self) -> bool:
        """True where every case that was run passed and none is unknown."""
        return not self.error and bool(self.results) and all(result.passed for result in self.results)


class Sandbox(Protocol):
    """Runs code that nobody trusts. Any instance can serve any request."""

    kind: str
    """`docker`, `bubblewrap`, `unsafe` …"""

    async def start(self) -> None:
        """Checks that isolation works here and makes the pool ready.

        Raises:
            SandboxError: It does not; the message says what is missing.
        """
        ...

    async def run(
        self,
        cells: Sequence[str],
        *,
        stdin: str = "",
        limits: Limits | None = None,
        tools: Mapping[str, ToolHandler] | None = None,
    ) -> Execution:
        """Replays all cells but the last silently, then runs the last and reports it, as a notebook would.

        Args:
            cells: Python sources, oldest first; at least one.
            stdin: Standard input of the last cell.
            limits: Limits of the whole request; the pool's default if None.
            tools: Functions the code may call by these names; each call is answered on the host.

        Returns:
            What the last cell did. A fault of the sandbox is retried inside, then reported as status `fault`.
        """
        ...

    async def run_tests(
        self,
        program: str,
        suite: TestSuite,
        *,
        limits: Limits | None = None,
        stop_at_first_failure: bool = True,
    ) -> TestReport:
        """Runs `program` on every case of `suite`; limits hold for each case.

        Returns:
            One result a case that was run; comparison is done outside the program's reach.
        """
        ...

    async def close(self) -> None:
        """Stops every process and container of this sandbox. Idempotent."""
        ...
