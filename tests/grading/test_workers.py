"""Worker processes: killable, capped, replaced, and never left behind."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from tests.grading.collection import _instruction
from ultrainteract.errors import GraderError
from ultrainteract.grading import Graders
from ultrainteract.schema import Label

SLOW = r"\prod_{k=1}^{1000000000} k"
EASY = (_instruction(r"2\sqrt{3}"), r"\sqrt{12}")


def workers(parent: int | None = None) -> list[psutil.Process]:
    found: list[psutil.Process] = []
    for process in psutil.Process(parent).children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):  # it may just have ended
            if any("grading.worker" in part for part in process.cmdline()):
                found.append(process)
    return found


def gone(processes: list[psutil.Process], within_s: float = 5.0) -> bool:
    _, alive = psutil.wait_procs(processes, timeout=within_s)
    return not [p for p in alive if p.is_running() and p.status() != psutil.STATUS_ZOMBIE]


async def test_a_hanging_comparison_ends_in_time_and_the_next_one_works_at_once() -> None:
    async with Graders(timeout_s=2.0) as graders:
        assert (await graders.grade(*EASY)).label is Label.CORRECT
        start = time.monotonic()
        verdict = await graders.grade(_instruction("5"), SLOW)
        assert verdict.label is Label.UNDETERMINED
        assert "too long" in verdict.reason
        assert time.monotonic() - start < 2.5
        start = time.monotonic()
        assert (await graders.grade(_instruction(r"3\sqrt{2}"), r"\sqrt{18}")).label is Label.CORRECT
        assert time.monotonic() - start < 1.5, "a killed server must be replaced without loading sympy again"


async def test_a_comparison_beyond_its_memory_is_undetermined_and_kills_nothing() -> None:
    async with Graders(memory_mb=1) as graders:
        hungry = r"\prod_{k=1}^{30} |x-k| + \sum_{k=1}^{40} |x+k|"
        for gold in ("|x|", "|x+1|"):
            assert (await graders.grade(_instruction(gold), hungry)).label is Label.UNDETERMINED
        assert workers(), "the standby process is still there"
    async with Graders() as graders:
        assert (await graders.grade(_instruction("|x|"), hungry)).label is Label.WRONG


async def test_no_worker_is_left_after_closing() -> None:
    graders = Graders(workers=2)
    await asyncio.gather(
        *(graders.grade(_instruction(r"2\sqrt{3}"), rf"\sqrt{{{n}}}") for n in range(10, 16))
    )
    processes = workers()
    assert len(processes) >= 3
    await graders.close()
    await graders.close()
    assert gone(processes, 0.5)


async def test_closing_while_workers_start_or_work_leaves_none() -> None:
    graders = Graders(workers=2)
    await graders.start()
    await asyncio.sleep(0.2)
    await graders.close()
    assert not workers()
    task = asyncio.create_task(graders.grade(_instruction("5"), SLOW))
    await asyncio.sleep(4)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await graders.close()
    assert not workers()


async def test_a_cancelled_comparison_does_not_answer_the_next_one() -> None:
    async with Graders() as graders:
        await graders.grade(*EASY)
        task = asyncio.create_task(graders.grade(_instruction("5"), SLOW))
        await asyncio.sleep(0.2)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        verdict = await graders.grade(_instruction(r"\sqrt{50}"), r"5\sqrt{2}")
        assert verdict.label is Label.CORRECT


async def test_a_worker_killed_from_outside_is_replaced_and_the_answer_graded() -> None:
    async with Graders() as graders:
        await graders.grade(*EASY)
        for choice in (slice(None), slice(-1, None)):  # both processes, then the serving one alone
            victims = workers()[choice]
            for process in victims:
                with contextlib.suppress(psutil.NoSuchProcess):  # one may have died with the other
                    process.kill()
            await asyncio.sleep(0.2)
            for number in range(50, 55):  # no answer may be taken for another question's
                answer = rf"\sqrt{{{number}}}\cdot\sqrt{{{victims[0].pid}}}"
                right = _instruction(rf"\sqrt{{{number * victims[0].pid}}}")
                assert (await graders.grade(right, answer)).label is Label.CORRECT
                assert (await graders.grade(right, answer + "+1")).label is Label.WRONG


def test_workers_die_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    script = tmp_path / "host.py"
    script.write_text(
        "import asyncio, sys\n"
        "from tests.grading.collection import _instruction\n"
        "from ultrainteract.grading import Graders\n"
        "async def main():\n"
        "    graders = Graders(timeout_s=60)\n"
        "    await graders.grade(_instruction('2\\\\sqrt{3}'), '\\\\sqrt{12}')\n"
        "    print('up', flush=True)\n"
        f"    await graders.grade(_instruction('5'), {SLOW!r})\n"
        "asyncio.run(main())\n"
    )
    root = Path(__file__).parents[2]
    environment = {**os.environ, "PYTHONPATH": str(root), "OPENAI_API_KEY": "sk-secret"}
    with subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, env=environment) as host:
        assert host.stdout is not None
        assert host.stdout.readline() == b"up\n"
        time.sleep(0.5)
        processes = workers(host.pid)
        assert len(processes) == 2
        for process in processes:
            assert "sk-secret" not in str(process.environ()), "a key reached a worker"
        host.send_signal(signal.SIGKILL)
    assert gone(processes)


async def test_the_same_question_is_answered_once_from_memory() -> None:
    async with Graders(timeout_s=2.0) as graders:
        await graders.grade(_instruction("5"), SLOW)
        start = time.monotonic()
        assert (await graders.grade(_instruction("5"), SLOW)).label is Label.UNDETERMINED
        assert time.monotonic() - start < 0.1


async def test_a_worker_that_cannot_start_is_a_clear_error(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    broken = tmp_path / "python"
    broken.write_text("#!/bin/sh\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(broken))
    async with Graders() as graders:
        with pytest.raises(GraderError, match="did not start"):
            await graders.grade(*EASY)


async def test_other_graders_are_refused() -> None:
    instruction = _instruction("5").model_copy(update={"grader": "tests"})
    with pytest.raises(GraderError, match="verdict_from_tests"):
        await Graders().grade(instruction, "5")


def test_importing_the_graders_loads_nothing_heavy() -> None:
    heavy = ("sympy", "math_verify", "jinja2")
    code = f"import sys, ultrainteract.grading; print([m for m in {heavy} if m in sys.modules])"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True,
                         env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])})  # fmt: skip
    assert out.stdout.strip() == "[]"
