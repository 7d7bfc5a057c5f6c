"""Two right actions of different form in a whole tree: none of them becomes the rejected one.

Each is run, shown, graded and paired as in a run, by the real sandbox and graders.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.builders import config, cycle, math_pot, models, pot
from ultrainteract.config import SandboxConfig
from ultrainteract.grading import Graders
from ultrainteract.models import price_of
from ultrainteract.replay import RecordedSampler
from ultrainteract.sandbox import open_sandbox
from ultrainteract.sandbox.base import Sandbox
from ultrainteract.schema import Instruction, Label, Task, TestCase, TestSuite
from ultrainteract.store import RunStore
from ultrainteract.tree import Grower
from ultrainteract.tree.environment import Environment

pytestmark = [pytest.mark.bubblewrap, pytest.mark.asyncio(loop_scope="module")]
LONG = "8" * 4400
PROGRAMS = {
    "writes and returns a length": "import sys\nsys.stdout.write('12\\n')",
    "prints and returns": "def solve():\n    print(3 * 4)\n    return True\nsolve()",
    "prints, then stores": "memo = {}\nprint(12)\nmemo.setdefault('n', 3)",
    "prints, then pops": "stack = [7]\nprint(12)\nstack.pop()",
    "prints in a comprehension": "[print(n) for n in (12,)]",
    "shows a value": "answer = 12\nanswer",
    "shows and prints": "print('12')\n12",
    "a block of text before": None,
}
RAW = {"a block of text before": "The product is\n```text\na * b\n```\nso\n```python\nprint(3 * 4)\n```"}
SUITES = {
    "a fence inside a string": (
        "Read n, print twice n.", [("4\n", "8\n"), ("9\n", "18\n")],
        "print(2 * int(input()))", 'help = """\n```\npython this.py\n```\n"""\nprint(int(input()) * 2)',
    ),
    "integers of any length": (
        "Read n, print n minus one.", [("5\n", "4\n"), (f"{LONG}\n", f"{LONG[:-1]}7\n")],
        "s = input().strip()\nprint(s[:-1] + str(int(s[-1]) - 1))", "print(int(input()) - 1)",
    ),
    "carriage returns": (
        "Print OK if the line is GO, else STOP.", [("GO\r\n", "OK\r\n"), ("NO\r\n", "STOP\r\n")],
        "print('OK' if input().strip() == 'GO' else 'STOP')", "print('OK' if input() == 'GO' else 'STOP')",
    ),
    "a float's last digit": (
        "Write share(x): seven tenths of x.", [("[101]", "70.7"), ("[3]", "2.1")],
        "def share(x):\n    return x * 7 / 10", "def share(x):\n    return x * 0.7",
    ),
}  # fmt: skip


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def sandbox() -> AsyncIterator[Sandbox]:
    made = open_sandbox(SandboxConfig(kind="bubblewrap", containers=1))
    await made.start()
    yield made
    await made.close()


async def labels(
    instruction: Instruction, good: str, raw: str, sandbox: Sandbox, folder: Path
) -> list[Label]:
    """Labels of the two actions, and of whatever the tree rejects."""
    settings = config({"ladder": [{"name": "sample", "model": "actor", "samples": 2}]})
    scripted = models(actor=cycle(good, raw), pool=raw, critic="Look again.")
    with RunStore.create(folder, settings) as store:
        async with Graders() as graders:
            environment = Environment(store, sandbox, graders, settings.sandbox)
            grower = Grower(settings, RecordedSampler(store, scripted, settings, price_of), environment)
            tree = await grower.grow(instruction)
    rejected = [turn.incorrect for turn in tree.turns if turn.incorrect is not None]
    rejected += [pair.rejected for turn in tree.turns for pair in turn.extra]
    found = [node.verdict.label for turn in tree.turns if (node := turn.correct) is not None]
    assert not rejected, rejected
    return found


@pytest.mark.parametrize("name", PROGRAMS)
async def test_a_right_program_is_never_rejected(name: str, sandbox: Sandbox, tmp_path: Path) -> None:
    code = PROGRAMS[name]
    raw = RAW[name] if code is None else pot(code)
    found = await labels(math_pot("What is 3 times 4?", "12"), pot("print(12)"), raw, sandbox, tmp_path)
    assert found == [Label.CORRECT]


@pytest.mark.parametrize("name", SUITES)
async def test_a_program_right_on_its_tests_is_never_rejected(
    name: str, sandbox: Sandbox, tmp_path: Path
) -> None:
    question, cases, good, raw = SUITES[name]
    entry = "share" if "share" in question else None
    suite = TestSuite(
        kind="call" if entry else "stdin",
        entry_point=entry,
        cases=tuple(TestCase(input=given, expected=expected) for given, expected in cases),
    )
    instruction = Instruction(
        task=Task.CODING, dataset="apps", prompt=question, question=question, grader="tests", tests=suite,
        tools=("python",),
    )  # fmt: skip
    found = await labels(instruction, pot(good), pot(raw), sandbox, tmp_path)
    assert found == [Label.CORRECT]
