"""The same programs give the same observations on every backend, and the value, output and error of a real IPython."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from programs import programs

from ultrainteract.config import Limits, SandboxConfig
from ultrainteract.sandbox import open_sandbox
from ultrainteract.sandbox.base import Execution

pytestmark = pytest.mark.timeout(900)  # the first test waits for all programs, and for IPython
PROGRAMS = programs()
BACKENDS = [
    pytest.param("bubblewrap", marks=pytest.mark.bubblewrap),
    pytest.param("docker", marks=pytest.mark.docker),
]
_seen: dict[str, list[Execution]] = {}


def observe(kind: str) -> list[Execution]:
    """All programs on one backend, once a session."""

    async def everything() -> list[Execution]:
        image = os.environ.get("ULTRAINTERACT_IMAGE", SandboxConfig.model_fields["image"].default)
        sandbox = open_sandbox(SandboxConfig(kind=kind, image=image, concurrency=8))
        await sandbox.start()
        limits = Limits(wall_s=30, cpu_s=20)
        try:
            return await asyncio.gather(
                *(sandbox.run(c, stdin=stdin, limits=limits) for c, stdin in PROGRAMS)
            )
        finally:
            await sandbox.close()

    if kind not in _seen:
        _seen[kind] = asyncio.run(everything())
    return _seen[kind]


def comparable(execution: Execution) -> Execution:
    """Without times, and without the place where a backend's interpreter lies, which import errors quote."""
    place = re.compile(r"\((/[^()]*|unknown location)\)")
    traceback = execution.traceback and place.sub("(…)", execution.traceback)
    return execution.model_copy(update={"wall_s": 0.0, "cpu_s": 0.0, "traceback": traceback})


@pytest.fixture(scope="module")
def peer() -> list[dict[str, str | None]]:
    """What IPython made of the programs."""
    pytest.importorskip("IPython")
    script = Path(__file__).with_name("ipython_peer.py")
    environment = {**os.environ, "PYTHONHASHSEED": "0", "TZ": "UTC", "IPYTHONDIR": "/tmp/.ipython-peer"}
    ran = subprocess.run(
        [sys.executable, script],
        input=json.dumps(PROGRAMS),
        capture_output=True,
        text=True,
        env=environment,
        timeout=500,
    )
    assert ran.returncode == 0, ran.stderr[-2000:]
    answers: list[dict[str, str | None]] = json.loads(ran.stdout)
    return answers


def test_there_are_three_hundred_programs() -> None:
    assert len(PROGRAMS) >= 300
    assert len(set(PROGRAMS)) == len(PROGRAMS)


@pytest.mark.parametrize("kind", BACKENDS)
def test_same_as_ipython(kind: str, peer: list[dict[str, str | None]]) -> None:
    different = []
    for (cells, _), ours, theirs in zip(PROGRAMS, observe(kind), peer, strict=True):
        got = {"value": ours.value, "stdout": ours.stdout, "error_type": ours.error_type}
        # A program that ends itself without an error code has ended well; IPython calls it an error.
        expected = (
            dict(theirs, error_type=None)
            if theirs["error_type"] == "SystemExit" and not ours.error_type
            else theirs
        )
        if got != expected or (ours.status == "error") != (ours.error_type is not None):
            different.append(f"{cells!r}\n  IPython: {theirs}\n  sandbox: {got} {ours.status}")
    assert not different, f"{len(different)} of {len(PROGRAMS)}:\n" + "\n".join(different)


@pytest.mark.docker
@pytest.mark.bubblewrap
def test_same_on_both_backends() -> None:
    different = []
    for (cells, _), one, other in zip(PROGRAMS, observe("bubblewrap"), observe("docker"), strict=True):
        if comparable(one) != comparable(other):
            different.append(f"{cells!r}\n  bubblewrap: {one}\n  docker: {other}")
    assert not different, f"{len(different)} of {len(PROGRAMS)}:\n" + "\n".join(different)
