"""Problems, right and wrong completions, and a sandbox that fails, for the tests of rewards."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tests.builders import math_cot, math_pot
from ultrainteract.config import SandboxConfig
from ultrainteract.dataset.verifiable import packed
from ultrainteract.rewards import ScorerConfig
from ultrainteract.sandbox.base import CaseResult, Execution, TestReport
from ultrainteract.schema import Instruction, Task, TestCase, TestSuite

MATH = packed(math_cot())
PROGRAM = packed(math_pot())
CODING = packed(
    Instruction(
        task=Task.CODING, dataset="TACO", prompt="Write Python code to solve the task.\nAdd the numbers of a line.",
        question="Add the numbers of a line.", grader="tests",
        tests=TestSuite(cases=tuple(TestCase(input=f"{a} {b}\n", expected=f"{a + b}\n") for a, b in ((1, 2), (7, 8)))),
    )
)  # fmt: skip
SANDBOX = ScorerConfig(sandbox=SandboxConfig(kind="bubblewrap", containers=1, concurrency=4))


def fenced(code: str) -> str:
    return f"Step 1: Compute.\n```python\n{code}\n```"


RIGHT = fenced("print(sum(map(int, input().split())))")
WRONG = fenced("print(3)")


class Faulty:
    """A sandbox that starts, and then fails whatever it is asked."""

    kind = "faulty"

    async def start(self) -> None:
        pass

    async def run(self, cells: Sequence[str], **_: Any) -> Execution:
        return Execution(status="fault")

    async def run_tests(self, program: str, suite: TestSuite, **_: Any) -> TestReport:
        return TestReport(results=(CaseResult(passed=None, status="fault"),))

    async def close(self) -> None:
        pass
