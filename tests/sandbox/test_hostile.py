"""Hostile programs on every backend: each ends within its limits with a right status, leaves nothing, and hurts no one.

All programs of a backend run side by side, once, in one event loop (they mostly wait for their limits); the tests
then look at what was found. Programs that use up memory or processes run with no other beside them.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import socket
import tempfile
import textwrap
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from hostile import (
    file_cases,
    forgery_cases,
    judge_cases,
    memory_cases,
    network_cases,
    privilege_cases,
    process_cases,
    time_cases,
)
from hostile.case import Case

from ultrainteract.config import Limits, SandboxConfig
from ultrainteract.sandbox import open_sandbox
from ultrainteract.sandbox.base import Execution, Sandbox, TestReport

pytestmark = pytest.mark.timeout(900)
"""The first test of a backend waits until all of its programs have run."""
GROUPS = {
    "time": time_cases, "process": process_cases, "memory": memory_cases, "file": file_cases,
    "network": network_cases, "privilege": privilege_cases, "forgery": forgery_cases,
}  # fmt: skip
CASES = {f"{group}-{case.name}": case for group, module in GROUPS.items() for case in module.CASES}
CHEATS = {name: (code, suite) for name, code, suite in judge_cases.CHEATS}
BACKENDS = [
    pytest.param("bubblewrap", marks=pytest.mark.bubblewrap),
    pytest.param("docker", marks=pytest.mark.docker),
]
SIDE_BY_SIDE = 6
GRACE_S = 12.0
"""Seconds beyond the wall-clock limit in which an answer is still on time, on a busy machine."""
PATIENT = Limits(wall_s=40, cpu_s=20)

LOOK = r"""
import glob, json, os, random, stat
mark, key, found = "@MARK@", @KEY@, []
for place in ("/tmp", "/dev/shm", "/var/tmp", "/run", "/dev/mqueue", os.getcwd(), os.path.expanduser("~")):
    for folder, folders, names in os.walk(place):
        found += [os.path.join(folder, name) for name in folders + names if mark in name]
        if folder.count("/") > 6:
            folders.clear()
for pid in os.listdir("/proc"):
    if pid.isdigit() and int(pid) != os.getpid():
        for name in ("comm", "cmdline"):
            try:
                text = open(f"/proc/{pid}/{name}").read()
            except OSError:
                continue
            if mark in text:
                found.append(f"process {pid} {text!r}")
for name in ("shm", "msg", "sem"):
    try:
        for line in open(f"/proc/sysvipc/{name}"):
            if line.split()[0].isdigit() and key <= int(line.split()[0]) < key + 64:
                found.append(f"SysV {name} {line.split()[:2]}")
    except OSError:
        pass
try:
    found += [line.split()[-1] for line in open("/proc/net/unix") if mark in line]
    found += ["port " + line.split()[1] for line in open("/proc/net/tcp") if line.split()[1].endswith(":%04X" % key)]
except OSError:
    pass
found += [f"{k}={v}" for k, v in os.environ.items() if mark in k + v]
if os.listdir("."):
    found.append(f"scratch holds {os.listdir('.')}")
if len([1, 2]) != 2 or json.loads(json.dumps([1, 2.5, None])) != [1, 2.5, None] or "ab".upper() != "AB":
    found.append("the interpreter is spoiled")
found
"""
"""Runs after a hostile program and names what it left."""


@dataclass(frozen=True)
class Found:
    """What one hostile program did, and what the next execution saw."""

    execution: Execution
    elapsed_s: float
    left: Execution


Results = dict[str, Found | TestReport | Exception]


@pytest.fixture(scope="module")
def host() -> Iterator[dict[str, str]]:
    """Things of the host that a program must not reach: services, sockets, a secret in the environment."""
    name = f"ultrainteract-hostile-{os.getpid()}"
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        tcp = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        for address in ("\0" + name, f"{folder}/socket"):
            listener = stack.enter_context(socket.socket(socket.AF_UNIX))
            listener.bind(address)
            listener.listen()
        os.chmod(folder, 0o755)
        os.chmod(f"{folder}/socket", 0o777)
        environment = stack.enter_context(pytest.MonkeyPatch.context())
        environment.setenv("ULTRAINTERACT_TEST_TOKEN", "ultrainteract-host-secret-value-271828")
        yield {
            "@HOST_PORT@": str(tcp.getsockname()[1]),
            "@HOST_ABSTRACT@": name,
            "@HOST_SOCKET@": f"{folder}/socket",
        }


def _config(kind: str) -> SandboxConfig:
    image = os.environ.get("ULTRAINTERACT_IMAGE", SandboxConfig.model_fields["image"].default)
    return SandboxConfig(kind=kind, image=image, containers=1, concurrency=8, memory_mb=3072)


@pytest.fixture(scope="module", params=BACKENDS)
def found(request: pytest.FixtureRequest, host: dict[str, str]) -> Results:
    """Runs every selected program on one backend."""
    kind = request.param
    names = {
        item.callspec.params["name"]
        for item in request.session.items
        if getattr(item, "callspec", None)
        and item.callspec.params.get("found") == kind
        and item.module is request.module
    }

    async def everything() -> Results:
        sandbox = open_sandbox(_config(kind))
        await sandbox.start()
        try:
            gate = await sandbox.run(["import os\n(os.getuid() != 0, os.getpid() != 1)"])
            assert gate.value == "(True, True)", f"hostile programs are not run in this sandbox: {gate}"
            results: Results = {}
            slots = asyncio.Semaphore(SIDE_BY_SIDE)

            async def one(name: str) -> None:
                async with slots:
                    try:
                        results[name] = await _one(sandbox, name, host)
                    except Exception as error:  # of one program: shown by its own test
                        results[name] = error

            async with asyncio.TaskGroup() as group:
                for name in sorted(names):
                    if name not in CASES or not CASES[name].alone:
                        group.create_task(one(name))
            for name in sorted(names):
                if name in CASES and CASES[name].alone:
                    await one(name)
            return results
        finally:
            await sandbox.close()

    return asyncio.run(everything())


async def _one(sandbox: Sandbox, name: str, host: dict[str, str]) -> Found | TestReport:
    if name in CASES:
        return await _attack(sandbox, CASES[name], host)
    code, suite = CHEATS[name]
    limits = Limits(wall_s=1, cpu_s=1)
    return await asyncio.wait_for(
        sandbox.run_tests(code, suite, limits=limits, stop_at_first_failure=False), 120
    )


async def _attack(sandbox: Sandbox, case: Case, host: dict[str, str]) -> Found:
    def source(text: str) -> str:
        text = case.source(text)
        for name, value in host.items():
            text = text.replace(name, value)
        return text

    limits = Limits().model_copy(update=case.limits)
    started = time.monotonic()
    execution = await asyncio.wait_for(
        sandbox.run([*map(source, case.cells), source(case.code)], limits=limits), limits.wall_s + 90
    )
    elapsed = time.monotonic() - started
    await asyncio.sleep(case.wait_s)
    left = await asyncio.wait_for(sandbox.run([source(LOOK)], limits=PATIENT), 120)
    return Found(execution, elapsed, left)


@pytest.mark.parametrize("name", CASES)
def test_hostile_program(name: str, found: Results) -> None:
    case, result = CASES[name], found[name]
    assert isinstance(result, Found), result
    execution, limits = result.execution, Limits().model_copy(update=case.limits)
    assert execution.status in case.ends, execution
    everything = "\n".join(
        filter(None, (execution.stdout, execution.stderr, execution.value, execution.traceback))
    )
    assert "BREACH" not in everything, everything[:2000]
    assert execution.value is None or "FORGED" not in execution.value
    cap = 2 * limits.output_bytes + 4096
    for text in (execution.stdout, execution.stderr, execution.value or "", execution.traceback or ""):
        assert len(text) <= cap
    if execution.status == "ok" and case.value is not None:
        assert execution.value == case.value
    if case.says is not None and execution.status in ("ok", "error"):
        assert case.says in everything
    # The clock of a program that waits for a CPU is stretched, at most fourfold.
    assert result.elapsed_s < (limits.wall_s if case.quick else 4 * limits.wall_s + GRACE_S)
    assert (result.left.status, result.left.value) == ("ok", "[]"), result.left


@pytest.mark.parametrize("name", CHEATS)
def test_cheat_does_not_pass(name: str, found: Results) -> None:
    report = found[name]
    assert isinstance(report, TestReport), report
    assert not report.fault, report
    assert not report.passed, report
    assert not any(result.passed for result in report.results), report


@pytest.mark.clock
@pytest.mark.parametrize("kind", BACKENDS)
async def test_two_programs_at_once_cannot_meet(kind: str) -> None:
    """One listens, writes and waits; the other, at the same time, finds no trace of it."""
    serve = """
    import os, socket, time, ctypes
    ctypes.CDLL(None).prctl(15, b"uimeetmark", 0, 0, 0)
    kept = []
    def attempt(make):
        try:
            kept.append(make())
        except OSError:
            pass
    def listen(family, address):
        s = socket.socket(family)
        s.bind(address)
        s.listen()
        return s
    attempt(lambda: listen(socket.AF_UNIX, "\\0uimeetmark"))
    attempt(lambda: listen(socket.AF_INET, ("127.0.0.1", 28476)))
    for place in ("/tmp", "/dev/shm", "/var/tmp"):
        attempt(lambda: open(place + "/uimeetmark", "w").write("secret"))
        attempt(lambda: listen(socket.AF_UNIX, place + "/uimeetsock"))
    print(len(kept))
    time.sleep(6)
    """
    meet = """
    import os, socket, time
    time.sleep(1.5)
    met = []
    def connect(family, address):
        with socket.socket(family) as s:
            s.settimeout(1)
            s.connect(address)
    def attempt(what, make):
        try:
            make()
            met.append(what)
        except OSError:
            pass
    attempt("abstract socket", lambda: connect(socket.AF_UNIX, "\\0uimeetmark"))
    attempt("loopback", lambda: connect(socket.AF_INET, ("127.0.0.1", 28476)))
    for place in ("/tmp", "/dev/shm", "/var/tmp"):
        attempt("file in " + place, lambda: open(place + "/uimeetmark").read())
        attempt("socket in " + place, lambda: connect(socket.AF_UNIX, place + "/uimeetsock"))
    for pid in os.listdir("/proc"):
        if pid.isdigit():
            try:
                if "uimeetmark" in open(f"/proc/{pid}/comm").read():
                    attempt("signal", lambda: os.kill(int(pid), 0))
                    attempt("memory", lambda: open(f"/proc/{pid}/mem", "rb").close())
                    attempt("environment", lambda: open(f"/proc/{pid}/environ", "rb").read())
                    attempt("directory", lambda: os.listdir(f"/proc/{pid}/cwd"))
            except OSError:
                pass
    met
    """
    sandbox = open_sandbox(_config(kind))
    await sandbox.start()
    try:
        async with asyncio.TaskGroup() as group:
            server = group.create_task(sandbox.run([textwrap.dedent(serve)], limits=PATIENT))
            client = group.create_task(sandbox.run([textwrap.dedent(meet)], limits=PATIENT))
        assert server.result().status == "ok", server.result()
        assert (client.result().status, client.result().value) == ("ok", "[]"), client.result()
    finally:
        await sandbox.close()


@pytest.mark.clock
@pytest.mark.parametrize("kind", BACKENDS)
async def test_honest_programs_are_not_hurt_by_hostile_neighbours(kind: str) -> None:
    sandbox = open_sandbox(_config(kind))
    await sandbox.start()
    hostile = [
        "import os\nos.kill(-1, 9)",
        "import os\nwhile True:\n    try: os.fork()\n    except OSError: pass",
        "x = []\nwhile True: x.append(bytearray(1 << 22))",
        "import os\nwhile True: os.write(1, b'x' * 65536)",
        "import os\nn = 0\nwhile True:\n    n += 1\n    open(f'/tmp/{n}', 'wb').write(b'x' * (1 << 20))",
    ]
    short = Limits(wall_s=2, cpu_s=2, memory_mb=128)
    try:
        async with asyncio.TaskGroup() as group:
            for code in hostile:
                group.create_task(sandbox.run([code], limits=short))
            honest = [
                group.create_task(
                    sandbox.run(["x = 1", f"import time\ntime.sleep(0.3)\nx + {n}"], limits=PATIENT)
                )
                for n in range(12)
            ]
        answers = [(task.result().status, task.result().value) for task in honest]
        assert answers == [("ok", str(1 + n)) for n in range(12)]
    finally:
        await sandbox.close()


def test_the_suite_is_large_and_its_names_are_its_own() -> None:
    assert len(CASES) + len(CHEATS) >= 120
    marks = [case.mark for case in CASES.values()]
    assert len(marks) == len(set(marks))
    assert all(re.fullmatch(r"[a-z0-9]{1,15}", mark) for mark in marks)
