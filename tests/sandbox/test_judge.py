"""Judging programs, and the comparison of outputs, which never leaves the host."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ultrainteract.config import Limits
from ultrainteract.errors import GraderError
from ultrainteract.sandbox.compare import load_value, same_text, same_value
from ultrainteract.sandbox.pool import Pool
from ultrainteract.schema import Checker, TestCase, TestSuite

on_a_sandbox = pytest.mark.asyncio(loop_scope="module")
EXACT, TOKENS, FLOATS = Checker(kind="exact"), Checker(), Checker(kind="floats", tolerance=1e-3)
LINES = Checker(kind="unordered_lines")


def stdin_suite(*cases: tuple[str, str], **fields: object) -> TestSuite:
    tests = tuple(TestCase(input=given, expected=expected) for given, expected in cases)
    return TestSuite.model_validate({"cases": tests, **fields})


def call_suite(name: str | None, *cases: tuple[str, str], **fields: object) -> TestSuite:
    return stdin_suite(*cases, kind="call", entry_point=name, **fields)


SQUARES = stdin_suite(*((f"{n}\n", f"{n * n}\n") for n in range(8)))


@pytest.mark.parametrize(
    ("checker", "expected", "output", "same"),
    [
        (EXACT, "a b\nc\n", "a b  \nc", True),
        (EXACT, "a b\nc\n", "a  b\nc", False),
        (EXACT, " a", "a", False),
        (TOKENS, "1 2\n3", "1\n2 3\n\n", True),
        (TOKENS, "1 2", "1 2.0", False),
        (TOKENS, "YES", "yes", False),
        (TOKENS, "", "\n", True),
        (FLOATS, "0.3333", "0.33330001 ", True),
        (FLOATS, "1000000", "1000500", False),  # two whole numbers are the same or not
        (FLOATS, "1000000.0", "1000500", True),
        (FLOATS, "1000000", "1000500.0", True),
        (FLOATS, "1", "1.1", False),
        (FLOATS, "a 1", "a 1.0", True),
        (FLOATS, "inf", "Infinity", True),
        (FLOATS, "1 2", "1", False),
        (FLOATS, "1000", "1_000", False),
        (LINES, "a\nb\nb", "b\na\nb\n", True),
        (LINES, "a\nb\nb", "b\na\na\n", False),
    ],
)
def test_text_is_compared(checker: Checker, expected: str, output: str, same: bool) -> None:
    assert same_text(checker, expected, output) is same


@pytest.mark.parametrize(
    ("checker", "expected", "value", "same"),
    [
        (TOKENS, [1, 2], b"[1, 2]", True),
        (TOKENS, 1, b"1.0", True),
        (TOKENS, True, b"1", False),
        (TOKENS, 1, b"true", False),
        (TOKENS, "1", b"1", False),
        (TOKENS, None, b"null", True),
        (TOKENS, {"a": [1]}, b'{"a": [1]}', True),
        (TOKENS, [3, 1], b'{"$set": [1, 3]}', True),
        (TOKENS, [3, 1], b"[1, 3]", False),
        (TOKENS, [[1], [2, 3]], b'{"$set": [[2, 3], [1]]}', True),
        (LINES, [3, 1], b"[1, 3]", True),
        (FLOATS, [0.5, 1], b"[0.5001, 1.0]", True),
        (FLOATS, [0.5, 1], b"[0.6, 1.0]", False),
        (TOKENS, 10**400, b"1" + b"0" * 400, True),
        (FLOATS, 10**400, b'{"$float": "inf"}', False),
    ],
)
def test_values_are_compared(checker: Checker, expected: object, value: bytes, same: bool) -> None:
    assert same_value(checker, expected, load_value(value)) is same


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False, width=32)))
def test_a_text_equals_itself_under_every_checker(numbers: list[float]) -> None:
    text = "\n".join(map(str, numbers))
    assert all(same_text(checker, text, text) for checker in (EXACT, TOKENS, FLOATS, LINES))


@on_a_sandbox
async def test_a_right_program_passes(sandbox: Pool) -> None:
    report = await sandbox.run_tests("n = int(input())\nprint(n * n)", SQUARES)
    assert report.passed
    assert [result.output for result in report.results] == [f"{n * n}\n" for n in range(8)]


@on_a_sandbox
async def test_stops_at_the_first_failure_or_goes_on(sandbox: Pool) -> None:
    wrong = "n = int(input())\nprint(n * n if n != 3 else 0)"
    report = await sandbox.run_tests(wrong, SQUARES)
    assert [result.passed for result in report.results] == [True] * 3 + [False]
    report = await sandbox.run_tests(wrong, SQUARES, stop_at_first_failure=False)
    assert [result.passed for result in report.results] == [True] * 3 + [False] + [True] * 4


@on_a_sandbox
async def test_errors_timeouts_and_memory_are_told_apart(sandbox: Pool) -> None:
    program = (
        "n = int(input())\nif n == 1: 1 / 0\nif n == 2:\n    while True: pass\nif n == 3: x = bytearray(1 << 40)\n"
        "if n == 4:\n    while True: print('x' * 10000)\nif n == 5:\n    import os\n    os._exit(0)\nprint(n * n)"
    )
    suite = SQUARES.model_copy(update={"time_limit_s": 1.0})
    report = await sandbox.run_tests(program, suite, stop_at_first_failure=False)
    found = [(result.passed, result.status) for result in report.results]
    assert found == [
        (True, "ok"), (False, "error"), (False, "timeout"), (False, "memory"), (False, "output_limit"), (False, "ok"),
        (True, "ok"), (True, "ok"),
    ]  # fmt: skip
    assert report.results[1].error.splitlines()[-1] == "ZeroDivisionError: division by zero"
    assert report.results[1].error.splitlines()[0] == "Cell In[1], line 2"


@on_a_sandbox
async def test_a_program_that_does_not_compile(sandbox: Pool) -> None:
    report = await sandbox.run_tests("print(", SQUARES)
    assert (report.results, report.passed, report.fault) == ((), False, False)
    assert report.error.startswith("Cell In[1], line 1\n    print(\n")


@on_a_sandbox
async def test_scripts_end_as_scripts_do(sandbox: Pool) -> None:
    suite = stdin_suite(("", "1 2 3 4"))
    program = (
        "import atexit, sys, threading, time\natexit.register(lambda: print(4))\ndef late():\n    time.sleep(0.2)\n"
        "    print(3)\nprint(1)\nif __name__ == '__main__':\n    threading.Thread(target=late).start()\n    print(2)\n    sys.exit()"
    )
    assert (await sandbox.run_tests(program, suite)).passed
    report = await sandbox.run_tests("print('1 2 3 4')\nexit(1)", suite)
    assert (report.results[0].passed, report.results[0].status) == (False, "error")
    fast = "import sys, io, os, atexit\nout = io.StringIO()\nsys.stdout = out\natexit.register(lambda: os.write(1, out.getvalue().encode()))\nprint('1 2 3 4')"
    assert (await sandbox.run_tests(fast, suite)).passed
    deep = "import sys, threading\nsys.setrecursionlimit(10**6)\nthreading.stack_size(1 << 27)\ndef f(n):\n    return 0 if n == 0 else 1 + f(n - 1)\nt = threading.Thread(target=lambda: print(f(20000)))\nt.start()\nt.join()"
    assert (await sandbox.run_tests(deep, stdin_suite(("", "20000")))).passed


@on_a_sandbox
async def test_standard_input_is_a_file_as_on_a_judge(sandbox: Pool) -> None:
    by_size = "import io, os\ninput = io.BytesIO(os.read(0, os.fstat(0).st_size)).readline\nprint(int(input()) ** 2)"
    assert (await sandbox.run_tests(by_size, SQUARES)).passed
    twice = "import sys\nfirst = sys.stdin.read()\nsys.stdin.seek(0)\nprint(int(sys.stdin.read()) ** 2)"
    assert (await sandbox.run_tests(twice, SQUARES)).passed


@on_a_sandbox
async def test_large_inputs_and_outputs(sandbox: Pool) -> None:
    numbers = " ".join(map(str, range(200_000)))
    suite = stdin_suite((numbers, numbers.replace(" ", "\n")))
    assert (await sandbox.run_tests("print(*input().split(), sep='\\n')", suite)).passed
    assert (await sandbox.run_tests("import sys\nfor x in sys.stdin.read().split(): print(x)", suite)).passed


@on_a_sandbox
async def test_expected_outputs_are_not_in_the_sandbox(sandbox: Pool) -> None:
    secret = "".join(map(str, range(40, 60)))
    program = (
        "import gc, sys\nfound = []\nfor thing in gc.get_objects():\n    try:\n        text = repr(thing)\n"
        "    except BaseException:\n        continue\n    if ''.join(map(str, range(40, 60))) in text: found.append(type(thing))\n"
        "frame = sys._getframe()\nwhile frame:\n    if any(''.join(map(str, range(40, 60))) in repr(v) for v in frame.f_locals.values()): found.append(frame)\n"
        "    frame = frame.f_back\nprint(len(found))"
    )
    report = await sandbox.run_tests(program, stdin_suite(("", secret)), limits=Limits(wall_s=60, cpu_s=60))
    assert report.results[0].output == "0\n", report


@on_a_sandbox
async def test_function_calls(sandbox: Pool) -> None:
    cases = (("[[2, 7, 11, 15], 9]", "[0, 1]"), ("[[3, 2, 4], 6]", "[1, 2]"))
    suite = call_suite("twoSum", *cases)
    body = "seen = dict()\n        for i, x in enumerate(nums):\n            if target - x in seen:\n                return {}\n            seen[x] = i"
    for returned in ("[seen[target - x], i]", "(seen[target - x], i)"):
        program = f"class Solution:\n    def twoSum(self, nums: List[int], target: int) -> List[int]:\n        {body.format(returned)}"
        assert (await sandbox.run_tests(program, suite)).passed
    flat = f"def twoSum(nums, target):\n        {body.format('[seen[target - x], i]')}"
    assert (await sandbox.run_tests(flat, suite)).passed
    assert (await sandbox.run_tests(flat, call_suite(None, *cases))).passed
    report = await sandbox.run_tests("class Solution:\n    def other(self): pass", suite)
    assert (report.results, "twoSum" in report.error) == ((), True)
    report = await sandbox.run_tests("def twoSum(nums, target): raise KeyError(1)", suite)
    assert (report.results[0].passed, report.results[0].status) == (False, "error")


@on_a_sandbox
async def test_objects_that_equal_everything_pass_nothing(sandbox: Pool) -> None:
    suite = call_suite("f", ("[]", "1"))
    for base in ("object", "int", "str", "list", "float"):
        program = f"class A({base}):\n    def __eq__(self, other): return True\n    def __hash__(self): return 0\n    def __repr__(self): return '1'\n    __str__ = __repr__\n    __index__ = lambda self: 1\ndef f(): return A()"
        assert not (await sandbox.run_tests(program, suite)).passed
    patched = "import json\njson.dumps = lambda *a, **k: '1'\nimport builtins\nbuiltins.repr = lambda x: '1'\ndef f(): return [2]"
    assert not (await sandbox.run_tests(patched, suite)).passed


@on_a_sandbox
async def test_checker_programs(sandbox: Pool) -> None:
    check = "def check(input, expected, output):\n    a, b = map(int, output.split())\n    return a + b == int(input)"
    suite = stdin_suite(("5", "0 5"), ("7", "3 4"), checker=Checker(kind="program", program=check))
    assert (await sandbox.run_tests("n = int(input())\nprint(1, n - 1)", suite)).passed
    assert not (await sandbox.run_tests("print(1, 1)", suite)).passed
    broken = suite.model_copy(
        update={"checker": Checker(kind="program", program="def check(*a): return 1 / 0")}
    )
    report = await sandbox.run_tests("print(1, 1)", broken)
    assert report.fault
    with pytest.raises(GraderError, match="does not compile"):
        await sandbox.run_tests(
            "print(1)", suite.model_copy(update={"checker": Checker(kind="program", program="def")})
        )


@on_a_sandbox
async def test_a_broken_suite_is_an_error_of_the_suite(sandbox: Pool) -> None:
    with pytest.raises(GraderError, match="not JSON"):
        await sandbox.run_tests("def f(x): return x", call_suite("f", ("[1", "1")))


@on_a_sandbox
async def test_many_programs_at_once(sandbox: Pool) -> None:
    programs = [f"print(int(input()) ** 2 + {n % 3 == 2:d})" for n in range(12)]
    reports = await asyncio.gather(*(sandbox.run_tests(program, SQUARES) for program in programs))
    assert [report.passed for report in reports] == [n % 3 != 2 for n in range(12)]
