"""The same tests as an ordinary user, and as a member of the group docker: root runs them so where it runs the others."""

from __future__ import annotations

import grp
import os
import shutil
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("setpriv") is None, reason="only root can become another user"
)
FILES = [f"tests/sandbox/test_{name}.py" for name in ("hostile", "report", "neighbours", "bounds", "run")]


def run_as(user: list[str], what: list[str], seconds: float) -> None:
    command = ["scripts/as-user", *user, sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider"]
    environment = {**os.environ, "PYTHON": sys.executable, "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [*command, f"--timeout={seconds:.0f}", *what],
        capture_output=True,
        text=True,
        timeout=seconds,
        env=environment,
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[-6000:]
    assert " passed" in done.stdout
    assert " skipped" not in done.stdout


@pytest.mark.bubblewrap
@pytest.mark.timeout(1500)
def test_everything_holds_for_an_ordinary_user_under_bubblewrap() -> None:
    run_as([], [*FILES, "-k", "bubblewrap"], 1400)


@pytest.mark.docker
@pytest.mark.timeout(900)
def test_docker_works_for_a_member_of_its_group() -> None:
    try:
        grp.getgrnam("docker")
    except KeyError:
        pytest.skip("there is no group docker")
    run_as(
        ["--docker"], ["tests/sandbox/test_report.py", "tests/sandbox/test_bounds.py", "-k", "docker"], 800
    )
