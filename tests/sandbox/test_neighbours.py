"""An execution's result is a function of its program and limits alone, whatever runs at the same time."""

from __future__ import annotations

import asyncio
import os

import pytest
from programs import programs

from ultrainteract.config import Limits
from ultrainteract.sandbox.pool import Pool

pytestmark = pytest.mark.asyncio(loop_scope="module")

PATIENT = Limits(wall_s=40, cpu_s=20)
ROUNDS = int(os.environ.get("ULTRAINTERACT_ROUNDS", "1"))
"""Times that the ordinary programs run beside busy neighbours; once, one in six of them does."""
POOLS = {
    library: f"import {library}, time\nfrom multiprocessing import Pool\nif __name__ == '__main__':\n"
    "    with Pool(4) as p: print(p.map(time.sleep, [0.1] * 4))"
    for library in ("pandas", "sympy", "numpy")
}
FILES = """
import os, time
end = time.time() + {seconds}
n = 0
while time.time() < end:
    n += 1
    for place in ("/tmp", "/dev/shm", "."):
        os.makedirs(f"{{place}}/d{{n % 7}}/e", exist_ok=True)
        open(f"{{place}}/d{{n % 7}}/f", "w").write("x" * 1000)
        os.unlink(f"{{place}}/d{{n % 7}}/f")
print("churned")
"""
LOCKS = "import multiprocessing as m, time\nend = time.time() + {seconds}\nwhile time.time() < end: m.Lock()\nprint('churned')"
FORKS = """
import os, time
end = time.time() + {seconds}
while time.time() < end:
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)
print("churned")
"""
BUSY = "import time\nend = time.time() + {seconds}\nwhile time.time() < end: pass\nprint('churned')"


@pytest.mark.parametrize("library", POOLS)
async def test_processes_share_what_their_zygote_loaded(sandbox: Pool, library: str) -> None:
    results = await asyncio.gather(*(sandbox.run([POOLS[library]], limits=PATIENT) for _ in range(4)))
    assert [(r.status, r.stdout) for r in results] == [("ok", "[None, None, None, None]\n")] * 4, results


async def test_memory_that_processes_share_after_a_fork_counts_once(sandbox: Pool) -> None:
    code = (
        "import os, time\nx = bytearray(150 << 20)\nfor i in range(0, len(x), 4096): x[i] = 1\nfor _ in range(6):\n    if os.fork() == 0:\n"
        "        time.sleep(1)\n        os._exit(0)\nfor _ in range(6): os.wait()\nprint(len(x))"
    )
    result = await sandbox.run([code], limits=Limits(wall_s=40, cpu_s=20, memory_mb=256))
    assert (result.status, result.stdout) == ("ok", f"{150 << 20}\n"), result


@pytest.mark.parametrize("threads", [10, 30])
async def test_threads_do_not_use_up_the_address_space(sandbox: Pool, threads: int) -> None:
    code = (
        f"import threading, time\nts = [threading.Thread(target=time.sleep, args=(0.2,)) for _ in range({threads})]\n"
        "for t in ts: t.start()\nfor t in ts: t.join()\nprint('joined')"
    )
    result = await sandbox.run([code], limits=PATIENT)
    assert (result.status, result.stdout) == ("ok", "joined\n"), result
    inner = f"import subprocess, sys\nprint(subprocess.check_output([sys.executable, '-c', {code!r}], text=True), end='')"
    if threads == 10:
        assert (await sandbox.run([inner], limits=PATIENT)).stdout == "joined\n"


@pytest.mark.parametrize("place", ["/tmp", "/dev/shm", "/var/tmp", "."])
async def test_two_programs_use_the_same_name(sandbox: Pool, place: str) -> None:
    def program(text: str, wait: float) -> str:
        return (
            f"import time\ntry:\n    open('{place}/data.txt', 'w').write('{text}')\n    time.sleep({wait})\n"
            f"    print(open('{place}/data.txt').read())\nexcept OSError:\n    print('{text}')"
        )

    theirs = asyncio.create_task(sandbox.run([program("theirs", 1.0)], limits=PATIENT))
    await asyncio.sleep(0.3)
    mine = await sandbox.run([program("mine", 0.0)], limits=PATIENT)
    assert (mine.status, mine.stdout) == ("ok", "mine\n"), mine
    assert ((await theirs).status, (await theirs).stdout) == ("ok", "theirs\n")


async def test_a_shared_memory_block_has_a_name_of_its_own(sandbox: Pool) -> None:
    code = (
        "from multiprocessing.shared_memory import SharedMemory\nimport time\nm = SharedMemory('data', create=True, size=64)\n"
        "m.buf[0] = {n}\ntime.sleep(0.5)\nprint(m.buf[0])\nm.close()\nm.unlink()"
    )
    results = await asyncio.gather(*(sandbox.run([code.format(n=n)], limits=PATIENT) for n in range(4)))
    assert [r.stdout for r in results] == ["0\n", "1\n", "2\n", "3\n"], results


async def test_ends_beside_neighbours_that_make_and_drop_files(sandbox: Pool) -> None:
    churn = [
        asyncio.create_task(sandbox.run([code.format(seconds=4)], limits=PATIENT))
        for code in (LOCKS, LOCKS, FILES)
    ]
    await asyncio.sleep(0.5)
    quick = [await sandbox.run(["print('quick')"], limits=PATIENT) for _ in range(60)]
    assert {(r.status, r.stdout) for r in quick} == {("ok", "quick\n")}
    assert [((await task).status, (await task).stdout) for task in churn] == [("ok", "churned\n")] * 3


async def test_ordinary_programs_beside_busy_neighbours(sandbox: Pool) -> None:
    chosen = programs()[:: 6 if ROUNDS == 1 else 1]

    async def seen() -> list[object]:
        limit = asyncio.Semaphore(4)

        async def one(cells: tuple[str, ...], stdin: str) -> object:
            async with limit:
                found = await sandbox.run(cells, stdin=stdin, limits=Limits(wall_s=30, cpu_s=20))
                return found.model_copy(update={"wall_s": 0.0, "cpu_s": 0.0})

        return await asyncio.gather(*(one(cells, stdin) for cells, stdin in chosen))

    alone = await seen()
    for _ in range(ROUNDS):
        stop = asyncio.Event()

        async def neighbour(code: str, stop: asyncio.Event = stop) -> None:
            while not stop.is_set():
                found = await sandbox.run([code.format(seconds=1)], limits=PATIENT)
                assert (found.status, found.stdout) == ("ok", "churned\n"), found

        async with asyncio.TaskGroup() as group:
            for code in (BUSY, FORKS, FILES, LOCKS):
                group.create_task(neighbour(code))
            beside = await seen()
            stop.set()
        assert [(a, b) for a, b in zip(alone, beside, strict=True) if a != b] == []
