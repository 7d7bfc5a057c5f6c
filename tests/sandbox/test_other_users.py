"""Reports, neighbours and bounds once more: as an ordinary user under the system's bubblewrap, and in the group docker.

The hostile programs run as one in `test_ordinary_user`.
"""

from __future__ import annotations

import grp
import os
import shutil
import subprocess
import sys

import pytest

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.skipif(
        os.geteuid() != 0 or shutil.which("setpriv") is None, reason="only root can be anybody"
    ),
]


def run_as(user: list[str], kind: str, *names: str) -> None:
    command = ["scripts/as-user", *user, sys.executable, "-m", "pytest", "-p", "no:cacheprovider"]
    files = [f"tests/sandbox/test_{name}.py" for name in names]
    environment = {
        **os.environ,
        "PYTHON": sys.executable,
        "PYTHONDONTWRITEBYTECODE": "1",
        "ULTRAINTERACT_REQUIRE": kind,
    }
    done = subprocess.run(
        [*command, "-k", kind, *files], capture_output=True, text=True, timeout=850, env=environment
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[-6000:]
    assert " passed" in done.stdout
    assert " skipped" not in done.stdout


@pytest.mark.bubblewrap
def test_an_ordinary_user_under_bubblewrap() -> None:
    run_as([], "bubblewrap", "report", "neighbours", "bounds", "run")


@pytest.mark.docker
def test_a_member_of_the_group_docker() -> None:
    try:
        grp.getgrnam("docker")
    except KeyError:
        pytest.skip("there is no group docker")
    run_as(["--docker"], "docker", "report", "bounds")
