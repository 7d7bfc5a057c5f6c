"""What one execution can take from the others: bounded on every backend, and said for what it is."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from ultrainteract.config import Limits
from ultrainteract.sandbox.pool import Pool

pytestmark = pytest.mark.asyncio(loop_scope="module")

SMALL = Limits(wall_s=20, cpu_s=20, memory_mb=128)
HOLD = """
import ctypes, mmap, os, time
def hold(size, drop):
    m = mmap.mmap(-1, size)
    block = b"x" * (4 << 20)
    for at in range(0, size, len(block)):
        m[at:at + len(block)] = block
        if drop:
            m.madvise(mmap.MADV_DONTNEED, at, len(block))
    return m
"""
HIDDEN = {
    "dropped from the page table": "kept = [hold(60 << 20, True) for _ in range(12)]\ntime.sleep(5)\nprint('HELD')",
    "in several processes": (
        "for _ in range(12):\n    if os.fork() == 0:\n        kept = hold(60 << 20, True)\n        time.sleep(5)\n"
        "        os._exit(0)\nfor _ in range(12): os.wait()\nprint('HELD')"
    ),
    "put there by a process that is gone": (
        "kept = []\nfor _ in range(12):\n    m = mmap.mmap(-1, 60 << 20)\n    kept.append(m)\n    if os.fork() == 0:\n"
        "        for at in range(0, 60 << 20, 1 << 20): m[at:at + (1 << 20)] = b'x' * (1 << 20)\n        os._exit(0)\n"
        "    os.wait()\ntime.sleep(5)\nprint('HELD')"
    ),
    "by a process that hides its maps": (
        "ctypes.CDLL(None).prctl(4, 0, 0, 0, 0)\nkept = [hold(60 << 20, True) for _ in range(12)]\ntime.sleep(5)\nprint('HELD')"
    ),
    "under a name": (
        "kept = []\nfor _ in range(12):\n    m = hold(60 << 20, True)\n    kept.append(m)\n"
        "    at = ctypes.addressof(ctypes.c_char.from_buffer(m))\n"
        "    ctypes.CDLL(None).prctl(0x53564d41, 0, ctypes.c_ulong(at), ctypes.c_ulong(60 << 20), b'x')\n"
        "time.sleep(5)\nprint('HELD')"
    ),
}  # fmt: skip


def available_mib() -> int:
    text = Path("/proc/meminfo").read_text()
    return int(text.split("MemAvailable:")[1].split()[0]) >> 10


@pytest.mark.parametrize("how", HIDDEN)
async def test_memory_that_no_process_has_mapped_counts(sandbox: Pool, how: str) -> None:
    result = await sandbox.run([HOLD + HIDDEN[how]], limits=SMALL)
    assert result.status in ("memory", "error"), result
    assert "HELD" not in result.stdout


async def test_shared_memory_within_the_limit_is_no_offence(sandbox: Pool) -> None:
    code = (
        "kept = hold(40 << 20, False)\npids = []\nfor _ in range(4):\n    pid = os.fork()\n    if pid == 0:\n"
        "        sum(kept[at] for at in range(0, 40 << 20, 4096))\n        time.sleep(0.6)\n        os._exit(0)\n"
        "    pids.append(pid)\nfor pid in pids: os.waitpid(pid, 0)\nprint('done')"
    )
    result = await sandbox.run([HOLD + code], limits=SMALL)
    assert (result.status, result.stdout) == ("ok", "done\n"), result


async def test_processes_are_counted(sandbox: Pool) -> None:
    code = (
        "import os, time\nn = 0\ntry:\n    for _ in range(200):\n        if os.fork() == 0:\n            time.sleep(3)\n"
        "            os._exit(0)\n        n += 1\nexcept OSError:\n    pass\nprint(n)"
    )
    result = await sandbox.run([code], limits=Limits(wall_s=30, cpu_s=20, processes=16))
    assert result.status == "killed" or int(result.stdout) <= 16, result


@pytest.mark.parametrize(
    "give_way",
    [
        "os.nice(19)",
        "os.setpriority(os.PRIO_PROCESS, 0, 19)",
        "os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))",
        "os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))",
        "open('/proc/self/autogroup', 'w').write('19')",
    ],
)
async def test_a_program_that_gives_way_is_still_a_timeout(sandbox: Pool, give_way: str) -> None:
    state = "(os.getpriority(os.PRIO_PROCESS, 0), os.sched_getscheduler(0))"
    code = f"import os\nbefore = {state}\ntry:\n    {give_way}\nexcept OSError:\n    pass\nprint(before == {state})\nwhile True: pass"
    result = await sandbox.run([code], limits=Limits(wall_s=1, cpu_s=1))
    assert result.status == "timeout", result
    assert result.stdout == "True\n"


async def test_tool_calls_are_counted(sandbox: Pool) -> None:
    asked = 0

    async def tool(query: str) -> str:
        nonlocal asked
        asked += 1
        return query

    result = await sandbox.run(["while True: ask('x')"], tools={"ask": tool}, limits=Limits(wall_s=60))
    assert (result.status, asked) == ("killed", 256), result
    assert "more than 256 tool calls" in (result.traceback or "")
    result = await sandbox.run(["[ask(str(n)) for n in range(100)][-1]"], tools={"ask": tool})
    assert result.value == "'99'"


async def test_what_is_written_while_a_tool_call_waits_is_bounded(sandbox: Pool) -> None:
    async def slow(query: str) -> str:
        await asyncio.sleep(3)
        return query

    flood = (
        "import os, struct, threading\nthreading.Thread(target=ask, args=('x',), daemon=True).start()\n"
        "import time\ntime.sleep(0.3)\nsockets = [int(n) for n in os.listdir('/proc/self/fd')]\n"
        "for fd in sockets:\n    try:\n        if os.readlink(f'/proc/self/fd/{fd}').startswith('socket:'):\n"
        "            n = 0\n            while n < 1 << 28: n += os.write(fd, b'\\0' * 65536)\n            print('SENT')\n"
        "    except OSError: pass\ntime.sleep(2)"
    )
    started = time.monotonic()
    result = await sandbox.run([flood], tools={"ask": slow}, limits=Limits(wall_s=30))
    assert (result.status, result.stdout) == ("killed", ""), result
    assert time.monotonic() - started < 25


async def test_an_oversized_request_is_refused(sandbox: Pool) -> None:
    result = await sandbox.run(["print(1)"], stdin="x" * (65 << 20))
    assert result.status == "fault"
    assert "too long" in (result.traceback or "")
    assert (await sandbox.run(["print(1)"])).stdout == "1\n"


async def test_the_supervisor_refuses_what_it_cannot_start(sandbox: Pool) -> None:
    [worker] = sandbox._workers
    before = await sandbox.run(["import os\nos.getppid()"])
    limits = {
        "wall": 1.0,
        "cpu": 1.0,
        "memory": 1 << 40,
        "file": 1,
        "processes": 1,
        "output": 10,
        "tools": False,
    }
    body = b"\xfb"
    for header in ({**limits, "zygote": "bare"}, {**limits, "zygote": "none"}, {"zygote": "bare"}):
        assert (await worker.request(header, body, None)).status == "fault"
    assert (await sandbox.run(["import os\nos.getppid()"])).value == before.value
    assert sandbox._workers == [worker]


FILES = {
    "names that are not UTF-8": "import os\nfor place in ('/tmp', '/dev/shm', '.'):\n    open(os.fsencode(place) + b'/\\xff\\xfe\\n', 'w')",
    "the supervisor's own names": (
        "import os\nfor place in ('/tmp', '.'):\n    os.makedirs(place + '/a/b')\n    for n in range(300):\n"
        "        open(f'{place}/.{n:x}.1', 'w')\n        open(f'{place}/.{n:x}.2', 'w')"
    ),
    "no rights": "import os\nos.makedirs('a/b/c')\nos.chmod('a/b', 0)\nos.chmod('a', 0)\nos.chmod('.', 0)",
    "attributes": "import os\nos.setxattr('.', 'user.x', b'left')",
    "links in circles": "import os\nos.symlink('.', 'a')\nos.symlink('a', 'b')\nos.symlink('/', 'root')",
    "pipes and sockets": "import os, socket\nos.mkfifo('p')\nopen('s', 'w')",
    "time stamps": "import os\nopen('a', 'w')\nos.utime('.', (0, 0))\nos.utime('a', (0, 0))",
}  # fmt: skip


@pytest.mark.parametrize("what", FILES)
async def test_odd_files_are_removed(sandbox: Pool, what: str) -> None:
    results = await asyncio.gather(*(sandbox.run([FILES[what]]) for _ in range(14)))
    assert {r.status for r in results} <= {"ok", "error"}, results
    look = "import os\n[os.listdir(p) for p in ('/tmp', '/dev/shm', '.')], os.listxattr('.'), oct(os.stat('.').st_mode)"
    for _ in range(14):
        found = await sandbox.run([look])
        assert found.value == "([[], [], []], [], '0o40700')", found
